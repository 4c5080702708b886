"""Which records a node has before it, which of them are taken, and who waits for one.

A record in which a socket of this node stands is known by the inbox alone: so what is decided here
never runs ahead of what its sockets have been told. Where an answer of the store tells of a later
one, that is still to be heard, and is waited for.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.records import boots_in, load_record
from imgsync.core.relay.nodes.store import UNREAD, Boot, Key, Stored, Transaction
from imgsync.core.relay.nodes.turns import Task


class Custody:
    """See the module.

    :param boot: of this node.
    :param noted: is told of each record that is laid out, before anything is decided on it.
    """

    def __init__(self, desk: Desk, boot: Boot, noted: Callable[[Key], None]) -> None:
        self._desk = desk
        self._boot = boot
        self._noted = noted
        #: Who waits for a record that is taken.
        self._taken: dict[Key, deque[Task]] = {}
        #: What came meanwhile from others.
        self._later: dict[Key, Stored] = {}
        #: Who waits until a record is heard of that is known to be another.
        self._unheard: dict[Key, deque[Task]] = {}
        #: How many tasks take each record.
        self._held: Counter[Key] = Counter()

    def is_as(self, key: Key, version: int) -> bool:
        """Whether a record is before us by this version."""
        return self._desk.knows(key) and self._desk.version_of(key) == version

    def is_free(self, key: Key) -> bool:
        """Whether nothing that is under way writes it."""
        return key not in self._taken

    # ── what a task takes ────────────────────────────────────────────────────────────────────────

    def hold(self, task: Task) -> list[Key]:
        """The records that it takes by now stay before us until it is at its end."""
        keys = task.needs()
        self._held.update(keys - task.holds)
        dropped = task.holds - keys
        self._held.subtract(dropped)
        self.tidy(dropped)
        task.holds = keys
        return sorted(keys)

    def release(self, task: Task) -> None:
        """It is at its end."""
        self._held.subtract(task.holds)
        self.tidy(task.holds)

    def await_turn(self, task: Task) -> bool:
        """Whether it has to wait for one of its records; then it does."""
        for waiting in (self._taken, self._unheard):
            for key in sorted(task.holds):
                if key in waiting:
                    waiting[key].append(task)
                    return True
        return False

    def take(self, keys: Iterable[Key]) -> None:
        """Something is under way that writes these."""
        self._taken |= {key: deque() for key in keys}

    def free(self, keys: Iterable[Key]) -> list[Task]:
        """It is no more. Returns who has waited for them."""
        waiters: list[Task] = []
        for key in keys:
            taken = self._taken.pop(key)
            later = self._later.pop(key, None)
            if later is not None:
                waiters += self.put(key, later)
            waiters += taken
        return waiters

    # ── what they are ────────────────────────────────────────────────────────────────────────────

    def put(self, key: Key, stored: Stored) -> list[Task]:
        """A record became this, in the order of all. Returns who has waited to hear of it."""
        if key in self._taken:
            self._later[key] = stored
            return []
        if stored.version > self._version_of(key):
            self._put(key, stored)
        return [*self._unheard.pop(key, ())]

    def lay_out(self, found: Mapping[Key, Stored], asked: Mapping[Key, int]) -> None:
        """What there was when it was asked for; of what came meanwhile, nobody knows whether that
        was later, and it is asked for again if not."""
        for key, stored in found.items():
            if key in self._taken:
                continue
            if self._is_to_be_heard(key, stored, asked[key]):
                self._unheard.setdefault(key, deque())
            elif (
                not self._desk.knows(key)
                or self.is_as(key, asked[key])
                or stored.version > self._version_of(key)
            ):
                self._put(key, stored)

    def _is_to_be_heard(self, key: Key, found: Stored, asked: int) -> bool:
        if found.text is None:
            return self._hears_of(key) and self.is_as(key, asked)
        if found.version <= self._version_of(key):
            return False
        return self._hears_of(key) or self._boot in boots_in(load_record(found.text))

    def undo(self, transaction: Transaction) -> None:
        """What was decided on copies comes to nothing."""
        for key in transaction.writes:
            if self.is_as(key, transaction.reads[key]):
                self._desk.undo(key)

    def hear_no_more(self) -> list[Task]:
        """For what is to be heard, nobody waits. Returns who has."""
        unheard, self._unheard = self._unheard, {}
        return [task for waiting in unheard.values() for task in waiting]

    def tidy(self, keys: Iterable[Key]) -> None:
        """Only records are kept of which this node hears whatever becomes of them."""
        for key in keys:
            if self._held[key] > 0:
                continue
            del self._held[key]
            if self._desk.knows(key) and not self._hears_of(key):
                self._desk.drop(key)

    def _hears_of(self, key: Key) -> bool:
        return self._desk.knows(key) and self._boot in self._desk.known(key).boots

    def _version_of(self, key: Key) -> int:
        """Later ones are higher."""
        return self._desk.known(key).stored.version if self._desk.knows(key) else UNREAD

    def _put(self, key: Key, stored: Stored) -> None:
        self._desk.put(key, stored)
        self._noted(key)
