"""Sessions of thousands of images: each stage comes once, in order, to whoever iterates over them.

Queues are bounded, so that what waits in one moves on while somebody looks at it. Here something
comes in whenever anything waits.
"""

from collections import Counter
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from imgsync import ClientSession, StageKind, StageReport, UpcomingImage
from imgsync.client import client as client_module
from imgsync.core.channel.clocks import Bounded
from imgsync.core.handshake.outputs import Ended
from imgsync.core.protocol.channel import Stage
from imgsync.core.protocol.signalling import EndReason
from imgsync.evaluator.delivery import Showings
from imgsync.evaluator.reports import MAX_REPORTS
from tests.peer.test_sessions import image
from tests.peer.test_stages import open_pair

MANY = 5000

IN_ORDER = (StageKind.FETCHED, StageKind.SHOWN, StageKind.HIDDEN)


async def show_one_after_the_other(session: ClientSession) -> None:
    """As a page does, with a moment before each stage."""
    up = None
    async for received in session.images():
        received.fetched()
        await trio.lowlevel.checkpoint()
        if up is not None:
            up.hidden()
        received.shown()
        up = received
    if up is not None:
        up.hidden()


def told_of(reports: list[StageReport]) -> Counter[StageKind]:
    """How many of each; no showing has one twice, and each has them in their order."""
    by_showing: dict[float, list[StageKind]] = {}
    for report in reports:
        by_showing.setdefault(report.sent_at, []).append(report.stage)
    assert all(tuple(said) == IN_ORDER[: len(said)] for said in by_showing.values())
    return Counter(report.stage for report in reports)


async def test_of_five_thousand_showings_each_stage_is_told_once(autojump_clock: MockClock) -> None:
    reports: list[StageReport] = []
    async with open_pair(show_one_after_the_other) as session, trio.open_nursery() as nursery:

        async def listen() -> None:
            async for report in session.stages():
                reports.append(report)
                if len(reports) == 3 * MANY - 1:
                    nursery.cancel_scope.cancel()

        nursery.start_soon(listen)
        for index in range(MANY):
            await session.show(image(index))
        nursery.cancel_scope.deadline = trio.current_time() + 60
    assert told_of(reports) == {
        StageKind.FETCHED: MANY,
        StageKind.SHOWN: MANY,
        StageKind.HIDDEN: MANY - 1,
    }
    indices = [report.image.index for report in reports if report.stage is StageKind.SHOWN]
    assert indices == list(range(MANY))


class Reporting:
    """A client that tells a stage whenever somebody else waits."""

    def __init__(self) -> None:
        self.showings = Showings()
        self.told: list[float] = []

    def tell_next(self) -> None:
        """A stage of another showing; its time is its number."""
        number = len(self.told)
        self.showings.add(image(number), float(number))
        said = Stage(number, float(number), StageKind.SHOWN, float(number))
        self.showings.report(said, Bounded(0.0, 1.0))
        self.told.append(float(number))

    async def tell(self, count: int) -> None:
        """So many, and then it is over."""
        for _ in range(count):
            self.tell_next()
            await trio.lowlevel.checkpoint()
        self.showings.end(Ended(EndReason.ENDED))


@pytest.mark.parametrize("listeners", [1, 3])
@pytest.mark.parametrize("before", [0, 1, MAX_REPORTS - 1, MAX_REPORTS, 3 * MAX_REPORTS])
async def test_what_comes_in_at_every_checkpoint_is_told_once_and_in_order(
    listeners: int, before: int
) -> None:
    client = Reporting()
    for _ in range(before):
        client.tell_next()
    heard: list[list[float]] = [[] for _ in range(listeners)]

    async def listen(into: list[float]) -> None:
        into.extend([report.at async for report in client.showings.stages.all()])

    async with trio.open_nursery() as nursery:
        for into in heard:
            nursery.start_soon(listen, into)
        nursery.start_soon(client.tell, MANY)
    for into in heard:
        # Who begins when as many are there as are kept may miss one more.
        oldest, spare = max(before - MAX_REPORTS, 0), 2 if before >= MAX_REPORTS - 1 else 0
        assert oldest <= into[0] <= oldest + spare
        assert len(client.told) - oldest - len(into) <= spare
        assert all(one < other for one, other in pairwise(into))


async def test_several_tasks_share_one_iterator_and_each_stage_goes_to_one_of_them() -> None:
    client = Reporting()
    reports = client.showings.stages.all()
    heard: list[float] = []

    async def listen() -> None:
        heard.extend([report.at async for report in reports])

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(listen)
        nursery.start_soon(client.tell, MANY)
    assert sorted(heard) == client.told


async def test_several_tasks_share_what_is_announced(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_UPCOMING", 50)
    found: list[UpcomingImage] = []

    async def take(session: ClientSession) -> None:
        async def take_preloads() -> None:
            found.extend([upcoming async for upcoming in session.preloads()])

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(take_preloads)
            async for _ in session.images():
                pass

    async with open_pair(take) as session:
        for index in range(500):
            session.preload([image(index)])
            await trio.lowlevel.checkpoint()
        await session.show(image(500))
    # Each of them by itself took them in their order; who waits for the last is any of them.
    assert sorted(one.image_url for one in found) == sorted(
        image(index).image_url for index in range(500)
    )
