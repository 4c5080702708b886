"""One session as the relay keeps it: its two sides, through which sockets they are in it.

    side:  here ── its last socket lost ──▶ away ── its user registers ──▶ here

The evaluator is in a session through the socket that started it, the client through all that were
there, until the first that signals takes it for itself. When the same user opens another
connection, it may be another window, or the same one that has come back over a new network while
the old connection is dead without a word. So the old ones are probed. Until one of them has
answered, the new one is their successor: it can take the session by naming it, and it has it when
they are lost; then it is told that the session is its own. Each that has it, or is to succeed one
that has, may be with all that have the other side: by the tokens, the evaluator sees the client.
Every method returns what is to be done, in order.
"""

from collections.abc import Iterable

import attrs

from imgsync.core.protocol.numbers import FEATURE_EARLY_OFFER
from imgsync.core.protocol.signalling import (
    EndReason,
    ForwardedSignal,
    PeerAway,
    PeerBack,
    RawJson,
    Ref,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionId,
    SessionStarted,
    UserId,
)
from imgsync.core.relay.identity import Peer, common_features
from imgsync.core.relay.outputs import Output, Send, SessionAnswered, SideAway, SideBack, Socket


@attrs.define(eq=False)
class Side:
    """One of the two in a session."""

    #: Those that are in it; none while the side is away.
    peers: list[Peer]
    #: Whether it is still to be seen which of the user's connections has it: the side was away, or
    #: the relay is new. The first to signal shows it; until then each one is told of the session.
    owner_unknown: bool = False
    #: Registered since, while none of the others has proved to be alive; the last one inherits.
    successors: list[Peer] = attrs.field(init=False, factory=list)
    #: Of those that are in it, or were before the side went away, the one that registered last.
    newest: Peer = attrs.field(init=False)
    #: When the last of the tokens no longer carries the session by which its user is in it, or has
    #: registered since.
    until: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.newest = self.peers[-1]
        self.until = max(peer.until for peer in self.peers)

    @property
    def role(self) -> Role:
        """Which of the two it is."""
        return self.newest.role

    @property
    def user_id(self) -> UserId:
        """Who it is."""
        return self.newest.user_id

    def hold(self, peers: list[Peer]) -> None:
        """These are in it from now on, and none of them succeeds another any more."""
        self.peers = peers
        self.successors = [peer for peer in self.successors if peer not in peers]
        if peers:
            self.newest = peers[-1]


@attrs.define(eq=False)
class Session:
    """See the module."""

    id: SessionId
    evaluator: Side
    client: Side
    #: Whether the client has said something.
    is_answered: bool = False
    #: By whose start it began, and the name of that, where there is one.
    started_by: tuple[Peer, Ref | None] | None = None
    #: Whether the client took signals right behind its `session_started`, by what it spoke then.
    takes_early: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.takes_early = FEATURE_EARLY_OFFER in common_features(self.client.peers)

    def side(self, role: Role) -> Side:
        """The one of the two that has this role."""
        return self.evaluator if role is Role.EVALUATOR else self.client

    def other(self, side: Side) -> Side:
        """The one that this one is with."""
        return self.client if side is self.evaluator else self.evaluator

    def gone(self, role: Role) -> SessionEndedEvent:
        """Its end, where one side is waited for no more."""
        return SessionEndedEvent(self.id, EndReason.PEER_GONE, self.side(role).user_id)

    @property
    def replaced(self) -> SessionEndedEvent:
        """Its end, where its evaluator starts another one with its client."""
        return SessionEndedEvent(self.id, EndReason.REPLACED, self.evaluator.user_id)

    @property
    def concerned(self) -> list[Peer]:
        """All whom its end concerns."""
        sides = (self.evaluator, self.client)
        return [peer for side in sides for peer in (*side.peers, *side.successors)]

    @property
    def until(self) -> float:
        """When the token of the first of the two no longer carries it."""
        return min(self.evaluator.until, self.client.until)

    def admits(self, peer: Peer) -> bool:
        """Whether the evaluator may see the client, with one of their connections in it."""
        other = self.other(self.side(peer.role))
        there = other.peers or [other.newest]
        if other is self.evaluator:
            return all(evaluator.sees(peer.user_id, peer.group) for evaluator in there)
        return all(peer.sees(client.user_id, client.group) for client in there)

    def may_speak(self, peer: Peer, named: SessionId | None) -> bool:
        """Whether a connection of its user is in the session, or may take it by naming it."""
        side = self.side(peer.role)
        if named is None:
            return peer in side.peers
        return named == self.id and peer in (*side.peers, *side.successors)

    def is_disowned(self, peer: Peer, message: SendSignal) -> bool:
        """Whether a client says that it is in the session of this id, but with somebody else.

        Nobody on its side has taken it yet: the relay believes whoever names an old one first.
        """
        if peer.role is not Role.CLIENT or message.target_user_id == self.evaluator.user_id:
            return False
        is_named = message.session_id == self.id and self.may_speak(peer, message.session_id)
        return is_named and self.client.owner_unknown

    def is_named_by(self, peer: Peer, ref: Ref) -> bool:
        """Whether a connection that does not know its id yet may name it so."""
        return self.takes_early and self.started_by == (peer, ref)

    def claim(self, side: Side, peer: Peer) -> list[Output]:
        """A connection has its side of the session for itself from now on."""
        if self._has_alone(side, peer):
            return []  # as it is for nearly all that is said
        ended = SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE)
        others = [other for other in side.peers if other != peer]
        self._hold(side, [peer])
        side.owner_unknown = False
        return [Send(other.socket, ended) for other in others]

    def _has_alone(self, side: Side, peer: Peer) -> bool:
        there = side.peers
        return len(there) == 1 and not side.owner_unknown and (there[0] is peer or there[0] == peer)

    def is_settled_by(self, socket: Socket, side: Side) -> bool:
        """Whether all stays as it is, whatever signal this one has for the other side."""
        there = side.peers
        is_alone = len(there) == 1 and not side.owner_unknown and there[0].socket == socket
        return is_alone and (side is self.evaluator or self.is_answered)

    def forward(self, side: Side, peer: Peer, signal: RawJson) -> list[Output]:
        """A connection, which may speak, says something to the other side, which is there."""
        outputs = self.claim(side, peer)
        if side is self.client and not self.is_answered:
            self.is_answered = True
            outputs.append(SessionAnswered(self.id))
        forwarded = ForwardedSignal(side.user_id, signal, self.id)
        return [*outputs, *(Send(other.socket, forwarded) for other in self.other(side).peers)]

    def enter(self, peer: Peer) -> list[Output]:
        """Somebody is before this connection of the client: it takes the client's side."""
        side = self.client
        if not self.admits(peer):
            return []
        if not side.peers:
            return self.join(side, peer)
        was_in, side.until = peer in side.peers, max(side.until, peer.until)
        outputs = self.claim(side, peer)
        if was_in:
            return outputs
        told = self._tell_started(side, [peer], resumed=True)
        return [*outputs, *told, *self._tell_if_alone(side, peer)]

    def alive(self, side: Side, peer: Peer, successor: Peer) -> list[Output]:
        """A connection has answered a probe: the other one is no successor, but another window.

        It may have had the session before, and been asleep while this one took it.
        """
        if peer not in side.peers or successor not in side.successors:
            return []
        side.successors.remove(successor)
        return [Send(successor.socket, SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE))]

    def leave(self, side: Side, peer: Peer) -> list[Output]:
        """A connection of this side's user is gone."""
        if peer in side.successors:
            side.successors.remove(peer)
        if peer not in side.peers:
            return []
        self._hold(side, [other for other in side.peers if other != peer])
        if side.peers:
            return []
        side.owner_unknown = side is self.client
        away = PeerAway(self.id, side.user_id)
        outputs: list[Output] = [SideAway(self.id, side.role, side.user_id)]
        outputs += [Send(one.socket, away) for one in self.other(side).peers]
        return [*outputs, *self.join(side, side.successors.pop())] if side.successors else outputs

    def join(self, side: Side, peer: Peer) -> list[Output]:
        """A connection of this side's user is new: it brings the side back, or is a successor."""
        if not self.admits(peer):
            return []
        side.until = max(side.until, peer.until)
        if side.peers and not side.owner_unknown:
            side.successors.append(peer)
            return []
        outputs = [] if side.peers else self._bring_back(side)
        self._hold(side, [*side.peers, peer])
        told = (
            *self._tell_started(side, [peer], resumed=True),
            *self._tell_if_alone(side, peer),
        )
        return [*told, *outputs]

    def take_up(self, peer: Peer, ref: Ref | None = None) -> list[Output]:
        """Its evaluator starts the very session that lives, which it believed to be lost."""
        side = self.evaluator
        side.until = max(side.until, peer.until)
        outputs = [] if side.peers else self._bring_back(side)
        outputs += self.claim(side, peer)
        outputs += self.tell_started(self.client, resumed=True)
        outputs += self.tell_started(side, resumed=True, ref=ref)
        return [*outputs, *self._tell_if_alone(side, peer)]

    def _hold(self, side: Side, peers: list[Peer]) -> None:
        """These have a side from now on, with whom a successor on the other may not be."""
        side.hold(peers)
        other = self.other(side)
        other.successors = [peer for peer in other.successors if self.admits(peer)]

    def tell_started(self, side: Side, *, resumed: bool, ref: Ref | None = None) -> list[Output]:
        """Tell one side whom it is in a session with, and by which question, if it has one."""
        return self._tell_started(side, side.peers, resumed=resumed, ref=ref)

    def _tell_started(
        self, side: Side, peers: Iterable[Peer], *, resumed: bool, ref: Ref | None = None
    ) -> list[Output]:
        started = _started_for(side.role, self, resumed=resumed, ref=ref)
        return [Send(peer.socket, started) for peer in peers]

    def _bring_back(self, side: Side) -> list[Output]:
        back = PeerBack(self.id, side.user_id)
        return [
            SideBack(self.id, side.role, side.user_id),
            *(Send(one.socket, back) for one in self.other(side).peers),
        ]

    def _tell_if_alone(self, side: Side, peer: Peer) -> list[Output]:
        """A connection that comes back has missed that the other side went."""
        other = self.other(side)
        return [] if other.peers else [Send(peer.socket, PeerAway(self.id, other.user_id))]


def _started_for(role: Role, session: Session, *, resumed: bool, ref: Ref | None) -> SessionStarted:
    """With whom this side of it is in a session."""
    if role is Role.EVALUATOR:
        return SessionStarted(
            session.id,
            client_id=session.client.user_id,
            resumed=resumed,
            features=common_features(session.client.peers),
            ref=ref,
        )
    return SessionStarted(
        session.id,
        evaluator_id=session.evaluator.user_id,
        evaluator_name=session.evaluator.newest.name,
        resumed=resumed,
    )
