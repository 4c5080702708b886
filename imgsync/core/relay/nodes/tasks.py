"""What comes in to a node, as tasks: which records each takes, and how it is decided on them."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from imgsync.core.protocol.signalling import (
    EndReason,
    EndSession,
    Register,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionId,
    StartSession,
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.desk import AWAY, TOKEN, Desk, wait_of
from imgsync.core.relay.nodes.outputs import NodeOutput
from imgsync.core.relay.nodes.records import key_of, place_of, user_of
from imgsync.core.relay.nodes.returns import Former, Returning
from imgsync.core.relay.nodes.store import Boot, Key
from imgsync.core.relay.nodes.turns import Task
from imgsync.core.relay.outputs import Admitted, Output, Socket
from imgsync.core.relay.rules import FromPeer, Rules
from imgsync.core.relay.session import Session

_NOW = 0.0
"""Deadlines are the store's, which has the one clock of all nodes."""

Refuse = Callable[[], Sequence[NodeOutput]]


class Tasks:
    """Makes them, for the sockets of one node.

    :param unheard: what is said to a socket that says something, and stands in no record.
    """

    def __init__(
        self,
        desk: Desk,
        rules: Rules,
        returning: Returning,
        unheard: Callable[[Socket, FromPeer], list[Output]],
    ) -> None:
        self._desk = desk
        self._rules = rules
        self._returning = returning
        self._unheard = unheard

    def register(self, number: int, name: str, message: Register, refuse: Refuse) -> Task:
        """A socket registers."""

        def decide() -> list[Output]:
            peer, asked = self._rules.admit(name, message)
            if peer is None:
                return asked
            return [Admitted(name), *asked, *self._rules.join(peer, _NOW)]

        return Task(
            lambda: self._all_of(message.role, message.user_id), decide, refuse, socket=number
        )

    def hear(
        self,
        number: int,
        name: str,
        peer: Peer | None,
        message: FromPeer,
        refuse: Callable[[int, FromPeer], Sequence[NodeOutput]],
    ) -> Task:
        """One that has registered says something; more may be added to it, as it is.

        :param peer: as who it has, also where it is not back yet.
        """
        messages = [message]
        own = set() if peer is None else {key_of(peer.role, peer.user_id)}
        return Task(
            lambda: self._taken_by(name, message) or own,
            lambda: [output for one in messages for output in self.decide(name, one)],
            lambda: [output for one in messages for output in refuse(number, one)],
            socket=number,
            settled=lambda: isinstance(message, SendSignal) and self._is_settled(name, message),
            messages=messages,
        )

    def decide(self, name: str, message: FromPeer) -> list[Output]:
        """What is to be done by what one says, on the copies that are there."""
        peer = self._rules.registry.peers.get(name)
        return (
            self._unheard(name, message) if peer is None else self._rules.hear(peer, message, _NOW)
        )

    def leave(self, number: int, name: str, role: Role, user_id: UserId) -> Task:
        """A socket is gone, which was to be of this user, or had become another's before."""

        def needs() -> set[Key]:
            peer = self._rules.registry.peers.get(name)
            return self._all_of(*((role, user_id) if peer is None else (peer.role, peer.user_id)))

        return Task(needs, lambda: self._rules.leave(name, _NOW), socket=number)

    def alive(self, name: str, successor: str, role: Role, user_id: UserId) -> Task:
        """A socket has answered a probe that was asked for when `successor` registered."""
        return Task(lambda: self._all_of(role, user_id), lambda: self._rules.alive(name, successor))

    def come_back(self, former: Former, then: Callable[[], list[NodeOutput]]) -> Task:
        """The sockets of a user come back, by what they had under the boots before this one."""

        def needs() -> set[Key]:
            sides = [side for one in former.sessions for side in (one.evaluator, one.client)]
            return self._all_of(*former.user) | {key_of(one.role, one.user_id) for one in sides}

        return Task(
            needs,
            lambda: self._returning.decide(former, _NOW),
            then=then,
            replaces=former.boots,
        )

    def sweep(
        self, boot: Boot, keys: Iterable[Key], end: Callable[[], list[NodeOutput]]
    ) -> list[Task]:
        """A boot is dead: so are its sockets that stand in these records.

        :param end: what follows when none does any more.
        """
        left = {*keys}

        def swept(key: Key) -> list[NodeOutput]:
            left.discard(key)
            return [] if left else end()

        return [self._sweep(boot, key, partial(swept, key)) for key in sorted(left)]

    def _sweep(self, boot: Boot, key: Key, then: Callable[[], list[NodeOutput]]) -> Task:
        role, user_id = user_of(key)

        def decide() -> list[Output]:
            peers = [*self._rules.registry.peers_of(role, user_id)]
            dead = [peer.socket for peer in peers if place_of(peer.socket)[0] == boot]
            return [output for socket in dead for output in self._rules.leave(socket, _NOW)]

        return Task(lambda: self._all_of(role, user_id), decide, then=then)

    def run_out(self, deadline: Key) -> Task:
        """A deadline has passed."""
        what, client_id = wait_of(deadline)

        def decide() -> list[Output]:
            session = self._desk.sessions.of_client(client_id)
            ended = None if session is None else _ended_by(session, what)
            return [] if session is None or ended is None else self._rules.end(session, ended)

        return Task(
            lambda: {key_of(Role.CLIENT, client_id), *self._with(client_id)},
            decide,
            list,
            due=deadline,
        )

    # ── which records ────────────────────────────────────────────────────────────────────────────

    def _all_of(self, role: Role, user_id: UserId) -> set[Key]:
        """That of a user, and those of all its sessions, by any of the records before us: where
        these do not agree, the older one is known to be old by that."""
        key = key_of(role, user_id)
        if role is Role.CLIENT or not self._desk.knows(key):
            return {key}
        sessions = self._desk.sessions.of(role, user_id)
        clients = (*self._desk.clients_of(user_id).values(), *(s.client.user_id for s in sessions))
        return {key, *(key_of(Role.CLIENT, client_id) for client_id in clients)}

    def _taken_by(self, name: str, message: FromPeer) -> set[Key]:
        peer = self._rules.registry.peers.get(name)
        if peer is None:
            return set()
        own = key_of(peer.role, peer.user_id)
        match message:
            case SendSignal():
                return self.records_of(name, message)
            case StartSession(client_id) if peer.role is Role.EVALUATOR:
                return {own, key_of(Role.CLIENT, client_id), *self._named(own, message.session_id)}
            case EndSession(session_id) if peer.role is Role.EVALUATOR:
                return {own, *self._named(own, session_id)}
            case EndSession():
                return {own, *self._with(peer.user_id)}
            case _:
                return {own}

    def records_of(self, name: str, message: SendSignal) -> set[Key]:
        """Those that a signal is decided on. None is asked for: a session in which its sender is
        stands before this node."""
        client_id = self._client_of(name, message)
        key = key_of(Role.CLIENT, client_id)
        if not self._desk.knows(key):
            return set()
        session = self._desk.sessions.of_client(client_id)
        is_open = session is not None and session.client.owner_unknown
        return {key, *(self._with(client_id) if is_open else ())}

    def _client_of(self, name: str, message: SendSignal) -> UserId:
        peer = self._rules.registry.peers[name]
        return message.target_user_id if peer.role is Role.EVALUATOR else peer.user_id

    def _is_settled(self, name: str, message: SendSignal) -> bool:
        peer = self._rules.registry.peers.get(name)
        if peer is None:
            return True
        session = self._desk.sessions.of_client(self._client_of(name, message))
        return session is not None and session.is_settled_by(name, session.side(peer.role))

    def _with(self, client_id: UserId) -> set[Key]:
        """The record of the evaluator that a client is in a session with."""
        session = self._desk.sessions.of_client(client_id)
        return set() if session is None else {key_of(Role.EVALUATOR, session.evaluator.user_id)}

    def _named(self, evaluator: Key, session_id: SessionId | None) -> set[Key]:
        """The record of the client that an evaluator is in this session with."""
        if session_id is None or not self._desk.knows(evaluator):
            return set()
        evaluator_id = user_of(evaluator)[1]
        client_id = self._desk.clients_of(evaluator_id).get(session_id)
        sessions = self._desk.sessions.of(Role.EVALUATOR, evaluator_id)
        clients = [session.client.user_id for session in sessions if session.id == session_id]
        clients += [] if client_id is None else [client_id]
        return {key_of(Role.CLIENT, client_id) for client_id in clients}


def _ended_by(session: Session, what: str) -> SessionEndedEvent | None:
    """How a session ends, of which something was waited for so long; None where it goes on."""
    if what == TOKEN:
        side = min(session.evaluator, session.client, key=lambda side: side.until)
        return SessionEndedEvent(session.id, EndReason.TOKEN_EXPIRED, side.user_id)
    role = next(role for role, name in AWAY.items() if name == what)
    return None if session.side(role).peers else session.gone(role)
