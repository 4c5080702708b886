"""Sessions that are interrupted and come back, over the in-memory relay and links."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock

from imgsync import SessionEnded, open_evaluator
from imgsync.core.protocol.errors import Superseded
from imgsync.core.protocol.numbers import (
    ABSENCE_DEADLINE,
    CLAIM_PAUSE,
    LOST_AFTER,
    REPAIR_DEADLINE,
    SUSPECT_AFTER,
)
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, FollowingClient, image

CONNECTING, CONNECTED, SUSPECT = (
    SessionState.CONNECTING,
    SessionState.CONNECTED,
    SessionState.SUSPECT,
)
INTERRUPTED, RESUMED, ENDED = SessionState.INTERRUPTED, SessionState.RESUMED, SessionState.ENDED


@attrs.define
class Scene:
    """A connected session, and what is told of it."""

    network: MemoryNetwork
    session: EvaluatorSession
    follower: FollowingClient
    changes: list[StateChange] = attrs.field(factory=list)

    @property
    def states(self) -> list[SessionState]:
        return [change.state for change in self.changes]

    @property
    def seen(self) -> list[int]:
        return [seen.index for seen in self.follower.seen]

    async def watch(self) -> None:
        async for change in self.session.changes():
            self.changes.append(change)

    async def wait_state(self, state: SessionState) -> None:
        """Wait until it is in this state, now or later."""
        async for _ in self.session.changes():
            if self.session.state is state:
                return


@asynccontextmanager
async def open_scene(network: MemoryNetwork | None = None) -> AsyncIterator[Scene]:
    network, follower = network or MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            scene = Scene(network, session, follower)
            nursery.start_soon(scene.watch)
            await session.show(image(0))
            yield scene
        # What watches ends with the session.
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_a_connection_that_is_lost_is_made_anew_and_shows_what_is_current_once(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        scene.network.links[-1].break_off()
        await scene.wait_state(RESUMED)
        await scene.session.show(image(1))
    assert scene.seen == [0, 1]
    assert scene.states == [CONNECTING, CONNECTED, INTERRUPTED, RESUMED, ENDED]
    interrupted, ended = scene.changes[2], scene.changes[-1]
    assert interrupted.reason is EndReason.CONNECTION_LOST
    assert ended.reason is EndReason.ENDED
    assert scene.follower.ends == [EndReason.ENDED]


async def test_a_connection_that_falls_silent_is_noticed_in_time_and_made_anew(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        begin = trio.current_time()
        scene.network.is_silent = True
        await scene.wait_state(SUSPECT)
        assert trio.current_time() - begin <= SUSPECT_AFTER + 0.2
        await scene.wait_state(INTERRUPTED)
        assert trio.current_time() - begin <= LOST_AFTER + 0.2
        scene.network.is_silent = False
        await scene.wait_state(RESUMED)
        await scene.session.show(image(1))
    assert scene.seen == [0, 1]


async def test_a_short_silence_is_suspect_and_no_more(autojump_clock: MockClock) -> None:
    async with open_scene() as scene:
        scene.network.is_silent = True
        await scene.wait_state(SUSPECT)
        scene.network.is_silent = False
        await scene.wait_state(CONNECTED)
        await scene.session.show(image(1))
    assert scene.states == [CONNECTING, CONNECTED, SUSPECT, CONNECTED, ENDED]


async def test_an_image_that_is_shown_while_interrupted_comes_when_the_connection_does(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene, trio.open_nursery() as nursery:
        scene.network.is_blocked = True
        scene.network.links[-1].break_off()
        await scene.wait_state(INTERRUPTED)

        async def show_in_vain() -> None:
            with pytest.raises(Superseded, match="image 1 "):
                await scene.session.show(image(1))

        nursery.start_soon(show_in_vain)
        await trio.sleep(30)
        nursery.start_soon(scene.session.show, image(2))
        await trio.sleep(30)
        assert scene.session.state is INTERRUPTED
        scene.network.is_blocked = False
        await scene.wait_state(RESUMED)
    assert scene.seen == [0, 2]


async def test_an_image_that_was_on_its_way_comes_again(autojump_clock: MockClock) -> None:
    async with open_scene() as scene, trio.open_nursery() as nursery:
        scene.network.is_silent = True
        nursery.start_soon(scene.session.show, image(1))
        await scene.wait_state(INTERRUPTED)
        scene.network.is_silent = False
    assert scene.seen == [0, 1]


async def test_a_relay_that_restarts_disturbs_nobody_and_repairs_what_is_lost_meanwhile(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        scene.network.relay.go_down()
        await scene.session.show(image(1))
        scene.network.links[-1].break_off()
        await trio.sleep(20)
        assert scene.session.state is INTERRUPTED
        scene.network.relay.come_back()
        await scene.wait_state(RESUMED)
        await scene.session.show(image(2))
        session_id = scene.session.id
    assert scene.seen == [0, 1, 2]
    assert [session.id for session in scene.follower.sessions] == [session_id]
    assert scene.follower.ends == [EndReason.ENDED]


async def test_a_session_that_the_relay_gave_up_is_taken_up_where_it_is_needed(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        scene.network.relay.go_down()
        scene.network.relay.come_back()
        await trio.sleep(10)
        scene.network.relay.forget_sessions()
        await scene.session.show(image(1))
        scene.network.links[-1].break_off()
        await scene.wait_state(RESUMED)
        await scene.session.show(image(2))
    assert scene.seen == [0, 1, 2]


async def test_who_closes_the_connection_and_stays_at_the_relay_has_left(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        begin = trio.current_time()
        # As a page does that is left; its WebSocket stays, for whatever reason.
        scene.network.links[-1].close()
        assert await scene.session.wait_ended() is EndReason.ENDED
        assert trio.current_time() - begin == pytest.approx(ABSENCE_DEADLINE, abs=0.1)
        with pytest.raises(SessionEnded):
            await scene.session.show(image(1))


async def test_what_can_not_be_repaired_is_given_up_with_a_reason(
    autojump_clock: MockClock,
) -> None:
    async with open_scene() as scene:
        begin = trio.current_time()
        scene.network.is_blocked = True
        scene.network.links[-1].break_off()
        assert await scene.session.wait_ended() is EndReason.CONNECTION_LOST
        assert trio.current_time() - begin == pytest.approx(REPAIR_DEADLINE, abs=1)
    assert "could not be repaired" in scene.changes[-1].sentence
    assert scene.follower.ends == [EndReason.CONNECTION_LOST]


async def test_a_client_whose_evaluator_has_gone_unheard_is_free_for_the_next_session_at_once(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            network.is_silent = True
            network.relay.go_down()
        # Nobody has told the client, and the relay that comes back knows of no session.
        network.is_silent = False
        network.relay.come_back()
        await trio.sleep(LOST_AFTER)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            with trio.fail_after(1):
                async with evaluator.open_session("c") as session:
                    await session.show(image(1))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0, 1]
    assert follower.ends[0] is EndReason.REPLACED


@pytest.mark.parametrize("is_cut", [False, True], ids=["channel lives", "channel is lost, too"])
@pytest.mark.parametrize("seed", range(6))
async def test_a_second_window_does_not_take_a_session_that_a_new_relay_is_told_of(
    autojump_clock: MockClock, seed: int, is_cut: bool
) -> None:
    random.seed(seed)  # which of the two windows is at the relay first
    network, ours, idle = MemoryNetwork(), FollowingClient(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(ours.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            await nursery.start(idle.run, network)
            network.relay.go_down()
            if is_cut:
                network.links[-1].break_off()
            await trio.sleep(5)
            network.relay.come_back()
            await trio.sleep(30)
            await session.show(image(1))
            assert session.state is (RESUMED if is_cut else CONNECTED)
            # And the relay has it where it is: what is repaired is the connection of that window.
            network.links[-1].break_off()
            await trio.sleep(10)
            await session.show(image(2))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in ours.seen] == [0, 1, 2]
    assert idle.seen == []
    assert set(idle.ends) <= {EndReason.CLAIMED_ELSEWHERE}


async def test_a_window_that_waited_takes_the_session_where_no_other_one_claims_it(
    autojump_clock: MockClock,
) -> None:
    network, ours, idle = MemoryNetwork(), FollowingClient(), FollowingClient()
    killed = trio.CancelScope()

    async def run_ours(task_status: trio.TaskStatus[None]) -> None:
        with killed:
            await ours.run(network, task_status=task_status)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_ours)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            await nursery.start(idle.run, network)
            network.relay.go_down()
            network.is_silent = True
            killed.cancel()
            await trio.sleep(5)
            network.is_silent = False
            network.relay.come_back()
            await trio.sleep(CLAIM_PAUSE + 15)
            await session.show(image(1))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in idle.seen] == [0, 1]
