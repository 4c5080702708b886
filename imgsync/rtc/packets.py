"""Packets of one connection that are no larger than its path lets through, as the core finds out.

With `ice.py` and `transports.py`, the only places that touch what is private to aiortc; the same
canary tests fail when one of these names goes. Stock aiortc sends the largest packets from the
start and sends them again for ever, and has a whole flight of its DTLS handshake in one datagram.
"""

import asyncio
import copy
import math
import secrets
from collections.abc import Callable, Iterator

from aiortc import RTCDtlsTransport, RTCSctpTransport
from aiortc.rtcsctptransport import (
    SCTP_CHUNK_HEADER_LENGTH,
    SCTP_COMMON_HEADER_LENGTH,
    SCTP_DATA_CHUNK_HEADER_LENGTH,
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    SCTP_MAX_BURST,
    USERDATA_MAX_LENGTH,
    Chunk,
    DataChunk,
    HeartbeatAckChunk,
    HeartbeatChunk,
    tsn_plus_one,
)
from OpenSSL import SSL

from imgsync.core.handshake.packets import LARGEST, SMALLEST, PacketSize, PathMeasured

_DATA_HEADERS = SCTP_COMMON_HEADER_LENGTH + SCTP_DATA_CHUNK_HEADER_LENGTH
_PROBE_HEADERS = SCTP_COMMON_HEADER_LENGTH + 2 * SCTP_CHUNK_HEADER_LENGTH
"""Of the packet, the chunk and its only parameter (RFC 9260, section 3.3.5)."""

_BURST = SCTP_MAX_BURST * USERDATA_MAX_LENGTH
"""Bytes that aiortc sends at once, at most: each packet that begins within them."""

_HEARTBEAT_INFO = 1

_RECORD_HEADER = 13
_LENGTH_AT = 11
"""Where in the header of a DTLS record its length stands (RFC 6347, section 4.1)."""

_BLOCK = 2048
"""Bytes that are read out of OpenSSL at once: more than a packet, as all but a flight of the
handshake is one."""


class Packets:
    """Keeps the packets of one SCTP association to the size that its path lets through.

    :param tell: told, on the loop thread, what was found of the path.
    """

    def __init__(self, sctp: RTCSctpTransport, tell: Callable[[PathMeasured], None]) -> None:
        self._sctp = sctp
        self._tell = tell
        self._size = PacketSize()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        #: What our probes begin with: an answer that has made it up changes nothing.
        self._mark = secrets.token_bytes(8)
        self._tasks: set[asyncio.Task[None]] = set()
        self._begin_when_established()
        self._hear_answers()
        self._split_what_is_unsent()

    def _begin_when_established(self) -> None:
        set_state = self._sctp._set_state

        def set_state_and_probe(state: RTCSctpTransport.State) -> None:
            is_new = self._sctp._association_state is not state
            set_state(state)
            if state is RTCSctpTransport.State.ESTABLISHED and is_new:
                self._probe(self._size.opened(self._loop.time()))
            elif state is RTCSctpTransport.State.CLOSED and self._timer is not None:
                self._timer.cancel()

        self._sctp._set_state = set_state_and_probe  # type: ignore[method-assign]

    def _hear_answers(self) -> None:
        receive = self._sctp._receive_chunk

        async def receive_or_take(chunk: Chunk) -> None:
            if not isinstance(chunk, HeartbeatAckChunk):
                await receive(chunk)
                return
            for kind, info in chunk.params:
                if kind == _HEARTBEAT_INFO and info.startswith(self._mark):
                    measured = self._size.answered(len(info) + _PROBE_HEADERS)
                    if measured is not None:
                        self._tell(measured)

        self._sctp._receive_chunk = receive_or_take  # type: ignore[method-assign]

    def _split_what_is_unsent(self) -> None:
        transmit, reset = self._sctp._transmit, self._sctp._transmit_reconfig

        def split(room: float) -> None:
            if self._size.usable < LARGEST:
                split_unsent(self._sctp, self._size.usable - _DATA_HEADERS, room)

        async def split_and_transmit() -> None:
            split(_BURST)
            await transmit()

        async def split_and_reset() -> None:
            # Asked at each acknowledgement; what a request names is the last number of all.
            if self._sctp._reconfig_queue and not self._sctp._reconfig_request:
                split(math.inf)
            await reset()

        self._sctp._transmit = split_and_transmit  # type: ignore[method-assign]
        self._sctp._transmit_reconfig = split_and_reset  # type: ignore[method-assign]

    def _probe(self, sizes: list[int]) -> None:
        """Send probes of these sizes, and see what has come of them when that is due."""
        for size in sizes:
            task = self._loop.create_task(self._send_probe(size))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._size.due < math.inf:
            self._timer = self._loop.call_at(self._size.due, self._tick)

    async def _send_probe(self, size: int) -> None:
        probe = HeartbeatChunk()
        probe.params = [(_HEARTBEAT_INFO, self._mark.ljust(size - _PROBE_HEADERS, b"\0"))]
        try:
            await self._sctp._send_chunk(probe)
        except ConnectionError:
            return  # it is told elsewhere

    def _tick(self) -> None:
        outcome = self._size.tick(self._loop.time())
        if isinstance(outcome, PathMeasured):
            self._tell(outcome)
        else:
            self._probe(outcome)


def split_unsent(sctp: RTCSctpTransport, limit: int, room: float) -> None:
    """Have no chunk that is sent next carry more than this; those behind it get new numbers.

    :param room: bytes that may be sent next; what comes later may be sent in larger packets.
    """
    queue = sctp._outbound_queue
    count = size = 0
    is_small = True
    for chunk in queue:
        if size >= room:
            break
        count, size = count + 1, size + len(chunk.user_data)
        is_small &= len(chunk.user_data) <= limit
    if is_small:
        return
    tsn, chunks = queue[0].tsn, list(queue)
    parts = [part for chunk in chunks[:count] for part in _split_chunk(chunk, limit)]
    parts += chunks[count:]
    for part in parts:
        part.tsn, tsn = tsn, tsn_plus_one(tsn)
    queue.clear()
    queue.extend(parts)
    sctp._local_tsn = tsn


def _split_chunk(chunk: DataChunk, limit: int) -> Iterator[DataChunk]:
    size = len(chunk.user_data)
    for start in range(0, size, limit):
        part = copy.copy(chunk)
        part.user_data = chunk.user_data[start : start + limit]
        part._book_size = len(part.user_data)
        if start > 0:
            part.flags &= ~SCTP_DATA_FIRST_FRAG
        if start + limit < size:
            part.flags &= ~SCTP_DATA_LAST_FRAG
        yield part


def send_small_flights(dtls: RTCDtlsTransport) -> None:
    """Have what OpenSSL wants to send go out in datagrams of as many whole records as are small."""

    async def write_in_parts() -> None:
        assert dtls._ssl is not None
        flight = block = b""
        try:
            while not flight or len(block) == _BLOCK:
                block = dtls._ssl.bio_read(_BLOCK)
                flight += block
        except SSL.Error:  # there is no more
            pass
        for datagram in split_flight(flight):
            await dtls.transport._send(datagram)

    dtls._write_ssl = write_in_parts  # type: ignore[method-assign]


def split_flight(flight: bytes) -> list[bytes]:
    """DTLS records, one behind the other, in datagrams below SMALLEST where records are."""
    datagrams = [b""]
    while flight:
        size = _RECORD_HEADER + int.from_bytes(flight[_LENGTH_AT:_RECORD_HEADER], "big")
        record, flight = flight[:size], flight[size:]
        if datagrams[-1] and len(datagrams[-1]) + len(record) > SMALLEST:
            datagrams.append(b"")
        datagrams[-1] += record
    return [datagram for datagram in datagrams if datagram]
