"""What is wrong with arguments, or around the command, is told in one line that says what to do."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from imgsync import SessionEnded, open_evaluator
from tests.kit.command_lines import (
    END_S,
    FINDER,
    LOOPBACK,
    assert_one_complaint,
    client,
    env_with_site,
    evaluator,
    imgsync,
)
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import (
    SAMPLES,
    SESSION_S,
    START_S,
    STRICT,
    Outcome,
    open_child,
    our_relay,
    run_to_end,
    run_together,
)
from tests.kit.raw_peers import open_raw


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


async def run_wrong(cases: dict[str, tuple[tuple[str, ...], str]]) -> None:
    """Run all these command lines; each has to fail with one line of this pattern."""
    outcomes = await run_together(
        {
            name: partial(run_fork_to_end, name, *words, env=STRICT)
            for name, (words, _) in cases.items()
        }
    )
    complaints = {name: assert_one_complaint(name, outcomes[name]) for name in cases}
    wrong = {
        name: complaints[name]
        for name, (words, pattern) in cases.items()
        if not re.fullmatch(f"imgsync {words[3]}: {pattern}", complaints[name])
    }
    assert wrong == {}


async def test_a_relay_that_is_not_there_or_no_relay_is_told_with_what_to_check(
    relay_url: str,
) -> None:
    elsewhere = relay_url.replace("/ws", "/elsewhere")
    with deaf_port() as nobody:
        gone = f"ws://{LOOPBACK}:{nobody}/ws"
        no_relay = rf"no relay at {gone}: .*[Cc]onnection refused; is it running\?"
        path = rf"{elsewhere} refused .* status 404; is it a relay, and is the path right\?"
        await run_wrong(
            {
                "no relay": (evaluator(gone, "C", str(SAMPLES)), no_relay),
                "wrong path": (client(elsewhere, "C"), path),
            }
        )


async def test_tls_to_a_plain_port_is_told_with_what_to_try(relay_url: str) -> None:
    outcome = await run_fork_to_end("client", *client(relay_url.replace("ws:", "wss:"), "C"))
    assert re.search(r"ws://|wss? or wss?", assert_one_complaint("TLS", outcome))


async def test_a_client_that_is_unknown_or_busy_is_told_with_what_to_do(relay_url: str) -> None:
    async with (
        open_raw(relay_url, "client", "busy"),
        open_raw(relay_url, "evaluator", "other") as other,
    ):
        await other.start("busy")
        await run_wrong(
            {
                "unknown": (
                    evaluator(relay_url, "nobody", str(SAMPLES)),
                    r"No client 'nobody' is online; start it first, or check its user id\.",
                ),
                "busy": (
                    evaluator(relay_url, "busy", str(SAMPLES)),
                    r"Client 'busy' is in a session with another evaluator; try again later\.",
                ),
            }
        )


async def test_a_source_that_holds_no_images_is_told_with_its_name(
    relay_url: str, tmp_path: Path
) -> None:
    # More of what a source can be wrong in is in the tests of the demo and of the sources.
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text("[{")
    expected = {
        "empty": r"there are no images in '.*/empty' \(of gif, .*",
        "broken.json": r"the manifest '.*/broken\.json' is not JSON: .*",
    }
    await run_wrong(
        {
            name: (evaluator(relay_url, "C", str(tmp_path / name)), pattern)
            for name, pattern in expected.items()
        }
    )


async def test_an_address_that_is_none_of_ours_is_told_with_the_option_to_check(
    relay_url: str,
) -> None:
    no_socket = r"can't open a UDP socket on any of 192\.0\.2\.1; check --ice-address"
    no_address = r"--ice-address 'here' is not an IP address"
    wrong = ("--ice-address", "192.0.2.1")
    async with (
        open_raw(relay_url, "client", "addressee"),
        open_fork("client", *client(relay_url, "nowhere", *wrong)) as following,
        open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as library,
    ):
        await following.wait_line(START_S)
        # Only a session needs the address.
        with trio.fail_after(SESSION_S), pytest.raises(SessionEnded):
            async with library.open_session("nowhere"):
                pass
        outcome = await following.wait_outcome()
        assert re.fullmatch(f"imgsync client: {no_socket}", assert_one_complaint("", outcome))
        options = ("--ice-address", "here")
        await run_wrong(
            {
                "evaluator": (evaluator(relay_url, "addressee", *wrong, str(SAMPLES)), no_socket),
                "no IP": (client(relay_url, "C", *options), no_address),
            }
        )


async def test_a_place_where_the_relay_cant_or_should_not_listen_is_told_with_another() -> None:
    with deaf_port() as taken:
        await run_wrong(
            {
                "taken": (
                    imgsync("relay", "--port", str(taken)),
                    rf"can't listen on 127\.0\.0\.1:{taken}: the port is taken;"
                    r" stop what uses it, or choose another \(0 takes a free one\)",
                ),
                "no port": (
                    imgsync("relay", "--port", "65536"),
                    "there is no port 65536; choose one from 0 to 65535",
                ),
                "exposed": (
                    imgsync("relay", "--host", "0.0.0.0", "--port", "0"),
                    r"anybody who reaches 0\.0\.0\.0 could register as anybody; ask for tokens with"
                    r" --auth-secret-file, say --no-auth if it is meant, or listen on 127\.0\.0\.1",
                ),
                "not ours": (
                    imgsync("relay", "--host", "192.0.2.1", "--port", "0", "--no-auth"),
                    r"can't listen on 192\.0\.2\.1:0: this machine has no such address",
                ),
            }
        )


async def test_a_place_where_images_cant_be_saved_is_told_with_its_name(
    relay_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    pattern = f"can't make the folder '{file}': File exists; name another one with --save"
    await run_wrong({"a file": (client(relay_url, "C", "--save", str(file)), pattern)})


async def test_only_what_fetches_by_urls_needs_httpx_and_names_the_extra_that_brings_it(
    tmp_path: Path,
) -> None:
    env = env_with_site(tmp_path, FINDER.format(name="httpx", act="return None"))
    manifest = tmp_path / "series.json"
    manifest.write_text(json.dumps(["http://127.0.0.1:1/a.png"]))
    lines = {
        "url": imgsync("demo", "--pictures", "url"),
        "auto": imgsync("demo"),
        "manifest": imgsync("demo", str(manifest)),
    }
    outcomes = await run_together(
        {name: partial(run_to_end, name, *words, env=env) for name, words in lines.items()}
    )
    install = r".*httpx; install it with: pip install 'httpx>=.*"
    complaint = assert_one_complaint("demo", outcomes["url"])
    assert re.fullmatch(rf"imgsync demo: {install}", complaint)
    assert (outcomes["auto"].code, outcomes["auto"].errors) == (0, [])
    assert outcomes["auto"].lines[-1].startswith("10 images sent, 10 acked, 10 fetched; ")
    # Once it is needed.
    assert outcomes["manifest"].code == 1
    assert any(re.fullmatch(install, line) for line in outcomes["manifest"].errors)
    assert "imgsync demo: image 0: no_http" in outcomes["manifest"].errors


async def test_a_full_disk_behind_stdout_is_told_in_one_line() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with trio.fail_after(SESSION_S):
            done = await trio.run_process(
                our_relay(), stdout=full, capture_stderr=True, check=False, env=STRICT
            )
    finally:
        os.close(full)
    complaints = [line for line in done.stderr.decode().splitlines() if " INFO " not in line]
    assert complaints == ["python -m imgsync.relay: can't write to stdout: No space left on device"]
    assert done.returncode == 1


def command_of(main: str) -> tuple[str, ...]:
    """A command line of its own for what stands behind all of them."""
    code = f"""
import sys, trio
from imgsync.commands.common import run_command
from imgsync.commands.output import print_line
from imgsync.core.protocol.errors import InputError

async def main():
{textwrap.indent(textwrap.dedent(main), "    ")}

sys.exit(run_command(main, "imgsync test"))
"""
    return (sys.executable, "-c", code)


async def test_errors_that_happen_together_are_told_in_the_line_of_one_of_them() -> None:
    fail_twice = """
        async def fail():
            raise InputError("this is wrong; mend it")
        async with trio.open_nursery() as outer, trio.open_nursery() as inner:
            outer.start_soon(fail)
            inner.start_soon(fail)
            inner.start_soon(fail)
    """
    outcome = await run_to_end("command", *command_of(fail_twice), env=STRICT)
    assert outcome == Outcome(1, [], ["imgsync test: this is wrong; mend it"])


async def test_an_error_that_is_not_ours_is_not_hidden_by_one_that_is() -> None:
    fail_both = """
        async def fail(exc):
            raise exc
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail, InputError("this is wrong; mend it"))
            nursery.start_soon(fail, ZeroDivisionError("a defect"))
    """
    outcome = await run_to_end("command", *command_of(fail_both), env=STRICT)
    assert outcome.code == 1
    assert "ZeroDivisionError: a defect" in "\n".join(outcome.errors)


async def test_a_hang_up_that_was_to_be_ignored_stays_ignored() -> None:
    echo = """
        while True:
            line = await trio.to_thread.run_sync(sys.stdin.readline)
            await (trio.lowlevel.checkpoint() if line else trio.sleep_forever())
            print_line(line.strip())
    """
    words = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command_of(echo))
    async with open_child("command", *words, env=STRICT, stdin=subprocess.PIPE) as child:
        for line in ("here", "still here", "and here"):
            await child.write(f"{line}\n")
            assert await child.wait_line(START_S) == line
            child.process.send_signal(signal.SIGHUP)
        child.process.send_signal(signal.SIGTERM)
        await child.close_stdin()
        assert await child.wait_outcome(END_S) == Outcome(143, [], [])
