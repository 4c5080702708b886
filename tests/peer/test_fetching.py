"""What an evaluator learns of a client's fetching, in sessions over the in-memory network."""

import logging

import pytest
import trio
from trio.testing import MockClock

from imgsync import ClientSession, Preloaded, StageKind, open_client, open_evaluator
from imgsync.commands.client.following import LAST_FETCHES_DEADLINE, SessionFollower
from imgsync.commands.events import FetchFailed
from imgsync.commands.output import Event, Output
from imgsync.images.fetch import Fetcher
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image
from tests.peer.test_stages import open_pair


async def test_an_evaluator_is_told_how_many_images_are_there(autojump_clock: MockClock) -> None:
    async def fetch(session: ClientSession) -> None:
        async for _ in session.preloads():
            session.tell_preloaded(Preloaded(announced=1, there=0, failed=0))
            await trio.sleep(1)
            session.tell_preloaded(Preloaded(announced=1, there=1, failed=0))

    async with open_pair(fetch) as session:
        session.preload([image(0)])
        counts = session.preloaded()
        assert [await anext(counts), await anext(counts)] == [
            Preloaded(1, 0, 0),
            Preloaded(1, 1, 0),
        ]
    assert [one async for one in session.preloaded()] == [Preloaded(1, 1, 0)]


@pytest.mark.parametrize("detail", ["", "its URL was good until 5 min ago"])
async def test_what_else_is_known_of_a_failure_is_told(
    autojump_clock: MockClock, detail: str
) -> None:
    async def refuse(session: ClientSession) -> None:
        async for received in session.images():
            for wrong in ("x" * 201, "a\nb"):
                with pytest.raises(ValueError, match="detail"):
                    received.failed("http_403", detail=wrong)
            received.failed("http_403", detail=detail)

    async with open_pair(refuse) as session:
        await session.show(image(0))
        report = await anext(session.stages())
        assert (report.stage, report.reason, report.detail) == (
            StageKind.FAILED,
            "http_403",
            detail,
        )


class _Silent(Fetcher):
    """Nothing ever comes, and it is waited for without an end."""

    def __init__(self) -> None:
        pass

    async def transfer(self, *_: object) -> None:
        await trio.sleep_forever()


class _Written(Output):
    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        self.events.append(event)


async def test_what_outlives_its_session_has_its_time_and_ends_with_a_line(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("imgsync.core.channel.downloads.FETCH_STALL", 3600)
    network, output = MemoryNetwork(), _Written()

    async def follow() -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            ready.set()
            follower = SessionFollower(
                await client.next_session(),
                fetcher=_Silent(),
                folder=None,
                program=None,
                output=output,
            )
            await follower.follow()

    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow)
        await ready.wait()
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(4))
        over = trio.current_time()
    assert trio.current_time() - over == pytest.approx(LAST_FETCHES_DEADLINE, abs=3)
    [failed] = [one for one in output.events if isinstance(one, FetchFailed)]
    assert (failed.reason, failed.image_index) == ("session_over", 4)
    [line] = [one for one in caplog.messages if "after the session" in one]
    assert line.endswith("given up: 1")
    assert logging.WARNING in {record.levelno for record in caplog.records}
