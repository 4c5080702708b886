"""What a relay's state asks for, done on its sockets."""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import assert_never

import attrs
import trio

from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.signalling import CloseCode, FromRelay
from imgsync.core.relay.limits import MessageLimit
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.outputs import (
    AskStandings,
    Commit,
    NodeOutput,
    Pass,
    Posted,
    Retire,
    Sweep,
)
from imgsync.core.relay.outputs import (
    Admitted,
    AwaitRoom,
    Close,
    Probe,
    Send,
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
    SignalDropped,
    Sooner,
)
from imgsync.core.relay.state import RelayState
from imgsync.net.websocket import WebSocket
from imgsync.relay.observer import Observer, Visitor
from imgsync.tasks import Bell

ALIVE_DEADLINE = 2.0
"""Seconds for a user's older connection to answer when it opens a new one. A phone that has changed
from one network to another leaves one behind that is dead without a word."""


@attrs.define(eq=False)
class Connection:
    """A WebSocket and what is known of it."""

    visitor: Visitor
    socket: WebSocket
    limit: MessageLimit
    #: Whether we have closed it: what still comes in counts for nothing.
    is_closing: bool = False
    #: How long it may take until it has registered; for ever once it has.
    registering: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    @property
    def number(self) -> int:
        """Its name in the relay's state."""
        return self.visitor.number


class Delivery:
    """Of one relay.

    :param connections: by their numbers.
    :param sooner: rung when something may be due sooner than before.
    :ivar state: of the relay.
    :ivar beyond: has done what a node asks of what it shares with others.
    :ivar is_over: whether nobody is told anything any more.
    """

    state: RelayState | NodeState
    beyond: Callable[[Commit | Sweep | Retire | AskStandings], None]

    def __init__(
        self, connections: dict[Hashable, Connection], observer: Observer, sooner: Bell
    ) -> None:
        self._connections = connections
        self._observer = observer
        self._sooner = sooner
        self.is_over = False

    def perform(self, outputs: Sequence[NodeOutput]) -> None:
        """In their order."""
        if self.is_over:
            return
        last: FromRelay | None = None
        text = ""
        for output in outputs:
            match output:
                case Send(id, message):
                    # One message often goes to many, one after the other.
                    if message is not last:
                        last, text = message, encode_event(message)
                        self._observer.said(message)
                    self._post(id, text)
                case Close(id, code, why):
                    # What was decided elsewhere may come when it is gone, here as below.
                    if (connection := self._connections.get(id)) is not None:
                        self.close(connection, code, why)
                case Probe(id, successor):
                    answered = partial(self._go_on, self.state.alive, id, successor)
                    self._connections[id].socket.probe(ALIVE_DEADLINE, answered)
                case Admitted(id):
                    self._admitted(self._connections[id])
                case SessionBegan() | SessionAnswered() | SideAway() | SideBack() | SessionOver():
                    self._observer.note(output, trio.current_time())
                    self._sooner.ring()
                case AwaitRoom(id):
                    room = partial(self._go_on, self.state.drained, id)
                    self._connections[id].socket.await_room(room)
                case Sooner():
                    self._sooner.ring()
                case SignalDropped():
                    self._observer.dropped_signal()
                case Pass(id, text):
                    self._post(id, text)
                case Posted(message):
                    self._observer.said(message)
                case Commit() | Sweep() | Retire() | AskStandings():
                    self.beyond(output)
                case _:
                    assert_never(output)

    def _post(self, id: Hashable, text: str) -> None:
        if (connection := self._connections.get(id)) is not None:
            connection.socket.post(text)

    def _admitted(self, connection: Connection) -> None:
        connection.registering.deadline = math.inf
        peer = self.state.peer_of(connection.number)
        assert peer is not None
        self._observer.registered(connection.visitor, peer)
        self._sooner.ring()

    def _go_on(self, decide: Callable[..., Sequence[NodeOutput]], *sockets: Hashable) -> None:
        """What was asked of a socket has come about."""
        self.perform(decide(*sockets, trio.current_time()))

    def close(self, connection: Connection, code: CloseCode, why: str) -> None:
        """Close a socket that has earned it; what it says from now on counts for nothing."""
        if connection.is_closing:
            return
        connection.is_closing = True
        connection.socket.close(code, why)
        peer = self.state.peer_of(connection.number)
        self._observer.shut_out(connection.visitor, peer, code, why)
