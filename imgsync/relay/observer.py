"""What the relay counts and logs of what happens; it decides nothing."""

import logging
from collections import OrderedDict
from collections.abc import Hashable

import attrs
import trio

from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.limits import TokenBucket, network_of
from imgsync.core.relay.outputs import (
    News,
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

_GOOD_ENDS = (CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.NO_STATUS)
"""Of a peer that leaves; a browser says 1001 when its page is left."""


MAX_WARNED = 256
"""Origins and addresses that are remembered as told of."""

WARNINGS = TokenBucket(rate=1 / 60, burst=20)
"""Whoever makes up an origin for each try can't fill the log."""

_OPTIONS = {
    "address_full": "--max-per-address",
    "address_rate": "--connect-rate",
    "full": "--max-connections",
}
"""The relay's, which set the limits, by what is counted."""

MAX_NAMED = 200
"""Characters of what a request says of itself."""


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
        #: When each session began that is not answered yet, on the relay's clock.
        self._began: dict[Hashable, float] = {}
        #: Of what there was a warning, the oldest first.
        self._warned: OrderedDict[Hashable, None] = OrderedDict()
        self._warnings = attrs.evolve(WARNINGS)

    # ── connections ──────────────────────────────────────────────────────────────────────────────

    def refused_origin(self, origin: str, advice: str, remote: str) -> None:
        """A page of another origin was not let in."""
        self.metrics.connect_refused("origin")
        text = f"pages of {origin[:MAX_NAMED]} may not connect: {advice}"
        self._tell_once(("origin", origin), text, remote)

    def refused(self, refusal: Refusal, remote: str) -> None:
        """Somebody was not let in."""
        self.metrics.connect_refused(refusal.label)
        text = f"refused: {refusal.why} ({_OPTIONS[refusal.label]} sets the limit)"
        if refusal.code is CloseCode.RELAY_FULL:
            # Nobody is refused for what he is, and no setting is wrong.
            self._tell_once((refusal.label, network_of(remote)), text, remote, logging.INFO)
            return
        text += "; if this is the address of a reverse proxy, name it with --forwarded-by"
        self._tell_once((refusal.label, network_of(remote)), text, remote)

    def turned_away(self, reason: str, remote: str) -> None:
        """Somebody came no further than the port: see `imgsync.net.server.Site`."""
        if reason == "upgrade":
            self.metrics.connect_refused(reason)
            text = (
                "a WebSocket came without its header Upgrade, or Connection: the proxy in front of"
                " the relay has to pass on both"
            )
        elif reason in _OPTIONS:
            text = f"refused: too many TCP connections ({_OPTIONS[reason]} sets the limit)"
        else:
            return
        self._tell_once((reason, network_of(remote)), text, remote)

    def _tell_once(
        self, what: Hashable, text: str, remote: str, level: int = logging.WARNING
    ) -> None:
        """Tell of it, unless that was done, or too much was told."""
        if what in self._warned:
            self._warned.move_to_end(what)
        elif self._warnings.take(trio.current_time()):
            self._warned[what] = None
            if len(self._warned) > MAX_WARNED:
                self._warned.popitem(last=False)
            log.log(level, "%s", text, extra=about(remote=remote))

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

    def dropped_signal(self) -> None:
        """A signal was to what its sender's start has not led to."""
        self.metrics.signals["dropped"] += 1

    def said(self, message: FromRelay) -> None:
        """A message goes out, to however many sockets."""
        match message:
            case ForwardedSignal():
                self.metrics.signals["forwarded"] += 1
            case ErrorEvent(code):
                self.metrics.error(code)
            case _:
                pass  # what else peers are told follows from these, and from the news

    def note(self, news: News, now: float) -> None:
        """Something has become of a session."""
        id = news.session_id
        match news:
            case SessionBegan(_, evaluator_id, client_id, resumed):
                # A resumed one has been answered, and has an id that others may name, too.
                if not resumed:
                    self._began[id] = now
                self.metrics.session_started()
                if resumed:
                    self.metrics.session_resumed()
                what = "session resumed" if resumed else "session started"
                log.info(what, extra=about(session=id, user=evaluator_id, peer=client_id))
            case SessionAnswered():
                if (began := self._began.pop(id, None)) is not None:
                    self.metrics.handshake(now - began)
            case SideAway(_, role, user_id):
                log.info("away", extra=about(session=id, user=user_id, role=role))
            case SideBack(_, role, user_id):
                log.info("back", extra=about(session=id, user=user_id, role=role))
            case SessionOver(_, reason):
                self._began.pop(id, None)
                self.metrics.session_ended(reason)
                log.info("session ended", extra=about(session=id, reason=reason))
