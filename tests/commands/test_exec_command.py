"""The client's command with `--exec`, and what it tells the evaluator's: processes on loopback."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_exec import RECORDER, Stage
from tests.kit.command_lines import HERE, client, evaluator, events, named
from tests.kit.forks import open_fork, shared_relay
from tests.kit.processes import EXIT_S, JSON, SAMPLES, SESSION_S, START_S, STRICT, Child, run_to_end
from tests.kit.web_pages import make_folder


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def wait_stages(showing: Child, index: int, *kinds: str) -> list[JSON]:
    """What the evaluator tells of these stages, in whichever order; others are passed over."""
    told: dict[str, JSON] = {}
    while len(told) < len(kinds):
        line = await showing.wait_event("stage", SESSION_S)
        if line["imageIndex"] == index and line["stage"] in kinds:
            told[line["stage"]] = line
    return [told[kind] for kind in kinds]


async def test_the_command_shows_images_by_a_program_and_the_evaluator_is_told(
    stage: Stage,
) -> None:
    saved = stage.folder / "saved"
    script = stage.script(RECORDER)[1]
    options = ("--once", "--json", "--save", str(saved), "--exec", f"sh '{script}'")
    with shared_relay() as url:
        show = evaluator(url, "exec", *HERE, "--json", str(SAMPLES))
        follow = client(url, "exec", *HERE, *options)
        async with open_fork("client", *follow, env=STRICT | {"LOG": str(stage.log)}) as following:
            await following.wait_event("registered")
            async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
                for index in range(3):
                    await showing.write("next\n")
                    fetched, onset = await wait_stages(showing, index, "fetched", "shown")
                    assert onset["at"] >= fetched["at"]
                    assert onset["name"] == fetched["name"] != ""
                    assert onset["reason"] is None
                    # Its trap is set once it has written this.
                    await stage.wait_line(f"{index} started")
                    if index:
                        assert f"{index - 1} stopped" in await stage.wait_lines(2 * index + 1)
                await showing.write("end\n")
                shown = await showing.wait_outcome()
            followed = await following.wait_outcome()
    assert shown.code == followed.code == 0
    assert shown.errors == []
    heard = events(followed.lines)
    [summary] = named("summary", events(shown.lines))
    counts = summary["stages"]
    assert (summary["shown"], summary["acked"]) == (3, 3)
    assert (counts["fetched"], counts["shown"], counts.get("failed")) == (3, 3, None)
    assert len(named("fetched", heard)) == 3
    assert named("exec_failed", heard) == []
    assert sorted(stage.lines) == sorted(
        f"{index} {what}" for index in range(3) for what in ("started", "stopped")
    )


async def test_twenty_images_are_each_acked_fetched_and_shown_once_and_in_order(
    tmp_path: Path,
) -> None:
    source = make_folder(tmp_path, 20)
    with shared_relay() as url:
        show = evaluator(url, "twenty", *HERE, "--json", str(source))
        follow = client(url, "twenty", *HERE, "--once", "--json", "--exec", "sleep 60")
        async with open_fork("client", *follow, env=STRICT) as following:
            await following.wait_event("registered")
            async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
                onsets = []
                for index in range(20):
                    await showing.write("next\n")
                    # A program that needs no file may run before the image is there.
                    _fetched, onset = await wait_stages(showing, index, "fetched", "shown")
                    onsets.append(onset)
                await showing.write("end\n")
                summary = (await showing.wait_success())[-1]
            told = await following.wait_success()
    assert (summary["shown"], summary["acked"]) == (20, 20)
    assert (summary["stages"]["shown"], summary["stages"]["fetched"]) == (20, 20)
    assert [line["at"] for line in onsets] == sorted(line["at"] for line in onsets)
    for event in ("image", "fetched"):
        assert sorted(line["imageIndex"] for line in named(event, told)) == list(range(20))
    assert [line["imageIndex"] for line in named("image", told)] == list(range(20))


async def test_without_a_program_nothing_is_shown_and_a_failure_is_told_with_its_reason(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "series.csv"
    manifest.write_text("imageUrl,signedUrl\nhttp://127.0.0.1:9/a.png,http://127.0.0.1:9/a.png?s\n")
    follow = ("--once", "--json")
    with shared_relay() as url:
        show = evaluator(url, "headless", *HERE, str(manifest))
        async with open_fork(
            "client", *client(url, "headless", *HERE, *follow), env=STRICT
        ) as following:
            await following.wait_event("registered")
            async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
                await showing.write("next\n")
                first = line = await showing.wait_line(START_S)
                # How many of the announced are there may be told before, or not yet.
                while line != "image 0  a.png  failed: unreachable":
                    line = await showing.wait_line(START_S)
                await showing.write("end\n")
                shown = await showing.wait_outcome()
            assert (await following.wait_outcome()).code == 0
    assert shown.code == 1
    assert first == "connected to headless; 1 images"
    assert shown.lines[-1].startswith("1 images sent, 0 shown, 1 acked, 1 failed; ")


async def test_what_is_announced_is_fetched_before_it_is_shown() -> None:
    with shared_relay() as url:
        show = evaluator(url, "ahead", *HERE, "--json", str(SAMPLES))
        follow = client(url, "ahead", *HERE, "--once", "--json")
        async with open_fork("client", *follow, env=STRICT) as following:
            await following.wait_event("registered")
            async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
                was_ahead = False
                # What is shown at once may be too early; in the end it is not.
                for index in itertools.islice(itertools.cycle(range(1, 10)), 90):
                    await showing.write(f"goto {index}\n")
                    fetched = await following.wait_event("fetched", SESSION_S)
                    was_ahead = was_ahead or fetched["ahead"]
                    if was_ahead:
                        break
                await showing.write("end\n")
                assert (await showing.wait_outcome()).code == 0
            assert (await following.wait_outcome()).code == 0
    assert was_ahead


async def test_ctrl_c_ends_the_program_with_the_client(stage: Stage) -> None:
    script = stage.script(RECORDER)[1]
    with shared_relay() as url:
        follow = client(url, "interrupted", *HERE, "--exec", f"sh {script}")
        show = evaluator(url, "interrupted", *HERE, "--every", "60", str(SAMPLES))
        environment = STRICT | {"LOG": str(stage.log)}
        async with open_fork("client", *follow, env=environment) as following:
            await following.wait_line(EXIT_S)
            async with open_fork("evaluator", *show, env=STRICT):
                await stage.wait_line("0 started")
                os.kill(following.process.pid, signal.SIGINT)
                assert (await following.wait_outcome()).code == 130
    assert stage.lines == ["0 started", "0 stopped"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("", "names no program"),
        ("echo 'open", "can't be split into words"),
        ("no-such-program-anywhere --x", "there is no program 'no-such-program-anywhere'"),
    ],
)
async def test_a_command_that_can_not_be_run_is_refused_at_once(command: str, why: str) -> None:
    outcome = await run_to_end(
        "client", sys.executable, "-m", "imgsync", "client", "--relay", "ws://127.0.0.1:1/ws",
        "--user", "x", "--exec", command,
        env=STRICT,
    )  # fmt: skip
    assert outcome.code == 2
    assert why in outcome.errors[-1]
