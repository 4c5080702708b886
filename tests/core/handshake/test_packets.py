"""How large packets may be: what gets through is used, whatever a path does with the rest."""

import math

import pytest

from imgsync.core.handshake.packets import LARGEST, SIZES, SMALLEST, WAITS, PacketSize, PathMeasured


def search(limit: int, *, lose: tuple[int, ...] = ()) -> tuple[PacketSize, PathMeasured, float]:
    """A whole search, on a path that passes packets up to a limit; when it was settled.

    :param lose: of all probes, those that are lost besides, by their place.
    """
    size, now, sent = PacketSize(), 0.0, 0
    probes = size.opened(now)
    while True:
        for probe in probes:
            sent += 1
            if probe <= limit and sent - 1 not in lose:
                measured = size.answered(probe)
                if measured is not None:
                    return size, measured, now
        now = size.due
        outcome = size.tick(now)
        if isinstance(outcome, PathMeasured):
            return size, outcome, now
        probes = outcome


def test_a_connection_begins_with_small_packets_and_has_the_largest_with_the_first_answer() -> None:
    size = PacketSize()
    assert size.usable == SMALLEST
    assert size.opened(5.0) == [LARGEST]
    assert size.usable == SMALLEST
    assert size.answered(LARGEST) == PathMeasured(LARGEST)
    assert size.usable == LARGEST
    assert size.due == math.inf


@pytest.mark.parametrize("limit", [*range(SMALLEST, LARGEST, 47), *SIZES[:-1]])
def test_the_largest_size_that_gets_through_is_found_and_the_next_one_is_named(limit: int) -> None:
    size, measured, at = search(limit)
    passing = [one for one in SIZES if one <= limit]
    assert measured.largest == size.usable == passing[-1]
    assert measured.lost == min(one for one in SIZES if one > limit)
    assert at == sum(WAITS)


@pytest.mark.parametrize("limit", [400, 550, 950, LARGEST])
def test_a_probe_that_is_lost_by_chance_changes_nothing(limit: int) -> None:
    expected = search(limit)[1]
    for place in range(3 + 2 * len(SIZES)):
        assert search(limit, lose=(place,))[1] == expected


@pytest.mark.parametrize("lose", [(0, 10, 11, 20), (0, 9, 10, 19)])
def test_a_path_that_loses_four_of_its_largest_packets_by_chance_is_not_narrow(
    lose: tuple[int, ...],
) -> None:
    assert search(LARGEST, lose=lose)[1] == PathMeasured(LARGEST)


def test_what_gets_through_is_used_as_soon_as_it_is_known() -> None:
    size = PacketSize()
    size.opened(0.0)
    assert size.tick(size.due) == [*SIZES, LARGEST]
    assert size.answered(700) is None
    assert size.usable == 700
    assert size.answered(500) is None
    assert size.usable == 700
    assert size.tick(size.due) == [800, 900, 1000, 1100, LARGEST, LARGEST]


def test_an_answer_that_comes_late_still_counts() -> None:
    size, measured, _ = search(SMALLEST)
    assert measured == PathMeasured(SMALLEST, 500)
    assert size.answered(LARGEST) is None
    assert size.usable == LARGEST
    assert size.due == math.inf


@pytest.mark.parametrize("made_up", [-1, 0, 1, SMALLEST - 1, 501, LARGEST + 1, 65_535])
def test_an_answer_to_no_probe_of_ours_changes_nothing(made_up: int) -> None:
    size = PacketSize()
    size.opened(0.0)
    assert size.answered(made_up) is None
    assert size.usable == SMALLEST


def test_nothing_is_due_before_it_is() -> None:
    size = PacketSize()
    assert size.due == math.inf
    size.opened(1.0)
    assert size.tick(size.due - 0.1) == []


def test_of_who_answers_no_probe_nothing_is_said_and_it_is_sent_small_packets() -> None:
    size = PacketSize()
    size.opened(0.0)
    for _ in WAITS[1:]:
        assert size.tick(size.due) == [*SIZES, LARGEST]
    assert size.tick(size.due) == []
    assert size.due == math.inf
    assert size.usable == SMALLEST
