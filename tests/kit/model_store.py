"""What keeps the records of nodes, as plain as can be: what a real one has to do, too.

Its clock is moved by whoever holds it.
"""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from imgsync.core.protocol.signalling import UserId
from imgsync.core.relay.nodes.store import (
    ABSENT,
    After,
    Answer,
    At,
    Boot,
    Dead,
    Done,
    Early,
    Entry,
    Full,
    Hint,
    Key,
    Part,
    Renewal,
    Stale,
    Stored,
    Transaction,
)

LEASE = 10.0
"""Seconds that a boot lives without renewing its lease."""

INBOX = 4096
"""Entries that may stand in one inbox."""


class Refused(Exception):
    """Nothing is carried out for this boot: its lease is lost, or the epoch is another."""


@attrs.define
class ModelStore:
    """:param most: entries in one inbox."""

    most: int = INBOX
    now: float = 0.0
    epoch: int = 0
    version: int = 0
    #: Of the last change of any standing.
    changed: int = 0
    records: dict[Key, Stored] = attrs.field(factory=dict)
    leases: dict[Boot, float] = attrs.field(factory=dict)
    #: Those that have neither left nor been retired.
    boots: set[Boot] = attrs.field(factory=set)
    held: dict[Boot, set[Key]] = attrs.field(factory=dict)
    inboxes: dict[Boot, list[Entry]] = attrs.field(factory=dict)
    deadlines: dict[Key, float] = attrs.field(factory=dict)
    standings: dict[UserId, tuple[int, str]] = attrs.field(factory=dict)
    hints: list[Hint] = attrs.field(factory=list)
    _entries: int = 0
    #: The last version of an epoch before: none ever comes again.
    _past: int = 0

    def forget_all(self) -> None:
        """As after FLUSHALL."""
        self._past, self.version, self.changed, self._entries = self.version, 0, 0, 0
        for all_of_it in (self.records, self.leases, self.held, self.inboxes, self.deadlines):
            all_of_it.clear()
        self.standings.clear()
        self.boots.clear()
        self.hints.clear()

    # ── leases ──

    def open(self, boot: Boot) -> int:
        """A boot lives from now on. Returns the epoch, which is another one where all is empty."""
        if not self.version:
            self.epoch += 1
            self.version = self._past + 1
        self.leases[boot] = self.now + LEASE
        self.boots.add(boot)
        return self.epoch

    def lives(self, boot: Boot) -> bool:
        return self.leases.get(boot, 0) > self.now

    def _check(self, boot: Boot, epoch: int) -> None:
        if epoch != self.epoch or not self.version or not self.lives(boot):
            raise Refused

    def renew(self, boot: Boot, epoch: int, read: str) -> Renewal:
        """The lease of a boot, which has read its inbox up to this entry."""
        self._check(boot, epoch)
        self.leases[boot] = self.now + LEASE
        inbox = self.inboxes.get(boot, [])
        inbox[:] = [entry for entry in inbox if int(entry.id) > int(read)]
        due = sorted(
            (key for key, at in self.deadlines.items() if at <= self.now),
            key=lambda key: (self.deadlines[key], key),
        )
        later = [at - self.now for at in self.deadlines.values() if at > self.now]
        dead = sorted(boot for boot in self.boots if not self.lives(boot))
        return Renewal(self.changed, due, min(later, default=None), dead)

    def held_by(self, boot: Boot) -> list[Key]:
        """The records in which a boot has sockets."""
        return sorted(self.held.get(boot, ()))

    def retire(self, boot: Boot) -> bool:
        """A boot that is dead has no sockets any more: nothing is kept of it."""
        if self.lives(boot) or self.held.get(boot):
            return False
        self._drop(boot)
        return True

    def leave(self, boot: Boot) -> None:
        """A boot that lives ends, and says so."""
        self.leases.pop(boot, None)
        if not self.held.get(boot):
            self._drop(boot)

    def _drop(self, boot: Boot) -> None:
        self.boots.discard(boot)
        self.held.pop(boot, None)
        self.inboxes.pop(boot, None)

    # ── transactions ──

    def commit(self, boot: Boot, epoch: int, batch: Sequence[Transaction]) -> list[Answer]:
        """Carry them out, one after the other; what they say to one boot is one entry."""
        self._check(boot, epoch)
        outgoing: dict[Boot, tuple[dict[Key, Stored], list[Part]]] = {}
        answers = [self._carry_out(one, outgoing) for one in batch]
        for there, (records, parts) in outgoing.items():
            self._entries += 1
            entry = Entry(str(self._entries), records, parts)
            self.inboxes.setdefault(there, []).append(entry)
        return answers

    def _carry_out(
        self, one: Transaction, outgoing: dict[Boot, tuple[dict[Key, Stored], list[Part]]]
    ) -> Answer:
        there = {key: self.records.get(key, Stored(ABSENT)) for key in one.reads}
        if any(there[key].version != version for key, version in one.reads.items()):
            return Stale(there)
        if one.due is not None and self.deadlines.get(one.due, self.now + 1) > self.now:
            return Early()
        dead = frozenset(boot for boot in one.alive if not self.lives(boot))
        if dead:
            return Dead(dead)
        told = {*one.pushes, *one.posts}
        full = frozenset(boot for boot in told if self._is_full(boot, outgoing))
        if full:
            return Full(full)
        version = self._write(one.writes) if one.writes else ABSENT
        for boot, key in one.joins:
            self.held.setdefault(boot, set()).add(key)
        for boot, key in one.leaves:
            self.held.get(boot, set()).discard(key)
        self._set_deadlines(one)
        self._place(one.standings, version)
        for boot in told:
            records, parts = outgoing.setdefault(boot, ({}, []))
            records.update(
                {key: Stored(version, one.writes[key]) for key in one.pushes.get(boot, ())}
            )
            parts += one.posts.get(boot, ())
        return Done(version)

    def _is_full(self, boot: Boot, outgoing: Iterable[Boot]) -> bool:
        waiting = len(self.inboxes.get(boot, ()))
        return waiting + (boot not in outgoing) > self.most

    def _write(self, writes: Mapping[Key, str | None]) -> int:
        self.version += 1
        for key, text in writes.items():
            if text is None:
                self.records.pop(key, None)
            else:
                self.records[key] = Stored(self.version, text)
        return self.version

    def _set_deadlines(self, one: Transaction) -> None:
        if one.due is not None:
            del self.deadlines[one.due]
        for key, deadline in one.deadlines.items():
            match deadline:
                case None:
                    self.deadlines.pop(key, None)
                case At(time):
                    self.deadlines[key] = time
                case After(seconds):
                    self.deadlines[key] = self.now + seconds

    def _place(self, standings: Mapping[UserId, str | None], version: int) -> None:
        for client_id, text in standings.items():
            self.changed = version
            self.hints.append(Hint(client_id, version, text))
            if text is None:
                self.standings.pop(client_id, None)
            else:
                self.standings[client_id] = (version, text)
