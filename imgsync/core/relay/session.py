"""One session as the relay keeps it: its two sides, through which sockets they are in it.

    side:  here ── its last socket lost ──▶ away ── its user registers ──▶ here

The evaluator is in a session through the socket that started it, the client through all that were
there, until the first that signals takes it for itself. When the same user opens another
connection, it may be another window, or the same one that has come back over a new network while
the old connection is dead without a word. So the old ones are probed. Until one of them has
answered, the new one is their successor: it can take the session by naming it, and it has it when
they are lost; then it is told that the session is its own. Every method returns what is to be done,
in order.
"""

from collections.abc import Iterable

import attrs

from imgsync.core.protocol.signalling import (
    EndReason,
    ForwardedSignal,
    PeerAway,
    PeerBack,
    RawJson,
    Role,
    SessionEndedEvent,
    SessionId,
    SessionStarted,
    UserId,
)
from imgsync.core.relay.outputs import Output, Send, SessionAnswered, SideAway, SideBack, Socket


@attrs.define(eq=False)
class Side:
    """One of the two in a session."""

    role: Role
    user_id: UserId
    name: str
    #: Those that are in it; none while the side is away.
    sockets: list[Socket]
    #: Registered since, while none of the others has proved to be alive; the last one inherits.
    successors: list[Socket] = attrs.field(factory=list)
    #: Whether it is still to be seen which of the user's connections has it: the side was away, or
    #: the relay is new. The first to signal shows it; until then each one is told of the session.
    owner_unknown: bool = False


@attrs.define(eq=False)
class Session:
    """See the module."""

    id: SessionId
    evaluator: Side
    client: Side
    #: Whether the client has said something.
    is_answered: bool = False

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
    def concerned(self) -> list[Socket]:
        """All whom its end concerns."""
        sides = (self.evaluator, self.client)
        return [socket for side in sides for socket in (*side.sockets, *side.successors)]

    def may_speak(self, role: Role, socket: Socket, named: SessionId | None) -> bool:
        """Whether a socket of its user is in the session, or may take it by naming it."""
        side = self.side(role)
        if named is None:
            return socket in side.sockets
        return named == self.id and socket in (*side.sockets, *side.successors)

    def claim(self, side: Side, socket: Socket) -> list[Output]:
        """A socket has its side of the session for itself from now on."""
        ended = SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE)
        others = [other for other in side.sockets if other != socket]
        side.sockets = [socket]
        side.owner_unknown = False
        side.successors = [other for other in side.successors if other != socket]
        return [Send(other, ended) for other in others]

    def forward(self, side: Side, socket: Socket, signal: RawJson) -> list[Output]:
        """A socket, which may speak, says something to the other side, which is there."""
        outputs = self.claim(side, socket)
        if side is self.client and not self.is_answered:
            self.is_answered = True
            outputs.append(SessionAnswered(self.id))
        forwarded = ForwardedSignal(side.user_id, signal, self.id)
        return [*outputs, *(Send(other, forwarded) for other in self.other(side).sockets)]

    def alive(self, side: Side, socket: Socket, successor: Socket) -> list[Output]:
        """A socket has answered a probe: the other one is no successor, but another window.

        It may have had the session before, and been asleep while this one took it.
        """
        if socket not in side.sockets or successor not in side.successors:
            return []
        side.successors.remove(successor)
        return [Send(successor, SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE))]

    def leave(self, side: Side, socket: Socket) -> list[Output]:
        """A socket of this side's user is gone."""
        if socket in side.successors:
            side.successors.remove(socket)
        if socket not in side.sockets:
            return []
        side.sockets.remove(socket)
        if side.sockets:
            return []
        side.owner_unknown = side is self.client
        away = PeerAway(self.id, side.user_id)
        outputs: list[Output] = [SideAway(self.id, side.role, side.user_id)]
        outputs += [Send(one, away) for one in self.other(side).sockets]
        return [*outputs, *self.join(side, side.successors.pop())] if side.successors else outputs

    def join(self, side: Side, socket: Socket) -> list[Output]:
        """A socket of this side's user is new: it brings the side back, or is a successor."""
        if side.sockets and not side.owner_unknown:
            side.successors.append(socket)
            return []
        outputs = [] if side.sockets else self._bring_back(side)
        side.sockets.append(socket)
        told = (
            *self._tell_started(side, [socket], resumed=True),
            *self._tell_if_alone(side, socket),
        )
        return [*told, *outputs]

    def take_up(self, socket: Socket) -> list[Output]:
        """Its evaluator starts the very session that lives, which it believed to be lost."""
        side = self.evaluator
        outputs = [] if side.sockets else self._bring_back(side)
        outputs += self.claim(side, socket)
        outputs += self.tell_started(self.client, resumed=True)
        outputs += self.tell_started(side, resumed=True)
        return [*outputs, *self._tell_if_alone(side, socket)]

    def tell_started(self, side: Side, *, resumed: bool) -> list[Output]:
        """Tell one side whom it is in a session with."""
        return self._tell_started(side, side.sockets, resumed=resumed)

    def _tell_started(
        self, side: Side, sockets: Iterable[Socket], *, resumed: bool
    ) -> list[Output]:
        if side is self.evaluator:
            started = SessionStarted(self.id, client_id=self.client.user_id, resumed=resumed)
        else:
            started = SessionStarted(
                self.id,
                evaluator_id=self.evaluator.user_id,
                evaluator_name=self.evaluator.name,
                resumed=resumed,
            )
        return [Send(socket, started) for socket in sockets]

    def _bring_back(self, side: Side) -> list[Output]:
        back = PeerBack(self.id, side.user_id)
        return [
            SideBack(self.id, side.role, side.user_id),
            *(Send(one, back) for one in self.other(side).sockets),
        ]

    def _tell_if_alone(self, side: Side, socket: Socket) -> list[Output]:
        """A socket that comes back has missed that the other side went."""
        other = self.other(side)
        return [] if other.sockets else [Send(socket, PeerAway(self.id, other.user_id))]
