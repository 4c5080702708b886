"""What the users of a relay know of it, by its outputs alone: the model of the random runs.

Sockets are small numbers here. Whatever is told has to make sense to whom it is told.
"""

import attrs
import pytest

from imgsync.core.protocol.signalling import (
    Door,
    Features,
    ForwardedSignal,
    FromRelay,
    PeerAway,
    PeerBack,
    Presence,
    PresenceState,
    Role,
    SessionEndedEvent,
    SessionStarted,
    Waiting,
)
from imgsync.core.relay.outputs import (
    Close,
    Output,
    Probe,
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
)
from tests.kit.relay_states import CLIENT, EVALUATOR, GRACE, OFFLINE, Grant, Said

Standing = tuple[PresenceState, Features]


@attrs.define
class Peer:
    """A socket, and what the relay has told it until now."""

    role: Role
    user: str
    #: Sessions that it was told of, or has taken, and that have not ended for it: the other user.
    sessions: dict[str, str] = attrs.field(factory=dict)
    #: Those of its sessions whose other side is away, as it was told.
    away: set[str] = attrs.field(factory=set)
    #: Sessions of its user that it was opened beside; not told to it.
    waits_for: set[str] = attrs.field(factory=set)
    #: Clients that are not offline, for an evaluator, and what they speak.
    presence: dict[str, Standing] = attrs.field(factory=dict)
    #: What it has registered with.
    grant: Grant = attrs.field(factory=Grant)
    features: Features = ()
    #: On which side of its door it is, where it has one.
    door: Door | None = None
    #: Where its user stands by the others, as it was told while it waits.
    others: PresenceState | None = None

    @property
    def is_waiting(self) -> bool:
        return self.door is Door.WAITING

    def sees(self, user: str, group: str | None) -> bool:
        """Whether it may know of a client, as its token says."""
        wanted, clients, _ = attrs.astuple(self.grant, recurse=False)
        return (wanted is None or wanted == group) and (clients is None or user in clients)


@attrs.define
class Model:
    """All sockets that are registered, and what the driver was told."""

    peers: dict[int, Peer] = attrs.field(factory=dict)
    #: Who is in a session that has begun and is not over: evaluator and client.
    live: dict[str, dict[Role, str]] = attrs.field(factory=dict)
    #: When the grace times that run are over, the first one first.
    timers: dict[tuple[str, Role], float] = attrs.field(factory=dict)
    answered: set[str] = attrs.field(factory=set)
    #: Those of which it is to be seen which of the client's connections has them.
    unsettled: set[str] = attrs.field(factory=set)
    #: Who was in a session last, of the sides that are away.
    last: dict[tuple[str, Role], Peer] = attrs.field(factory=dict)

    # ── what there is ──

    def sockets_of(self, role: Role, user: str) -> list[int]:
        return [s for s, peer in self.peers.items() if (peer.role, peer.user) == (role, user)]

    def entered(self, client: str) -> list[int]:
        """Those of its sockets that do not wait."""
        return [s for s in self.sockets_of(CLIENT, client) if not self.peers[s].is_waiting]

    def windows_of(self, client: str) -> list[int]:
        """Those that count for what evaluators are told."""
        return self.entered(client) or self.sockets_of(CLIENT, client)

    def members(self, session: str, role: Role | None = None) -> list[int]:
        return [
            socket
            for socket, peer in self.peers.items()
            if session in peer.sessions and role in (None, peer.role)
        ]

    def successors(self, session: str, role: Role) -> list[int]:
        return [
            socket
            for socket, peer in self.peers.items()
            if session in peer.waits_for and peer.role is role
        ]

    def concerned(self, session: str) -> set[int]:
        """Whom the end of a session is told: all that are in it, and their successors."""
        return {
            s for role in Role for s in (*self.members(session), *self.successors(session, role))
        }

    def sessions_of(self, role: Role, user: str) -> list[str]:
        return [session for session, users in self.live.items() if users[role] == user]

    def may_speak(self, socket: int, session: str, *, by_name: bool) -> bool:
        peer = self.peers[socket]
        return session in peer.sessions or (by_name and session in peer.waits_for)

    def admits(self, session: str, peer: Peer) -> bool:
        """Whether a connection of its user may be in a session, by what both tokens say."""
        role = other(peer.role)
        there = [self.peers[socket] for socket in self.members(session, role)]
        pairs = [(peer, one) for one in there or [self.last[session, role]]]
        if peer.role is CLIENT:
            pairs = [(one, another) for another, one in pairs]
        return all(evaluator.sees(client.user, client.grant.group) for evaluator, client in pairs)

    def shows(self, user: str, evaluator: Peer) -> bool:
        """Whether a client is online, as far as an evaluator may know."""
        windows = self.windows_of(user)
        return bool(windows) and evaluator.sees(user, self.peers[windows[-1]].grant.group)

    def spoken_by(self, sockets: list[int]) -> set[str]:
        """What all of these speak."""
        return set.intersection(*({*self.peers[socket].features} for socket in sockets))

    # ── what becomes of it ──

    def enter(self, socket: int, session: str) -> None:
        """A socket is in a session that it may have waited for."""
        peer = self.peers[socket]
        peer.waits_for.discard(session)
        peer.sessions[session] = self.live[session][other(peer.role)]
        for waiting in self.peers.values():
            evaluator, client = (peer, waiting) if peer.role is EVALUATOR else (waiting, peer)
            if evaluator.role is not client.role and not evaluator.sees(
                client.user, client.grant.group
            ):
                waiting.waits_for.discard(session)

    def passes(self, socket: int, door: Door) -> None:
        """A socket is on the other side of its door, and the newest one there."""
        peer = self.peers[socket] = self.peers.pop(socket)
        peer.door = door
        peer.others = None

    def note(
        self, outputs: list[Output], allowed: tuple[type[Output], ...], now: float = 0
    ) -> None:
        """Take what is for the driver and for nobody else."""
        for output in outputs:
            assert isinstance(output, allowed), output
            match output:
                case SessionBegan(session, evaluator, client, resumed):
                    assert session not in self.live
                    assert not self.sessions_of(CLIENT, client)
                    self.live[session] = {EVALUATOR: evaluator, CLIENT: client}
                    self.unsettled |= {session} if resumed else set()
                case SessionAnswered(session):
                    assert session in self.live
                    assert session not in self.answered
                    self.answered.add(session)
                case SideAway(session, role, user):
                    assert self.live[session][role] == user
                    assert (session, role) not in self.timers
                    self.timers[session, role] = now + GRACE
                    self.unsettled |= {session} if role is CLIENT else set()
                case SideBack(session, role, user):
                    assert self.live[session][role] == user
                    del self.timers[session, role]
                case SessionOver(session):
                    del self.live[session]
                    self.answered.discard(session)
                    self.unsettled.discard(session)
                    for role in Role:
                        self.timers.pop((session, role), None)
                    for peer in self.peers.values():
                        peer.waits_for.discard(session)
                case Probe() | Close():
                    pass

    def take(self, said: Said, allowed: tuple[type[FromRelay], ...]) -> None:
        """Give each socket what it was sent, and see that it makes sense to it."""
        for socket, message in said:
            assert isinstance(message, (*allowed, Waiting)), message
            assert isinstance(socket, int)
            peer = self.peers[socket]
            match message:
                case SessionStarted(session, evaluator, _, client, resumed, features):
                    assert features == () or peer.role is EVALUATOR
                    assert session not in peer.sessions or resumed
                    assert (evaluator is None) == (peer.role is EVALUATOR)
                    assert (client is None) == (peer.role is CLIENT)
                    peer.sessions[session] = evaluator or client or ""
                    peer.away.discard(session)
                    peer.waits_for.discard(session)
                case SessionEndedEvent(session):
                    assert session in peer.sessions or session in peer.waits_for
                    peer.sessions.pop(session, None)
                    peer.waits_for.discard(session)
                    peer.away.discard(session)
                case PeerAway(session, user):
                    assert peer.sessions[session] == user
                    assert session not in peer.away
                    peer.away.add(session)
                case PeerBack(session, user):
                    assert peer.sessions[session] == user
                    peer.away.remove(session)
                case ForwardedSignal(sender, _, session):
                    assert session is not None
                    assert peer.sessions[session] == sender
                    assert session not in peer.away
                case Presence(user, state, _, features):
                    assert peer.role is EVALUATOR
                    assert peer.presence.get(user, (OFFLINE, ())) != (state, features)
                    assert state is OFFLINE or self.shows(user, peer)
                    peer.presence[user] = (state, features)
                case Waiting(others, again):
                    assert peer.others is not others
                    assert again is not peer.is_waiting
                    if again:
                        assert peer.door is Door.ENTERED
                        peer.waits_for.clear()
                        self.passes(socket, Door.WAITING)
                    peer.others = others
                case _:
                    pytest.fail(f"unexpected: {message}")
        self.part()

    def part(self) -> None:
        """Who may not be with those who are in a session by now does not wait for it any more."""
        for peer in self.peers.values():
            peer.waits_for = {s for s in peer.waits_for if self.admits(s, peer)}


def other(role: Role) -> Role:
    return CLIENT if role is EVALUATOR else EVALUATOR
