"""What the nodes of a relay share, as they ask for it: the seam to whatever keeps it.

A record is a text of one user, see `records.py`. Each time that any is written, it gets a version
that none had before. A node decides with the records that it knows, and has what it decided carried
out in one step, on the condition that it knew them as they are: a decision that was taken on old
knowledge fails, says what there is, and is taken again. What is said to a node stands in its inbox,
in the order in which it was decided.

A node is known by its boot, an id that it takes when it starts and again whenever it has lost its
lease. A boot that is dead never comes back, so that no socket ever has two owners.
"""

from collections.abc import Mapping, Sequence
from typing import NewType

import attrs

from imgsync.core.protocol.signalling import UserId

Boot = NewType("Boot", str)
Key = NewType("Key", str)
"""The name of a record, or of a deadline."""

ABSENT = 0
"""The version of a record that is not there."""

UNREAD = -1
"""A version that no record has: whoever claims to know this one is told what there is."""


@attrs.frozen
class Stored:
    """A record: its text is None where there is none."""

    version: int
    text: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class After:
    """So many seconds after what sets it was carried out, on the store's own clock."""

    seconds: float


@attrs.frozen
class At:
    """At a time of the store's own clock, in seconds since the Unix epoch."""

    time: float


@attrs.frozen
class Part:
    """Something that is said to a node: to whom, and what."""

    about: str
    text: str = attrs.field(repr=False)


@attrs.frozen
class Transaction:
    """What is carried out in one step, or not at all.

    :param reads: the versions of the records that it was decided with, by their keys.
    :param writes: what some of these are from now on; None where it is there no more.
    :param alive: boots that have to live, as what was decided counts on their sockets.
    :param joins: pairs of a boot and a record in which it has sockets from now on.
    :param leaves: the same, where it has none any more.
    :param pushes: the records, of those that are written, that a boot is told.
    :param posts: what else it is told, behind these.
    :param deadlines: when somebody has to look at a record; None where nothing is waited for.
    :param due: the deadline that has to have passed; it is over when this is carried out.
    :param standings: where clients stand from now on, for all nodes; None where they are gone.
    """

    reads: Mapping[Key, int]
    writes: Mapping[Key, str | None] = attrs.field(factory=dict)
    alive: frozenset[Boot] = frozenset()
    joins: frozenset[tuple[Boot, Key]] = frozenset()
    leaves: frozenset[tuple[Boot, Key]] = frozenset()
    pushes: Mapping[Boot, Sequence[Key]] = attrs.field(factory=dict)
    posts: Mapping[Boot, list[Part]] = attrs.field(factory=dict)
    deadlines: Mapping[Key, After | At | None] = attrs.field(factory=dict)
    due: Key | None = None
    standings: Mapping[UserId, str | None] = attrs.field(factory=dict)


# ── what becomes of it ───────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Done:
    """It was carried out.

    :param version: of all that was written; ABSENT where nothing was.
    """

    version: int


@attrs.frozen
class Stale:
    """Some of what it was decided with is otherwise.

    :param records: all that it read, as they are.
    """

    records: Mapping[Key, Stored]


@attrs.frozen
class Dead:
    """Some of the boots that had to live don't."""

    boots: frozenset[Boot]


@attrs.frozen
class Full:
    """The inbox of these boots takes no more: they read too slowly, or not at all."""

    boots: frozenset[Boot]


@attrs.frozen
class Early:
    """Its deadline has not passed, or is no more."""


Answer = Done | Stale | Dead | Full | Early


@attrs.frozen
class Entry:
    """What stands in an inbox: all that one call has put there.

    :param id: where in the inbox it stands; they are read in this order.
    :param records: that were written, by their keys.
    """

    id: str
    records: Mapping[Key, Stored]
    parts: Sequence[Part]


@attrs.frozen
class Hint:
    """A client stands elsewhere.

    :param version: of what was written when it came to that.
    :param text: where; None where it is gone.
    """

    client_id: UserId
    version: int
    text: str | None


@attrs.frozen
class Renewal:
    """What a node is told when it renews its lease.

    :param standings: the version of what was written when any client last came to stand elsewhere.
    :param due: deadlines that have passed, the first ones.
    :param next_due: seconds until the next one passes; None where nothing is waited for.
    :param dead: boots that have not left, and are dead.
    """

    standings: int
    due: Sequence[Key]
    next_due: float | None
    dead: Sequence[Boot]
