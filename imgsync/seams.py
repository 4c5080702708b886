"""What a session needs of the outside: a socket to the relay, and connections to the other peer.

The real ones are in `imgsync.net` and `imgsync.rtc`, in-memory ones in `imgsync.testing`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import (
    ChannelClosed,
    Fruitless,
    Gathered,
    Hindered,
    LinkLost,
    Opened,
)
from imgsync.core.handshake.packets import PathMeasured
from imgsync.core.handshake.sdp import Candidate, Description
from imgsync.core.protocol.signalling import IceServer, Milliseconds


class Socket(Protocol):
    """One connection to the relay, text frames both ways."""

    def post(self, text: str) -> None:
        """Put a frame on the outbox; never waits. A full outbox closes the socket."""

    async def receive(self) -> str | bytes:
        """The next frame. Raises SocketClosed."""

    def probe(self, deadline: float) -> None:
        """Have it closed if the relay does not answer within these seconds; never waits."""


@attrs.frozen
class ServerFailed:
    """A STUN or TURN server gave no candidate.

    :param server: its URL.
    :param code: the STUN error code that it answered with; None where it did not answer.
    :param why: the reason in words; never holds a credential.
    :param cause: the same for others, who need not know which server it is.
    """

    server: str
    code: int | None
    why: str
    cause: Cause


@attrs.frozen
class Received:
    """A message came in on the data channel; `at` was read as it came off the network."""

    text: str | bytes = attrs.field(repr=False)
    at: Milliseconds


@attrs.frozen
class Drained:
    """More than MAX_UNSENT waited to be sent, and has shrunk to DRAINED."""


@attrs.frozen
class Shared:
    """The channel of pictures is open."""


@attrs.frozen
class DataReceived:
    """A message came in on the channel of pictures; `at` was read as it came off the network."""

    message: str | bytes = attrs.field(repr=False)
    at: Milliseconds


@attrs.frozen
class DataDrained:
    """Nothing waits any more of what was given to the channel of pictures.

    It has been handed on to the network, and need not have arrived.
    """


@attrs.frozen
class Unshared:
    """The channel of pictures is closed; that says nothing of the other one."""


DataEvent = Shared | Unshared
"""Of the channel of pictures: whether there is one."""

CarriedEvent = DataReceived | DataDrained
"""What happens on it."""

LinkEvent = (
    Gathered
    | ServerFailed
    | Hindered
    | Fruitless
    | Opened
    | PathMeasured
    | Received
    | Drained
    | DataEvent
    | ChannelClosed
    | LinkLost
)


class Link(Protocol):
    """One peer connection with its data channel, and one more where pictures go over it."""

    @property
    def max_message(self) -> int:
        """Bytes of a message that the other side takes, once the channel is open."""

    @property
    def lives_apart(self) -> bool:
        """Whether its channel lives in another thread, where some messages are answered at once."""

    @property
    def waiting(self) -> int:
        """Bytes that were given to it to be sent, and are not known to have arrived."""

    @property
    def is_clear(self) -> bool:
        """Whether all that was sent has come to the thread that its channel lives in.

        Read in that thread; a reply overtakes what has not.
        """

    def listen(self, tell: Callable[[LinkEvent], None]) -> None:
        """Have all that happens told, in order; before anything else is asked of the link.

        :param tell: called in the thread that the channel lives in; never waits, never raises.
        """

    async def make_offer(self, *, leads: bool = False) -> str:
        """Describe our side as the offerer. Candidates that are found later are told.

        :param leads: ask to be the side that begins with DTLS, and not for either.
        """

    async def make_answer(self, offer: Description) -> str:
        """Take the other side's offer and describe ours. Raises NegotiationError."""

    async def apply_answer(self, answer: Description) -> None:
        """Take the other side's answer. Raises NegotiationError."""

    def add_candidate(self, candidate: Candidate | None) -> None:
        """Take a candidate of the other side, or None: no more will come. Never waits."""

    def send(self, text: str) -> None:
        """Send on the data channel; never waits. On a closed channel it goes nowhere.

        Where the other side takes nothing, and too much waits, the link is lost.
        """

    def reply(self, text: str, then: Callable[[], None]) -> None:
        """Send on the data channel what answers a message, from within what it is told to.

        :param then: called in the same thread once that has been handed to the network; never
            raises. To wake another thread before would hold it up.
        """

    def send_stamped(self, make: Callable[[Milliseconds], str]) -> None:
        """Send what `make` returns, called with the time at which it is handed to the channel.

        It is called in the thread that the channel lives in, so it touches nothing of ours, and not
        at all on a closed channel; if it raises, nothing is sent. Never waits.
        """

    def share(self) -> None:
        """Open the channel of pictures, if it is not there; of who offers, once the other is open.

        Never waits.
        """

    def carry(self, hear: Callable[[CarriedEvent], None]) -> None:
        """Have all that happens on the channel of pictures from now on told, in order. Never waits.

        There are many messages, and each is answered at once: to hand them to another thread and
        back would take a third longer. What comes before this is dropped.

        :param hear: called in the thread that the channel lives in; never waits.
        """

    def send_data(self, message: str | bytes) -> None:
        """Send on the channel of pictures; never waits. On a closed one it goes nowhere.

        In any thread; whoever sends in several keeps them apart.
        """

    async def close_channel(self) -> None:
        """Close the channel after everything sent has left, under a deadline."""


class Network(Protocol):
    """Everything that a peer needs of the outside."""

    def open_socket(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """Connect to the relay. Raises ConnectError."""

    def open_link(self, ice_servers: Sequence[IceServer]) -> AbstractAsyncContextManager[Link]:
        """A new peer connection; leaving the block closes it under a deadline."""
