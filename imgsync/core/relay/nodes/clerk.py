"""In which order a node decides, and how that is carried out.

    frame ─▶ its socket's turn ─▶ its records are known, and free ─▶ decided on copies
                                                                       │
             nothing changes, all are here ◀───────────────────────────┤
             a transaction ─▶ done: heard from the inbox, in the order of all  ◀──┘
                           ─▶ stale: what there is, and decided again

A record is taken while a transaction that writes it is under way. All that a transaction says goes
through inboxes, to sockets of this node, too: so each socket hears what is decided anywhere in the
order in which it was. What one socket says is decided in its order: nothing behind it is begun, but
behind signals that change nothing, which are carried out in order as they were decided on the same.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.drafts import draft
from imgsync.core.relay.nodes.outputs import Commit, NodeOutput, Sweep
from imgsync.core.relay.nodes.store import (
    UNREAD,
    Answer,
    Boot,
    Dead,
    Done,
    Early,
    Full,
    Key,
    Stale,
    Stored,
    Transaction,
)
from imgsync.core.relay.outputs import Output


@attrs.define(eq=False)
class Task:
    """Something that is to be decided.

    :param needs: the records that it takes, as far as that can be told by those that are known.
    :param decide: decides on the copies.
    :param refuse: what is said where it can't be carried out; None for what has to be, later.
    :param socket: in whose turn it is.
    :param settled: whether it changes none of the records, whatever it says.
    :param due: the deadline that it acts on.
    :param then: what follows, where it is nobody's turn.
    """

    needs: Callable[[], set[Key]]
    decide: Callable[[], list[Output]]
    refuse: Callable[[], list[NodeOutput]] | None = None
    socket: int | None = None
    settled: Callable[[], bool] = lambda: False
    due: Key | None = None
    then: Callable[[], list[NodeOutput]] = list
    #: The records that it takes, as far as is known.
    holds: set[Key] = attrs.field(factory=set)
    #: The versions by which it is under way, where it only says something.
    saying: dict[Key, int] | None = None


@attrs.define(eq=False)
class _Flight:
    """A transaction that is under way.

    :param takes: the records that are taken by it.
    :param aside: what else is to be done when it has been carried out.
    :param is_heard: whether it comes back in this node's inbox.
    """

    task: Task
    transaction: Transaction
    takes: frozenset[Key]
    aside: Sequence[NodeOutput] = ()
    is_heard: bool = False


class Clerk:
    """See the module.

    :param boot: of this node.
    :param noted: is told of each record that is laid out, before anything is decided on it.
    """

    def __init__(self, desk: Desk, boot: Boot, noted: Callable[[Key], None]) -> None:
        self._desk = desk
        self._boot = boot
        self._noted = noted
        self._flights: dict[int, _Flight] = {}
        self._tickets = 0
        #: Who waits for a record that is taken.
        self._taken: dict[Key, deque[Task]] = {}
        #: How many tasks take each record.
        self._held: Counter[Key] = Counter()
        #: What came meanwhile from others.
        self._later: dict[Key, Stored] = {}
        #: What sockets said, in its order; the first ones are begun.
        self._turns: dict[int, deque[Task]] = {}
        self._begun: Counter[int] = Counter()
        #: Who waits until nothing of a dead boot is left.
        self._mourners: dict[Boot, list[Task]] = {}
        #: What is tried again some time later.
        self.again: list[Task] = []

    # ── turns ────────────────────────────────────────────────────────────────────────────────────

    def submit(self, task: Task) -> list[NodeOutput]:
        """Decide it when it is its turn."""
        if task.socket is None:
            return self._attempt(task)
        self._turns.setdefault(task.socket, deque()).append(task)
        return self._go_on(task.socket)

    def waiting(self, socket: int) -> int:
        """How much of what a socket said has not been decided."""
        return len(self._turns.get(socket, ()))

    def _go_on(self, socket: int) -> list[NodeOutput]:
        outputs: list[NodeOutput] = []
        while (turn := self._turns.get(socket)) and self._begun[socket] < len(turn):
            begun = self._begun[socket]
            if not all(self._goes_first(turn[index]) for index in range(begun)):
                break
            self._begun[socket] += 1
            outputs += self._attempt(turn[begun])
        return outputs

    def _goes_first(self, task: Task) -> bool:
        """Whether it is carried out before, and on the same as, what is decided now."""
        reads = task.saying
        return reads is not None and all(
            key not in self._taken
            and self._desk.knows(key)
            and self._desk.version_of(key) == version
            for key, version in reads.items()
        )

    def _version_of(self, key: Key) -> int:
        """Later ones are higher."""
        return self._desk.known(key).stored.version if self._desk.knows(key) else UNREAD

    def _finish(self, task: Task) -> list[NodeOutput]:
        socket = task.socket
        self._held.subtract(task.holds)
        self.tidy(task.holds)
        if socket is None:
            return task.then()
        turn = self._turns[socket]
        turn.remove(task)
        self._begun[socket] -= 1
        if not turn:
            del self._turns[socket], self._begun[socket]
        return self._go_on(socket)

    # ── decisions ────────────────────────────────────────────────────────────────────────────────

    def _attempt(self, task: Task) -> list[NodeOutput]:
        task.saying = None
        keys = self._hold(task)
        for key in keys:
            if key in self._taken:
                self._taken[key].append(task)
                return []
        missing = frozenset(key for key in keys if not self._desk.knows(key))
        if missing:
            reads = dict.fromkeys(sorted(missing), UNREAD)
            return [self._send(_Flight(task, Transaction(reads), missing))]
        is_settled = task.settled()
        outputs = task.decide()
        decided = draft(
            self._desk,
            self._boot,
            outputs,
            keys=sorted(keys),
            writes={} if is_settled else self._desk.changed(keys),
            due=task.due,
            dead=self._mourners.keys(),
            ticket=self._tickets + 1,
        )
        if decided.transaction is None:
            return [*decided.outputs, *self._finish(task)]
        writes = frozenset(decided.transaction.writes)
        if not writes:
            task.saying = {**decided.transaction.reads}
        return [
            self._send(_Flight(task, decided.transaction, writes, decided.aside, decided.is_heard))
        ]

    def _hold(self, task: Task) -> set[Key]:
        """The records that it takes by now stay before us until it is at its end."""
        keys = task.needs()
        self._held.update(keys - task.holds)
        self._held.subtract(task.holds - keys)
        task.holds = keys
        return keys

    def _send(self, flight: _Flight) -> Commit:
        self._tickets += 1
        self._flights[self._tickets] = flight
        for key in flight.takes:
            self._taken[key] = deque()
        return Commit(self._tickets, flight.transaction)

    # ── what becomes of them ─────────────────────────────────────────────────────────────────────

    def answered(self, ticket: int, answer: Answer) -> list[NodeOutput]:
        """What has become of a transaction."""
        flight = self._flights.get(ticket)
        if flight is None or (isinstance(answer, Done) and flight.is_heard):
            return []  # it has been heard, or will be, behind what was carried out before
        del self._flights[ticket]
        taken = self._free(flight)
        return [*self._conclude(flight, answer), *self._wake(taken)]

    def _conclude(self, flight: _Flight, answer: Answer) -> list[NodeOutput]:
        task, transaction = flight.task, flight.transaction
        match answer:
            case Done(version):
                for key, text in transaction.writes.items():
                    self.put(key, Stored(version, text))
                return self._carried_out(flight)
            case Stale(records):
                self._lay_out(records, transaction.reads)
                return self._attempt(task)
            case Dead(boots):
                self._undo(flight)
                return self._mourn(task, min(boots))
            case Full():
                self._undo(flight)
                return self._refuse(task)
            case Early():
                self._undo(flight)
                return self._finish(task)

    def heard(self, ticket: int) -> list[NodeOutput]:
        """A transaction of this node stands in its inbox, and what it wrote is put down."""
        flight = self._flights.pop(ticket, None)
        if flight is None:
            return []
        taken = self._free(flight)
        return [*self._carried_out(flight), *self._wake(taken)]

    def put(self, key: Key, stored: Stored) -> None:
        """A record became this, in the order of all."""
        if key in self._taken:
            self._later[key] = stored
        elif stored.version > self._version_of(key):
            self._put(key, stored)

    def _carried_out(self, flight: _Flight) -> list[NodeOutput]:
        return [*flight.aside, *self._finish(flight.task)]

    def _free(self, flight: _Flight) -> list[Task]:
        """Its records are free again. Returns who has waited for them."""
        waiters: list[Task] = []
        for key in flight.takes:
            waiters += self._taken.pop(key)
            later = self._later.pop(key, None)
            if later is not None:
                self.put(key, later)
        return waiters

    def _wake(self, tasks: Iterable[Task]) -> list[NodeOutput]:
        return [output for task in tasks for output in self._attempt(task)]

    def _put(self, key: Key, stored: Stored) -> None:
        self._desk.put(key, stored)
        self._noted(key)

    def _lay_out(self, records: Mapping[Key, Stored], asked: Mapping[Key, int]) -> None:
        """What there was when it was asked for; of what came meanwhile, nobody knows whether that
        was later, and it is asked for again if not."""
        for key, stored in records.items():
            is_as_asked = not self._desk.knows(key) or self._desk.version_of(key) == asked[key]
            if key not in self._taken and (is_as_asked or stored.version > self._version_of(key)):
                self._put(key, stored)

    def _undo(self, flight: _Flight) -> None:
        for key in flight.takes:
            if (
                self._desk.knows(key)
                and self._desk.version_of(key) == flight.transaction.reads[key]
            ):
                self._desk.undo(key)

    # ── what can't be carried out ────────────────────────────────────────────────────────────────

    def _refuse(self, task: Task) -> list[NodeOutput]:
        """It can't be carried out now."""
        if task.refuse is None:
            self.again.append(task)
            return []
        return [*task.refuse(), *self._finish(task)]

    def _mourn(self, task: Task, boot: Boot) -> list[NodeOutput]:
        """It is decided again when nothing is left of this boot."""
        outputs = self.bury(boot)
        self._mourners[boot].append(task)
        return outputs

    def bury(self, boot: Boot) -> list[NodeOutput]:
        """A boot is dead: have its sockets taken out of all records."""
        if boot in self._mourners:
            return []
        self._mourners[boot] = []
        return [Sweep(boot)]

    def buried(self, boot: Boot) -> list[NodeOutput]:
        """Nothing is left of it."""
        return self._wake(self._mourners.pop(boot))

    def try_again(self) -> list[NodeOutput]:
        """What has to be is tried again."""
        again, self.again = self.again, []
        return self._wake(again)

    def tidy(self, keys: Iterable[Key]) -> None:
        """Only records are kept of which this node hears whatever becomes of them."""
        for key in keys:
            if self._held[key] > 0:
                continue
            del self._held[key]
            if self._desk.knows(key) and not self._hears_of(key):
                self._desk.drop(key)

    def _hears_of(self, key: Key) -> bool:
        return self._boot in self._desk.known(key).boots
