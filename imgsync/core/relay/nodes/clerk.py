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
from imgsync.core.relay.nodes.turns import Task, Turns


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
        self._turns = Turns()
        #: Who waits until nothing of a dead boot is left.
        self._mourners: dict[Boot, list[Task]] = {}
        #: What is tried again some time later.
        self._again: list[Task] = []
        #: Whether the store does not answer.
        self.is_away = False

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way."""
        return not self._flights

    def submit(self, task: Task) -> list[NodeOutput]:
        """Decide it when it is its turn."""
        if task.socket is None:
            return self._attempt(task)
        self._turns.add(task.socket, task)
        return self._go_on(task.socket)

    def is_taken(self, key: Key) -> bool:
        """Whether a record may be another soon, by what was decided here."""
        return key in self._taken

    def waiting(self, socket: int) -> int:
        """How much of what a socket said has not been decided."""
        return self._turns.length(socket)

    def _go_on(self, socket: int) -> list[NodeOutput]:
        outputs: list[NodeOutput] = []
        while (task := self._turns.begin(socket, self._goes_first)) is not None:
            outputs += self._attempt(task)
        return outputs

    def _goes_first(self, task: Task) -> bool:
        """Whether it is carried out before, and on the same as, what is decided now."""
        reads = task.saying
        return reads is not None and all(
            key not in self._taken and self._is_as(key, version) for key, version in reads.items()
        )

    def _is_as(self, key: Key, version: int) -> bool:
        return self._desk.knows(key) and self._desk.version_of(key) == version

    def _version_of(self, key: Key) -> int:
        """Later ones are higher."""
        return self._desk.known(key).stored.version if self._desk.knows(key) else UNREAD

    def _finish(self, task: Task) -> list[NodeOutput]:
        self._held.subtract(task.holds)
        self.tidy(task.holds)
        if task.socket is None:
            return task.then()
        self._turns.end(task.socket, task)
        return self._go_on(task.socket)

    # ── decisions ────────────────────────────────────────────────────────────────────────────────

    def _attempt(self, task: Task) -> list[NodeOutput]:
        task.saying = None
        keys = self._hold(task)
        for key in keys:
            if key in self._taken:
                self._taken[key].append(task)
                return []
        missing = frozenset(key for key in keys if not self._desk.knows(key))
        if missing and self.is_away:
            return self._refuse(task)
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
        if self.is_away:
            self._undo(decided.transaction)
            return self._refuse(task)
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
                self._undo(transaction)
                return self._mourn(task, min(boots))
            case Full():
                self._undo(transaction)
                return self._refuse(task)
            case Early():
                self._undo(transaction)
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

    def _undo(self, transaction: Transaction) -> None:
        """What was decided on copies comes to nothing."""
        for key in transaction.writes:
            if self._is_as(key, transaction.reads[key]):
                self._desk.undo(key)

    # ── what can't be carried out ────────────────────────────────────────────────────────────────

    def _refuse(self, task: Task) -> list[NodeOutput]:
        """It can't be carried out now."""
        if task.refuse is None:
            self._again.append(task)
            return []
        return [*task.refuse(), *self._finish(task)]

    def go_away(self) -> list[NodeOutput]:
        """What was to be carried out is not answered: what had been is heard of later. Until the
        store is back, only what changes nothing, and concerns this node alone, is decided."""
        self.is_away = True
        flights, self._flights = self._flights, {}
        taken = [task for flight in flights.values() for task in self._free(flight)]
        for flight in flights.values():
            self._undo(flight.transaction)
        refused = [output for one in flights.values() for output in self._refuse(one.task)]
        return [*refused, *self._wake(taken)]

    def come_back(self) -> list[NodeOutput]:
        """The store answers again."""
        self.is_away = False
        return [*self.try_again(), *map(Sweep, self._mourners)]

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
        return self._wake(self._mourners.pop(boot, ()))

    def try_again(self) -> list[NodeOutput]:
        """What has to be is tried again."""
        again, self._again = self._again, []
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
