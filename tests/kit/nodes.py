"""Several nodes of one relay over a model of what they share, one step at a time.

What is under way stands in queues, and whoever holds them says which of it happens next: a call is
carried out, its answer comes back, an entry of an inbox or a hint is read.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator

import attrs

from imgsync.core.codec.codec import decode_from_relay
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
from imgsync.core.relay.nodes.records import name_socket, place_of
from imgsync.core.relay.nodes.store import Answer, Boot
from imgsync.core.relay.outputs import Admitted, Output, Probe, Send, Socket
from tests.kit.model_store import ModelStore

Step = Callable[[], None]


@attrs.define(eq=False)
class Node:
    """One of them, and what is on its way to and from it."""

    boot: Boot
    state: NodeState
    store: ModelStore
    epoch: int
    #: Of all nodes, in the order in which it happened.
    done: list[tuple[Boot, NodeOutput]]
    calls: deque[Commit] = attrs.field(factory=deque)
    answers: deque[tuple[int, Answer]] = attrs.field(factory=deque)
    read: int = 0
    hints: int = 0
    is_killed: bool = False

    def perform(self, outputs: list[NodeOutput]) -> None:
        for output in outputs:
            match output:
                case Commit():
                    self.calls.append(output)
                case Sweep(boot):
                    self.perform(self.state.swept(boot, self.store.held_by(boot), self.now))
                case Retire(boot):
                    self.store.retire(boot)
                case AskStandings():
                    there = dict(self.store.standings)
                    self.perform(self.state.placed(self.store.changed, there, self.now))
                case _:
                    self.done.append((self.boot, output))

    @property
    def now(self) -> float:
        return self.store.now

    def steps(self) -> list[Step]:
        """What may happen next."""
        possible = [
            (self.calls, self._carry_out),
            (self.answers, self._answer),
            (self._unread(), self._read),
            (self.store.hints[self.hints :], self._hint),
        ]
        return [] if self.is_killed else [step for waits, step in possible if waits]

    def renew(self) -> None:
        renewal = self.store.renew(self.boot, self.epoch, str(self.read))
        self.perform(self.state.renewed(renewal, self.now))

    def _unread(self) -> list[object]:
        inbox = self.store.inboxes.get(self.boot, [])
        return [entry for entry in inbox if int(entry.id) > self.read]

    def _carry_out(self) -> None:
        calls = [*self.calls]
        self.calls.clear()
        self.state.taken()
        answers = self.store.commit(self.boot, self.epoch, [call.transaction for call in calls])
        self.answers += [(call.ticket, one) for call, one in zip(calls, answers, strict=True)]

    def _answer(self) -> None:
        self.perform(self.state.answered(*self.answers.popleft(), self.now))

    def _read(self) -> None:
        entry = next(e for e in self.store.inboxes[self.boot] if int(e.id) > self.read)
        self.read = int(entry.id)
        self.perform(self.state.heard(entry, self.now))

    def _hint(self) -> None:
        hint = self.store.hints[self.hints]
        self.hints += 1
        self.perform(self.state.hinted(hint, self.now))


class Nodes:
    """As many as are asked for, in place of one RelayState: each socket is at one of them.

    :param make: makes the state of a node, given its boot.
    """

    def __init__(self, count: int, make: Callable[[Boot], NodeState]) -> None:
        self.store = ModelStore()
        self.done: list[tuple[Boot, NodeOutput]] = []
        self._make = make
        self._names: Iterator[Boot] = (Boot(f"n{number}") for number in range(1000))
        self.nodes = [self.open() for _ in range(count)]

    def open(self) -> Node:
        boot = next(self._names)
        epoch = self.store.open(boot)
        node = Node(boot, self._make(boot), self.store, epoch, self.done)
        node.hints = len(self.store.hints)
        node.perform([AskStandings()])
        return node

    def node_of(self, socket: Socket) -> Node:
        assert isinstance(socket, int)
        return self.nodes[socket % len(self.nodes)]

    # ── as a RelayState ──

    @property
    def due(self) -> float:
        return min(self.store.deadlines.values(), default=math.inf)

    def receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        node = self.node_of(socket)
        assert isinstance(socket, int)
        return self._settle(node, node.state.receive(socket, frame, self._at(now)))

    def lost(self, socket: Socket, now: float) -> list[Output]:
        node = self.node_of(socket)
        assert isinstance(socket, int)
        return self._settle(node, node.state.lost(socket, self._at(now)))

    def alive(self, socket: Socket, successor: Socket, now: float) -> list[Output]:
        node = self.node_of(socket)
        assert isinstance(socket, int)
        assert isinstance(successor, int)
        name = name_socket(self.node_of(successor).boot, successor)
        return self._settle(node, node.state.alive(socket, name, self._at(now)))

    def tick(self, now: float) -> list[Output]:
        self._at(now)
        for node in self.nodes:
            node.renew()
            self.run()
        return self._taken()

    def _at(self, now: float) -> float:
        self.store.now = now
        for node in self.nodes:
            self.store.leases[node.boot] = now + 1e9
        return now

    def _settle(self, node: Node, outputs: list[NodeOutput]) -> list[Output]:
        node.perform(outputs)
        self.run()
        return self._taken()

    def run(self) -> None:
        """All that is under way comes to its end."""
        while steps := [step for node in self.nodes for step in node.steps()]:
            steps[0]()

    def _taken(self) -> list[Output]:
        taken = [*map(_told, self.done)]
        self.done.clear()
        return [output for output in taken if output is not None]


def _told(done: tuple[Boot, NodeOutput]) -> Output | None:
    """As one relay says it."""
    _, output = done
    match output:
        case Pass(socket, text):
            return Send(socket, decode_from_relay(text))
        case Probe(socket, successor):
            return Probe(socket, place_of(successor)[1])
        case Posted() | Admitted():
            return None
        case _:
            assert not isinstance(output, Commit | Sweep | Retire | AskStandings)
            return output
