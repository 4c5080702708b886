"""What the two sides of the channel of pictures ask of whoever drives them."""

import attrs


@attrs.frozen
class Tell:
    """Send this text on the channel."""

    text: str


@attrs.frozen
class SendChunk:
    """Send this binary message on the channel."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Read:
    """Read so many bytes of a picture, from this offset on; then call `read` or `failed`.

    :param id: of the transfer; one at a time is read, and one block of it.
    """

    id: int
    image_url: str
    offset: int
    size: int


@attrs.frozen
class Done:
    """Nothing more of this transfer is read: its file can be closed."""

    id: int


@attrs.frozen
class NotSent:
    """A picture that was offered could not be sent to the end.

    :param reason: a short word.
    :param detail: what else is known, for people.
    """

    image_url: str
    reason: str
    detail: str


@attrs.frozen
class Parked:
    """This try waits, and no byte of it can come yet."""

    number: int


@attrs.frozen
class Answered:
    """From this offset on the picture comes.

    :param offset: where that is 0, what was here is of no use.
    """

    number: int
    offset: int
    length: int
    content_type: str
    sha256: str


@attrs.frozen
class Came:
    """The next bytes of it."""

    number: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Finished:
    """All of it has come."""

    number: int


@attrs.frozen
class Failed:
    """The try has come to nothing.

    :param reason: a short word.
    :param may_pass: whether another try may help.
    :param keeps: whether what it has brought is of use.
    :param detail: what else is known, for people.
    """

    number: int
    reason: str
    may_pass: bool
    keeps: bool
    detail: str


@attrs.frozen
class Drop:
    """A message was ignored, and why: for the log."""

    why: str


SenderOutput = Tell | SendChunk | Read | Done | NotSent | Drop
ReceiverOutput = Tell | Parked | Answered | Came | Finished | Failed | Drop
