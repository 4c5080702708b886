"""Several windows or devices of one client user, as real commands."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.faults.stage import (
    HERE,
    assert_true_account,
    assert_uninterrupted,
    end_session,
    kill_client,
    now_ms,
    open_session,
    open_stage,
    show_next,
    tell,
    wait_return,
)
from tests.kit.processes import SAMPLES
from tests.kit.side_by_side import side_by_side

SLEEPER_S = 10.0

CLAIMED = "another window or device of this user took it"


@side_by_side(4)
async def test_of_two_windows_one_has_the_session_and_the_other_says_why_it_has_not(
    folder: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        windows = [await stage.start_client(options=["--once"]) for _ in range(2)]
        for window in windows:
            await window.wait("registered")
        evaluator = await stage.start_evaluator(source=SAMPLES, every=None)
        await evaluator.wait("connected")
        await show_next(evaluator)
        await show_next(evaluator)
        winner, loser = sorted(windows, key=lambda window: -len(window.all("image")))
        ended = await loser.wait("ended")
        assert (ended["reason"], ended["detail"]) == ("claimed_elsewhere", CLAIMED)
        assert await loser.wait_exit() == 1
        assert CLAIMED in loser.child.read_errors().splitlines()[-1]

        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await winner.wait("ended"))["reason"] == "ended"
        assert await winner.wait_exit() == 0
        assert_uninterrupted(evaluator, winner)
        assert assert_true_account(evaluator, winner) == (3, 0)


@side_by_side(12)
async def test_a_window_that_was_asleep_while_another_one_was_opened_says_that_it_lost_the_session(
    folder: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, first = await open_session(stage)
        os.kill(first.child.process.pid, signal.SIGSTOP)
        try:
            second = await stage.start_client()
            await second.wait("registered")
            # Without an answer within 2 seconds, the relay gives the sleeping one up.
            again = await second.wait("image", seconds=SLEEPER_S)
            assert again["sentAt"] == first.all("image")[-1]["sentAt"]
            await show_next(evaluator)
        finally:
            os.kill(first.child.process.pid, signal.SIGCONT)
        awake = now_ms()
        ended = await first.wait("ended", seconds=SLEEPER_S)
        assert (ended["reason"], ended["detail"]) == ("claimed_elsewhere", CLAIMED)
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await second.wait("ended"))["reason"] == "ended"
        assert evaluator.states[-2:] == ["interrupted", "resumed"]
        # What the first had, the second has again.
        assert assert_true_account(evaluator, first, second) == (3, 0)
        tell("a window that was asleep", told_after_s=(ended["seen"] - awake) / 1000)


@side_by_side(5)
async def test_a_window_that_is_opened_later_takes_nothing_from_the_first(folder: Path) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, first = await open_session(stage)
        second = await stage.start_client()
        await second.wait("registered")
        for _ in range(3):
            await show_next(evaluator)
        assert second.all("session") == []
        assert_uninterrupted(evaluator, first)

        # What is opened once the first is gone has the session.
        await kill_client(evaluator, first)
        heir = await stage.start_client()
        again, took_s = await wait_return(heir)
        assert again["sentAt"] == first.all("image")[-1]["sentAt"]
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert second.all("session") == second.all("image") == []
        assert_true_account(evaluator, first, heir)
        tell("beside another window", image_after_return_s=took_s)
