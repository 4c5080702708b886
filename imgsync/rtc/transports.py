"""What a peer connection has to know of its DTLS and SCTP transports, and aiortc 1.16 keeps inside.

With `ice.py`, the only place that touches what is private to aiortc; the same canary test fails
when one of these names goes.
"""

import logging
from collections.abc import Callable

from aiortc import RTCCertificate, RTCDataChannel, RTCDtlsTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import (
    X509_DIGEST_ALGORITHMS,
    RTCDtlsParameters,
    SRTPProtectionProfile,
    certificate_digest,
)
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    DataChunk,
    SackChunk,
    tsn_plus_one,
)
from OpenSSL import SSL

from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE, MAX_MESSAGE_SIZE

log = logging.getLogger(__name__)

CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for key in ("ECDSA", "RSA")
).encode()
"""Those of stock aiortc, for both kinds of certificates as browsers have it; stock has ECDSA alone,
and so no connection as the DTLS client of a peer whose certificate is RSA."""

_MAX_CHUNK = 1500
"""Bytes, as aiortc takes no longer packets out of DTLS."""


def closed_by_peer(sctp: RTCSctpTransport) -> bool:
    """Whether a connection that is over was closed by the other side, and has not gone silent.

    Either it has aborted SCTP while DTLS is well, or DTLS has ended with its close_notify. Both
    come at an orderly close, first the one and then the other; each may be lost on its way.
    """
    dtls = sctp.transport
    if dtls.state == "connected":
        return sctp.state == "closed"
    # Not by the state of ICE: when consent expires, DTLS is closed a moment before ICE has failed.
    said_so = dtls._ssl is not None and dtls._ssl.get_shutdown() & SSL.RECEIVED_SHUTDOWN
    return dtls.state == "closed" and bool(said_so)


def end_late_association(sctp: RTCSctpTransport) -> None:
    """End what has begun after all while its connection was closed.

    aiortc stops SCTP before DTLS, and a DTLS handshake that is done in between starts it: then it
    keeps the whole connection, and sends into it for half a minute. Nothing is said to the other
    side, as DTLS is closed by now.
    """
    sctp._set_state(sctp.State.CLOSED)


def adapt(sctp: RTCSctpTransport, lost: Callable[[str], None]) -> None:
    """Have the transports of a new peer connection get along with all that a peer may be.

    :param lost: told why, where we end the association ourselves.
    """
    _contain_bad_messages(sctp)
    _end_at_a_message_too_long(sctp, lost)
    _take_any_fingerprint(sctp.transport)
    certificate: RTCCertificate = sctp.transport._RTCDtlsTransport__local_certificate  # type: ignore[attr-defined]
    _offer_all_ciphers(certificate)


def _take_any_fingerprint(dtls: RTCDtlsTransport) -> None:
    """Let one fingerprint that fits be enough (RFC 8122, section 5); in stock aiortc, all have to.

    A peer tells one of each certificate that it may use.
    """
    validate = dtls._validate_peer_identity

    def validate_what_fits(remoteParameters: RTCDtlsParameters) -> None:
        assert dtls._ssl is not None
        certificate = dtls._ssl.get_peer_certificate(as_cryptography=True)
        assert certificate is not None  # OpenSSL is told to fail without one
        digests = {name: certificate_digest(certificate, name) for name in X509_DIGEST_ALGORITHMS}
        fitting = [
            fingerprint
            for fingerprint in remoteParameters.fingerprints
            if digests.get(fingerprint.algorithm.lower()) == fingerprint.value.upper()
        ]
        validate(RTCDtlsParameters(fitting, remoteParameters.role))  # none is a refusal

    dtls._validate_peer_identity = validate_what_fits  # type: ignore[method-assign]


def _offer_all_ciphers(certificate: RTCCertificate) -> None:
    """The context is made when the connection starts, from the certificate that is its own."""
    create = certificate._create_ssl_context

    def create_for_all(srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = create(srtp_profiles)
        context.set_cipher_list(CIPHERS)
        return context

    certificate._create_ssl_context = create_for_all  # type: ignore[method-assign]


def _contain_bad_messages(sctp: RTCSctpTransport) -> None:
    """Drop what can't be read, such as a text that is no UTF-8, and go on.

    In stock aiortc it ends the task that receives, and thus the connection, on our side alone.
    """
    receive = sctp._receive

    async def receive_or_drop(stream_id: int, pp_id: int, data: bytes) -> None:
        try:
            await receive(stream_id, pp_id, data)
        except (ValueError, AssertionError) as exc:  # bad UTF-8; a channel opened twice or never
            log.info("dropped a message that can't be read: %s", type(exc).__name__)

    sctp._receive = receive_or_drop  # type: ignore[method-assign]


def _end_at_a_message_too_long(sctp: RTCSctpTransport, lost: Callable[[str], None]) -> None:
    """Take no message that is longer than we have allowed; stock aiortc collects any."""
    receive = sctp._receive_data_chunk

    async def receive_or_end(chunk: DataChunk) -> None:
        if sctp.state == "closed":
            return  # the rest of the packet that has ended it
        waiting = sctp._get_inbound_stream(chunk.stream_id).reassembly
        # All of them are hardly ever too much for one message; to put them in order takes longer.
        if (len(waiting) + 1) * _MAX_CHUNK <= MAX_MESSAGE_SIZE or longest_message(
            [*waiting, chunk]
        ) <= MAX_MESSAGE_SIZE:
            await receive(chunk)
            return
        lost(f"the other side has sent a message of more than {MAX_MESSAGE_SIZE} bytes")
        await sctp._abort()
        sctp._set_state(sctp.State.CLOSED)

    sctp._receive_data_chunk = receive_or_end  # type: ignore[method-assign]


def longest_message(chunks: list[DataChunk]) -> int:
    """Bytes of the longest message of a stream, or of what is there of one without a gap."""
    longest = size = 0
    expected: int | None = None
    # Numbers begin anew at 0, and the newest may be of the lowest number.
    begin = chunks[0].tsn - 2**31
    for chunk in sorted(chunks, key=lambda one: (one.tsn - begin) % 2**32):
        is_next = chunk.tsn == expected and not chunk.flags & SCTP_DATA_FIRST_FRAG
        size = (size if is_next else 0) + len(chunk.user_data)
        longest = max(longest, size)
        expected = tsn_plus_one(chunk.tsn)
    return longest


def largest_message(sctp: RTCSctpTransport) -> int:
    """Bytes of a message that the other side takes, of ours."""
    # 0 stands for no limit (RFC 8841, 6.1); aiortc has taken 64 KiB where none is named.
    return min(sctp._remote_max_message_size or MAX_CHANNEL_MESSAGE, MAX_CHANNEL_MESSAGE)


def unsent_on(sctp: RTCSctpTransport) -> tuple[int, int]:
    """Bytes that the other side has not acknowledged of what SCTP has begun with, on all channels,
    and about how many messages there are in all."""
    begun = sum(len(chunk.user_data) for chunk in sctp._outbound_queue)
    messages = len(sctp._data_channel_queue) + len(sctp._sent_queue)
    return begun + sctp._flight_size, messages


class UnsentBeside:
    """Bytes that the other side has not acknowledged, of one channel alone.

    :param channel: on which nothing was sent yet.
    """

    def __init__(self, sctp: RTCSctpTransport, channel: RTCDataChannel) -> None:
        self._sctp = sctp
        self._channel = channel
        self._in_flight = 0
        increase, decrease = sctp._flight_size_increase, sctp._flight_size_decrease
        sctp._flight_size_increase = self._counted(increase)  # type: ignore[assignment, method-assign]
        sctp._flight_size_decrease = self._counted(decrease)  # type: ignore[assignment, method-assign]

    @property
    def bytes(self) -> int:
        """What SCTP has begun with."""
        stream = self._channel.id
        begun = self._sctp._outbound_queue
        return self._in_flight + sum(len(one.user_data) for one in begun if one.stream_id == stream)

    @property
    def buffered(self) -> int:
        """What it has not."""
        return self._channel.bufferedAmount

    def _counted(self, change: Callable[[DataChunk], None]) -> Callable[[DataChunk], None]:
        sctp = self._sctp

        def change_and_count(chunk: DataChunk) -> None:
            before = sctp._flight_size
            change(chunk)
            if chunk.stream_id == self._channel.id:
                self._in_flight += sctp._flight_size - before

        return change_and_count


def watch_acknowledgements(sctp: RTCSctpTransport, tell: Callable[[], None]) -> None:
    """Call this whenever the other side has acknowledged something."""
    receive = sctp._receive_sack_chunk

    async def receive_and_tell(chunk: SackChunk) -> None:
        await receive(chunk)
        tell()

    sctp._receive_sack_chunk = receive_and_tell  # type: ignore[method-assign]


def has_unsent(sctp: RTCSctpTransport) -> bool:
    """Whether anything waits that was never sent, on all channels.

    A message leaves `bufferedAmount` as a whole when SCTP begins with it, of which it sends no more
    than its congestion window lets out.
    """
    return bool(sctp._outbound_queue or sctp._data_channel_queue)


def watch_sending(sctp: RTCSctpTransport, tell: Callable[[], None]) -> None:
    """Call this whenever all that may be sent now has been."""
    transmit = sctp._transmit

    async def transmit_and_tell() -> None:
        await transmit()
        tell()

    sctp._transmit = transmit_and_tell  # type: ignore[method-assign]
