"""`imgsync demo` from its first line to its last, and however it is stopped.

Each demo carries a mark in its environment, which all of its processes inherit: whatever is left
of it is found by that. Most demos are forks, which the kernel does not know the mark of; those are
waited for, and the processes that they start have it.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import (
    SAMPLES,
    START_S,
    STRICT,
    Outcome,
    open_child,
    run_to_end,
    run_together,
    wait_until,
)

SHOW_S = 8
"""Seconds from the first image to the end: 2 for ten of them, and the rest for three processes that
end. How long four of them load is up to the machine, and to what else it does."""

STOP_S = 8
"""Seconds from Ctrl-C to the end: an end in good order of each of the three has its deadline."""

LINK = re.compile(
    r"client page: http://127\.0\.0\.1:\d+/client\?user=you, or try: imgsync demo --browser"
)
IMAGE = re.compile(r"image +(\d+)  (\S+) +(\d+) bytes  round trip \d+\.\d ms")
SUMMARY = r"{0} images sent, {0} acked, {0} fetched; round trip \d+\.\d ms \(longest \d+\.\d\)"

PROC = Path("/proc")

NOWHERE = {
    "http_proxy": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://proxy:notaport",
    "ALL_PROXY": "socks5://127.0.0.1:1",
    "NO_PROXY": "[::1]",
}
"""A demo stays on this machine, for which no proxy is asked, whatever the variables say."""


@attrs.frozen
class Mark:
    """What all processes of one demo have in their environment."""

    text: str = attrs.field(factory=lambda: uuid.uuid4().hex)

    @property
    def env(self) -> Mapping[str, str]:
        return STRICT | NOWHERE | {"IMGSYNC_TEST_MARK": self.text}

    def bearers(self) -> dict[int, str]:
        """The processes that have it, with their command lines."""
        return {
            int(place.name): _read(place / "cmdline").replace("\0", " ")
            for place in PROC.iterdir()
            if place.name.isdecimal() and self.text in _read(place / "environ")
        }


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # gone meanwhile, or not ours
        return ""


@pytest.fixture
def mark() -> Iterator[Mark]:
    """Whatever a failed test leaves of its demo is killed."""
    mark = Mark()
    yield mark
    for pid in mark.bearers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def demo(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync", "demo", *words)


def sizes(folder: Path) -> dict[str, int]:
    return {
        image.name: image.stat().st_size
        for image in folder.iterdir()
        if image.suffix in {".png", ".svg"}
    }


def assert_all_were_shown(outcome: Outcome, folder: Path) -> None:
    left_out = "imgsync demo: left out (no image): notes.txt"
    assert outcome.errors == [left_out] * (folder / "notes.txt").exists()
    assert outcome.code == 0
    link, *lines, summary = outcome.lines
    assert LINK.fullmatch(link)
    told = [IMAGE.fullmatch(line) for line in lines]
    assert None not in told, lines
    assert {int(match[1]) for match in told if match} == set(range(len(lines)))
    assert {match[2]: int(match[3]) for match in told if match} == sizes(folder)
    assert re.fullmatch(SUMMARY.format(len(lines)), summary)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name in ("8-amsler-grid.svg", "9-blank.png"):
        shutil.copy(SAMPLES / name, folder)
    (folder / "notes.txt").write_text("not for showing\n")
    return folder


# ── to its good end ──────────────────────────────────────────────────────────────────────────────


async def test_the_demo_shows_every_sample_at_its_pace_and_leaves_nothing_behind(
    mark: Mark,
) -> None:
    async with open_child("demo", *demo(), env=mark.env) as child:
        lines = [await child.wait_line(START_S) for _ in range(2)]
        outcome = await child.wait_outcome(SHOW_S)
    assert mark.bearers() == {}
    assert_all_were_shown(attrs.evolve(outcome, lines=[*lines, *outcome.lines]), SAMPLES)


async def test_the_demo_shows_a_folder_of_ones_own_in_any_way(own_folder: Path) -> None:
    # The other ways need less, and are those of all other tests: see `test_complaints`.
    outcome = await run_fork_to_end("demo", *demo("--pictures", "url", str(own_folder)))
    assert_all_were_shown(outcome, own_folder)


async def test_the_demo_needs_no_network_but_loopback(own_folder: Path) -> None:
    alone = ("unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        missing = "unshare or ip is not installed"
    else:
        probe = await run_to_end("probe", *alone, "true")
        missing = "" if probe.code == 0 else f"no network namespaces here: {probe.errors}"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)

    outcome = await run_to_end("demo", *alone, *demo(str(own_folder)), env=STRICT)
    assert_all_were_shown(outcome, own_folder)


async def test_the_demos_records_make_a_report_by_the_line_that_it_ends_with(
    own_folder: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "my logs"
    outcome = await run_fork_to_end("demo", *demo(str(own_folder), "--log", str(logs)))
    *lines, last = outcome.lines
    assert_all_were_shown(Outcome(outcome.code, lines, outcome.errors), own_folder)
    label, _, line = last.partition(": ")
    name, command, *files = shlex.split(line)
    assert (label, name, command) == ("report", "imgsync", "report")
    assert files == [str(logs / "evaluator.jsonl"), str(logs / "client.jsonl")]
    imgsync = (sys.executable, "-m", "imgsync")
    out = ("--out", str(tmp_path))
    outcome = await run_fork_to_end("report", *imgsync, command, *files, *out)
    assert (outcome.code, outcome.errors) == (0, [])
    table = await trio.Path(tmp_path / "report.csv").read_text()
    page = await trio.Path(tmp_path / "report.html").read_text()
    assert len(table.splitlines()) == 1 + len(sizes(own_folder))
    assert "<svg" in page or "data:image/" in page


# ── to a bad one ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_no_folder_of_images_is_named_in_one_line(
    tmp_path: Path, own_folder: Path, mark: Mark
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (own_folder / "fake.png").write_text("no picture\n")
    wrong = {
        str(own_folder): r".*'.*/my pictures/fake\.png' is no image.*",
        str(empty): r".*there are no images in '.*/empty' \(of gif, .*",
        str(tmp_path / "missing"): r".*there is no folder or manifest '.*/missing'.*",
    }
    outcomes = await run_together(
        {place: partial(run_fork_to_end, "demo", *demo(place), env=mark.env) for place in wrong}
    )

    assert mark.bearers() == {}
    for place, pattern in wrong.items():
        outcome = outcomes[place]
        assert outcome.code == 1
        assert outcome.lines == []
        [line] = outcome.errors
        assert re.fullmatch(pattern, line)


async def _interrupt(moment: float, mark: Mark) -> Outcome:
    """Ctrl-C so many seconds after the demo has started the first of its processes."""
    async with open_fork("demo", *demo(), env=mark.env) as child:
        await wait_until(lambda: len(mark.bearers()) > 0, "a process of the demo", START_S)
        await trio.sleep(moment)
        child.process.send_signal(signal.SIGINT)
        return await child.wait_outcome(STOP_S)


async def test_ctrl_c_at_any_moment_stops_the_demo_and_all_that_it_has_started(mark: Mark) -> None:
    # It takes 2 s from its first image to its last, and some time to get there.
    moments = [0.0, *(random.uniform(0, 2) for _ in range(2))]
    outcomes = await run_together(
        {
            # Of one width, so that none is the beginning of another.
            f"{moment:.6f} s": partial(_interrupt, moment, Mark(f"{mark.text}-{moment:.6f}"))
            for moment in moments
        }
    )

    assert mark.bearers() == {}
    for moment, outcome in outcomes.items():
        assert outcome.errors == [], moment
        assert outcome.code == 130, moment
        assert not outcome.lines or LINK.fullmatch(outcome.lines[0]), moment
        assert all(IMAGE.fullmatch(line) for line in outcome.lines[1:]), moment


async def test_a_client_that_hears_of_the_evaluators_end_before_ctrl_c_does_not_complain(
    mark: Mark, tmp_path: Path
) -> None:
    def process_of(command: str) -> int:
        return next((id for id, line in mark.bearers().items() if f" {command} " in line), 0)

    record = tmp_path / "evaluator.jsonl"
    async with open_fork("demo", *demo("--log", str(tmp_path)), env=mark.env) as child:
        await wait_until(lambda: process_of("evaluator") > 0, "the evaluator", START_S)
        client = process_of("client")
        os.kill(client, signal.SIGSTOP)
        begun = '"event":"session"'
        await wait_until(lambda: record.exists() and begun in record.read_text(), begun, START_S)
        child.process.send_signal(signal.SIGINT)
        # It learns of a session that is over before there was a connection.
        os.kill(client, signal.SIGCONT)
        outcome = await child.wait_outcome(STOP_S)
    assert mark.bearers() == {}
    assert outcome.errors == []
    assert outcome.code == 130


async def test_ctrl_c_once_more_while_the_demo_stops_leaves_nothing_behind_either(
    mark: Mark,
) -> None:
    def is_left(command: str) -> bool:
        return any(f" {command} " in line for line in mark.bearers().values())

    async def ask_again() -> None:
        """Until it is gone: while its interpreter shuts down as well."""
        while True:
            child.process.send_signal(signal.SIGINT)
            await trio.sleep(0.001)

    async with open_child("demo", *demo(), env=mark.env) as child:
        await child.wait_line(START_S)
        child.process.send_signal(signal.SIGINT)
        await wait_until(lambda: not is_left("evaluator"), "the end of the first of three")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_again)
            outcome = await child.wait_outcome(STOP_S)
            nursery.cancel_scope.cancel()
    assert mark.bearers() == {}
    assert outcome.errors == []
    assert outcome.code == 130


@pytest.mark.usefixtures("hang_up_by_default")
async def test_a_closed_terminal_stops_the_demo_and_all_that_it_has_started(mark: Mark) -> None:
    async with open_fork("demo", *demo(), env=mark.env) as child:
        await child.wait_line(START_S)
        child.process.send_signal(signal.SIGHUP)
        outcome = await child.wait_outcome(STOP_S)
    assert mark.bearers() == {}
    assert outcome.errors == []
    assert outcome.code == 129


async def test_a_demo_whose_reader_goes_ends_without_a_traceback_and_leaves_nothing_behind(
    mark: Mark,
) -> None:
    async with open_fork("demo", *demo(), env=mark.env) as child:
        await child.wait_line(START_S)
        await child.close_stdout()
        assert await child.wait_exit(STOP_S) == 1
        assert child.read_errors() == ""
    assert mark.bearers() == {}
