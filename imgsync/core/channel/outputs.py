"""What the two sides of the channel ask of whoever drives them."""

from collections.abc import Sequence

import attrs

from imgsync.core.protocol.channel import (
    Ack,
    Display,
    Identity,
    Image,
    Preloaded,
    Recording,
    Response,
    Stage,
    UpcomingImage,
)
from imgsync.core.protocol.signalling import Milliseconds


@attrs.frozen
class Transmit:
    """Send this text on the channel. It may hold a signed URL.

    :param image: which image it shows, where it shows one.
    :param copy: of it, from 1.
    :param upcoming: which images it announces.
    """

    text: str = attrs.field(repr=False)
    image: Image | None = attrs.field(default=None, eq=False)
    copy: int = attrs.field(default=0, eq=False)
    upcoming: Sequence[UpcomingImage] = attrs.field(default=(), eq=False)


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
    """The image needs what this client does not speak; it is not shown.

    :param feature: "pictures" of one that comes over the connection alone, "text" of a text.
    """

    image: Image
    feature: str


@attrs.frozen
class Share:
    """Open the channel for pictures: what follows is the first on this one that needs it."""


@attrs.frozen
class Staged:
    """The client tells this of an image, for the first time or anew."""

    said: Stage


@attrs.frozen
class Responded:
    """The participant has answered this image; each answer is told once."""

    image: Image
    said: Response


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
class Displayed:
    """The client tells what it shows images on, and it is news."""

    said: Display


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
    | Responded
    | Identified
    | Counted
    | Recorded
    | Displayed
    | NeverShown
    | Forgotten
    | Drop
)

FollowerOutput = Transmit | Deliver | Announced | Drop
