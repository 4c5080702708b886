"""What of the fetched images is kept, what has to go, and what there is room for."""

from __future__ import annotations

import math

import pytest

from imgsync.core.channel.downloads import Progress
from imgsync.core.protocol.numbers import MAX_FETCHES, MAX_IMAGE, MAX_KEPT, PRELOADED_INTERVAL
from tests.core.channel.test_downloads import REFUSED, Line

HALF = MAX_KEPT // 2
FORTY = [f"{number}" for number in range(40)]


def fetch_all(line: Line, size: int) -> None:
    """What is begun comes, each of so many bytes, until nothing more is begun."""
    while line.running:
        line.bring(next(iter(line.running)), size)


@pytest.mark.parametrize("size", [0, 1, 3_000_000, MAX_KEPT // 40])
def test_all_that_was_announced_comes_in_where_its_bytes_have_room(size: int) -> None:
    line = Line()
    line.announce(*FORTY)
    fetch_all(line, size)
    assert line.told[-1] == Progress(40, 40, 0)
    line.announce(*FORTY)
    for name in FORTY:
        line.show(name)
    assert len(line.starts) == 40
    assert not line.evicted


def test_without_room_nothing_more_is_fetched_ahead_and_that_is_told() -> None:
    line = Line()
    line.announce(*"abcdef")
    fetch_all(line, HALF)
    # What was under way when it was full is there, too.
    assert len(line.starts) == 3
    line.tick()
    assert line.told[-1] == Progress(6, 3, 0, is_full=True)
    assert line.downloads.due == math.inf
    line.show("a")
    assert not line.running
    # What was shown makes room, and what comes next is begun at once.
    line.show("b")
    assert line.evicted == ["a"]
    assert [*line.running] == ["d", "e"]
    fetch_all(line, HALF)
    for name in "cdef":
        line.show(name)
        assert name not in line.running
        fetch_all(line, HALF)
    line.tick()
    assert line.told[-1] == Progress(0, 0, 0)
    assert len(line.starts) == 6


def test_what_is_under_way_when_the_room_is_full_bounds_what_is_kept() -> None:
    line = Line()
    line.announce(*FORTY)
    fetch_all(line, MAX_IMAGE)
    assert len(line.starts) * MAX_IMAGE < MAX_KEPT + MAX_FETCHES * MAX_IMAGE


def test_what_is_to_be_shown_is_fetched_without_room_and_is_the_first_to_go() -> None:
    line = Line()
    line.announce(*"abc")
    fetch_all(line, HALF)
    line.show("x")
    assert [*line.running] == ["x"]
    line.bring("x", HALF)
    assert line.evicted == []
    line.show("y")
    line.bring("y", HALF)
    assert line.evicted == ["x"]
    line.show("a")
    line.show("b")
    assert len(line.starts) == 2 + 2 + 1  # a and b, x and y, and then c


def test_what_was_shown_goes_before_others_and_the_longest_ago_first() -> None:
    line = Line()
    for name in "abc":
        line.show(name)
        line.bring(name, HALF // 2)
    line.show("a")
    line.announce(*"de")
    line.bring("d", HALF)
    assert line.evicted == ["b"]
    line.bring("e", HALF // 2)
    assert line.evicted == ["b", "c"]


def test_what_is_announced_anew_goes_before_what_was_announced_and_left_out() -> None:
    line = Line()
    line.announce(*"abcd")
    fetch_all(line, HALF)
    line.show("a")
    line.announce(*"wxyz")
    fetch_all(line, HALF)
    # What nobody has come to is fetched again when there is room, and counts all the while.
    assert "b" in line.evicted
    assert line.downloads.coming[0].startswith("w")
    line.perform(line.downloads.tick(PRELOADED_INTERVAL))
    assert line.told[-1] == Progress(7, 3, 0, is_full=True)
    for name in "wx":
        line.show(name)
        assert name not in line.running


def test_what_has_failed_or_is_known_to_be_all_there_is_not_full() -> None:
    line = Line()
    line.announce(*"abc")
    line.bring("a", HALF)
    line.fail("b", REFUSED)
    line.bring("c", HALF)
    line.perform(line.downloads.tick(PRELOADED_INTERVAL))
    assert line.told[-1] == Progress(3, 2, 1)


def test_what_is_here_in_part_takes_room() -> None:
    line = Line()
    line.announce(*"abc")
    line.come("a", HALF)
    line.bring("b", HALF)
    assert [*line.running] == ["a"]
    line.done("a")
    assert [*line.running] == []


def test_what_comes_behind_the_one_that_is_shown_is_the_likeliest() -> None:
    def coming() -> str:
        return "".join(name.partition("\n")[0] for name in line.downloads.coming)

    line = Line()
    line.announce(*"abcdef")
    assert coming() == "abcdef"
    line.show("d")
    assert coming() == "efabc"
    fetch_all(line, 1)
    line.show("b")
    line.show("d")  # which was shown, and is behind nothing
    assert coming() == "cefa"
    line.announce(*"xf")
    assert coming() == "xface"


def test_of_one_announcement_none_goes_for_another_in_whatever_order_they_come() -> None:
    line = Line()
    line.announce(*"abcd")
    line.come("a", HALF)
    line.bring("b", HALF)
    line.bring("a", HALF)
    line.show("a")
    line.show("b")
    assert [*line.running] == ["c", "d"]
    line.bring("d", MAX_KEPT)
    line.bring("c", MAX_KEPT)
    assert line.evicted == ["a"]
