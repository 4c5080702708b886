"""What the relay counts and logs of what happens; it decides nothing."""

import logging
from collections.abc import Hashable

import attrs

from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import (
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
)
from imgsync.relay.admission import Refusal
from imgsync.relay.logs import about
from imgsync.relay.metrics import Metrics, drop_reason

# As operators know it, who filter by the name.
log = logging.getLogger("imgsync.relay.server")

News = SessionBegan | SessionAnswered | SideAway | SideBack | SessionOver
"""What the relay's state says for whoever watches."""

_GOOD_ENDS = (CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.NO_STATUS)
"""Of a peer that leaves; a browser says 1001 when its page is left."""


@attrs.frozen
class Visitor:
    """A connection as the log names it.

    :param number: its name in RelayState and in the log.
    :param remote: the address that it comes from.
    """

    number: int
    remote: str


class Observer:
    """Of one relay."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        #: When each session that lives began, on the relay's clock.
        self._began: dict[Hashable, float] = {}

    # ── connections ──────────────────────────────────────────────────────────────────────────────

    def refused_origin(self, remote: str) -> None:
        """A page of another origin was not let in."""
        self.metrics.connect_refused("origin")
        log.debug("a page of another origin was refused", extra=about(remote=remote))

    def refused(self, refusal: Refusal, remote: str) -> None:
        """Somebody was not let in."""
        self.metrics.connect_refused(refusal.label)
        log.debug("refused: %s", refusal.why, extra=about(remote=remote, code=refusal.code))

    def refused_while_draining(self) -> None:
        """Somebody came while the relay goes away."""
        self.metrics.connect_refused("draining")

    def opened(self) -> None:
        """A WebSocket was accepted."""
        self.metrics.connection_opened()

    def registered(self, visitor: Visitor, peer: Peer) -> None:
        """It has registered."""
        self.metrics.registered(peer.role)
        extra = about(
            user=peer.user_id, role=peer.role, socket=visitor.number, remote=visitor.remote
        )
        log.info("registered", extra=extra)

    def shut_out(self, visitor: Visitor, peer: Peer | None, code: CloseCode, why: str) -> None:
        """It has earned being closed."""
        self.metrics.drop(drop_reason(code))
        self._log_closed(visitor, peer, code, why)

    def closed(self, visitor: Visitor, peer: Peer | None, code: int, why: str) -> None:
        """It was closed by its peer, or by the network."""
        if code not in _GOOD_ENDS:
            self.metrics.drop(drop_reason(code))
        self._log_closed(visitor, peer, code, why)

    def gone(self, peer: Peer | None) -> None:
        """It is there no more, for whatever reason."""
        self.metrics.connection_closed()
        if peer is not None:
            self.metrics.unregistered(peer.role)

    def _log_closed(self, visitor: Visitor, peer: Peer | None, code: int, why: str) -> None:
        extra = about(
            user=None if peer is None else peer.user_id,
            socket=visitor.number,
            remote=visitor.remote,
            code=code,
            reason=why,
        )
        log.info("socket closed", extra=extra)

    # ── what the state says ──────────────────────────────────────────────────────────────────────

    def said(self, message: FromRelay) -> None:
        """A message goes out, to however many sockets."""
        match message:
            case ForwardedSignal():
                self.metrics.signals += 1
            case ErrorEvent(code):
                self.metrics.error(code)
            case _:
                pass  # what else peers are told follows from these, and from the news

    def note(self, news: News, now: float) -> None:
        """Something has become of a session."""
        id = news.session_id
        match news:
            case SessionBegan(_, evaluator_id, client_id, resumed):
                self._began[id] = now
                self.metrics.session_started()
                if resumed:
                    self.metrics.session_resumed()
                what = "session resumed" if resumed else "session started"
                log.info(what, extra=about(session=id, user=evaluator_id, peer=client_id))
            case SessionAnswered():
                self.metrics.handshake(now - self._began[id])
            case SideAway(_, role, user_id):
                log.info("away", extra=about(session=id, user=user_id, role=role))
            case SideBack(_, role, user_id):
                log.info("back", extra=about(session=id, user=user_id, role=role))
            case SessionOver(_, reason):
                del self._began[id]
                self.metrics.session_ended(reason)
                log.info("session ended", extra=about(session=id, reason=reason))
