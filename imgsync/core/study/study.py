"""A whole study: what is shown in which order, what is asked, and what is wrong with it.

`web/js/core/study/study.js` reads studies by the same rules. A study is an object whose `entries`
are a list; such a list alone is one without a name, in the order given.

Where the order is shuffled, whatever is shuffled stays among its own: entries that follow each
other and name the same block are one group, and so are those that name none. A text that names no
block stays where it is, and what is before it is not mixed with what is behind.

A study may have texts of its own around its entries: a welcome, what the participant consents to,
and instructions before the first, a break between two blocks, and an end behind the last.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import attrs

from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import MAX_FAULTS, MAX_SCREEN_TEXT, MAX_SEED, MAX_STUDY_NAME
from imgsync.core.protocol.trials import Respond, Trial, is_screen_text
from imgsync.core.study.entries import Entry, EntryReader, Fault, is_left_out, odd_name, on_one_line
from imgsync.core.study.shuffling import generator, shuffled

GIVEN, SHUFFLED = "given", "shuffled"

TEXTS = ("welcome", "consent", "instructions", "break", "end")

MEMBERS = ("name", "order", "seed", *TEXTS, "entries")

_OTHERS = ("$schema",)
"""Members that are for other programs."""

CONSENTS = Respond(keys=("Enter",), taps=True, ends=True)
"""How participants say that they consent: not by any key."""


@attrs.frozen
class Study:
    """What a record says of a study.

    :param name: as the file has it, or else the name of that.
    :param order: "given" or "shuffled".
    :param seed: what has decided the order; None where it is given.
    :param entries: how many images and texts are shown.
    """

    name: str
    order: str
    seed: int | None
    entries: int


@attrs.frozen
class Plan:
    """What a study file says.

    :param is_study: whether it asks for anything but to show images.
    :param seed: None where any will do.
    :param entries: in the order of the file, without what comes before, between and behind.
    :param texts: those that it has of TEXTS.
    """

    entries: tuple[Entry, ...]
    is_study: bool = False
    name: str | None = None
    order: str = GIVEN
    seed: int | None = None
    texts: Mapping[str, str] = attrs.field(factory=dict)

    def arranged(self, seed: int | None) -> list[Entry]:
        """What is shown, from the welcome to the end, in the order that this seed makes of it.

        :param seed: 32 bits; None for the order given.
        """
        entries = list(self.entries)
        if seed is not None:
            draw = generator(seed)
            entries = [entry for group in groups_of(entries) for entry in shuffled(group, draw)]
        return [
            *self._screen("welcome"),
            *self._screen("consent", CONSENTS),
            *self._screen("instructions"),
            *self._with_breaks(entries),
            *self._screen("end"),
        ]

    def _with_breaks(self, entries: list[Entry]) -> list[Entry]:
        found = entries[:1]
        for before, entry in pairwise(entries):
            found += self._screen("break") if is_between_blocks(before, entry) else []
            found.append(entry)
        return found

    def _screen(self, name: str, respond: Respond | None = None) -> list[Entry]:
        text = self.texts.get(name)
        return [] if text is None else [Entry(trial=Trial(text=text, respond=respond))]


def is_between_blocks(before: Entry, entry: Entry) -> bool:
    """Whether a block ends with the one, and another one begins with the next."""
    return before.block is not None and entry.block is not None and before.block != entry.block


def is_divider(entry: Entry) -> bool:
    """Whether it stays where it is."""
    return entry.block is None and entry.trial is not None and entry.trial.text is not None


def groups_of(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries that are shuffled among each other, in their order."""

    def kind(placed: tuple[int, Entry]) -> tuple[int | None, bool, str]:
        place, entry = placed
        is_text = isinstance(entry.block, str)
        # Of dividers in a row, as pages of instructions, each is alone.
        alone = place if is_divider(entry) else None
        return alone, is_text, str(entry.block if is_text else _as_number(entry.block))

    return [[entry for _, entry in group] for _, group in groupby(enumerate(entries), kind)]


def _as_number(block: str | float | None) -> float | None:
    return None if block is None else float(block)


def read_plan(document: Any) -> Plan | list[Fault]:
    """What a study says, or what is wrong with it: at most MAX_FAULTS, at least one.

    :param document: as JSON has it, or the rows of CSV as dicts.
    """
    if isinstance(document, list):
        faults: list[Fault] = []
        entries = read_entries(document, (), faults)
        is_study = any(entry.trial is not None for entry in entries)
        return faults[:MAX_FAULTS] or Plan(tuple(entries), is_study)
    faults = _faults_of_whole(document)
    if not isinstance(document.get("entries"), list):
        return [*faults, Fault(("entries",), "has no entries that are a list of images and texts")]
    entries = read_entries(document["entries"], ("entries",), faults)
    if document["entries"] == []:
        faults.append(Fault(("entries",), "has no entries; name what is to be shown"))
    is_shuffled = document.get("order") == SHUFFLED
    if not faults:
        faults = _faults_of_blocks(entries) if is_shuffled else []
        faults += _faults_of_break(document, entries)
    if faults:
        return faults[:MAX_FAULTS]
    seed = document.get("seed")
    return Plan(
        tuple(entries),
        True,
        document.get("name") or None,
        SHUFFLED if is_shuffled else GIVEN,
        None if is_left_out(seed) else int(seed),
        {name: document[name] for name in TEXTS if document.get(name)},
    )


def read_entries(entries: list[Any], path: tuple[str, ...], faults: list[Fault]) -> list[Entry]:
    """Each of them; what is wrong is put to the faults, and then they are good for nothing.

    A URL alone is an `imageUrl`; where no entry has a `signedUrl`, that is good for both.
    """
    named = [{"imageUrl": one} if isinstance(one, str) else one for one in entries]
    known = [one for one in named if isinstance(one, dict)]
    is_doubled = all(is_left_out(one.get("signedUrl")) for one in known)
    found: list[Entry] = []
    ids: dict[str | float, int] = {}
    for place, one in enumerate(named):
        if len(faults) >= MAX_FAULTS:
            break
        fields = one if isinstance(one, dict) else {}
        reader = EntryReader(fields, (*path, place), is_doubled=is_doubled)
        found.append(reader.read())
        faults += reader.faults
        if not reader.faults and not is_left_out(fields.get("id")):
            earlier = ids.setdefault(fields["id"], place)
            if earlier != place:
                what = f"has the id of entry {earlier + 1}; give each one of its own"
                faults.append(Fault((*path, place, "id"), what))
    return found


def _faults_of_whole(document: dict[str, Any]) -> list[Fault]:
    faults = []
    for name in document:
        meant = odd_name({name: None}, MEMBERS)
        if name in MEMBERS or name in _OTHERS:
            continue
        if meant is not None and meant[1] not in document:
            faults.append(Fault((name,), f'has a member "{on_one_line(name)}"; call it {meant[1]}'))
        else:
            why = f'has a member "{on_one_line(name)}"; a study has {", ".join(MEMBERS)}'
            faults.append(Fault((name,), f"{why}, and others belong to its entries"))
    for name, rule in _RULES.items():
        value = document.get(name)
        if not is_left_out(value) and not rule[0](value):
            faults.append(Fault((name,), rule[1]))
    if not is_left_out(document.get("seed")) and document.get("order") != SHUFFLED:
        what = 'has a seed, and its order is not "shuffled"; leave the seed out, or shuffle'
        faults.append(Fault(("seed",), what))
    return faults


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and fits(value, MAX_STUDY_NAME)


def _is_seed(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 <= value <= MAX_SEED and float(value).is_integer()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_screen_text(value)


_NO_TEXT = (
    f"that is not a text of 1 to {MAX_SCREEN_TEXT} characters, without control characters but line"
    " breaks"
)

_RULES = {
    "name": (_is_name, f"has a name that is not 1 to {MAX_STUDY_NAME} printable characters"),
    "order": (
        lambda value: value in (GIVEN, SHUFFLED),
        'has an order that is neither "given" nor "shuffled"',
    ),
    "seed": (_is_seed, f"has a seed that is no whole number from 0 to {MAX_SEED}"),
    "welcome": (_is_text, f"has a welcome {_NO_TEXT}"),
    "consent": (_is_text, f"has a consent {_NO_TEXT}"),
    "instructions": (_is_text, f"has instructions {_NO_TEXT}"),
    "break": (_is_text, f"has a break {_NO_TEXT}"),
    "end": (_is_text, f"has an end {_NO_TEXT}"),
}


def _faults_of_break(document: dict[str, Any], entries: Sequence[Entry]) -> list[Fault]:
    is_asked = not is_left_out(document.get("break"))
    if not is_asked or any(is_between_blocks(*pair) for pair in pairwise(entries)):
        return []
    what = "has a break, which comes between two blocks, and no block follows another"
    return [Fault(("break",), f"{what}; name blocks, or put a text between the entries")]


def _faults_of_blocks(entries: Sequence[Entry]) -> list[Fault]:
    """A block in two places would be shuffled as two."""
    last: str | float | None = None
    over: set[str | float] = set()
    faults = []
    for place, entry in enumerate(entries):
        if entry.block == last or is_divider(entry):
            continue
        if last is not None:
            over.add(last)
        last = entry.block
        if last is not None and last in over:
            what = "names a block that others have ended; put what is of one block together"
            faults.append(Fault(("entries", place, "block"), what))
    return faults
