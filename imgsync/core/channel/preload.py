"""What will be shown soon, in messages that hold up no image for long."""

from collections import deque
from collections.abc import Iterator, Sequence

from imgsync.core.channel.sharing import ImageSource, Sharing
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Preload, UpcomingImage
from imgsync.core.protocol.errors import InputError, MessageTooLarge, NotSpoken
from imgsync.core.protocol.naming import first_conflict
from imgsync.core.protocol.numbers import AHEAD, MAX_CHANNEL_MESSAGE, MAX_PRELOAD, MAX_UNSENT

# Each image costs its own size and a comma, but the first one no comma.
_FRAME = len(encode_channel(Preload(()))) - 1


def split_preload(
    images: Sequence[UpcomingImage], limit: int = MAX_CHANNEL_MESSAGE
) -> list[Preload]:
    """Messages that together name these images in their order; none where there are no images.

    An image that is too large for a message of this size has one of its own. Raises MessageTooLarge
    for one that fits into no message at all.

    :param limit: bytes of a message that the other side takes.
    """
    return [Preload(tuple(group)) for group in _groups(images, limit)]


def _size_of(image: UpcomingImage, limit: int = MAX_CHANNEL_MESSAGE) -> int:
    return len(encode_channel(Preload((image,)), limit)) - _FRAME


def _groups(images: Sequence[UpcomingImage], limit: int) -> Iterator[list[UpcomingImage]]:
    most = min(MAX_PRELOAD - 1, limit)
    group: list[UpcomingImage] = []
    size = _FRAME
    for image in images:
        more = _size_of(image, limit)
        if group and size + more > most:
            yield group
            group, size = [], _FRAME
        group.append(image)
        size += more
    if group:
        yield group


class Upcoming:
    """What was announced and not shown yet, and what of it the client on this channel was told."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._images: list[ImageSource] = []
        #: None before the first of it.
        self._untold: deque[Preload] | None = None
        self._limit = MAX_CHANNEL_MESSAGE
        #: Whether the client on the open channel wants to be told.
        self.is_wanted = False

    def announce(self, images: Sequence[ImageSource]) -> None:
        """In the place of what was announced before; texts are left out, as they are not fetched.

        Raises InputError for two different images of one name, and MessageTooLarge, and that stays.
        """
        images = [image for image in images if not image.is_text]
        given = [(image.image_url, image.signed_url) for image in images]
        shared = [(image.image_url, None if image.is_own else image.signed_url) for image in images]
        conflict = first_conflict(given) or first_conflict(shared)
        if conflict is not None:
            raise InputError(
                f"images {conflict[0]} and {conflict[1]} of those that are announced have one"
                " imageUrl and are different ones; give each image an imageUrl of its own"
            )
        split_preload([UpcomingImage(*one) for one in given], self._limit)
        self._images, self._untold = images, None

    def shown(self, image_url: str) -> None:
        """This one is to be shown now."""
        self._images = [other for other in self._images if other.image_url != image_url]

    def tell_anew(self) -> None:
        """The client on the open channel takes pictures in another way than was known."""
        self._untold = None

    def opened(self, limit: int) -> None:
        """A channel is open; bytes of a message that the client takes."""
        self._untold, self._limit = None, limit

    def closed(self) -> None:
        """There is no open channel any more."""
        self.is_wanted, self._limit = False, MAX_CHANNEL_MESSAGE

    def take(self, waiting: int) -> list[Preload]:
        """What is to be told now, where so many bytes wait to be sent; the rest is for later."""
        if not self.is_wanted:
            return []
        if self._untold is None:
            fitting = [one for one in self._tellable() if self._fits(one)]
            self._untold = deque(split_preload(fitting, self._limit))
        taken: list[Preload] = []
        while self._untold and waiting <= MAX_UNSENT:
            taken.append(self._untold.popleft())
            waiting += len(encode_channel(taken[-1]))
        return taken

    def _tellable(self) -> Iterator[UpcomingImage]:
        """What can be sent to the client on the open channel, as it would be."""
        for image in self._images:
            try:
                url = self._sharing.url_of(image)
            except NotSpoken:
                continue
            if not self._sharing.is_undecided(image):
                yield UpcomingImage(image.image_url, url)

    def _fits(self, image: UpcomingImage) -> bool:
        try:
            return _FRAME + _size_of(image) <= self._limit
        except MessageTooLarge:
            return False


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
