"""How an SCTP association starts without waiting where nothing has to be waited for.

    CLOSED ── INIT goes, and one may write ──▶ COOKIE_WAIT ── INIT ACK: COOKIE ECHO goes, with what
    was written ──▶ COOKIE_ECHOED ── COOKIE ACK, or what comes behind it ──▶ ESTABLISHED

In stock aiortc three round trips lie between DTLS and the first message, and here one does: on a
channel one may write as soon as its OPEN waits to be sent (RFC 8832, section 6), and what was
written by then leaves in the packet of COOKIE ECHO (RFC 9260, section 5.1). So a channel is open
before it is known that there will be an association; one that does not come about is lost.

Where both descriptions bring an INIT along (draft-hancke-tsvwg-snap), there is no handshake: it is
ESTABLISHED when DTLS is done.

With `ice.py`, `packets.py` and `transports.py`, the only places that touch what is private to
aiortc 1.16; the same canary tests fail when one of these names goes.
"""

import asyncio
import base64
import hmac
import struct
from collections.abc import Callable
from typing import cast

from aiortc import RTCDataChannel, RTCSctpTransport
from aiortc.rtcsctptransport import (
    SCTP_CHUNK_HEADER_LENGTH,
    SCTP_COMMON_HEADER_LENGTH,
    SCTP_DATA_CHUNK_HEADER_LENGTH,
    SCTP_MAX_INIT_RETRANS,
    SCTP_STATE_COOKIE,
    AbortChunk,
    Chunk,
    CookieAckChunk,
    CookieEchoChunk,
    DataChunk,
    ErrorChunk,
    InitAckChunk,
    InitChunk,
    SackChunk,
    serialize_packet,
    tsn_minus_one,
)

from imgsync.core.handshake.packets import LARGEST, SMALLEST
from imgsync.rtc.bundling import Bundle

FIRST_RTO = 1.0
"""Seconds until what is lost is sent again, while no round trip was measured; stock has 3, and RFC
9260, section 16, suggests this."""

_LEAST_DATA = SMALLEST - SCTP_COMMON_HEADER_LENGTH - SCTP_DATA_CHUNK_HEADER_LENGTH
"""Bytes of a message that go into one chunk before anything is known of the path."""

_MAX_PADDING = 3

_State = RTCSctpTransport.State
_BEFORE_COOKIE = (_State.CLOSED, _State.COOKIE_WAIT)
_BEGINNING = (_State.COOKIE_WAIT, _State.COOKIE_ECHOED)
_FIRST_CHUNKS = InitAckChunk | CookieEchoChunk | AbortChunk | ErrorChunk


class Association:
    """Starts one association, of a peer connection that is new.

    :param lost: told why, where it does not come about.
    """

    def __init__(self, sctp: RTCSctpTransport, lost: Callable[[str], None]) -> None:
        self._sctp = sctp
        self._lost = lost
        #: Set when it has come about, and when it is over.
        self.is_settled = asyncio.Event()
        #: Of what we send the first number, whatever has been sent since.
        self._first_tsn = sctp._local_tsn
        #: Channels whose OPEN waits to be sent; none was opened before.
        self._unopened = [channel for channel, _, _ in sctp._data_channel_queue]
        #: Ours, with its header and without padding, for a description that brings it along.
        self.init = self._make_init()
        #: The other side's, where both descriptions have brought theirs.
        self._agreed: InitChunk | None = None
        #: What the other side asked for last; it counts when the cookie for it comes back.
        self._asked: InitChunk | None = None
        self._flight = FirstFlight(sctp)
        sctp._rto = FIRST_RTO
        self._open_channels_early()
        self._hear()
        self._tell_its_end()

    def agree(self, theirs: bytes) -> None:
        """Both descriptions bring an INIT along, and this is the other side's: it was checked."""
        self._agreed = InitChunk(body=theirs[SCTP_CHUNK_HEADER_LENGTH:])

    def _make_init(self) -> bytes:
        sctp, chunk = self._sctp, InitChunk()
        chunk.initiate_tag, chunk.initial_tsn = sctp._local_verification_tag, self._first_tsn
        chunk.outbound_streams = sctp._outbound_streams_count
        chunk.inbound_streams = sctp._inbound_streams_max
        chunk.advertised_rwnd = sctp._advertised_rwnd
        sctp._set_extensions(chunk.params)
        return bytes(chunk)[: SCTP_CHUNK_HEADER_LENGTH + len(chunk.body)]

    # ── what is sent ─────────────────────────────────────────────────────────────────────────────

    def _open_channels_early(self) -> None:
        sctp, begin, flush = self._sctp, self._sctp._init, self._sctp._data_channel_flush
        announce = sctp._data_channel_open

        def announce_and_keep(channel: RTCDataChannel) -> None:
            announce(channel)
            self._unopened.append(channel)

        async def open_and_flush() -> None:
            if self._unopened and sctp._association_state in (*_BEGINNING, _State.ESTABLISHED):
                unopened, self._unopened = self._unopened, []
                for channel in unopened:
                    if channel.ordered and channel.readyState == "connecting":
                        channel._setReadyState("open")
            await flush()

        async def begin_and_open() -> None:
            if self._agreed is None:
                await begin()
            else:
                self._take(self._agreed)
                sctp._set_state(_State.ESTABLISHED)
            await open_and_flush()

        sctp._data_channel_open = announce_and_keep  # type: ignore[method-assign]
        sctp._data_channel_flush = open_and_flush  # type: ignore[method-assign]
        sctp._init = begin_and_open  # type: ignore[method-assign]

    async def _answer(self, init: InitChunk) -> None:
        """Answer an INIT. It may be late, or come twice, and changes nothing (RFC 9260, sections
        5.2.1 and 5.2.2); stock begins anew with the numbers in it, and answers with its latest."""
        sctp = self._sctp
        if not (init.initiate_tag and init.outbound_streams and init.inbound_streams):
            return
        if sctp._association_state in (_State.CLOSED, *_BEGINNING):
            self._asked = init
        ack = InitAckChunk()
        ack.initiate_tag, ack.initial_tsn = sctp._local_verification_tag, self._first_tsn
        ack.outbound_streams = sctp._outbound_streams_count
        ack.inbound_streams = sctp._inbound_streams_max
        ack.advertised_rwnd = sctp._advertised_rwnd
        sctp._set_extensions(ack.params)
        stamp = struct.pack("!L", sctp._get_timestamp())
        cookie = stamp + hmac.new(sctp._hmac_key, stamp, "sha1").digest()
        ack.params.append((SCTP_STATE_COOKIE, cookie))
        ports = (sctp._local_port, sctp._remote_port or 0)
        await sctp.transport._send_data(serialize_packet(*ports, init.initiate_tag, ack))

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def _hear(self) -> None:
        sctp, receive = self._sctp, self._sctp._receive_chunk

        async def receive_in_order(chunk: Chunk) -> None:
            state = sctp._association_state
            if isinstance(chunk, InitChunk):
                await self._answer(chunk)
                return
            if state in _BEFORE_COOKIE and not isinstance(chunk, _FIRST_CHUNKS):
                return  # by which number it comes is not known yet; it is sent again
            if state in _BEGINNING and isinstance(chunk, CookieEchoChunk):
                self._take_asked()
            if state is _State.COOKIE_ECHOED and isinstance(chunk, DataChunk | SackChunk):
                # Who has taken our cookie says so before any of these: that was lost.
                await receive(CookieAckChunk())
            await receive(chunk)
            if state in _BEGINNING and sctp._association_state is _State.CLOSED:
                self._lost("the other side refuses the SCTP association")

        sctp._receive_chunk = receive_in_order  # type: ignore[method-assign]

    def _take_asked(self) -> None:
        """The other side's association is the one, where it is not known from INIT ACK already."""
        asked = self._asked
        if asked and asked.initiate_tag != self._sctp._remote_verification_tag:
            self._take(asked)

    def _take(self, asked: InitChunk) -> None:
        sctp = self._sctp
        sctp._last_received_tsn = tsn_minus_one(asked.initial_tsn)
        sctp._reconfig_response_seq = tsn_minus_one(asked.initial_tsn)
        sctp._remote_verification_tag = asked.initiate_tag
        sctp._ssthresh = asked.advertised_rwnd
        sctp._get_extensions(asked.params)
        sctp._inbound_streams_count = min(asked.outbound_streams, sctp._inbound_streams_max)
        sctp._outbound_streams_count = min(sctp._outbound_streams_count, asked.inbound_streams)

    # ── what becomes of it ───────────────────────────────────────────────────────────────────────

    def _tell_its_end(self) -> None:
        sctp, set_state, expire = self._sctp, self._sctp._set_state, self._sctp._t1_expired

        def set_state_and_tell(state: RTCSctpTransport.State) -> None:
            is_new = sctp._association_state is not state
            set_state(state)
            if state is _State.ESTABLISHED and is_new:
                self._flight.landed()
            if state in (_State.ESTABLISHED, _State.CLOSED):
                self.is_settled.set()

        def expire_or_lose() -> None:
            if sctp._t1_failures >= SCTP_MAX_INIT_RETRANS:
                self._lost("the other side does not answer on SCTP")
            expire()

        sctp._set_state = set_state_and_tell  # type: ignore[method-assign]
        sctp._t1_expired = expire_or_lose  # type: ignore[method-assign]


class Setup:
    """How the association of one link is set up: with a handshake, or by the descriptions.

    :param snap: whether ours bring an INIT along; an answer does where the offer has.
    """

    def __init__(self, *, snap: bool) -> None:
        self._snap = snap
        self._association: Association | None = None

    def adopt(self, sctp: RTCSctpTransport, lost: Callable[[str], None]) -> None:
        """It is this one."""
        self._association = Association(sctp, lost)

    async def wait_settled(self) -> None:
        """Until it has come about, or is over."""
        assert self._association is not None
        await self._association.is_settled.wait()

    def offer(self, sdp: str) -> str:
        """What is said in an offer."""
        return sdp + (self._line if self._snap else "")

    def answer(self, sdp: str, theirs: bytes) -> str:
        """What is said in the answer to an offer with this INIT, or none."""
        if not (self._snap and theirs):
            return sdp
        assert self._association is not None
        self._association.agree(theirs)
        return sdp + self._line

    def answered(self, theirs: bytes) -> None:
        """The answer to an offer of ours has this INIT, or none."""
        if not (self._snap and theirs):
            return
        assert self._association is not None
        # There are peers that repeat in an answer what they don't know of the offer.
        if theirs != self._association.init:
            self._association.agree(theirs)

    @property
    def _line(self) -> str:
        assert self._association is not None
        return f"a=sctp-init:{base64.b64encode(self._association.init).decode()}\r\n"


class FirstFlight:
    """The packet of COOKIE ECHO, with what is written by then. None may follow it before it is
    answered (RFC 9260, section 5.1)."""

    def __init__(self, sctp: RTCSctpTransport) -> None:
        self._sctp = sctp
        self._send = sctp._send_chunk
        #: What goes into it, while that is collected.
        self._collected: list[Chunk] | None = None
        self._again: Chunk | None = None
        #: Whether it went again without its data.
        self._is_bare = False
        self._loop = asyncio.get_running_loop()
        self._sent_at = 0.0
        self._resending: asyncio.Task[None] | None = None
        sctp._send_chunk = self._send_or_collect  # type: ignore[method-assign]

    async def _send_or_collect(self, chunk: Chunk) -> None:
        if self._collected is not None:
            self._collected.append(chunk)
        elif not isinstance(chunk, CookieEchoChunk):
            await self._send(chunk)
        elif self._again is None:
            self._again = await self._collect(chunk)
            self._sent_at = self._loop.time()
            await self._send(self._again)
        else:
            await self._send_again(chunk)

    async def _collect(self, echo: CookieEchoChunk) -> Chunk:
        sctp, queue = self._sctp, self._sctp._data_channel_queue
        room, fitting = LARGEST - SCTP_COMMON_HEADER_LENGTH - len(bytes(echo)), 0
        for _, _, message in queue:
            room -= _size_of(message)
            if room < 0:
                break
            fitting += 1
        late = [queue.pop() for _ in range(len(queue) - fitting)]
        # Only for aiortc to send what is there; nobody else has a turn meanwhile.
        before, sctp._association_state = sctp._association_state, _State.ESTABLISHED
        collected: list[Chunk] = [echo]
        self._collected = collected
        try:
            await sctp._data_channel_flush()
        finally:
            self._collected, sctp._association_state = None, before
            queue.extend(reversed(late))
        sctp._t3_cancel()  # it goes again with the echo
        return cast("Chunk", Bundle(*collected))

    async def _send_again(self, echo: CookieEchoChunk) -> None:
        """All of it, unless its size may be what does not get through."""
        assert self._again is not None
        self._is_bare = SCTP_COMMON_HEADER_LENGTH + len(bytes(self._again)) > SMALLEST
        self._sent_at = self._loop.time()
        for chunk in self._sctp._sent_queue:
            chunk._sent_count += 1  # tells no round trip any more (RFC 9260, section 6.3.1)
        await self._send(echo if self._is_bare else self._again)

    def landed(self) -> None:
        """There is an association: what of our data is not acknowledged goes again when due."""
        sctp = self._sctp
        if not sctp._sent_queue:
            return
        if not self._is_bare:
            # It may be the other side's cookie that has made it, and ours was lost a while ago.
            sctp._t3_handle = self._loop.call_at(self._sent_at + sctp._rto, sctp._t3_expired)
            return
        for chunk in sctp._sent_queue:
            chunk._retransmit = True
            sctp._flight_size_decrease(chunk)
        self._resending = asyncio.ensure_future(sctp._transmit())


def _size_of(message: bytes) -> int:
    """Bytes that its chunks take, at most."""
    chunks = -(-len(message) // _LEAST_DATA)
    return len(message) + chunks * (SCTP_DATA_CHUNK_HEADER_LENGTH + _MAX_PADDING)
