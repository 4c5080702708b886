"""Tests that mostly wait, run at the same time: `@side_by_side(lasts)` above a test.

The first of them to be asked for starts all of its file that were selected, the longest first and
so many at a time, in a thread with a Trio of its own. Each then waits for its own to end, and tells
of what went wrong there.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

Scenario = Callable[..., Awaitable[None] | None]

PATIENCE_S = 180
"""Seconds from the start of all to the end of the last."""


@attrs.frozen
class Job:
    """One test as it was selected.

    :param name: its node id.
    :param lasts: about how many seconds.
    """

    name: str
    run: Callable[[Path], Awaitable[None]]
    lasts: float


class Running:
    """The tests that run, each in a folder of its own. Made by `open_running`."""

    def __init__(self, jobs: Sequence[Job], folder: Path, at_once: int) -> None:
        self._jobs = sorted(jobs, key=lambda job: -job.lasts)
        self._folder = folder
        self._at_once = at_once
        self._ends: dict[str, Future[None]] = {job.name: Future() for job in jobs}
        self._scope = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken | None = None
        self._thread = threading.Thread(target=trio.run, args=(self._run,))

    def start(self) -> None:
        """Unless they were started before."""
        if self._thread.ident is None:
            self._thread.start()

    def wait(self, name: str) -> None:
        """Wait for one; raises what it did."""
        self.start()
        self._ends[name].result(PATIENCE_S)

    def wait_all(self) -> None:
        """Until nothing runs; what was not started is not."""
        if self._thread.ident is not None:
            self._thread.join()

    def stop(self) -> None:
        """End what still runs."""
        if self._token is not None:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._scope.cancel)
        self.wait_all()

    async def _run(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        limit = trio.Semaphore(self._at_once)
        with self._scope:
            async with trio.open_nursery() as nursery:
                for number, job in enumerate(self._jobs):
                    await limit.acquire()
                    folder = self._folder / str(number)
                    folder.mkdir()
                    nursery.start_soon(self._run_one, job, folder, limit)

    async def _run_one(self, job: Job, folder: Path, limit: trio.Semaphore) -> None:
        end = self._ends[job.name]
        try:
            await job.run(folder)
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as exc:
            end.set_exception(exc)
        else:
            end.set_result(None)
        finally:
            limit.release()


def side_by_side(lasts: float) -> Callable[[Scenario], Callable[..., None]]:
    """Make a test of a function whose first argument is a folder for what it writes.

    One that is not async runs in a thread. What else it asks for are parameters, or fixtures that
    last as long as `running`.

    :param lasts: about how many seconds it takes.
    """

    def decorate(scenario: Scenario) -> Callable[..., None]:
        def test(running: Running, request: pytest.FixtureRequest, **_: Any) -> None:
            running.wait(request.node.nodeid)

        _, *parameters = inspect.signature(scenario).parameters.values()
        kind = inspect.Parameter.KEYWORD_ONLY
        asked = [inspect.Parameter(name, kind) for name in ("running", "request")]
        by_name = [parameter.replace(kind=kind) for parameter in parameters]
        test.__signature__ = inspect.Signature([*asked, *by_name])  # type: ignore[attr-defined]
        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(test, name, getattr(scenario, name))
        test.scenario, test.lasts = scenario, lasts  # type: ignore[attr-defined]
        return test

    return decorate


def find_jobs(items: Sequence[pytest.Item], fixture: Callable[[str], Any]) -> list[Job]:
    """Those among the selected tests that run side by side.

    :param fixture: gives the value of the fixture with a name.
    """
    jobs = []
    for item in items:
        scenario = getattr(getattr(item, "function", None), "scenario", None)
        if scenario is not None:
            assert isinstance(item, pytest.Function)
            values = item.callspec.params if hasattr(item, "callspec") else {}
            _, *names = inspect.signature(scenario).parameters
            given = {name: values[name] if name in values else fixture(name) for name in names}
            jobs.append(Job(item.nodeid, _bind(scenario, given), item.function.lasts))
    return jobs


def _bind(scenario: Scenario, values: dict[str, Any]) -> Callable[[Path], Awaitable[None]]:
    async def run(folder: Path) -> None:
        if inspect.iscoroutinefunction(scenario):
            await scenario(folder, **values)
        else:
            await trio.to_thread.run_sync(partial(scenario, folder, **values))

    return run


@contextmanager
def open_running(
    items: Sequence[pytest.Item], request: pytest.FixtureRequest, at_once: int
) -> Iterator[Running]:
    """Nothing of them runs any more when the block is left.

    :param request: of the fixture that this is for.
    :param at_once: how many run at the same time.
    """
    folder = request.getfixturevalue("tmp_path_factory").mktemp("side-by-side")
    running = Running(find_jobs(items, request.getfixturevalue), folder, at_once)
    try:
        yield running
    finally:
        running.stop()
