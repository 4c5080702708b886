"""How many bytes of pictures may be on their way: simulated lines, without a network."""

import heapq

import pytest

from imgsync.core.protocol.numbers import (
    FREE_DELAY,
    LARGE_CHUNK,
    LARGEST_WINDOW,
    SHARED_WINDOW,
    SMALL_CHUNK,
    SMALLEST_WINDOW,
)
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.window import Window, chunk_size


def send_over(
    rate: float, round_trip: float, seconds: float, lost: int = 0, most: int = LARGEST_WINDOW
) -> tuple[Window, float, float]:
    """Send over a line of so many bytes a second; every `lost`th chunk comes a round trip later.

    The window, bytes a second of the second half, and the longest wait in the line's queue there.
    """
    window, now, free_at, worst, count, arrived = Window(), 0.0, 0.0, 0.0, 0, 0
    acks: list[tuple[float, int]] = []
    last = 0.0
    while now < seconds:
        while window.in_flight + chunk_size(min(window.size, most), most) <= min(window.size, most):
            size = chunk_size(min(window.size, most), most)
            free_at = max(free_at, now) + size / rate
            count += 1
            late = round_trip if lost and count % lost == 0 else 0.0
            window.send(size, now)
            # The channel is ordered: what is behind a lost chunk waits for it.
            last = max(last, free_at + round_trip + late)
            heapq.heappush(acks, (last, window.sent))
            if now > seconds / 2:
                worst = max(worst, free_at - now)
        now, position = heapq.heappop(acks)
        if now > seconds / 2:
            arrived = arrived or position
        window.acked(position, most, now)
    return window, (position - arrived) / (seconds / 2), worst


@pytest.mark.parametrize("round_trip", [0.0005, 0.03])
def test_where_nothing_is_narrow_it_grows_to_its_largest(round_trip: float) -> None:
    window, rate, _ = send_over(100e6, round_trip, 2)
    assert window.size == LARGEST_WINDOW
    assert rate > 0.9 * min(100e6, LARGEST_WINDOW / (round_trip + LARGE_CHUNK / 100e6)) * 0.9


@pytest.mark.parametrize(
    ("megabits", "longest"),
    [(1, 0.18), (2, 0.14), (10, 0.06)],
)
def test_a_narrow_line_is_kept_busy_and_its_queue_short(megabits: float, longest: float) -> None:
    _, rate, worst = send_over(megabits * 1e6 / 8, 0.03, 20)
    assert rate > 0.85 * megabits * 1e6 / 8
    assert worst < longest


def test_what_is_lost_now_and_then_is_taken_for_no_queue() -> None:
    window, _, _ = send_over(10e6, 0.05, 10, lost=37)
    assert window.size > 0.75 * LARGEST_WINDOW


@pytest.mark.parametrize(("round_trip", "seconds"), [(0.1, 2.0), (0.3, 3.0)])
def test_a_start_that_has_ended_early_costs_a_long_way_no_more_than_seconds(
    round_trip: float, seconds: float
) -> None:
    window = Window()
    now = 0.0
    # The third one has to wait, as SCTP has not let all of it out at once.
    for trip in range(1 + round(seconds / round_trip)):
        window.send(window.size - window.in_flight, now)
        now += 2 * round_trip if trip == 2 else round_trip
        window.acked(window.sent, LARGEST_WINDOW, now)
    assert window.size == LARGEST_WINDOW


def test_who_shares_has_no_more_than_the_share_and_grows_when_the_others_are_done() -> None:
    most = LARGEST_WINDOW // 4
    window, _, _ = send_over(10e6, 0.01, 2, most=most)
    assert window.size == most
    now = 10.0
    for _ in range(3):
        window.send(window.size - window.in_flight, now)
        now += 0.01
        window.acked(window.sent, LARGEST_WINDOW, now)
    assert window.size == LARGEST_WINDOW


def test_it_never_falls_below_its_smallest() -> None:
    window = Window()
    now = 0.0
    for delay in (0.001, *[5.0] * 20):
        window.send(SMALL_CHUNK, now)
        now += delay
        window.acked(window.sent, LARGEST_WINDOW, now)
    assert SMALLEST_WINDOW <= window.size < 2 * SMALLEST_WINDOW + SMALL_CHUNK


def test_a_delay_of_the_other_side_within_what_is_free_is_taken_for_no_queue() -> None:
    window = Window()
    now = 0.0
    for _ in range(10):
        window.send(SMALL_CHUNK, now)
        now += 0.0001 + FREE_DELAY / 2 * (window.size > 2 * SMALLEST_WINDOW)
        window.acked(window.sent, LARGEST_WINDOW, now)
    assert window.size == LARGEST_WINDOW


def test_chunks_are_small_in_a_small_window() -> None:
    assert chunk_size(SMALLEST_WINDOW, LARGEST_WINDOW) == SMALL_CHUNK
    assert chunk_size(2 * LARGE_CHUNK - 1, LARGEST_WINDOW) == SMALL_CHUNK
    assert chunk_size(2 * LARGE_CHUNK, LARGEST_WINDOW) == LARGE_CHUNK


def test_chunks_are_large_in_a_window_that_others_leave_no_more_until_they_are_too_many() -> None:
    share = SHARED_WINDOW // 20
    assert chunk_size(share, share) == LARGE_CHUNK
    assert chunk_size(share - 1, share) == SMALL_CHUNK
    assert chunk_size(SHARED_WINDOW // 33, SHARED_WINDOW // 33) == SMALL_CHUNK


def test_a_budget_is_divided_among_those_that_send() -> None:
    budget = Budget()
    assert budget.share == LARGEST_WINDOW
    budget.join()
    assert budget.share == LARGEST_WINDOW
    budget.join()
    assert budget.share == SHARED_WINDOW // 2
    budget.leave()
    assert budget.share == LARGEST_WINDOW


@pytest.mark.parametrize(("senders", "block"), [(0, 256), (1, 256), (2, 128), (5, 51.2), (20, 32)])
def test_so_do_they_read_no_more_than_all_may_have_in_memory(senders: int, block: float) -> None:
    budget = Budget()
    for _ in range(senders):
        budget.join()
    assert budget.block == int(block * 1024)


def test_on_a_long_way_that_is_uneven_the_window_stays_large() -> None:
    window = Window()
    now = 0.0
    for count in range(200):
        window.send(window.size, now)
        now += 0.1 + 0.012 * (count % 2)
        window.acked(window.sent, LARGEST_WINDOW, now)
    assert window.size == LARGEST_WINDOW
