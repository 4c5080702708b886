"""What the scripts are told and what they say, in the bytes that cost least: no library, no I/O.

A transaction goes as JSON that has places in place of names and texts; texts stand beside it as
they are. Names and texts are UTF-8 in which half of a surrogate pair may stand, as JSON may have
brought it.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

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
    Stale,
    Stored,
    Transaction,
)

NOTHING = 0
"""The place of a text that is not there."""

_FIRST_TEXT = 3
"""Its place among the arguments of `commit.lua`."""


def encode(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def decode(data: bytes) -> str:
    return data.decode(errors="surrogatepass")


class _Places(dict[str, int]):
    """Names by the places that they got when they were first asked for, from 1 on."""

    def __missing__(self, name: str) -> int:
        place = self[name] = len(self) + 1
        return place


# ── transactions ─────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Asked:
    """Transactions as `commit.lua` takes them.

    :param told: boots whose inboxes it may write to, in the order of their keys.
    :param held: boots whose sockets change, likewise.
    :param texts: its arguments from the third on.
    """

    head: bytes
    told: Sequence[Boot]
    held: Sequence[Boot]
    texts: Sequence[bytes]
    _alive: Sequence[Boot]
    _batch: Sequence[Transaction]

    def answers(self, head: bytes, texts: Sequence[bytes]) -> list[Answer]:
        """What the script has answered.

        :param texts: of the records that are not as they were thought.
        """
        left = iter(texts)
        return [
            self._answer(one, answer, left)
            for one, answer in zip(self._batch, json.loads(head), strict=True)
        ]

    def _answer(self, one: Transaction, answer: int | list[Any], texts: Iterator[bytes]) -> Answer:
        match answer:
            case int():
                return Done(answer)
            case ["stale", *versions]:
                numbers = zip(one.reads, map(int, versions), strict=True)
                return Stale({key: _stored(number, texts) for key, number in numbers})
            case ["dead", *places]:
                return Dead(frozenset(self._alive[place - 1] for place in places))
            case ["full", *places]:
                return Full(frozenset(self.told[place - 1] for place in places))
            case _:
                return Early()


def _stored(version: int, texts: Iterator[bytes]) -> Stored:
    return Stored(version) if version == ABSENT else Stored(version, decode(next(texts)))


def ask(batch: Sequence[Transaction], **about: object) -> Asked:
    """Have transactions carried out.

    :param about: what else stands in the JSON: epoch, boot, most, kept.
    """
    writer = _Writer()
    transactions = [writer.write(one) for one in batch]
    head = {
        **about,
        "names": list(writer.names),
        "alive": list(writer.alive),
        "changes": writer.changes,
        "transactions": transactions,
    }
    told = [Boot(boot) for boot in writer.told]
    for one in transactions:  # their keys stand behind those of all inboxes
        for sockets in (one.get("joins"), one.get("leaves")):
            if sockets is not None:
                sockets[::2] = [len(told) + place for place in sockets[::2]]
    return Asked(
        encode(json.dumps(head, ensure_ascii=False, separators=(",", ":"))),
        told,
        [Boot(boot) for boot in writer.held],
        writer.texts,
        [Boot(boot) for boot in writer.alive],
        batch,
    )


@attrs.define
class _Writer:
    """Gives places to what several transactions name."""

    names: _Places = attrs.field(factory=_Places)
    alive: _Places = attrs.field(factory=_Places)
    told: _Places = attrs.field(factory=_Places)
    held: _Places = attrs.field(factory=_Places)
    texts: list[bytes] = attrs.field(factory=list)
    #: Transactions that write more than into inboxes.
    changes: int = 0

    def write(self, one: Transaction) -> dict[str, Any]:
        names = self.names
        asked: dict[str, Any] = {"reads": [x for k, v in one.reads.items() for x in (names[k], v)]}
        if one.alive:
            asked["alive"] = [self.alive[boot] for boot in one.alive]
        due = one.due is not None
        if one.writes or one.joins or one.leaves or one.deadlines or one.standings or due:
            self.changes += 1
            self._write_changes(one, asked)
        if one.posts or one.pushes:
            asked["told"] = [self.told[boot] for boot in {**one.pushes, **one.posts}]
            asked["posts"] = [x for b, parts in one.posts.items() for x in self._post(b, parts)]
        return asked

    def _write_changes(self, one: Transaction, asked: dict[str, Any]) -> None:
        names = self.names
        texts = {key: self._text(text) for key, text in one.writes.items()}
        if texts:
            asked["writes"] = [x for key, place in texts.items() for x in (names[key], place)]
            asked["pushes"] = [
                x
                for boot, keys in one.pushes.items()
                for key in keys
                for x in (self.told[boot], names[key], texts[key])
            ]
        if one.joins:
            asked["joins"] = [x for b, key in one.joins for x in (self.held[b], names[key])]
        if one.leaves:
            asked["leaves"] = [x for b, key in one.leaves for x in (self.held[b], names[key])]
        if one.due is not None:
            asked["due"] = one.due
        if one.deadlines:
            asked["deadlines"] = [x for k, at in one.deadlines.items() for x in (k, *_time(at))]
        if one.standings:
            asked["standings"] = [
                x for client, text in one.standings.items() for x in (client, self._text(text))
            ]

    def _text(self, text: str | None) -> int:
        """Its place."""
        if text is None:
            return NOTHING
        self.texts.append(encode(text))
        return _FIRST_TEXT - 1 + len(self.texts)

    def _post(self, boot: Boot, parts: Sequence[Part]) -> tuple[int, int, int]:
        """What is said to a boot: the places of the boot and of the first text, and how many."""
        first = _FIRST_TEXT + len(self.texts)
        for part in parts:
            self.texts.append(b"p" + encode(part.about))
            self.texts.append(encode(part.text))
        return self.told[boot], first, len(parts)


def _time(at: After | At | None) -> tuple[str, float]:
    match at:
        case None:
            return "none", 0
        case After(seconds):
            return "after", seconds
        case At(time):
            return "at", time


# ── what stands in an inbox ──────────────────────────────────────────────────────────────────────


def entry_of(entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    """An entry of a stream: fields and their values in turn, as `commit.lua` has put them there."""
    records: dict[Key, Stored] = {}
    parts: list[Part] = []
    each = iter(fields)
    for field, text in zip(each, each, strict=True):
        kind = field[:1]
        if kind == b"p":
            parts.append(Part(decode(field[1:]), decode(text)))
        elif kind:
            version, _, name = field[1:].partition(b" ")
            stored = Stored(int(version), decode(text) if kind == b"w" else None)
            records[Key(decode(name))] = stored
    return Entry(entry_id.decode(), records, parts)


def after(entry_id: str) -> str:
    """The least id behind an entry."""
    milliseconds, _, number = entry_id.partition("-")
    return f"{milliseconds}-{int(number) + 1}"


# ── where clients stand ──────────────────────────────────────────────────────────────────────────


def hints_of(payload: bytes, epoch: str | None) -> Iterator[Hint]:
    """What was published in one step; nothing where it was in another epoch."""
    published_in, hints = json.loads(decode(payload))
    if published_in == epoch:
        for client_id, version, text in hints:
            yield Hint(client_id, int(version), None if text is False else text)


def standings_of(pairs: Sequence[bytes]) -> dict[UserId, tuple[int, str]]:
    """All of them: clients and what is stored of each, in turn."""
    each = iter(pairs)
    found: dict[UserId, tuple[int, str]] = {}
    for client, stored in zip(each, each, strict=True):
        version, _, text = stored.partition(b" ")
        found[decode(client)] = (int(version), decode(text))
    return found
