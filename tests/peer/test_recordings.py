"""What an evaluator learns of how the participant is recorded, over the in-memory network."""

from pathlib import Path

import trio
from trio.testing import MockClock

from imgsync import ClientSession, EvaluatorSession, Recording, open_client, open_evaluator
from imgsync.core.codec.codec import encode_channel
from imgsync.journal import events
from imgsync.journal.reader import Entry, read_journal
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image

BOTH = Recording(("camera", "microphone"), (), 5)
ONE = Recording(("microphone",), ("camera_ended",), 6)
NONE = Recording((), ("camera_ended", "microphone_muted", "a_new_one"), 7)


async def test_each_change_is_told_once_and_the_last_one_to_who_asks_later(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    network = MemoryNetwork()
    path = tmp_path / "e.jsonl"

    async def say(session: ClientSession) -> None:
        """At each image one, and a second time, as on a new channel."""
        for said in (BOTH, ONE, NONE):
            await session.next_image()
            session._peer.send(encode_channel(said))
            session._peer.send(encode_channel(said))
        await trio.sleep_forever()

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async with await client.next_session() as session:
                await say(session)

    told: list[Recording] = []

    async def listen(session: EvaluatorSession) -> None:
        changes = session.recordings()
        while (said := await anext(changes, None)) is not None:
            told.append(said)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(URL, user_id="e", network=network, log_file=path) as evaluator,
            evaluator.open_session("c") as session,
        ):
            nursery.start_soon(listen, session)
            for index in range(3):
                await session.show(image(index))
                await trio.testing.wait_all_tasks_blocked()
            assert told == [BOTH, ONE, NONE]
            later = session.recordings()
            assert await anext(later) == NONE
        # The session is over: nothing more comes, and what was told last is still there.
        assert [one async for one in later] == []
        assert [one async for one in session.recordings()] == [NONE]
        nursery.cancel_scope.cancel()
    written = [one.event for one in read_journal(path) if isinstance(one, Entry)]
    assert [one for one in written if isinstance(one, events.Recording)] == [
        events.Recording(session.id, said.devices, said.troubles, said.at)
        for said in (BOTH, ONE, NONE)
    ]


async def test_a_client_that_records_nothing_tells_nothing(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async with await client.next_session() as session:
                async for _ in session.images():
                    pass

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
        assert [one async for one in session.recordings()] == []
        nursery.cancel_scope.cancel()
