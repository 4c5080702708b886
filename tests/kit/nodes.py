"""Several nodes of one relay over a model of what they share, one step at a time.

What is under way stands in queues, and whoever holds them says which of it happens next: a call is
carried out, its answer comes back, an entry of an inbox or a hint is read.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

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
from imgsync.core.relay.nodes.store import Answer, Boot, Entry, Transaction
from imgsync.core.relay.outputs import Admitted, Output, Probe, Send, Socket
from tests.kit.model_store import ModelStore, Refused

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
    new_boot: Callable[[], Boot]
    calls: list[Commit] = attrs.field(factory=list)
    answers: deque[tuple[int, Answer]] = attrs.field(factory=deque)
    #: What it asks the store beside that, and how it goes on with what there was.
    errands: deque[Sweep | Retire | AskStandings] = attrs.field(factory=deque)
    found: deque[Step] = attrs.field(factory=deque)
    #: Calls of which nobody has heard, and which may still be carried out.
    late: deque[tuple[Boot, int, list[Transaction]]] = attrs.field(factory=deque)
    read: int = 0
    hints: int = 0
    is_killed: bool = False

    def perform(self, outputs: list[NodeOutput]) -> None:
        for output in outputs:
            match output:
                case Commit():
                    self.calls.append(output)
                case Sweep() | Retire() | AskStandings():
                    self.errands.append(output)
                case _:
                    self.done.append((self.boot, output))

    @property
    def now(self) -> float:
        return self.store.now

    # ── what happens next ──

    def steps(self) -> list[Step]:
        """What may."""
        possible = [
            (self.calls, self._carry_out),
            (self.answers, self._answer),
            (self.errands, self._look),
            (self.found, self._find),
            (self._unread(), self._read),
            (self.is_of_epoch and self.store.hints[self.hints :], self._hint),
        ]
        if self.is_killed:
            return []
        return [partial(self._do, step) for waits, step in possible if waits]

    def _do(self, step: Step) -> None:
        """Or find that this boot is lost."""
        try:
            step()
        except Refused:
            self.begin_again()

    def _carry_out(self) -> None:
        calls, self.calls = self.calls, []
        self.state.taken()
        answers = self.store.commit(self.boot, self.epoch, [call.transaction for call in calls])
        self.answers += [(call.ticket, one) for call, one in zip(calls, answers, strict=True)]

    def _answer(self) -> None:
        self.perform(self.state.answered(*self.answers.popleft(), self.now))

    def _look(self) -> None:
        if not self.is_of_epoch:
            raise Refused
        match self.errands.popleft():
            case Sweep(boot):
                keys = self.store.held_by(boot)
                self.found.append(lambda: self.perform(self.state.swept(boot, keys, self.now)))
            case Retire(boot):
                self.store.retire(boot)
            case AskStandings():
                changed, there = self.store.changed, dict(self.store.standings)
                self.found.append(lambda: self.perform(self.state.placed(changed, there, self.now)))

    def _find(self) -> None:
        self.found.popleft()()

    def _unread(self) -> list[Entry]:
        inbox = self.store.inboxes.get(self.boot, []) if self.is_of_epoch else []
        return [entry for entry in inbox if int(entry.id) > self.read]

    def _read(self) -> None:
        entry = self._unread()[0]
        self.read = int(entry.id)
        self.perform(self.state.heard(entry, self.now))

    def _hint(self) -> None:
        hint = self.store.hints[self.hints]
        self.hints += 1
        self.perform(self.state.hinted(hint, self.now))

    # ── time, and faults ──

    @property
    def is_of_epoch(self) -> bool:
        return self.epoch == self.store.epoch and self.store.version > 0

    def renew(self) -> None:
        self._do(self._renew)
        if self.state.due <= self.now:
            self.perform(self.state.tick(self.now))

    def _renew(self) -> None:
        renewal = self.store.renew(self.boot, self.epoch, str(self.read))
        self.perform(self.state.renewed(renewal, self.now))

    def begin_again(self) -> None:
        """This boot is lost, whatever is under way."""
        self.perform(self.state.away(self.now))
        self._forget_calls()
        before, self.boot = self.epoch, self.new_boot()
        self.epoch = self.store.open(self.boot)
        self.read, self.hints = 0, len(self.store.hints)
        is_lost = before != self.epoch
        self.perform(self.state.begin_again(self.boot, self.now, is_lost=is_lost))
        self.perform([*self.state.back(self.now), AskStandings()])

    def start_over(self) -> None:
        """What it knows may be half done: its sockets are closed, too, by whoever holds them."""
        self._forget_calls()
        self.boot = self.new_boot()
        self.perform(self.state.start_over(self.boot, self.now))
        self.epoch = self.store.open(self.boot)
        self.read, self.hints = 0, len(self.store.hints)
        self.perform([*self.state.back(self.now), AskStandings()])

    def lose_store(self, *, is_carried_out: bool, is_late: bool = False) -> None:
        """The store does not answer: what has become of the calls that are under way, and of those
        that come then, the node does not hear."""
        under_way = [call.transaction for call in self.calls]
        if is_carried_out:
            with suppress(Refused):
                self.store.commit(self.boot, self.epoch, under_way)
        elif is_late:
            self.late.append((self.boot, self.epoch, under_way))
        self._forget_calls()
        self.perform(self.state.away(self.now))
        self._forget_calls()

    def _forget_calls(self) -> None:
        for under_way in (self.calls, self.answers, self.errands, self.found):
            under_way.clear()

    def find_store(self) -> None:
        """It answers again; hints are listened for anew."""
        self.hints = len(self.store.hints)
        self.perform([*self.state.back(self.now), AskStandings()])

    def carry_out_late(self) -> None:
        """What nobody counts on any more is carried out after all, if the boot still lives."""
        with suppress(Refused):
            self.store.commit(*self.late.popleft())


class Nodes:
    """As many as are asked for, in place of one RelayState: each socket is at one of them.

    :param make: makes the state of a node, given its boot.
    """

    def __init__(
        self, count: int, make: Callable[[Boot], NodeState], store: ModelStore | None = None
    ) -> None:
        self.store = ModelStore() if store is None else store
        self.done: list[tuple[Boot, NodeOutput]] = []
        self._make = make
        self._names: Iterator[Boot] = (Boot(f"n{number}") for number in range(1000))
        self.nodes = [self.open() for _ in range(count)]

    def open(self) -> Node:
        boot = next(self._names)
        epoch = self.store.open(boot)
        new_boot = self._names.__next__
        node = Node(boot, self._make(boot), self.store, epoch, self.done, new_boot)
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
