"""What was decided on copies, as what is to be carried out.

outputs to sockets of this node, nothing changed   ─▶ at once
anything else                                      ─▶ a transaction, and all that is said in it
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import attrs

from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.signalling import FromRelay, UserId
from imgsync.core.relay.nodes.desk import Desk, Sheet
from imgsync.core.relay.nodes.outputs import NodeOutput, Posted
from imgsync.core.relay.nodes.records import dump_standing, place_of, user_of
from imgsync.core.relay.nodes.store import (
    After,
    At,
    Boot,
    Key,
    Part,
    Transaction,
)
from imgsync.core.relay.outputs import Admitted, Close, Output, Probe, Send

SAY, PROBE, ADMIT, TICKET = "say", "probe", "admit", "ticket"
"""What a part of an entry is about: a frame for a socket, a socket to be probed, one that has
registered, or is back under another boot, and the transaction that this node hears of."""


@attrs.frozen
class Draft:
    """See the module.

    :param transaction: None where nothing has to be carried out.
    :param outputs: to sockets of this node, where it is not said in a transaction.
    :param aside: what else is to be done here once it is carried out.
    :param is_heard: whether this node reads of it in its inbox.
    :param to_dead: boots that are known to be dead, to whose sockets something would be said.
    """

    transaction: Transaction | None
    outputs: Sequence[Output]
    aside: Sequence[NodeOutput]
    is_heard: bool
    to_dead: frozenset[Boot] = frozenset()


def draft(
    desk: Desk,
    boot: Boot,
    outputs: list[Output],
    *,
    keys: Iterable[Key],
    writes: Mapping[Key, Sheet],
    due: Key | None,
    dead: Collection[Boot],
    ticket: int,
) -> Draft:
    """Make it of what was decided.

    :param boot: of this node.
    :param dead: boots that are known to be.
    :param ticket: by which this node knows it.
    :param keys: of the records that it was decided with.
    :param writes: those that it changes, as they are by it.
    """
    spoken = [one for one in outputs if isinstance(one, Send | Probe | Admitted)]
    aside = [_here(one) for one in outputs if not isinstance(one, Send | Probe | Admitted)]
    places = {place_of(one.socket)[0] for one in spoken}
    if not writes and places <= {boot} and due is None:
        return Draft(None, [*map(_here, outputs)], (), is_heard=False)
    before = {key: desk.known(key) for key in keys}
    pushes, posts = _pushes(before, writes), posts_of(spoken)
    is_heard = boot in posts or boot in pushes
    if is_heard:
        posts.setdefault(boot, []).append(Part(f"{TICKET} {ticket}", ""))
        if writes:
            pushes[boot] = [*writes]
    alive = {there for sheet in before.values() for there in sheet.boots} if writes else places
    for there in dead:
        posts.pop(there, None)
        pushes.pop(there, None)
    transaction = Transaction(
        {key: desk.version_of(key) for key in keys},
        alive=frozenset(alive.difference({boot}, dead)),
        pushes=pushes,
        posts=posts,
        due=due,
    )
    if writes:  # most of what is said changes nothing
        transaction = _with_changes(transaction, before, writes)
    told = [Posted(one.message) for one in spoken if isinstance(one, Send)]
    return Draft(transaction, (), [*aside, *told], is_heard, frozenset(places.intersection(dead)))


def _with_changes(
    transaction: Transaction, before: Mapping[Key, Sheet], writes: Mapping[Key, Sheet]
) -> Transaction:
    return attrs.evolve(
        transaction,
        writes={key: sheet.stored.text for key, sheet in writes.items()},
        joins=frozenset(_apart(writes, before)),
        leaves=frozenset(_apart({key: before[key] for key in writes}, writes)),
        deadlines=_deadlines(before, writes),
        standings=_standings(before, writes),
    )


def _here(output: Output) -> Output:
    """Its socket, which is one of this node, by its number."""
    match output:
        case Send() | Probe() | Close():
            return attrs.evolve(output, socket=place_of(output.socket)[1])
        case _:
            return output


def _apart(ones: Mapping[Key, Sheet], others: Mapping[Key, Sheet]) -> Iterator[tuple[Boot, Key]]:
    for key, sheet in ones.items():
        yield from ((boot, key) for boot in sheet.boots - others[key].boots)


def _pushes(before: Mapping[Key, Sheet], writes: Mapping[Key, Sheet]) -> dict[Boot, list[Key]]:
    """Each node hears of a record that had, or has, one of its sockets in it."""
    pushes: dict[Boot, list[Key]] = {}
    for key, sheet in writes.items():
        for boot in sorted(sheet.boots | before[key].boots):
            pushes.setdefault(boot, []).append(key)
    return pushes


def posts_of(outputs: Iterable[Output]) -> dict[Boot, list[Part]]:
    """What is said to sockets, by the nodes at which they are."""
    posts: dict[Boot, list[Part]] = {}
    last: FromRelay | None = None
    text = ""
    for output in outputs:
        match output:
            case Send(socket, message):
                # One message often goes to several, one after the other.
                if message is not last:
                    last, text = message, encode_event(message)
                boot, number = place_of(socket)
                part = Part(f"{SAY} {number}", text)
            case Probe(socket, successor):
                boot, number = place_of(socket)
                part = Part(f"{PROBE} {number} {successor}", "")
            case Admitted(socket):
                boot, number = place_of(socket)
                part = Part(f"{ADMIT} {number}", "")
            case _:
                raise AssertionError(output)
        posts.setdefault(boot, []).append(part)
    return posts


def _deadlines(
    before: Mapping[Key, Sheet], writes: Mapping[Key, Sheet]
) -> dict[Key, After | At | None]:
    """What is waited for otherwise than before; in another session, anew."""
    deadlines: dict[Key, After | At | None] = {}
    for key, sheet in writes.items():
        old = before[key]
        waited = old.waits if old.session == sheet.session else {}
        deadlines |= dict.fromkeys(name for name in old.waits if name not in sheet.waits)
        deadlines |= {name: when for name, when in sheet.waits.items() if waited.get(name) != when}
    return deadlines


def _standings(
    before: Mapping[Key, Sheet], writes: Mapping[Key, Sheet]
) -> dict[UserId, str | None]:
    return {
        user_of(key)[1]: None if sheet.standing is None else dump_standing(sheet.standing)
        for key, sheet in writes.items()
        if sheet.standing != before[key].standing
    }
