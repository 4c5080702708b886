"""What was lost on its way is sent again as the core has it, in the place of aiortc's own timer.

With the rest of this room, the only place that touches what is private to aiortc; the canary tests
fail when one of these names goes. Stock aiortc waits for a second at least, does not wait longer
the second time, and looks for three packets behind a lost one that often never come.
"""

import asyncio

from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import (
    SCTP_TSN_MODULO,
    Chunk,
    CookieAckChunk,
    CookieEchoChunk,
    DataChunk,
    InitAckChunk,
    InitChunk,
    SackChunk,
)
from aiortc.utils import uint32_gt

from imgsync.core.channel.recovery import Due, Recovery, is_lost

_MISSES = 3
"""Reports of what is behind a chunk that have aiortc send it again."""

_ANSWERS: dict[type[Chunk], type[Chunk]] = {
    InitChunk: InitAckChunk,
    CookieEchoChunk: CookieAckChunk,
}


class Retransmission:
    """Of one SCTP association, for which it stands in the place of the timer T3-rtx.

    All users of aiortc in this process share the constants of its module; they stay as they are.
    """

    def __init__(self, sctp: RTCSctpTransport) -> None:
        self._sctp = sctp
        self._recovery = Recovery()
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._expire = sctp._t3_expired
        sctp._t3_start = sctp._t3_restart = self._arm  # type: ignore[method-assign]
        sctp._t3_cancel = self._disarm  # type: ignore[method-assign]
        sctp._update_rto = self._measure  # type: ignore[assignment, method-assign]
        self._hear_acknowledgements()
        self._measure_handshake()

    def _measure(self, seconds: float) -> None:
        self._recovery.measured(seconds)
        self._sctp._rto = self._recovery.rto

    def _arm(self) -> None:
        is_recovering = self._sctp._fast_recovery_exit is not None
        self._recovery.armed(self._loop.time(), is_recovering=is_recovering)
        self._wait()

    def _disarm(self) -> None:
        self._recovery.disarmed()
        self._forget_timer()

    def _wait(self) -> None:
        self._forget_timer()
        # aiortc starts no other where it finds one here.
        self._sctp._t3_handle = self._loop.call_at(self._recovery.due, self._tick)

    def _forget_timer(self) -> None:
        if self._sctp._t3_handle is not None:
            self._sctp._t3_handle.cancel()
            self._sctp._t3_handle = None

    def _tick(self) -> None:
        match self._recovery.tick(self._loop.time()):
            case Due.TIMEOUT:
                self._expire()
            case Due.PROBE:
                self._probe()
                self._wait()
            case None:  # a timer may come up to its clock's resolution too early
                self._wait()

    def _probe(self) -> None:
        for chunk in reversed(self._sctp._sent_queue):
            if chunk._in_flight:
                # From now on its acknowledgement measures nothing.
                chunk._sent_count += 1
                task = self._loop.create_task(self._send(chunk))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return

    async def _send(self, chunk: DataChunk) -> None:
        try:
            await self._sctp._send_chunk(chunk)
        except ConnectionError:
            return  # it is told elsewhere

    def _hear_acknowledgements(self) -> None:
        sctp, receive = self._sctp, self._sctp._receive_sack_chunk

        async def look_and_receive(chunk: SackChunk) -> None:
            if uint32_gt(chunk.cumulative_tsn, sctp._last_sacked_tsn):
                self._recovery.acknowledged(self._loop.time())
            elif chunk.duplicates:
                self._recovery.repeated_in_vain()
            if not uint32_gt(sctp._last_sacked_tsn, chunk.cumulative_tsn):
                note_early_loss(sctp, chunk)
            await receive(chunk)

        sctp._receive_sack_chunk = look_and_receive  # type: ignore[method-assign]

    def _measure_handshake(self) -> None:
        """So that the first message is not waited for as long as one on an unknown path."""
        sctp, start, receive = self._sctp, self._sctp._t1_start, self._sctp._receive_chunk
        asked_at = 0.0

        def start_and_note(chunk: Chunk) -> None:
            nonlocal asked_at
            asked_at = self._loop.time()
            start(chunk)

        async def measure_and_receive(chunk: Chunk) -> None:
            asked = sctp._t1_chunk
            is_answer = asked is not None and type(chunk) is _ANSWERS.get(type(asked))
            if is_answer and not sctp._t1_failures:
                # aiortc's own timer stays: it does not back off, and gives up after eight times.
                self._recovery.measured(self._loop.time() - asked_at)
            await receive(chunk)

        sctp._t1_start = start_and_note  # type: ignore[method-assign]
        sctp._receive_chunk = measure_and_receive  # type: ignore[method-assign]


def note_early_loss(sctp: RTCSctpTransport, sack: SackChunk) -> None:
    """Where this shows a chunk to be lost, have aiortc find enough reports of that.

    Once for each: what is behind it may have left before it was sent again.
    """
    if not sack.gaps or not sctp._sent_queue:
        return
    outstanding = (sctp._sent_queue[-1].tsn - sack.cumulative_tsn) % SCTP_TSN_MODULO
    reported = sum(last - first + 1 for first, last in sack.gaps)
    if not is_lost(outstanding, reported, len(sctp._outbound_queue)):
        return
    missing = next(one for one in sctp._sent_queue if uint32_gt(one.tsn, sack.cumulative_tsn))
    if missing._sent_count == 1:
        missing._misses = max(missing._misses, _MISSES - 1)
