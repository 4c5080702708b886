"""Does each session of a page have its stages, and does it outlive what is loaded again?

What `soak.py --browser` runs: of each kind in `tests/kit/page_sessions.py` a great number, in a
headless browser. The relay is a process, and so is each command.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
import pytest
import trio

from tests.kit.browsers import Started, open_browser
from tests.kit.console_pages import open_images
from tests.kit.either_browser import BROWSERS
from tests.kit.page_sessions import (
    IMAGES,
    NO_LIMITS,
    RELOADS,
    SESSIONS,
    Opener,
    Scene,
    Tally,
    try_kind,
)
from tests.kit.processes import open_relay
from tests.kit.web_pages import make_folder

Object = dict[str, Any]


async def _try(started: Started, opener: Opener, folder: Path, count: int) -> Tally:
    async with (
        open_relay(*NO_LIMITS) as relay,
        open_images() as images,
        open_browser(started) as browser,
    ):
        return await try_kind(opener, Scene(browser, relay, images, folder), count)


def _try_anew(name: str, opener: Opener, folder: Path, count: int) -> Tally:
    """In a browser of its own: after some 900 connections, one Chromium makes no more."""
    try:
        with BROWSERS[name]() as started:
            return trio.run(_try, started, opener, folder, count)
    except pytest.skip.Exception as exc:
        raise harness.BenchError(str(exc)) from None


def soak_pages(name: str, sessions: int, reloads: int) -> Object:
    """So many sessions and reloads of each kind, and those that failed.

    :param name: of the browser.
    """
    with contextlib.ExitStack() as stack:
        folder = make_folder(Path(stack.enter_context(tempfile.TemporaryDirectory())), IMAGES)

        def try_all(kinds: dict[str, Opener], count: int) -> dict[str, Tally]:
            return {kind: _try_anew(name, one, folder, count) for kind, one in kinds.items()}

        began = time.monotonic()
        of_sessions, of_reloads = try_all(SESSIONS, sessions), try_all(RELOADS, reloads)
        seconds = time.monotonic() - began
    return {
        "browser": name,
        "sessions": _count(of_sessions),
        "without_stages": _count_failures(of_sessions),
        "reloads": _count(of_reloads),
        "lost": _count_failures(of_reloads),
        "seconds": round(seconds),
        "tables": _tables(name, (of_sessions, of_reloads), seconds),
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


def _tables(name: str, tallies: Sequence[dict[str, Tally]], seconds: float) -> Object:
    rows: list[list[Any]] = []
    for what, of in zip(("without stages", "lost to a reload"), tallies, strict=True):
        count, failed = sum(_count(of).values()), sum(_count_failures(of).values())
        rows.append([f"sessions {what}", [failed, f"of {count}"]])
    rows.append(["all of it", [round(seconds), "s"]])
    return {f"soak_{name}": {"heads": ["what", name.title()], "rows": rows}}
