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

from collections.abc import Iterable, Sequence

import attrs

from imgsync.core.relay.nodes.burials import Burials
from imgsync.core.relay.nodes.custody import Custody
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.drafts import draft
from imgsync.core.relay.nodes.outputs import Commit, NodeOutput
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
    takes: Sequence[Key]
    aside: Sequence[NodeOutput] = ()
    is_heard: bool = False


class Clerk:
    """See the module.

    :param boot: of this node.
    :param custody: of the records that are before it.
    """

    def __init__(self, desk: Desk, boot: Boot, custody: Custody) -> None:
        self._desk = desk
        self._boot = boot
        self._custody = custody
        self._flights: dict[int, _Flight] = {}
        self._tickets = 0
        #: What sockets have only said, and nobody has taken to carry it out.
        self._untaken: dict[int, _Flight] = {}
        self.turns = Turns()
        #: Sockets whose next turns are being given.
        self._going: set[int] = set()
        self.burials = Burials()
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
        self.turns.add(task.socket, task)
        return self._go_on(task.socket)

    def untaken(self, socket: int) -> tuple[Task, Transaction] | None:
        """Of what a socket has said, that to which more can be added: nobody has taken it to carry
        it out, and it was decided on what there is."""
        flight = self._untaken.get(socket)
        is_open = flight is not None and self._goes_first(flight.task)
        return (flight.task, flight.transaction) if flight is not None and is_open else None

    def taken(self) -> None:
        """All that was to be carried out is being carried out."""
        self._untaken.clear()

    def _go_on(self, socket: int) -> list[NodeOutput]:
        outputs: list[NodeOutput] = []
        if socket in self._going:
            return outputs  # one that ends at once, below
        self._going.add(socket)
        while (task := self.turns.begin(socket, self._goes_first)) is not None:
            outputs += self._attempt(task)
        self._going.discard(socket)
        return outputs

    def _goes_first(self, task: Task) -> bool:
        """Whether it is carried out before, and on the same as, what is decided now."""
        reads = task.saying
        return reads is not None and all(
            self._custody.is_free(key) and self._custody.is_as(key, version)
            for key, version in reads.items()
        )

    def _finish(self, task: Task) -> list[NodeOutput]:
        self._custody.release(task)
        if task.socket is None:
            return task.then()
        self.turns.end(task.socket, task)
        return self._go_on(task.socket)

    # ── decisions ────────────────────────────────────────────────────────────────────────────────

    def _attempt(self, task: Task) -> list[NodeOutput]:
        task.saying = None
        if task.socket is not None:
            self._untaken.pop(task.socket, None)  # what comes now is behind it
        keys = self._custody.hold(task)
        if self._custody.await_turn(task):
            return []
        missing = [key for key in keys if not self._desk.knows(key)]
        if missing and self.is_away:
            return self._refuse(task)
        if missing:
            reads = dict.fromkeys(missing, UNREAD)
            return [self._send(_Flight(task, Transaction(reads), missing))]
        is_settled = task.settled()
        outputs = task.decide()
        decided = draft(
            self._desk,
            self._boot,
            outputs,
            keys=keys,
            writes={} if is_settled else self._desk.changed(keys),
            due=task.due,
            dead={*self.burials.dead, *task.replaces},
            ticket=self._tickets + 1,
        )
        if decided.transaction is None:
            return [*decided.outputs, *self._finish(task)]
        if self.is_away:
            self._custody.undo(decided.transaction)
            return self._refuse(task)
        if decided.to_dead and task.refuse is not None:
            self._custody.undo(decided.transaction)
            return self.burials.mourn(min(decided.to_dead), task)
        writes = [*decided.transaction.writes]
        flight = _Flight(task, decided.transaction, writes, decided.aside, decided.is_heard)
        if not writes:
            task.saying = {**decided.transaction.reads}
        if is_settled and task.socket is not None and not flight.is_heard:
            self._untaken[task.socket] = flight
        return [self._send(flight)]

    def _send(self, flight: _Flight) -> Commit:
        self._tickets += 1
        self._flights[self._tickets] = flight
        self._custody.take(flight.takes)
        return Commit(self._tickets, flight.transaction)

    def wake(self, tasks: Iterable[Task]) -> list[NodeOutput]:
        """What they have waited for has come."""
        return [output for task in tasks for output in self._attempt(task)]

    # ── what becomes of them ─────────────────────────────────────────────────────────────────────

    def answered(self, ticket: int, answer: Answer) -> list[NodeOutput]:
        """What has become of a transaction."""
        flight = self._flights.get(ticket)
        if flight is None or (isinstance(answer, Done) and flight.is_heard):
            return []  # it has been heard, or will be, behind what was carried out before
        del self._flights[ticket]
        waiters = self._custody.free(flight.takes)
        if not isinstance(answer, Done):
            self._custody.undo(flight.transaction)
        if isinstance(answer, Stale):
            self._custody.lay_out(answer.records, flight.transaction.reads)
            return self.wake(_in_turn(flight.task, waiters))
        return [*self._conclude(flight, answer), *self.wake(waiters)]

    def _conclude(self, flight: _Flight, answer: Done | Dead | Full | Early) -> list[NodeOutput]:
        task, transaction = flight.task, flight.transaction
        if isinstance(answer, Done):
            for key, text in transaction.writes.items():
                self._custody.put(key, Stored(answer.version, text))
            return self._carried_out(flight)
        match answer:
            case Dead(boots):
                task.saying = None
                return self.burials.mourn(min(boots), task)
            case Full():
                return self._refuse(task)
            case Early():
                return self._finish(task)

    def heard(self, ticket: int) -> list[NodeOutput]:
        """A transaction of this node stands in its inbox, and what it wrote is put down."""
        flight = self._flights.pop(ticket, None)
        if flight is None:
            return []
        waiters = self._custody.free(flight.takes)
        return [*self._carried_out(flight), *self.wake(waiters)]

    def _carried_out(self, flight: _Flight) -> list[NodeOutput]:
        return [*flight.aside, *self._finish(flight.task)]

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
        self._untaken.clear()
        flights, self._flights = [*self._flights.values()], {}
        waiters = [task for flight in flights for task in self._custody.free(flight.takes)]
        for flight in flights:
            self._custody.undo(flight.transaction)
        refused = [*(flight.task for flight in flights), *self.burials.give_up()]
        for task in refused:
            task.saying = None
        outputs = [output for task in refused for output in self._refuse(task)]
        return [*outputs, *self.wake([*self._custody.hear_no_more(), *waiters])]

    def come_back(self) -> list[NodeOutput]:
        """The store answers again."""
        self.is_away = False
        return [*self.try_again(), *self.burials.begin_again()]

    def try_again(self) -> list[NodeOutput]:
        """What has to be is tried again."""
        again, self._again = self._again, []
        return self.wake(again)


def _in_turn(task: Task, waiters: Sequence[Task]) -> list[Task]:
    """One that is decided again, and those that have waited for it, of which what its socket has
    said before it comes first."""
    before = [one for one in waiters if one.socket is not None and one.socket == task.socket]
    return [*before, task, *(one for one in waiters if one not in before)]
