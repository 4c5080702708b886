"""What will be shown soon, in messages that hold up no image for long."""

from collections.abc import Iterator, Sequence

from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Preload, UpcomingImage

MAX_PRELOAD = 16 * 1024
"""Bytes that a message stays under, as the protocol says."""

# Each image costs its own size and a comma, but the first one no comma.
_FRAME = len(encode_channel(Preload(()))) - 1


def split_preload(images: Sequence[UpcomingImage]) -> list[Preload]:
    """Messages that together name these images in their order; none where there are no images.

    An image that is too large for a message of this size has one of its own. Raises MessageTooLarge
    for one that fits into no message at all.
    """
    return [Preload(tuple(group)) for group in _groups(images)]


def _groups(images: Sequence[UpcomingImage]) -> Iterator[list[UpcomingImage]]:
    group: list[UpcomingImage] = []
    size = _FRAME
    for image in images:
        more = len(encode_channel(Preload((image,)))) - _FRAME
        if group and size + more >= MAX_PRELOAD:
            yield group
            group, size = [], _FRAME
        group.append(image)
        size += more
    if group:
        yield group
