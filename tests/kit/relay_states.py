"""A RelayState as the tests of its decisions talk to it. Sockets are texts or numbers here."""

import itertools
import json
import math
from collections.abc import Callable
from typing import Any, Protocol

import attrs

from imgsync.core.protocol.signalling import (
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    PresenceState,
    RawJson,
    Role,
    SessionId,
    SessionStarted,
)
from imgsync.core.relay.identity import Claims, Peer
from imgsync.core.relay.outputs import Admitted, Output, Send, Socket
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms

EVALUATOR, CLIENT = Role.EVALUATOR, Role.CLIENT
AVAILABLE, BUSY, OFFLINE = PresenceState.AVAILABLE, PresenceState.BUSY, PresenceState.OFFLINE
WAITING = PresenceState.WAITING

#: What the two of `in_session` are told when they are in it again.
WITH_EVE = SessionStarted("s1", evaluator_id="eve", evaluator_name="eve", resumed=True)
WITH_CARL = SessionStarted("s1", client_id="carl", resumed=True)

GRACE = 60.0
"""Seconds that a relay waits here."""

Said = list[tuple[Socket, FromRelay]]


def frame(event: str, **data: Any) -> str:
    return json.dumps({"event": event, "data": data})


def numbered(form: str) -> Callable[[], str]:
    """Makes s1, s2, ... of "s{}"."""
    return map(form.format, itertools.count(1)).__next__


class State(Protocol):
    """What takes the place of one, too."""

    @property
    def due(self) -> float: ...

    def peer_of(self, socket: Any) -> Peer | None: ...

    def receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]: ...

    def lost(self, socket: Socket, now: float) -> list[Output]: ...

    def alive(self, socket: Socket, successor: Socket, now: float) -> list[Output]: ...

    def drained(self, socket: Socket, now: float) -> list[Output]: ...

    def tick(self, now: float) -> list[Output]: ...


@attrs.define
class Relay:
    """A RelayState that numbers its sessions s1, s2, ...

    What it says is returned as (socket, message); the other outputs are kept in `noted`.
    """

    state: State = attrs.field(
        factory=lambda: RelayState(
            numbered("s{}"), Terms(grace=GRACE, ice_servers=lambda user_id: [IceServer("stun:a")])
        )
    )
    #: The relay's clock, s.
    now: float = 0
    #: The other outputs of the last call.
    noted: list[Output] = attrs.field(factory=list)

    def receive(self, socket: Socket, text: str | bytes) -> Said:
        return self._split(self.state.receive(socket, text, self.now))

    def tell(self, socket: Socket, event: str, **data: Any) -> Said:
        return self.receive(socket, frame(event, **data))

    def register(self, socket: Socket, role: Role, user: str, **more: object) -> Said:
        return self.tell(socket, "register", userId=user, role=role.value, package="webrtc", **more)

    def start(
        self, socket: Socket, client: str, session: SessionId | None = None, ref: str | None = None
    ) -> Said:
        named = {"sessionId": session, "ref": ref}
        return self.tell(socket, "start_session", clientId=client, **named)

    def signal(self, socket: Socket, target: str, signal: Any = 1, **more: str) -> Said:
        return self.tell(socket, "webrtc_signal", targetUserId=target, signal=signal, **more)

    def end(self, socket: Socket, session: SessionId, **more: Any) -> Said:
        return self.tell(socket, "end_session", sessionId=session, **more)

    def lose(self, socket: Socket) -> Said:
        return self._split(self.state.lost(socket, self.now))

    def enter(self, socket: Socket) -> Said:
        """Somebody touches the page."""
        return self.tell(socket, "enter")

    def answer_probe(self, socket: Socket, successor: Socket) -> Said:
        return self._split(self.state.alive(socket, successor, self.now))

    def drain(self, socket: Socket) -> Said:
        """What was sent to it has been written."""
        return self._split(self.state.drained(socket, self.now))

    def tick(self) -> Said:
        return self._split(self.state.tick(self.now))

    def pass_grace(self) -> Said:
        """Let the time come at which something is due."""
        assert self.now < self.state.due < math.inf
        assert self.state.tick(self.now) == []
        self.now = self.state.due
        return self.tick()

    def _split(self, outputs: list[Output]) -> Said:
        self.noted = [one for one in outputs if not isinstance(one, Send | Admitted)]
        return [(output.socket, output.message) for output in outputs if isinstance(output, Send)]


@attrs.frozen
class Grant:
    """What a token says beside who its bearer is."""

    group: str | None = None
    clients: frozenset[str] | None = None
    expires_at: float = math.inf

    def for_(self, role: Role, user: str) -> str:
        """A token that says it; here it is no more than the text of its claims."""
        clients = None if self.clients is None else [*self.clients]
        return json.dumps([user, role.value, self.group, clients, self.expires_at])


def grant(group: str | None = None, *clients: str, expires_at: float = math.inf) -> Grant:
    """Without clients, of all of them."""
    return Grant(group, frozenset(clients) if clients else None, expires_at)


def read_claims(token: str) -> Claims:
    user, role, group, clients, expires_at = json.loads(token)
    of_clients = None if clients is None else frozenset(clients)
    return Claims(user, Role(role), None, group, of_clients, expires_at)


def relay_of_tokens(**sockets: tuple[str, Grant]) -> Relay:
    """`relay_of_tokens(e1=("eve", grant("A")))`, where sessions end with their tokens."""
    state = RelayState(
        numbered("s{}"),
        Terms(grace=GRACE, read_token=read_claims, until=lambda claims: claims.expires_at),
    )
    relay = Relay(state)
    come(relay, **sockets)
    return relay


def come(relay: Relay, **sockets: tuple[str, Grant]) -> Said:
    """More of them come."""
    said: Said = []
    for socket, (user, its) in sockets.items():
        role = EVALUATOR if socket.startswith("e") else CLIENT
        said += relay.register(socket, role, user, token=its.for_(role, user))
    return said


def relay_with(**sockets: str) -> Relay:
    """`relay_with(e1="eve", c2="carl")`: sockets "e1" and "c2", an evaluator's and a client's."""
    relay = Relay()
    join(relay, **sockets)
    return relay


def join(relay: Relay, **sockets: str) -> Said:
    """The same for a relay that is there; returns all that is said."""
    said: Said = []
    for socket, user in sockets.items():
        said += relay.register(socket, EVALUATOR if socket.startswith("e") else CLIENT, user)
    return said


def refused(outputs: Said, socket: Socket, code: ErrorCode, event: str | None) -> bool:
    match outputs:
        case [(receiver, ErrorEvent(said, message, answered))]:
            is_sentence = message[-1] == "." and message != "."
            return (receiver, said, answered, is_sentence) == (socket, code, event, True)
    return False


def signal_from(user: str, session: str, signal: Any = 1) -> ForwardedSignal:
    return ForwardedSignal(user, RawJson(json.dumps(signal)), session)


def in_session(**more: str) -> Relay:
    """Eve on e1 with Carl on c1, who has answered; the others registered before that."""
    relay = relay_with(e1="eve", c1="carl", **more)
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    return relay


def has_session(relay: Relay, evaluator: Socket = "e1", client: Socket = "c1") -> bool:
    """Whether exactly these two are in the session s1 and hear each other."""
    down, up = relay.signal(evaluator, "carl"), relay.signal(client, "eve")
    return (down, up) == (
        [(client, signal_from("eve", "s1"))],
        [(evaluator, signal_from("carl", "s1"))],
    )
