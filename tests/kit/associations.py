"""Two SCTP associations of aiortc with a wire of ours between them, on a clock that jumps.

Nothing is encrypted, and nobody waits: a packet takes HALF_TRIP on the loop's own clock, which goes
on to what is due as soon as nothing else is left to do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcsctptransport import Chunk, RTCSctpCapabilities, parse_packet

from imgsync.rtc.association import Association

T = TypeVar("T")

HALF_TRIP = 0.05
ROUND_TRIP = 2 * HALF_TRIP
PORT = 5000


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its time passes only where everybody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def select_and_jump(timeout: float | None = None) -> Any:
            ready = select(0)
            if not ready and timeout is None:
                raise AssertionError("everybody waits, and nothing is due")
            if not ready and timeout:
                self._now += timeout
            return ready

        selector.select = select_and_jump

    def time(self) -> float:
        """Seconds."""
        return self._now


def run_jumping(main: Callable[[], Awaitable[T]]) -> T:
    """Run this on such a loop."""

    async def call() -> T:
        return await main()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(call())


class Transport:
    """What an association needs of DTLS.

    :ivar packets: the chunks of each packet that was sent, by the names of their classes.
    """

    def __init__(self, role: str, loses: Callable[[int], bool]) -> None:
        self.state = "connected"
        self._role = role
        self._loses = loses
        self.far: Transport | None = None
        self.raw: list[bytes] = []
        self.packets: list[list[str]] = []
        self._receiver: RTCSctpTransport | None = None

    def _register_data_receiver(self, receiver: RTCSctpTransport) -> None:
        self._receiver = receiver

    def _unregister_data_receiver(self, receiver: RTCSctpTransport) -> None:
        self._receiver = None

    async def _send_data(self, data: bytes) -> None:
        self.raw.append(data)
        self.packets.append([type(chunk).__name__ for chunk in parse_packet(data)[3]])
        if not self._loses(len(self.packets)):
            asyncio.get_running_loop().call_later(HALF_TRIP, self._carry, data)

    def _carry(self, data: bytes) -> None:
        assert self.far is not None
        self.far.come(data)

    def come(self, data: bytes) -> None:
        """A packet is there, from whomever."""
        if self._receiver is not None:
            task = asyncio.ensure_future(self._receiver._handle_data(data))
            task.add_done_callback(lambda done: done.result())


def lose_none(number: int) -> bool:
    return False


class Side:
    """One end.

    :param is_ours: whether it starts as ours do; stock aiortc else.
    :param loses: whether the wire loses its packet of this number, from 1.
    """

    def __init__(
        self, role: str, *, is_ours: bool = True, loses: Callable[[int], bool] = lose_none
    ) -> None:
        self.wire = Transport(role, loses)
        self.sctp = RTCSctpTransport(self.wire, PORT)  # type: ignore[arg-type]
        self.lost: list[str] = []
        self.association = Association(self.sctp, self.lost.append) if is_ours else None
        #: What came, and when.
        self.came: list[tuple[object, float]] = []
        self.sctp.on("datachannel", self._listen)

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", lambda text: self.came.append((text, _now())))

    def open(self, says: Sequence[str] = (), **options: Any) -> RTCDataChannel:
        """Open a channel, and write this on it as soon as it is open."""
        parameters = RTCDataChannelParameters(label="any", **options)
        channel = RTCDataChannel(self.sctp, parameters)

        def say() -> None:
            for text in says:
                channel.send(text)

        channel.on("open", say)
        self._listen(channel)
        return channel

    async def start(self) -> None:
        await self.sctp.start(RTCSctpCapabilities(maxMessageSize=65536), PORT)

    @property
    def is_established(self) -> bool:
        return self.sctp._association_state is RTCSctpTransport.State.ESTABLISHED


def _now() -> float:
    return asyncio.get_running_loop().time()


def wire_up(one: Side, other: Side) -> None:
    one.wire.far, other.wire.far = other.wire, one.wire


def chunks_of(raw: bytes) -> list[Chunk]:
    return parse_packet(raw)[3]
