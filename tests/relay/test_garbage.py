"""A relay looks for garbage between two turns of its loop, and not while somebody waits."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from imgsync.relay.garbage import ALL_EVERY, YOUNG_EVERY, Collector


class Circle:
    """Refers to itself, so that nothing but a look for garbage frees it."""

    def __init__(self) -> None:
        self.itself = self


class Clock:
    """Stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def looked() -> Iterator[list[int]]:
    """Which generations were looked at, with the collector of Python's own turned off."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    was_enabled = gc.isenabled()
    gc.disable()
    gc.callbacks.append(note)
    yield generations
    gc.callbacks.remove(note)
    if was_enabled:
        gc.enable()


def test_what_is_young_is_looked_at_when_the_loop_waits_and_not_each_time(
    looked: list[int],
) -> None:
    clock = Clock()
    collector = Collector(clock)
    circle = weakref.ref(Circle())
    collector.before_io_wait(1.0)
    assert circle() is None
    collector.before_io_wait(1.0)
    clock.now = YOUNG_EVERY / 2
    collector.before_io_wait(1.0)
    assert looked == [0]
    clock.now = YOUNG_EVERY
    collector.before_io_wait(1.0)
    assert looked == [0, 0]


def test_all_is_looked_at_once_an_hour(looked: list[int]) -> None:
    clock = Clock()
    collector = Collector(clock)
    for clock.now in (ALL_EVERY, ALL_EVERY + YOUNG_EVERY, ALL_EVERY * 2):
        collector.before_io_wait(1.0)
    assert looked == [2, 0, 2]
