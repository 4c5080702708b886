"""One peer connection with its data channel, driven from Trio; implements `imgsync.seams.Link`.

Methods whose name ends in `_aio` run on the loop thread. Callbacks of aiortc decide nothing: they
tell an event and return; an exception in one would end the connection on our side
only. A message is stamped there, as it comes in, and listeners are attached before anything else
can run, because aiortc drops a message that nobody listens for.
"""

import asyncio
import logging
import re
import secrets
import string
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import ChannelClosed, Hindered, LinkLost, Opened
from imgsync.core.handshake.sdp import Candidate, Description
from imgsync.core.protocol.errors import InputError, NegotiationError
from imgsync.core.protocol.numbers import CHANNEL_LABEL
from imgsync.core.protocol.signalling import IceServer, Milliseconds
from imgsync.rtc.association import Setup
from imgsync.rtc.bridge import Bridge
from imgsync.rtc.bundling import Bundling
from imgsync.rtc.consent import ask_for_consent
from imgsync.rtc.ice import IceSettings, connection_of, path_of, trickling
from imgsync.rtc.outgoing import Outgoing
from imgsync.rtc.packets import Packets, send_small_flights
from imgsync.rtc.pictures import PictureChannel
from imgsync.rtc.recovery import Retransmission
from imgsync.rtc.servers import choose_servers
from imgsync.rtc.transports import adapt, closed_by_peer, end_late_association
from imgsync.seams import CarriedEvent, Drained, LinkEvent, Received
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

CHANNEL_CLOSE_DEADLINE = 1.0
"""Seconds for what is queued to leave and for the other side to agree."""

CLOSE_DEADLINE = 2.0

HANDSHAKE_PATIENCE = 3.0
"""Seconds from a path that works to the end of DTLS on it, until large packets may be what is lost:
it takes two or three times there and back, and what is lost is sent again each second."""

_EITHER_BEGINS, _WE_BEGIN = "a=setup:actpass\r\n", "a=setup:active\r\n"

_OTHER_FINGERPRINT = re.compile("a=fingerprint:(?!sha-256 )")


class _LoopLink:
    """What of a link lives on the loop thread, and is touched there alone."""

    def __init__(self, ice: IceSettings, tell: Callable[[LinkEvent], None], *, snap: bool) -> None:
        self._ice = ice
        self._setup = Setup(snap=snap)
        self._tell = tell
        self._pc: RTCPeerConnection | None = None
        self._channel: RTCDataChannel | None = None
        self._closing = False
        #: Told once; what could not be made was not closed by anybody.
        self._is_lost = False
        self._was_open = False
        #: Held while we describe ourselves: a connection that is closed while it gathers opens its
        #: sockets all the same, and nobody closes them.
        self._describing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.outgoing = Outgoing(lambda: tell(Drained()), self._lose_aio)
        self.pictures = PictureChannel(self.outgoing, tell)

    # ── what is asked of it ──────────────────────────────────────────────────────────────────────

    def _open_pc_aio(self) -> RTCPeerConnection:
        assert not self._closing
        # No servers: what aiortc asks itself, it waits for.
        pc = self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.on("connectionstatechange", self._on_connection_state_aio)
        pc.on("iceconnectionstatechange", self._on_ice_state_aio)
        pc.on("datachannel", self._on_channel_aio)
        return pc

    async def make_offer_aio(self, leads: bool) -> str:
        async with self._describing:
            pc = self._open_pc_aio()
            with trickling(self._ice):
                channel = pc.createDataChannel(CHANNEL_LABEL, ordered=True)
            self._adapt_aio(pc)
            channel.on("open", self._on_channel_open_aio)
            self._listen_aio(channel)
            await pc.setLocalDescription(_name_section(await pc.createOffer()))
            offer = self._setup.offer(_describe(pc, self._ice))
            return offer.replace(_EITHER_BEGINS, _WE_BEGIN) if leads else offer

    async def make_answer_aio(self, offer: Description) -> str:
        async with self._describing:
            pc = self._open_pc_aio()
            self.pictures.is_expected = True
            with trickling(self._ice):
                await self.apply_aio(offer)
            self._adapt_aio(pc)
            await pc.setLocalDescription(await pc.createAnswer())
            return offer.frame(self._setup.answer(_describe(pc, self._ice), offer.sctp_init))

    def _adapt_aio(self, pc: RTCPeerConnection) -> None:
        assert pc.sctp is not None
        adapt(pc.sctp, self._lose_aio)
        self._setup.adopt(pc.sctp, self._lose_aio)
        send_small_flights(pc.sctp.transport)
        connection = connection_of(pc.sctp)
        Bundling(pc.sctp, lambda: connection.has_more)
        Packets(pc.sctp, self._tell)
        Retransmission(pc.sctp)
        ask_for_consent(connection)

    async def apply_aio(self, description: Description) -> None:
        assert self._pc is not None
        if description.kind == "answer":
            self._setup.answered(description.sctp_init)
        problem = f"the other side sent an {description.kind} that can't be used"
        try:
            await self._pc.setRemoteDescription(
                RTCSessionDescription(description.sdp, description.kind)
            )
        except Exception as exc:  # aiortc raises five kinds, AssertionError among them
            raise NegotiationError(f"{problem}: {exc!r}") from exc
        # aiortc moves the channel to the transport of the first section that a group names.
        if self._pc.sctp is None or self._pc.sctp.transport is None:
            raise NegotiationError(f"{problem}: its a=group names a section that it does not have")

    def add_candidate_aio(self, candidate: Candidate | None) -> None:
        # Their end is no news: it would have aiortc pass over what comes behind it after all, and
        # that none is left to be tried ends nothing, as the other side's checks may still come.
        if candidate is not None:
            # A task for each, because to look up an mDNS name takes up to a second.
            self._spawn_aio(self._apply_candidate_aio(candidate))

    async def _apply_candidate_aio(self, candidate: Candidate) -> None:
        assert self._pc is not None
        parsed = candidate_from_sdp(candidate.line)
        parsed.sdpMLineIndex = 0
        await self._pc.addIceCandidate(parsed)

    def _spawn_aio(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_channel_aio(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL_LABEL and self._channel is None:
            self._listen_aio(channel)
            self._on_channel_open_aio()
        elif not (self._was_open and self.pictures.adopt_aio(channel)):
            log.info("ignoring the other side's data channel %r", channel.label[:40])

    def share_aio(self) -> None:
        if self._pc is not None and not self._closing:
            self.pictures.share_aio(self._pc)

    def _on_channel_open_aio(self) -> None:
        self._was_open = True
        assert self._pc is not None
        self._tell(Opened(path_of(self._pc)))

    def _listen_aio(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        assert self._pc is not None
        assert self._pc.sctp is not None
        self.outgoing.adopt_aio(self._pc.sctp, channel)
        channel.on("message", lambda text: self._tell(Received(text, now_ms())))
        channel.on("close", self._on_channel_close_aio)
        channel.on("error", lambda exc: log.info("the data channel reports %r", exc))

    def _on_channel_close_aio(self) -> None:
        # When the connection goes, its channels go with it; that is reported as what it is.
        assert self._pc is not None
        assert self._pc.sctp is not None
        if self._pc.sctp.state == "closed":
            self._lose_aio("the SCTP association is closed")
        elif not self._closing:
            self._tell(ChannelClosed())

    def _on_connection_state_aio(self) -> None:
        assert self._pc is not None
        state = self._pc.connectionState
        sctp = self._pc.sctp
        if state == "failed" and sctp is not None and sctp.transport.state == "failed":
            self._tell(Hindered(Cause.DTLS_REFUSED))
        if state in ("failed", "closed"):
            self._lose_aio(f"the peer connection is {state}")

    def _on_ice_state_aio(self) -> None:
        assert self._pc is not None
        if self._pc.iceConnectionState == "completed":
            loop = asyncio.get_running_loop()
            loop.call_later(HANDSHAKE_PATIENCE, self._judge_handshake_aio, self._pc)

    def _judge_handshake_aio(self, pc: RTCPeerConnection) -> None:
        if not self._closing and pc.connectionState == "connecting":
            self._tell(Hindered(Cause.PATH_MTU))

    def _lose_aio(self, why: str) -> None:
        assert self._pc is not None
        if not self._closing and not self._is_lost:
            self._is_lost = True
            sctp = self._pc.sctp
            by_peer = self._was_open and sctp is not None and closed_by_peer(sctp)
            self._tell(LinkLost(why, by_peer))

    async def close_channel_aio(self) -> None:
        self._closing = True
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        closed = asyncio.Event()
        channel.on("close", closed.set)
        try:
            async with asyncio.timeout(CHANNEL_CLOSE_DEADLINE):
                # What was said early waits for the association, and is lost at a close before.
                await self._setup.wait_settled()
                channel.close()
                await closed.wait()
        except TimeoutError:
            log.info("the other side did not agree to close the channel")

    async def close_aio(self) -> None:
        self._closing = True
        if self._pc is None:
            return
        # Never cancelled: a cancelled close makes every later one wait for ever, and anyio cancels
        # each await of a cancelled call anew. So it runs in a task that anyio does not know.
        closing = asyncio.get_running_loop().create_task(self._close_pc_aio(self._pc))
        _, unfinished = await asyncio.wait({closing, *self._tasks}, timeout=CLOSE_DEADLINE)
        if closing in unfinished:
            log.warning("the peer connection did not close within %g s", CLOSE_DEADLINE)

    async def _close_pc_aio(self, pc: RTCPeerConnection) -> None:
        async with self._describing:
            await pc.close()
            if pc.sctp is not None:
                end_late_association(pc.sctp)


def _describe(pc: RTCPeerConnection, ice: IceSettings) -> str:
    lines: list[str] = pc.localDescription.sdp.splitlines()
    hosts = [line for line in lines if line.startswith("a=candidate:")]
    if not hosts:
        wanted = ", ".join(ice.addresses) or "this machine's addresses"
        raise InputError(f"can't open a UDP socket on any of {wanted}; check --ice-address")
    # Candidates that are found later are still to come, and their end is said explicitly. One
    # fingerprint is told, as browsers do: there are peers that compare the last with sha-256.
    untold = {"a=end-of-candidates", *(hosts if ice.relay_only else ())}
    untold |= {line for line in lines if _OTHER_FINGERPRINT.match(line)}
    return "".join(f"{line}\r\n" for line in lines if line not in untold)


class RtcLink:
    """See `imgsync.seams.Link`. Made by `open_link`."""

    def __init__(
        self,
        bridge: Bridge,
        ice_servers: Sequence[IceServer],
        addresses: Sequence[str],
        relay_only: bool,
        snap: bool,
    ) -> None:
        self._bridge = bridge
        self._tell: Callable[[LinkEvent], None] = _ignore
        servers = choose_servers(ice_servers)
        ice = IceSettings(
            addresses, self._pass_on, stun=servers.stun, turn=servers.turn, relay_only=relay_only
        )
        if relay_only and not ice.turn:
            log.warning("all is to go through a TURN server, and none is named that can be used")
        self._loop = _LoopLink(ice, self._pass_on, snap=snap)

    def listen(self, tell: Callable[[LinkEvent], None]) -> None:
        """See the protocol."""
        self._tell = tell

    def _pass_on(self, event: LinkEvent) -> None:
        self._tell(event)

    async def make_offer(self, *, leads: bool = False) -> str:
        """See the protocol. Raises InputError where no address can be used."""
        return await self._bridge.call(self._loop.make_offer_aio, leads)

    async def make_answer(self, offer: Description) -> str:
        """See the protocol. Raises InputError where no address can be used."""
        return await self._bridge.call(self._loop.make_answer_aio, offer)

    async def apply_answer(self, answer: Description) -> None:
        """See the protocol."""
        await self._bridge.call(self._loop.apply_aio, answer)

    def add_candidate(self, candidate: Candidate | None) -> None:
        """See the protocol."""
        self._bridge.post(self._loop.add_candidate_aio, candidate)

    @property
    def max_message(self) -> int:
        """See the protocol."""
        return self._loop.outgoing.max_message

    @property
    def lives_apart(self) -> bool:
        """See the protocol."""
        return True

    @property
    def waiting(self) -> int:
        """See the protocol."""
        return self._loop.outgoing.backlog.waiting

    @property
    def is_clear(self) -> bool:
        """See the protocol."""
        return self._loop.outgoing.backlog.is_clear_aio

    def send(self, text: str) -> None:
        """See the protocol."""
        self._loop.outgoing.backlog.post(len(text))
        self._bridge.post(self._loop.outgoing.send_posted_aio, text)

    def reply(self, text: str, then: Callable[[], None]) -> None:
        """See the protocol."""
        self._loop.outgoing.send_aio(text)
        self._bridge.post(then)  # behind aiortc, which has posted what sends

    def send_stamped(self, make: Callable[[Milliseconds], str]) -> None:
        """See the protocol; `make` is called on the loop thread."""
        self._bridge.post(self._loop.outgoing.send_stamped_aio, make)

    def share(self) -> None:
        """See the protocol."""
        self._bridge.post(self._loop.share_aio)

    def carry(self, hear: Callable[[CarriedEvent], None]) -> None:
        """See the protocol; `hear` is called on the loop thread."""
        self._bridge.post(self._loop.pictures.carry_aio, hear)

    def send_data(self, message: str | bytes) -> None:
        """See the protocol."""
        self._loop.pictures.post()
        self._bridge.post(self._loop.pictures.send_posted_aio, message)

    async def close_channel(self) -> None:
        """See the protocol."""
        await self._bridge.call(self._loop.close_channel_aio)

    async def aclose(self) -> None:
        """Close the connection; what is queued on the channel is lost. Done under a deadline."""
        with trio.CancelScope(shield=True):
            await self._bridge.call(self._loop.close_aio)


def _ignore(event: LinkEvent) -> None:
    """Where nobody listens."""


_MID_CHARACTERS = string.ascii_lowercase + string.digits


def _name_section(offer: RTCSessionDescription) -> RTCSessionDescription:
    """With a media identification that no other offer has: the answer repeats it (RFC 9429, 5.3.1).

    It is what tells to which offer an answer is, where one has followed on another. It should be no
    longer than three characters (RFC 9429, 5.2.1), and there are libraries that take no longer one.
    """
    mid = "".join(secrets.choice(_MID_CHARACTERS) for _ in range(3))
    sdp = offer.sdp.replace("a=mid:0\r\n", f"a=mid:{mid}\r\n")
    sdp = sdp.replace("a=group:BUNDLE 0\r\n", f"a=group:BUNDLE {mid}\r\n")
    return RTCSessionDescription(sdp, offer.type)


@asynccontextmanager
async def open_link(
    bridge: Bridge,
    ice_servers: Sequence[IceServer],
    addresses: Sequence[str] = (),
    relay_only: bool = False,
    *,
    snap: bool = False,
) -> AsyncIterator[RtcLink]:
    """Own a peer connection; it is closed under a deadline when the block is left.

    :param addresses: the only local addresses to use for host candidates.
    :param relay_only: let everything go through a TURN server, and tell the other side of no
        address but its.
    :param snap: let the descriptions bring SCTP's INITs along, so that there is no handshake of
        SCTP where the other side does so, too.
    """
    link = RtcLink(bridge, ice_servers, addresses, relay_only, snap)
    try:
        yield link
    finally:
        await link.aclose()
