"""Does each session of a page have its stages, and does it outlive what is loaded again?

What `soak.py --browser` runs: of each kind in `tests/kit/page_sessions.py` a great number, in one
headless browser. The relay is a process, and so is each command.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import pytest
import trio

from tests.kit.browsers import Started, open_browser
from tests.kit.console_pages import open_images
from tests.kit.either_browser import BROWSERS
from tests.kit.page_sessions import IMAGES, NO_LIMITS, RELOADS, SESSIONS, Scene, Tally, try_kind
from tests.kit.processes import open_relay
from tests.kit.web_pages import make_folder

Object = dict[str, Any]


async def _try_all(
    started: Started, folder: Path, sessions: int, reloads: int
) -> tuple[dict[str, Tally], dict[str, Tally]]:
    make_folder(folder, IMAGES)
    async with (
        open_relay(*NO_LIMITS) as relay,
        open_images() as images,
        open_browser(started) as browser,
    ):
        scene = Scene(browser, relay, images, folder)
        tried = [
            {kind: await try_kind(opener, scene, count) for kind, opener in kinds.items()}
            for kinds, count in ((SESSIONS, sessions), (RELOADS, reloads))
        ]
        return tried[0], tried[1]


def soak_pages(name: str, sessions: int, reloads: int) -> Object:
    """So many sessions and reloads of each kind, and those that failed.

    :param name: of the browser.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            started = stack.enter_context(BROWSERS[name]())
        except pytest.skip.Exception as exc:
            raise harness.BenchError(str(exc)) from None
        began = time.monotonic()
        of_sessions, of_reloads = trio.run(_try_all, started, folder, sessions, reloads)
        seconds = time.monotonic() - began
    return {
        "browser": name,
        "sessions": _count(of_sessions),
        "without_stages": _count_failures(of_sessions),
        "reloads": _count(of_reloads),
        "lost": _count_failures(of_reloads),
        "seconds": round(seconds),
        "broken": [
            f"{what} ({kind}): {failure}"
            for what, tallies in (("session", of_sessions), ("reload", of_reloads))
            for kind, tally in tallies.items()
            for failure in tally.failures
        ],
    }


def _count(tallies: dict[str, Tally]) -> dict[str, int]:
    return {kind: tally.count for kind, tally in tallies.items()}


def _count_failures(tallies: dict[str, Tally]) -> dict[str, int]:
    return {kind: len(tally.failures) for kind, tally in tallies.items()}


def print_pages(result: Object) -> None:
    print(f"{result['browser']}, {result['seconds']} s")
    for what, failed in (("sessions", "without_stages"), ("reloads", "lost")):
        print(f"\n{what:40}{'number':>8}{failed.replace('_', ' '):>16}")
        for kind, count in result[what].items():
            print(f"{kind:40}{count:8}{result[failed][kind]:16}")
    harness.print_machine(result["machine"])
