"""What a peer connection has to know of its DTLS and SCTP transports, and aiortc 1.16 keeps inside.

With `ice.py`, the only place that touches what is private to aiortc; the same canary test fails
when one of these names goes.
"""

import logging

from aiortc import RTCSctpTransport
from OpenSSL import SSL

log = logging.getLogger(__name__)


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


def contain_bad_messages(sctp: RTCSctpTransport) -> None:
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
