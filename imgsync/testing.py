"""In-memory stand-ins for the relay and for WebRTC, to test sessions without sockets or threads.

    network = MemoryNetwork()
    async with open_client("memory:", user_id="c", network=network) as client: ...

The relay's decisions are the real ones (`core.relay`), and so is everything of the peers but their
sockets and connections. Only Trio waits in here, so the autojump clock works.
"""

import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import assert_never

import trio

from imgsync.core.codec.codec import encode_event
from imgsync.core.handshake.inputs import ChannelClosed, Gathered, LinkLost, Opened
from imgsync.core.handshake.sdp import Candidate, Description
from imgsync.core.protocol.errors import ConnectRefused, SocketClosed
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE
from imgsync.core.protocol.signalling import CloseCode, IceServer, Milliseconds, Role
from imgsync.core.relay.outputs import (
    Admitted,
    AwaitRoom,
    Close,
    Output,
    Probe,
    Send,
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
    SignalDropped,
    Sooner,
)
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from imgsync.seams import (
    CarriedEvent,
    DataDrained,
    DataReceived,
    LinkEvent,
    Received,
    Shared,
    Unshared,
)
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

_NOW, _GRACE = 0.0, 60.0
"""The relay's clock stands still, so that no grace time passes by itself."""

_SDP = """v=0
o=- {number} 1 IN IP4 0.0.0.0
s=-
t=0 0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:{mid}
a=sctp-port:5000
a=ice-ufrag:u{number:03}
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 00:11:22:33
a=setup:{setup}
a=candidate:1 1 udp 1 192.0.2.1 {number} typ host
"""


class MemorySocket:
    """One end of a connection to the in-memory relay; see `imgsync.seams.Socket`."""

    def __init__(self, relay: "MemoryRelay") -> None:
        self._relay = relay
        self._frames: deque[str] = deque()
        self._news = trio.Event()
        self._closed: SocketClosed | None = None

    def post(self, text: str) -> None:
        """To the relay."""
        if self._closed is None:
            self._relay.receive(self, text)

    async def receive(self) -> str:
        """From the relay. Raises SocketClosed."""
        await trio.lowlevel.checkpoint()
        while not self._frames:
            if self._closed is not None:
                raise self._closed
            self._news = trio.Event()
            await self._news.wait()
        return self._frames.popleft()

    def probe(self, deadline: float) -> None:
        """The in-memory relay never goes without a word."""

    def deliver(self, text: str) -> None:
        """The relay's side of `receive`."""
        self._frames.append(text)
        self._news.set()

    def close(self, code: int) -> None:
        """Cut it."""
        self._closed = SocketClosed(code)
        self._news.set()


class MemoryRelay:
    """RelayState and its sockets; can be taken down and brought back, having forgotten all."""

    def __init__(self, ice_servers: Sequence[IceServer] = ()) -> None:
        self._ice_servers = ice_servers
        self._ids = itertools.count(1)
        self._state = self._new_state()
        self._sockets: list[MemorySocket] = []
        self.is_up = True

    def _new_state(self) -> RelayState:
        return RelayState(
            lambda: f"session-{next(self._ids)}",
            Terms(grace=_GRACE, ice_servers=lambda user_id: self._ice_servers),
        )

    def connect(self) -> MemorySocket:
        """A new socket. Raises ConnectRefused while the relay is down."""
        if not self.is_up:
            raise ConnectRefused("the relay is down")
        socket = MemorySocket(self)
        self._sockets.append(socket)
        return socket

    def receive(self, socket: MemorySocket, text: str) -> None:
        """A frame of a peer."""
        if socket in self._sockets:
            self._perform(self._state.receive(socket, text, _NOW))

    def lose(self, socket: MemorySocket) -> None:
        """A socket is gone."""
        if socket in self._sockets:
            self._sockets.remove(socket)
            self._perform(self._state.lost(socket, _NOW))

    def go_down(self) -> None:
        """Cut every socket, refuse new ones, forget everything."""
        self.is_up = False
        sockets, self._sockets = self._sockets, []
        for socket in sockets:
            socket.close(CloseCode.GOING_AWAY)
        self._state = self._new_state()

    def come_back(self) -> None:
        """Accept sockets again."""
        self.is_up = True

    def forget_sessions(self) -> None:
        """End all sessions as if both of their sides had been away for too long."""
        self._perform(self._state.give_up_all(Role.CLIENT, _NOW))

    def let_grace_pass(self) -> None:
        """End the grace time of all who are away now; it never ends by itself."""
        self._perform(self._state.tick(_NOW + _GRACE))

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(MemorySocket() as socket, message):
                    socket.deliver(encode_event(message))
                case Close(MemorySocket() as socket, code, _):
                    socket.close(code)
                case (
                    Admitted()
                    | Probe()
                    | Sooner()
                    | AwaitRoom()
                    | SessionBegan()
                    | SessionOver()
                    | SessionAnswered()
                    | SideAway()
                    | SideBack()
                    | SignalDropped()
                ):
                    # A socket in memory is never dead without a word, and an older one that was
                    # probed would be another window.
                    pass
                case Send() | Close():
                    raise AssertionError(f"{output} is for no socket of this relay")
                case _:
                    assert_never(output)


class MemoryLink:
    """One end of a pair of linked channels; see `imgsync.seams.Link`.

    Two ends find each other through their descriptions, as real ones do.
    """

    #: What it says of the other side, for tests to set.
    max_message = MAX_CHANNEL_MESSAGE
    waiting = 0
    lives_apart = False
    is_clear = True

    def __init__(self, network: "MemoryNetwork", number: int) -> None:
        self._network = network
        self._number = number
        self._tell: Callable[[LinkEvent], None] = _ignore
        self._other: MemoryLink | None = None
        self._is_open = False
        self._is_shared = False
        self._hear: Callable[[CarriedEvent], None] = _drop
        #: What the other side has told us, in order, for tests to look at.
        self.candidates: list[Candidate | None] = []

    def listen(self, tell: Callable[[LinkEvent], None]) -> None:
        """See the protocol."""
        self._tell = tell

    async def make_offer(self, *, leads: bool = False) -> str:
        """See the protocol."""
        return await self._describe("active" if leads else "actpass", f"m{self._number}")

    async def make_answer(self, offer: Description) -> str:
        """See the protocol."""
        self._other = self._network.link_of(offer)
        return await self._describe("active", offer.mid)

    async def _describe(self, setup: str, mid: str) -> str:
        await trio.sleep(self._network.latency)
        self.put(Gathered(None))
        return _SDP.format(number=self._number, setup=setup, mid=mid)

    async def apply_answer(self, answer: Description) -> None:
        """See the protocol."""
        await trio.sleep(self._network.latency)
        self._other = self._network.link_of(answer)
        if self._other is not None and not self._network.is_blocked:
            for end in (self._other, self):
                end._is_open = True
                end.put(Opened())

    def add_candidate(self, candidate: Candidate | None) -> None:
        """See the protocol."""
        self.candidates.append(candidate)

    def send(self, text: str) -> None:
        """See the protocol."""
        if self._is_open and self._other is not None and not self._network.is_silent:
            self._other.put(Received(text, now_ms()))

    def reply(self, text: str, then: Callable[[], None]) -> None:
        """See the protocol."""
        self.send(text)
        then()

    def send_stamped(self, make: Callable[[Milliseconds], str]) -> None:
        """See the protocol."""
        if not self._is_open:
            return
        try:
            text = make(now_ms())
        except Exception:
            log.exception("a stamped message could not be made")
        else:
            self.send(text)

    def share(self) -> None:
        """See the protocol."""
        if self._is_open and self._other is not None and not self._is_shared:
            for end in (self._other, self):
                end._is_shared = True
                end.put(Shared())

    def carry(self, hear: Callable[[CarriedEvent], None]) -> None:
        """See the protocol."""
        self._hear = hear

    def carried(self, event: CarriedEvent) -> None:
        """Make something happen on the channel of pictures, soon: who sends is not called back."""
        trio.lowlevel.current_trio_token().run_sync_soon(lambda: self._hear(event))

    def send_data(self, message: str | bytes) -> None:
        """See the protocol."""
        if self._is_open and self._is_shared and self._other is not None:
            if not self._network.is_silent:
                self._other.carried(DataReceived(message, now_ms()))
            self.carried(DataDrained())

    def unshare(self) -> None:
        """Close the channel of pictures alone, on both ends."""
        for end in (self, self._other):
            if end is not None and end._is_shared:
                end._is_shared = False
                end.put(Unshared())

    async def close_channel(self) -> None:
        """See the protocol."""
        await trio.lowlevel.checkpoint()
        if self._is_open and self._other is not None and not self._network.is_silent:
            self._other.put(ChannelClosed())
        self._is_open = False

    def put(self, event: LinkEvent) -> None:
        """Make something happen to this end."""
        self._tell(event)

    def break_off(self) -> None:
        """Lose the connection, on both ends."""
        for end in (self, self._other):
            if end is not None:
                end._lose(LinkLost("cut by the test"))

    def close(self) -> None:
        """Close the connection, as does whoever leaves the block; the channel stays as it is."""
        self._is_open = False
        if self._other is not None and not self._network.is_silent:
            self._other._lose(LinkLost("closed by the other side", by_peer=True))

    def _lose(self, event: LinkLost) -> None:
        if self._is_open:
            self._is_open = False
            self.put(event)


def _ignore(event: LinkEvent) -> None:
    """Where nobody listens."""


def _drop(event: CarriedEvent) -> None:
    """The same, on the channel of pictures."""


class MemoryNetwork:
    """See `imgsync.seams.Network`. One object for all peers of a test.

    :param latency: seconds that each step of a connection takes.
    """

    def __init__(self, latency: float = 0.0, ice_servers: Sequence[IceServer] = ()) -> None:
        self.latency = latency
        self.relay = MemoryRelay(ice_servers)
        #: Every link that was ever opened, in order.
        self.links: list[MemoryLink] = []
        #: While set, links find no path to each other.
        self.is_blocked = False
        #: While set, what is sent on links goes nowhere, ends included, and nobody is told.
        self.is_silent = False

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[MemorySocket]:
        """See the protocol; the URL is of no consequence."""
        await trio.lowlevel.checkpoint()
        socket = self.relay.connect()
        try:
            yield socket
        finally:
            self.relay.lose(socket)

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[MemoryLink]:
        """See the protocol."""
        await trio.lowlevel.checkpoint()
        link = MemoryLink(self, len(self.links) + 1)
        self.links.append(link)
        try:
            yield link
        finally:
            link.close()

    def link_of(self, description: Description) -> MemoryLink | None:
        """The link that a description is of."""
        number = int(description.ufrag[1:])
        return self.links[number - 1] if 0 < number <= len(self.links) else None
