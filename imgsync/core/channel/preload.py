"""What will be shown soon, in messages that hold up no image for long."""

from collections.abc import Iterator, Sequence

from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Preload, UpcomingImage
from imgsync.core.protocol.numbers import AHEAD, MAX_PRELOAD

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


class Announcements:
    """What a client knows to come, of one series in one session."""

    def __init__(self) -> None:
        #: Places in the series, since it was told last.
        self._announced: set[int] = set()

    def next(self, count: int, current: int | None) -> list[int] | None:
        """The places to announce now, the next one first; None where the client knows most of it.

        :param count: how many images the series has.
        :param current: the place of what is shown; None before the first.
        """
        first = 0 if current is None else current + 1
        coming = range(first, min(first + AHEAD, count))
        if self._announced.issuperset(coming[: AHEAD // 2]):
            return None
        # A person may go back; what comes first in the series is what is wanted then.
        places = [*coming, *range(min(first, AHEAD - len(coming)))]
        self._announced = set(places)
        return places
