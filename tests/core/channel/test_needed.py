"""What is fetched whatever is shown next, as somebody needs it; and how much is here at most."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest

from imgsync.core.channel.downloads import GivenUp, Start
from imgsync.core.protocol.numbers import (
    CROWDED_OUT,
    MAX_ANNOUNCED,
    MAX_FETCHES,
    MAX_IMAGE,
    MAX_KEPT,
    SUPERSEDED,
)
from tests.core.channel.test_downloads import LOST, REFUSED, Line, image, key

SIXTY = [f"{number}" for number in range(60)]
MIB = 1024 * 1024
BOUND = MAX_KEPT + (MAX_FETCHES + 1) * MAX_IMAGE


class Needing(Line):
    """A line on which all that is shown is needed."""

    def show(self, name: str, now: float = 0, signature: str = "s=1") -> None:
        self.perform(self.downloads.show(image(name, signature), now, is_needed=True))

    def release(self, name: str) -> None:
        self.perform(self.downloads.released(key(name), 0))

    @property
    def begun(self) -> list[str]:
        return [one.name.partition("\n")[0] for one in self.starts]


def held(line: Line) -> int:
    """Bytes that are here."""
    return sum(one.have for one in line.downloads._images)


def test_what_is_needed_is_fetched_in_its_order_behind_what_is_shown_and_before_what_is_ahead() -> (
    None
):
    line = Needing()
    line.announce("ahead")
    for name in "abc":
        line.show(name)
        line.come(name, 700)
    line.bring("c", 1)
    assert [(one.name, one.offset, one.is_urgent) for one in line.starts[-2:]] == [
        (key("a"), 700, False),
        (key("b"), 700, False),
    ]
    line.bring("a", 1)
    assert [*line.running] == ["b", "ahead"]
    assert line.lost == []


def test_what_is_needed_is_not_counted_among_what_was_announced() -> None:
    line = Needing()
    line.show("a")
    line.show("b")
    line.bring("b", 1)
    line.bring("a", 1)
    assert line.told == []


def test_sixty_pictures_in_quick_succession_all_come_and_never_take_more_than_the_bound() -> None:
    line = Needing()
    for name in SIXTY:
        line.show(name)
        line.come(name, 60 * MIB)
        assert held(line) <= BOUND
    unsaved: list[str] = []
    while line.running:
        name = next(iter(line.running))
        number = line.running[name]
        line.downloads.came(number, 60 * MIB - line.downloads._tries._running[number].have, 0)
        line.done(name)
        unsaved.append(name)
        assert held(line) <= BOUND
        if not line.running:  # nothing more is begun until something is saved
            assert len(unsaved) <= MAX_KEPT // (60 * MIB) + MAX_FETCHES + 1
            line.release(unsaved.pop(0))
    assert line.lost == []
    assert {*line.begun} == {*SIXTY}


def test_what_waits_to_be_saved_holds_up_also_what_is_to_be_shown() -> None:
    line = Needing()
    for name in "abcd":
        line.show(name)
        line.bring(name, MAX_IMAGE)
    line.show("e")
    assert not line.running
    assert line.downloads.due > 0
    line.release("a")
    assert [*line.running] == ["e"]
    assert line.lost == []


def test_what_is_needed_is_not_evicted_before_it_is_released_and_goes_first_then() -> None:
    line = Needing()
    line.show("a")
    line.bring("a", MAX_KEPT // 2)
    line.announce(*"xy")
    for name in "xy":
        line.bring(name, MAX_KEPT // 2)
    line.show("b")
    assert "a" not in line.evicted
    line.release("a")
    line.bring("b", 1)
    line.show("c")
    assert "a" in line.evicted


def test_what_is_shown_twice_is_needed_until_it_was_released_twice() -> None:
    line = Needing()
    line.show("a")
    line.show("a")
    line.bring("a", MAX_KEPT)
    line.show("b")
    assert not line.running
    line.release("a")
    assert not line.running
    line.release("a")
    assert [*line.running] == ["b"]


def test_what_has_failed_is_needed_no_more_and_forgotten() -> None:
    line = Needing()
    line.show("a")
    line.show("b")
    line.bring("b", 1)
    line.fail("a", REFUSED)
    assert line.lost == [("a", "http_403")]
    line.release("a")
    assert [one.name for one in line.downloads._images] == [key("b")]


def test_of_too_many_that_are_needed_the_oldest_are_given_up_with_a_reason() -> None:
    line = Needing()
    names = [f"{number}" for number in range(MAX_ANNOUNCED + 4)]
    for name in names:
        line.show(name)
    assert line.lost == [(name, CROWDED_OUT) for name in names[:3]]


def test_parts_that_wait_are_bounded_and_the_last_of_them_goes_first() -> None:
    line = Line()
    line.announce(*SIXTY)
    for name in SIXTY:
        line.show(name)
        line.come(name, 60 * MIB)
        assert held(line) <= BOUND
    assert line.lost == []
    line.bring("59", 1)
    assert line.starts[-2:] == [
        Start(line.running["0"], key("0"), "http://h/0?s=1", 60 * MIB, False),
        Start(line.running["1"], key("1"), "http://h/1?s=1", 60 * MIB, False),
    ]
    assert line.evicted[0] == "4"


def happen(line: Line, dice: random.Random, names: Iterator[int]) -> None:
    """Anything that can happen at this moment."""
    choice = dice.random()
    running = dice.choice([*line.running]) if line.running else None
    if choice < 0.2:
        line.show(f"{dice.choice([next(names), dice.randrange(8)])}")
    elif choice < 0.3:
        line.announce(*(f"{next(names)}" for _ in range(5)))
    elif running is None:
        return
    elif choice < 0.6:
        room = MAX_IMAGE - line.downloads._tries._running[line.running[running]].have
        line.downloads.came(line.running[running], dice.randrange(room + 1), 0)
    elif choice < 0.9:
        line.done(running)
    else:
        line.fail(running, dice.choice([REFUSED, LOST]))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", [Line, Needing])
def test_no_order_of_events_takes_more_than_the_bound_or_loses_one_without_a_word(
    seed: int, kind: type[Line]
) -> None:
    dice, names = random.Random(f"{seed} {kind}"), count(8)
    line = kind()
    for _ in range(300):
        happen(line, dice, names)
        if isinstance(line, Needing) and dice.random() < 0.2:
            for name in {*line.begun}:
                line.release(name)
        assert held(line) <= BOUND
    assert {reason for _, reason in line.lost} <= {SUPERSEDED, CROWDED_OUT, "http_403", "truncated"}


@pytest.mark.parametrize("seed", range(5))
def test_all_that_is_needed_comes_in_the_end(seed: int) -> None:
    dice, names = random.Random(seed), count(8)
    line = Needing()
    for _ in range(200):
        happen(line, dice, names)
    for _ in range(500):
        for name in {*line.begun}:
            line.release(name)
        if line.running:
            line.done(next(iter(line.running)))
        elif line.downloads._images.owed:
            line.tick()
    assert not line.downloads._images.owed
    assert not line.downloads._images.urgent


def test_nothing_that_is_needed_is_given_up_when_nothing_more_is_fetched_ahead() -> None:
    line = Needing()
    line.announce("ahead")
    for name in "abc":
        line.show(name)
    outputs = line.downloads.withdraw([key(name) for name in "abc"], 0)
    assert [one.name for one in outputs if isinstance(one, GivenUp)] == [key("ahead")]
    line.perform(outputs)
    for name in "cab":
        line.bring(name, 1)
