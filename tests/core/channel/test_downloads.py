"""Which image is fetched next, from where on, and when one is given up."""

from __future__ import annotations

import math

import pytest

from imgsync.core.channel.downloads import (
    DownloadOutput,
    Downloads,
    Evict,
    Failure,
    GivenUp,
    Progress,
    Start,
    Stop,
)
from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.naming import image_key
from imgsync.core.protocol.numbers import (
    FETCH_PROGRESS,
    FETCH_STALL,
    FETCH_TRIES,
    FETCH_UNSEEN,
    MAX_FETCHES,
    PRELOAD_PAUSE,
    PRELOADED_INTERVAL,
)

LOST = Failure("truncated", may_pass=True, keeps=True)
REFUSED = Failure("http_403", may_pass=False)
PAUSE = 0.5


def image(name: str, signature: str = "s=1") -> UpcomingImage:
    return UpcomingImage(name, f"http://h/{name}?{signature}")


def key(name: str) -> str:
    return image_key(name, f"http://h/{name}")


class Line:
    """Downloads, and what they have led to so far."""

    def __init__(self) -> None:
        self.downloads = Downloads(lambda failures: PAUSE * 2**failures)
        #: By name, the number of the try that is under way.
        self.running: dict[str, int] = {}
        self.starts: list[Start] = []
        self.lost: list[tuple[str, str]] = []
        self.evicted: list[str] = []
        self.told: list[Progress] = []

    def perform(self, outputs: list[DownloadOutput]) -> None:
        for output in outputs:
            match output:
                case Start(number, name):
                    self.running[name.partition("\n")[0]] = number
                    self.starts.append(output)
                case Stop(number):
                    self.running = {a: b for a, b in self.running.items() if b != number}
                case GivenUp(name, reason):
                    self.lost.append((name.partition("\n")[0], reason))
                case Evict(name):
                    self.evicted.append(name.partition("\n")[0])
                case Progress():
                    self.told.append(output)

    def announce(self, *names: str, now: float = 0) -> None:
        """And let the pause pass after which they are fetched."""
        self.perform(self.downloads.announce([image(name) for name in names], now - PRELOAD_PAUSE))
        self.perform(self.downloads.tick(now))

    def show(self, name: str, now: float = 0, signature: str = "s=1") -> None:
        self.perform(self.downloads.show(image(name, signature), now))

    def come(self, name: str, count: int, now: float = 0, *, resumable: bool = True) -> None:
        """The host answers where it was asked to, and so many bytes come."""
        number = self.running[name]
        [offset] = [one.offset for one in self.starts if one.number == number]
        self.downloads.answered(number, offset, now, is_resumable=resumable)
        self.downloads.came(number, count, now)

    def bring(self, name: str, count: int, now: float = 0) -> None:
        """All of it comes at once."""
        self.come(name, count, now)
        self.done(name, now)

    def done(self, name: str, now: float = 0) -> None:
        self.perform(self.downloads.done(self.running.pop(name), now))

    def fail(self, name: str, failure: Failure, now: float = 0) -> None:
        self.perform(self.downloads.failed(self.running.pop(name), failure, now))

    def tick(self) -> float:
        now = self.downloads.due
        self.perform(self.downloads.tick(now))
        return now


def test_what_is_to_be_shown_goes_first_and_alone_and_the_others_go_on_behind_it() -> None:
    line = Line()
    line.announce(*"abcd")
    assert [*line.running] == ["a", "b"][:MAX_FETCHES]
    line.come("a", 700)
    line.come("b", 300, resumable=False)
    line.show("d")
    assert [*line.running] == ["d"]
    assert line.starts[-1].is_urgent
    line.done("d")
    assert [(one.name, one.offset, one.is_urgent) for one in line.starts[-2:]] == [
        (key("a"), 700, False),
        (key("b"), 0, False),
    ]


def test_what_is_being_fetched_already_goes_on_when_it_is_to_be_shown() -> None:
    line = Line()
    line.announce(*"abc")
    number = line.running["b"]
    line.show("b")
    assert line.running == {"b": number}


def test_what_is_to_be_shown_as_soon_as_it_is_announced_has_nothing_in_its_way() -> None:
    line = Line()
    line.perform(line.downloads.announce([image(name) for name in "abc"], 0))
    assert line.downloads.due == PRELOAD_PAUSE
    line.show("a")
    assert [*line.running] == ["a"]
    line.done("a", PRELOAD_PAUSE)
    assert [one.name for one in line.starts] == [key("a"), key("b"), key("c")]


def test_a_newer_announcement_goes_before_an_older_one_and_parts_of_one_keep_their_order() -> None:
    line = Line()
    line.announce(*"abc")
    line.announce(*"de")
    line.show("a")
    line.announce("x")
    line.announce("y")
    for name in "axybcde":
        assert name in line.running
        line.done(name)
    assert not line.running


def test_what_is_superseded_and_not_announced_is_given_up_and_no_other() -> None:
    line = Line()
    line.announce("b")
    line.show("a")
    line.show("b")
    line.show("c")
    assert line.lost == [("a", "superseded")]
    line.done("c")
    assert [*line.running] == ["b"]


@pytest.mark.parametrize("size", [1, 1000])
def test_as_long_as_bytes_come_an_image_may_take_any_time(size: int) -> None:
    line = Line()
    line.show("a")
    now = 0.0
    for _ in range(100):
        now += FETCH_STALL - 0.1
        assert line.downloads.due > now
        line.perform(line.downloads.tick(now))
        line.come("a", size, now)
    assert not line.lost


def test_what_stands_still_goes_on_from_its_last_byte_after_pauses_that_grow() -> None:
    line = Line()
    line.show("a")
    line.come("a", 500)
    begin, times = 0.0, []
    for _ in range(2):
        stalled = line.tick()
        assert not line.running
        assert stalled == begin + FETCH_STALL
        begin = line.tick()
        times.append(begin - stalled)
        assert line.starts[-1].offset == 500
    assert times == [PAUSE, 2 * PAUSE]
    line.tick()
    assert line.lost == [("a", "timeout")]
    assert len(line.starts) == FETCH_TRIES


def test_a_host_that_says_nothing_at_all_is_asked_once() -> None:
    line = Line()
    line.show("a")
    assert line.tick() == FETCH_STALL
    assert line.lost == [("a", "timeout")]


def test_who_looks_late_was_asleep_and_holds_that_against_nobody() -> None:
    line = Line()
    line.show("a")
    line.perform(line.downloads.tick(FETCH_STALL + 100))
    assert [*line.running] == ["a"]
    assert line.downloads.due == 2 * FETCH_STALL + 100


def test_what_waits_for_its_turn_does_not_stand_still_until_bytes_come() -> None:
    line = Line()
    line.announce("a", "b")
    number = line.running["b"]
    line.downloads.parked(number)
    line.come("a", 100, now=5)
    assert line.downloads.due == 5 + FETCH_STALL
    line.bring("a", 100, now=6)
    assert line.downloads.due == math.inf
    line.come("b", 100, now=1000)
    assert line.downloads.due == 1000 + FETCH_STALL
    line.downloads.parked(number + 1)  # which is not under way


def test_what_comes_over_the_connection_has_no_url_and_a_name_of_its_own() -> None:
    downloads = Downloads(lambda failures: 0)
    [start] = downloads.show(UpcomingImage("a", None), 0)
    assert start == Start(1, "a\n", None, 0, is_urgent=True)
    assert image_key("a", None) != key("a")


def test_what_nobody_can_see_come_has_its_time() -> None:
    line = Line()
    line.show("a")
    line.downloads.unseen(line.running["a"], 1)
    assert line.downloads.due == 1 + FETCH_UNSEEN


def test_a_try_that_gets_further_is_no_failure_and_one_that_begins_anew_is() -> None:
    line = Line()
    line.show("a")
    for _ in range(10):
        line.come("a", FETCH_PROGRESS)
        line.fail("a", LOST)
        line.tick()
    assert line.starts[-1].offset == 10 * FETCH_PROGRESS
    line = Line()
    line.show("a")
    for _ in range(FETCH_TRIES + 1):
        line.come("a", FETCH_PROGRESS, resumable=False)
        line.fail("a", LOST)
        assert not line.lost or len(line.starts) == FETCH_TRIES + 1
        if not line.lost:
            line.tick()
            assert line.starts[-1].offset == 0
    assert line.lost == [("a", "truncated")]


def test_what_will_not_pass_is_tried_again_only_under_another_signature() -> None:
    line = Line()
    line.announce("a")
    line.show("a", signature="s=2")
    line.fail("a", REFUSED)
    assert line.starts[-1].url == "http://h/a?s=2"
    line.fail("a", REFUSED)
    assert line.lost == [("a", "http_403")]
    line.show("a", signature="s=3")
    assert line.starts[-1].url == "http://h/a?s=3"


def test_one_name_at_another_address_is_another_image() -> None:
    line = Line()
    line.announce("a")
    line.done("a")
    line.perform(line.downloads.show(UpcomingImage("a", "http://elsewhere/a"), 0))
    assert line.starts[-1].url == "http://elsewhere/a"


def test_what_is_there_is_not_fetched_again() -> None:
    line = Line()
    line.announce("a")
    line.done("a")
    line.show("a")
    line.announce("a")
    assert len(line.starts) == 1


def test_what_a_stopped_try_says_is_passed_over() -> None:
    line = Line()
    line.announce("a")
    number = line.running["a"]
    line.show("b")
    line.downloads.answered(number, 5, 0, is_resumable=True)
    line.downloads.came(number, 5, 0)
    assert line.downloads.done(number, 0) == []
    assert line.downloads.failed(number, LOST, 0) == []
    line.done("b")
    assert line.starts[-1].offset == 0


def test_it_is_told_how_many_are_there_now_and_then_and_when_all_are() -> None:
    line = Line()
    line.announce(*"abcde")
    assert line.told == [Progress(5, 0, 0)]
    line.done("a", 0.1)
    line.done("b", 0.2)
    assert line.told == [Progress(5, 0, 0)]
    assert line.downloads.due == PRELOADED_INTERVAL - PRELOAD_PAUSE
    line.tick()
    assert line.told[1:] == [Progress(5, 2, 0)]
    line.fail("c", REFUSED, 1.1)
    line.done("d", 1.2)
    line.done("e", 1.3)
    assert line.told[2:] == [Progress(5, 4, 1)]
    assert line.downloads.due == math.inf


def test_what_nobody_waits_for_at_the_end_is_fetched_no_more() -> None:
    line = Line()
    line.announce(*"abc")
    line.show("d")
    line.perform(line.downloads.withdraw([key("b")], 0))
    assert line.lost == [("a", "superseded"), ("c", "superseded")]
    line.done("d")
    assert [*line.running] == ["b"]
