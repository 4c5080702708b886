"""Each command where there is nothing of POSIX: no resource, fcntl, termios, killpg or SIGHUP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE

import pytest
import trustme

from tests.kit.command_lines import (
    HERE,
    client,
    env_with_site,
    evaluator,
    events,
    imgsync,
    named,
)
from tests.kit.processes import (
    EXIT_S,
    LISTENING,
    SAMPLES,
    SESSION_S,
    START_S,
    open_child,
    our_relay,
    run_to_end,
    wait_until,
)

# Only ours are refused: asyncio and Trio know by themselves what there is on a system.
TAKE_AWAY = """
import builtins, os, signal, sys, time

MISSING = {"resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog"}
FUNCTIONS = ("killpg", "setsid", "setpgid", "getpgid", "fork", "geteuid", "getuid", "fchmod")

import_found = builtins.__import__

def import_allowed(name, names=None, *args, **kwargs):
    if name in MISSING and (names or {}).get("__name__", "").startswith("imgsync"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return import_found(name, names, *args, **kwargs)

builtins.__import__ = import_allowed
for name in FUNCTIONS:
    delattr(os, name)
for name in ("SIGHUP", "SIGWINCH"):
    delattr(signal, name)
del time.CLOCK_BOOTTIME
"""


@pytest.fixture
def bare(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a process from which all of it was taken."""
    site = tmp_path / "site"
    site.mkdir()
    return env_with_site(site, TAKE_AWAY)


async def test_a_process_of_these_tests_lacks_what_it_is_to_lack(bare: Mapping[str, str]) -> None:
    code = "import imgsync.commands.relay.options as o, os; print(o.resource, hasattr(os, 'fork'))"
    outcome = await run_to_end("python", imgsync()[0], "-c", code, env=bare)
    assert outcome.lines == ["None False"]


async def test_relay_evaluator_client_doctor_and_report_do_their_work(
    bare: Mapping[str, str], tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    log = tmp_path / "log"
    # A program that notes that it has begun, and then stays until it is ended.
    program = f"sh -c 'echo $IMGSYNC_IMAGE_INDEX >> {log}; exec sleep 60'"
    async with open_child("relay", *our_relay(), env=bare) as relay:
        url = (await relay.wait_line(START_S)).removeprefix(LISTENING)
        show = evaluator(url, "c", *HERE, "--json", "--log", str(record), str(SAMPLES))
        follow = client(url, "c", *HERE, "--once", "--json", "--exec", program)
        async with open_child("client", *follow, env=bare) as following:
            await following.wait_event("registered")
            async with open_child("evaluator", *show, env=bare, stdin=PIPE) as showing:
                for shown_so_far in (["0"], ["0", "1"]):
                    await showing.write("next\n")
                    while (await showing.wait_event("stage", SESSION_S))["stage"] != "shown":
                        pass

                    # An image is shown once its program runs, which the next one or the end ends.
                    def has_noted(indexes: list[str] = shown_so_far) -> bool:
                        return log.exists() and log.read_text().split() == indexes

                    await wait_until(has_noted, f"notes of {shown_so_far}", SESSION_S)
                await showing.write("end\n")
                shown = await showing.wait_outcome()
            followed = await following.wait_outcome()
        examined = await run_to_end(
            "doctor", *imgsync("doctor", "--json", "--relay", url), env=bare
        )
        relay.process.terminate()
        assert await relay.wait_exit(EXIT_S) == 0
    assert (shown.code, shown.errors, followed.code, followed.errors) == (0, [], 0, [])
    [summary] = named("summary", events(shown.lines))
    assert summary["acked"] == summary["shown"] == summary["stages"]["shown"] == 2
    assert json.loads(examined.lines[-1])["failed"] == 0, examined.lines
    reporting = imgsync("report", str(record), "--out", str(tmp_path))
    told = await run_to_end("report", *reporting, env=bare)
    assert (told.code, told.errors) == (0, [])
    assert (tmp_path / "report.html").stat().st_size > 0
    assert b"\r" not in record.read_bytes()


async def test_a_relay_with_a_certificate_starts(bare: Mapping[str, str], tmp_path: Path) -> None:
    pair = trustme.CA().issue_cert("localhost")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    pair.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    async with open_child("relay", *our_relay(*files), env=bare) as relay:
        assert (await relay.wait_line(START_S)).startswith(f"{LISTENING}wss://")
        relay.process.terminate()
        assert await relay.wait_exit(EXIT_S) == 0


async def test_the_demo_runs_to_its_end(bare: Mapping[str, str], tmp_path: Path) -> None:
    picture = next(SAMPLES.glob("*.png"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / picture.name).write_bytes(picture.read_bytes())
    outcome = await run_to_end("demo", *imgsync("demo", str(folder)), env=bare)
    assert (outcome.code, outcome.errors) == (0, [])
