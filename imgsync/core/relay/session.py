"""One session as the relay keeps it: its two sides, through which sockets they are in it.

    side:  here ── its last socket lost ──▶ away ── its user registers ──▶ here

The evaluator is in a session through the socket that started it, the client through all that were
there, until the first that signals takes it for itself. When the same user opens another
connection, it may be another window, or the same one that has come back over a new network while
the old connection is dead without a word. So the old ones are probed. Until one of them has
answered, the new one is their heir: it can take the session by naming it, and it has it when they
are lost; then it is told that the session is theirs. Every method returns what is to be done, in
order.
"""

from collections.abc import Iterable

import attrs

from imgsync.core.protocol.signalling import (
    EndReason,
    PeerAway,
    PeerBack,
    Role,
    SessionEndedEvent,
    SessionId,
    SessionStarted,
    UserId,
)
from imgsync.core.relay.outputs import GraceBegan, GraceEnded, Output, Send, Socket


@attrs.define(eq=False)
class Side:
    """One of the two in a session."""

    role: Role
    user_id: UserId
    name: str
    #: Those that are in it; none while the side is away.
    sockets: list[Socket]
    #: Registered since, while none of the others has proved to be alive; the last one inherits.
    heirs: list[Socket] = attrs.field(factory=list)
    #: Whether it is still to be seen which of the user's connections has it: the side was away, or
    #: the relay is new. The first to signal shows it; until then each one is told of the session.
    is_disputed: bool = False


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

    @property
    def concerned(self) -> list[Socket]:
        """All whom its end concerns."""
        sides = (self.evaluator, self.client)
        return [socket for side in sides for socket in (*side.sockets, *side.heirs)]

    def may_speak(self, role: Role, socket: Socket, named: SessionId | None) -> bool:
        """Whether a socket of its user is in the session, or may take it by naming it."""
        side = self.side(role)
        if named is None:
            return socket in side.sockets
        return named == self.id and socket in (*side.sockets, *side.heirs)

    def take(self, side: Side, socket: Socket) -> list[Output]:
        """A socket has its side of the session for itself from now on."""
        ended = SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE)
        others = [other for other in side.sockets if other != socket]
        side.sockets = [socket]
        side.is_disputed = False
        side.heirs = [other for other in side.heirs if other != socket]
        return [Send(other, ended) for other in others]

    def alive(self, side: Side, socket: Socket, heir: Socket) -> list[Output]:
        """A socket has answered a probe: the other one is no heir, but another window.

        It may have had the session before, and been asleep while this one took it.
        """
        if socket not in side.sockets or heir not in side.heirs:
            return []
        side.heirs.remove(heir)
        return [Send(heir, SessionEndedEvent(self.id, EndReason.CLAIMED_ELSEWHERE))]

    def leave(self, side: Side, socket: Socket) -> list[Output]:
        """A socket of this side's user is gone."""
        if socket in side.heirs:
            side.heirs.remove(socket)
        if socket not in side.sockets:
            return []
        side.sockets.remove(socket)
        if side.sockets:
            return []
        side.is_disputed = side is self.client
        away = PeerAway(self.id, side.user_id)
        outputs: list[Output] = [GraceBegan(self.id, side.role, side.user_id)]
        outputs += [Send(one, away) for one in self.other(side).sockets]
        return [*outputs, *self.join(side, side.heirs.pop())] if side.heirs else outputs

    def join(self, side: Side, socket: Socket) -> list[Output]:
        """A socket of this side's user is new: it brings the side back, or is an heir."""
        if side.sockets and not side.is_disputed:
            side.heirs.append(socket)
            return []
        outputs = [] if side.sockets else self._bring_back(side)
        side.sockets.append(socket)
        told = (*self._tell_started(side, [socket], resumed=True), *self._tell_if_alone(side))
        return [*told, *outputs]

    def take_up(self, socket: Socket) -> list[Output]:
        """Its evaluator starts the very session that lives, which he believed to be lost."""
        side = self.evaluator
        outputs = [] if side.sockets else self._bring_back(side)
        outputs += self.take(side, socket)
        outputs += self.tell_started(self.client, resumed=True)
        outputs += self.tell_started(side, resumed=True)
        return [*outputs, *self._tell_if_alone(side)]

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
            GraceEnded(self.id, side.role, side.user_id),
            *(Send(one, back) for one in self.other(side).sockets),
        ]

    def _tell_if_alone(self, side: Side) -> list[Output]:
        """Who comes back has missed that the other side went."""
        other = self.other(side)
        if other.sockets:
            return []
        return [Send(one, PeerAway(self.id, other.user_id)) for one in side.sockets]
