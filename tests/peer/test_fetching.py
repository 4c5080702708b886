"""What an evaluator learns of a client's fetching, in sessions over the in-memory network."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from imgsync import ClientSession, Preloaded, StageKind, open_client, open_evaluator
from imgsync.commands.client import following
from imgsync.commands.client.following import LAST_FETCHES_DEADLINE, SessionFollower
from imgsync.commands.events import Fetched, FetchFailed
from imgsync.commands.output import Event, Output
from imgsync.core.protocol.numbers import CROWDED_OUT
from imgsync.images.fetch import Answer, Fetcher, Mark
from imgsync.testing import MemoryNetwork
from tests.images.test_kinds import PNG
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


class _Gated(Fetcher):
    """All of a picture comes once it may."""

    def __init__(self) -> None:
        self.gate = trio.Event()

    async def transfer(
        self, signed_url: str, offset: int, mark: Mark, hear: Callable[[Answer | bytes], None]
    ) -> None:
        await self.gate.wait()
        hear(Answer(0, Mark(len(PNG)), is_resumable=False))
        hear(PNG)


class _Written(Output):
    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        self.events.append(event)


async def _follow(
    network: MemoryNetwork,
    output: Output,
    fetcher: Fetcher,
    folder: Path | None,
    *,
    task_status: trio.TaskStatus[None],
) -> None:
    """What the client's command does in one session; started when it is registered."""
    async with open_client(URL, user_id="c", network=network) as client:
        task_status.started()
        follower = SessionFollower(
            await client.next_session(),
            fetcher=fetcher,
            folder=folder,
            program=None,
            output=output,
        )
        await follower.follow()


async def test_what_outlives_its_session_has_its_time_and_ends_with_a_line(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("imgsync.core.channel.downloads.FETCH_STALL", 3600)
    network, output = MemoryNetwork(), _Written()
    async with trio.open_nursery() as nursery:
        await nursery.start(_follow, network, output, _Silent(), None)
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


async def test_with_a_folder_all_that_was_shown_comes_in_however_quickly_it_was_shown(
    tmp_path: Path,
) -> None:
    network, output, fetcher = MemoryNetwork(), _Written(), _Gated()
    async with trio.open_nursery() as nursery:
        await nursery.start(_follow, network, output, fetcher, tmp_path)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            for index in range(20):
                await session.show(image(index))
            fetcher.gate.set()
    fetched = [one for one in output.events if isinstance(one, Fetched)]
    assert sorted(one.image_index for one in fetched) == [*range(20)]
    assert not [one for one in output.events if isinstance(one, FetchFailed)]
    saved = sorted(await trio.to_thread.run_sync(lambda: [*tmp_path.iterdir()]))
    assert [path.name for path in saved] == [f"{index:04d}-{index}.png" for index in range(20)]


async def test_of_too_many_that_are_under_way_the_last_are_given_up_with_a_word(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("imgsync.core.channel.downloads.FETCH_STALL", 3600)
    monkeypatch.setattr(following, "MAX_UNDER_WAY", 3)
    network, output = MemoryNetwork(), _Written()
    async with trio.open_nursery() as nursery:
        await nursery.start(_follow, network, output, _Silent(), tmp_path)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            for index in range(5):
                await session.show(image(index))
            stages = session.stages()
            for index in (3, 4):
                report = await anext(stages)
                assert (report.image.index, report.reason) == (index, CROWDED_OUT)
    failed = [one for one in output.events if isinstance(one, FetchFailed)]
    assert [(one.image_index, one.reason) for one in failed] == [
        (3, CROWDED_OUT),
        (4, CROWDED_OUT),
        (0, "session_over"),
        (1, "session_over"),
        (2, "session_over"),
    ]
