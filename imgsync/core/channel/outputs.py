"""What the two sides of the channel ask of whoever drives them."""

import attrs

from imgsync.core.protocol.channel import (
    Ack,
    Identity,
    Image,
    Preloaded,
    Recording,
    Stage,
    UpcomingImage,
)
from imgsync.core.protocol.signalling import Milliseconds


@attrs.frozen
class Transmit:
    """Send this text on the channel. It may hold a signed URL.

    :param image: which image it shows, where it shows one.
    :param copy: of it, from 1.
    :param announced: which images it announces, where it does.
    """

    text: str = attrs.field(repr=False)
    image: Image | None = attrs.field(default=None, eq=False)
    copy: int = attrs.field(default=0, eq=False)
    announced: tuple[UpcomingImage, ...] = attrs.field(default=(), eq=False, repr=False)


@attrs.frozen
class Acked:
    """The first ack of an image came in.

    :param copies: how often the image was sent until then.
    """

    image: Image
    ack: Ack
    copies: int


@attrs.frozen
class Superseded:
    """Another image took this one's place before it was acked; it will not be sent again."""

    image: Image


@attrs.frozen
class TooLarge:
    """The client on this channel takes no message of this size; the image is not shown.

    :param why: as the error says it.
    """

    image: Image
    why: str


@attrs.frozen
class Unsendable:
    """The image comes over the connection alone, which this client can't take; it is not shown."""

    image: Image


@attrs.frozen
class Share:
    """Open the channel for pictures: what follows is the first on this one that needs it."""


@attrs.frozen
class Staged:
    """The client tells this of an image, for the first time or anew."""

    said: Stage


@attrs.frozen
class Identified:
    """The client tells what it has got at the URL of an image, for the first time."""

    image: Image
    identity: Identity


@attrs.frozen
class Counted:
    """The client tells how many of the images that were announced are there."""

    said: Preloaded


@attrs.frozen
class Recorded:
    """The client tells this of the recording of its participant, and it is news."""

    said: Recording


@attrs.frozen
class NeverShown:
    """This image was not on the screen, and will not be: a later one is."""

    image: Image


@attrs.frozen
class Forgotten:
    """Nothing that is said of this image is listened to any more: too many came after it."""

    image: Image


@attrs.frozen
class Announced:
    """The evaluator says what will be shown soon."""

    images: tuple[UpcomingImage, ...]


@attrs.frozen
class Deliver:
    """Hand this image to the application, then call `taken`."""

    image: Image
    received_at: Milliseconds


@attrs.frozen
class Drop:
    """A message was ignored, and why: for the log."""

    why: str


PresenterOutput = (
    Transmit
    | Acked
    | Superseded
    | TooLarge
    | Unsendable
    | Share
    | Staged
    | Identified
    | Counted
    | Recorded
    | NeverShown
    | Forgotten
    | Drop
)

FollowerOutput = Transmit | Deliver | Announced | Drop
