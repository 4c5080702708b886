"""The commands as people and scripts use them: processes on loopback, their output and their end.

What goes wrong is in `test_command_faults`, the demo in `test_demo`. Each test has users of its
own on one relay.
"""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from imgsync import ImageRef, SignallingLost, __version__, open_client, open_evaluator
from imgsync.client.client import Client
from imgsync.core.protocol.signalling import EndReason
from imgsync.evaluator.evaluator import Evaluator
from imgsync.images.host import open_image_host
from tests.kit.processes import (
    EXIT_S,
    JSON,
    LISTENING,
    LOOK_AGAIN_S,
    SAMPLES,
    SESSION_S,
    START_S,
    STRICT,
    Child,
    Outcome,
    open_child,
    our_relay,
    run_to_end,
    run_together,
    shared_relay,
    wait_until,
)

LOOPBACK = "127.0.0.1"

#: In the order in which they are shown; they are numbered without leading zeros.
IMAGES = sorted(
    (path for path in SAMPLES.iterdir() if path.suffix in {".png", ".svg"}),
    key=lambda path: int(path.name.partition("-")[0]),
)

#: The relay's promise of how soon it is gone.
RELAY_EXIT_S = 5


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


# ── command lines, and peers of our own inside the test ──────────────────────────────────────────


def imgsync(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync", *words)


def client(url: str, user: str, *options: str) -> tuple[str, ...]:
    return imgsync("client", "--relay", url, "--user", user, "--ice-address", LOOPBACK, *options)


def evaluator(url: str, client_id: str, *options: str) -> tuple[str, ...]:
    who = ("--user", f"evaluator-of-{client_id}", "--client", client_id)
    return imgsync("evaluator", "--relay", url, *who, "--ice-address", LOOPBACK, *options)


class Onlooker:
    """A client inside the test, which follows one session and notes what it is shown."""

    def __init__(self) -> None:
        self.indices: list[int] = []
        self.end_reason: EndReason | None = None
        self.done = trio.Event()

    async def follow(self, client: Client) -> None:
        session = await client.next_session()
        async with session:
            async for image in session.images():
                self.indices.append(image.index)
        self.end_reason = session.end_reason
        self.done.set()


@asynccontextmanager
async def open_onlooker(url: str, user: str) -> AsyncIterator[Onlooker]:
    """A registered onlooker; leaving the block waits for the end of its session."""
    onlooker = Onlooker()
    async with (
        open_client(url, user_id=user, ice_addresses=[LOOPBACK]) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(onlooker.follow, client)
        yield onlooker
        with trio.fail_after(EXIT_S):
            await onlooker.done.wait()


def events(lines: list[str]) -> list[JSON]:
    return [json.loads(line) for line in lines]


def named(name: str, messages: list[JSON]) -> list[JSON]:
    return [message for message in messages if message["event"] == name]


async def wait_ack(child: Child) -> int:
    index: int = (await child.wait_event("acked", SESSION_S))["imageIndex"]
    return index


# ── a session, from both sides ───────────────────────────────────────────────────────────────────


async def test_in_prose_a_session_by_lines_is_told_image_by_image_and_each_is_saved(
    relay_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "seen" / "today"
    follow = client(relay_url, "prose", "--once", "--save", str(folder))
    show = evaluator(relay_url, "prose", "--name", "Dr. Lee", str(SAMPLES))
    async with open_child("client", *follow, env=STRICT) as following:
        assert await following.wait_line(START_S) == "waiting for an evaluator as prose"
        async with open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
            assert await showing.wait_line(START_S) == "connected to prose; 10 images"
            assert await following.wait_line(SESSION_S) == "session with Dr. Lee"
            acks, fetched = [], []
            for _ in IMAGES:
                await showing.write("next\n")
                acks.append(await showing.wait_line(SESSION_S))
                fetched.append(await following.wait_line(SESSION_S))
            await showing.write("end\n")
            shown = await showing.wait_outcome()
            followed = await following.wait_outcome()

    assert shown.code == followed.code == 0
    assert shown.errors == followed.errors == []
    [summary] = shown.lines
    assert re.fullmatch(
        r"10 images shown, 10 acked; round trip \d+\.\d ms \(longest \d+\.\d\);"
        r" one way \d+\.\d ms, to \d+\.\d \(at worst \d+\.\d\)",
        summary,
    )
    for index, image in enumerate(IMAGES):
        about = rf"image {index}  \S*{re.escape(image.name)}"
        assert re.fullmatch(
            rf"{about}  acked  \d+\.\d ms  one way \d+\.\d ± \d+\.\d ms", acks[index]
        )
        size = image.stat().st_size
        assert re.fullmatch(rf"{about}  {size} bytes  \w+  \d+ ms", fetched[index])
        assert (folder / f"{index:04}-{image.name}").read_bytes() == image.read_bytes()
    assert len(list(folder.iterdir())) == len(IMAGES)
    assert followed.lines == ["session ended: one of the two sides ended it"]


async def test_as_json_both_sides_tell_the_same_of_every_image_of_a_manifest(
    relay_url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "series.csv"
    async with open_image_host(LOOPBACK, {image.name: image for image in IMAGES}) as host:
        with manifest.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["imageUrl", "signedUrl"])
            rows.writerows(
                [host.url_of(image.name), host.signed_url_of(image.name)] for image in IMAGES
            )
        follow = client(relay_url, "json", "--once", "--json")
        show = evaluator(relay_url, "json", "--every", "0.02", "--json", str(manifest))
        async with open_child("client", *follow, env=STRICT) as following:
            await following.wait_event("registered")
            shown = await run_to_end("evaluator", *show, env=STRICT)
            followed = await following.wait_outcome()
        urls = [host.url_of(image.name) for image in IMAGES]

    assert shown.code == followed.code == 0
    assert shown.errors == followed.errors == []
    assert "signature=" in host.signed_url_of(IMAGES[0].name)
    assert not any("signature=" in line for line in (*shown.lines, *followed.lines))

    told = events(shown.lines)
    assert [message["event"] for message in told[:2]] == ["registered", "connected"]
    acks = sorted(named("acked", told), key=lambda ack: ack["imageIndex"])
    assert [ack["imageUrl"] for ack in acks] == urls
    assert [ack["name"] for ack in acks] == [image.name for image in IMAGES]
    assert all(ack["roundTripMs"] > 0 and ack["copies"] >= 1 for ack in acks)
    summary = told[-1]
    assert (summary["event"], summary["shown"], summary["acked"]) == ("summary", 10, 10)
    trips = [ack["roundTripMs"] for ack in acks]
    assert summary["roundTripMs"]["max"] == max(trips)
    assert min(trips) <= summary["roundTripMs"]["median"] <= max(trips)

    heard = events(followed.lines)
    [session] = named("session", heard)
    assert session["sessionId"] == told[1]["sessionId"]
    assert session["evaluatorId"] == session["evaluatorName"] == "evaluator-of-json"
    images = named("image", heard)
    assert [image["imageUrl"] for image in images] == urls
    assert all(before["sentAt"] < after["sentAt"] for before, after in pairwise(images))
    for kind in ("sentAt", "receivedAt"):
        assert [image[kind] for image in images] == [ack[kind] for ack in acks]
    sizes = {fetch["imageIndex"]: fetch["bytes"] for fetch in named("fetched", heard)}
    assert sizes == {index: image.stat().st_size for index, image in enumerate(IMAGES)}
    assert heard[-1]["event"] == "ended"
    assert heard[-1]["reason"] == "ended"


# ── a person drives ──────────────────────────────────────────────────────────────────────────────


async def test_lines_on_stdin_drive_the_session_and_what_makes_no_sense_is_refused(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "lines", "--json", str(SAMPLES))
    async with (
        open_onlooker(relay_url, "lines") as onlooker,
        open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        for line, index in [("next", 0), ("next", 1), ("prev", 0), ("goto 3", 3), ("  next ", 4)]:
            await showing.write(f"{line}\n")
            assert await wait_ack(showing) == index
        for line, why in [
            ("goto 99", "there is no image 99; they go from 0 to 9"),
            ("again", "unknown command 'again'; known are: next, prev, goto N (from 0), end"),
        ]:
            await showing.write(f"{line}\n")
            assert (await showing.wait_event("refused"))["reason"] == why
        await showing.write("\nend\nnext\n")
        outcome = await showing.wait_outcome()

    assert onlooker.indices == [0, 1, 0, 3, 4]
    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 0
    assert outcome.errors == []
    [summary] = events(outcome.lines)
    assert (summary["event"], summary["shown"], summary["acked"]) == ("summary", 5, 5)


async def test_lines_that_come_together_are_obeyed_in_their_order(relay_url: str) -> None:
    show = evaluator(relay_url, "burst", "--json", str(SAMPLES))
    series = [0, 1, 2]
    async with (
        open_onlooker(relay_url, "burst") as onlooker,
        open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.wait_event("connected")
        # More than once, because Trio takes tasks that are ready together in any order.
        for _ in range(8):
            await showing.write("".join(f"goto {index}\n" for index in series))
            acked = [await wait_ack(showing) for _ in series]
            assert sorted(acked) == series
        await showing.close_stdin()
        assert (await showing.wait_outcome()).code == 0

    assert onlooker.indices == 8 * series


async def test_closing_stdin_ends_the_session_after_a_last_line_without_its_end(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "eof", str(SAMPLES))
    async with (
        open_onlooker(relay_url, "eof") as onlooker,
        open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.write("goto 2\nnext")
        await showing.close_stdin()
        outcome = await showing.wait_outcome()

    assert onlooker.indices == [2, 3]
    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 0
    assert outcome.errors == []
    assert outcome.lines[-1].startswith("2 images shown, 2 acked; ")


async def test_an_evaluator_without_any_stdin_shows_nothing_and_ends_in_good_order(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "no-stdin", str(SAMPLES))
    async with open_onlooker(relay_url, "no-stdin") as onlooker:
        outcome = await run_to_end("evaluator", "sh", "-c", 'exec "$@" <&-', "sh", *show)

    assert onlooker.end_reason is EndReason.ENDED
    assert outcome == Outcome(
        0, ["connected to no-stdin; 10 images", "0 images shown, 0 acked"], []
    )


@attrs.frozen
class Terminal:
    """A terminal with a person's end, where keys are pressed, and a program's."""

    keys: int
    program: int
    as_it_was: list[Any]

    def press(self, keys: str) -> None:
        os.write(self.keys, keys.encode())

    @property
    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self.program)

    @property
    def gives_single_keys(self) -> bool:
        return not self.attributes[3] & termios.ICANON


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    keys, program = pty.openpty()
    try:
        yield Terminal(keys, program, termios.tcgetattr(program))
    finally:
        os.close(keys)
        os.close(program)


@asynccontextmanager
async def open_at_terminal(url: str, user: str) -> AsyncIterator[tuple[Child, Terminal]]:
    """An evaluator that waits for keys."""
    show = evaluator(url, user, "--json", str(SAMPLES))
    with open_terminal() as terminal:
        async with open_child("evaluator", *show, env=STRICT, stdin=terminal.program) as showing:
            await showing.wait_event("connected")
            # Keys that are pressed before would be thrown away.
            await wait_until(lambda: terminal.gives_single_keys, "a terminal for single keys")
            yield showing, terminal


async def test_single_keys_drive_the_session_on_a_terminal_which_is_left_as_it_was(
    relay_url: str,
) -> None:
    async with (
        open_onlooker(relay_url, "keys") as onlooker,
        open_at_terminal(relay_url, "keys") as (showing, terminal),
    ):
        for keys, index in [("n", 0), (" ", 1), ("p", 0), ("3\n", 3), ("x\n", 4)]:
            terminal.press(keys)
            assert await wait_ack(showing) == index
        terminal.press("99\n")
        await showing.wait_event("refused")
        terminal.press("q")
        outcome = await showing.wait_outcome()
        assert terminal.attributes == terminal.as_it_was

    assert onlooker.indices == [0, 1, 0, 3, 4]
    assert outcome.code == 0
    assert outcome.errors == []
    assert events(outcome.lines)[-1]["event"] == "summary"


async def test_ctrl_c_ends_the_session_and_leaves_the_terminal_as_it_was(
    relay_url: str,
) -> None:
    async with (
        open_onlooker(relay_url, "ctrl-c") as onlooker,
        open_at_terminal(relay_url, "ctrl-c") as (showing, terminal),
    ):
        terminal.press("n")
        assert await wait_ack(showing) == 0
        showing.process.send_signal(signal.SIGINT)
        outcome = await showing.wait_outcome()
        assert terminal.attributes == terminal.as_it_was

    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 130
    assert outcome.errors == []
    assert events(outcome.lines)[-1]["event"] == "summary"


# ── the relay ────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_outlives_the_relay_and_both_peers_come_back_to_its_successor() -> None:
    image = ImageRef(0, "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=x", "a.png")
    async with open_child("relay", *our_relay(), env=STRICT) as relay:
        line = await relay.wait_line(START_S)
        assert re.fullmatch(r"listening on ws://127\.0\.0\.1:\d+/ws", line)
        url = line.removeprefix(LISTENING)
        async with (
            open_child("client", *client(url, "C", "--json")) as following,
            open_evaluator(url, user_id="first", ice_addresses=[LOOPBACK]) as first,
        ):
            await following.wait_event("registered")
            async with first.open_session("C") as session:
                with trio.fail_after(SESSION_S):
                    await session.show(image)
                relay.process.terminate()
                assert await relay.wait_exit(RELAY_EXIT_S) == 0
                with trio.fail_after(SESSION_S):
                    await session.show(image)
                    await session.show(image)
            # It could not be told of the end; the channel was.
            assert (await following.wait_event("ended"))["reason"] == "ended"

            port = url.rpartition(":")[2].removesuffix("/ws")
            async with open_child("relay", *our_relay("--port", port), env=STRICT) as successor:
                assert await successor.wait_line(START_S) == line
                await _wait_available(url, "C")
                show = evaluator(url, "C", "--every", "0.02", "--json", str(SAMPLES))
                second = await run_to_end("second evaluator", *show, env=STRICT)
                assert second.code == 0
                assert events(second.lines)[-1]["acked"] == len(IMAGES)
                assert (await following.wait_event("ended"))["reason"] == "ended"

                with trio.fail_after(SESSION_S):
                    await _show_when_back(first, image)

                successor.process.send_signal(signal.SIGINT)
                assert await successor.wait_exit(RELAY_EXIT_S) == 0


async def _wait_available(url: str, user: str) -> None:
    async with open_evaluator(url, user_id="onlooker") as onlooker:
        await wait_until(lambda: user in onlooker.clients, f"{user} at the relay", START_S)


async def _show_when_back(evaluator: Evaluator, image: ImageRef) -> None:
    while True:
        try:
            async with evaluator.open_session("C") as session:
                await session.show(image)
                return
        except SignallingLost:
            await trio.sleep(LOOK_AGAIN_S)


# ── entry points, help, usage ────────────────────────────────────────────────────────────────────

COMMANDS = ("demo", "relay", "evaluator", "client")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The console script, as installers make it of what the project declares."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["imgsync"].partition(":")
    path = tmp_path / "imgsync"
    path.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    return path


async def test_each_way_to_start_a_command_knows_its_help_and_its_name(script: Path) -> None:
    lines = {
        "imgsync --help": (str(script), "--help"),
        "imgsync --version": (str(script), "--version"),
        "imgsync relay --help": (str(script), "relay", "--help"),
        "python -m imgsync --help": ("-m", "imgsync", "--help"),
        "python -m imgsync --version": ("-m", "imgsync", "--version"),
    }
    for name in ("demo", "evaluator", "client"):
        lines[f"python -m imgsync {name} --help"] = ("-m", "imgsync", name, "--help")
    for name in ("relay", "evaluator", "client"):
        lines[f"python -m imgsync.{name} --help"] = ("-m", f"imgsync.{name}", "--help")
    outcomes = await run_together(
        {
            line: partial(run_to_end, line, sys.executable, *words, env=STRICT)
            for line, words in lines.items()
        }
    )

    for line, outcome in outcomes.items():
        assert outcome.code == 0, line
        assert outcome.errors == [], line
        if line.endswith("--version"):
            assert outcome.lines == [f"imgsync {__version__}"]
        else:
            # However it is started, as a part of `imgsync` it has that name.
            prog = line.removesuffix(" --help").replace("python -m imgsync", "imgsync")
            prog = prog.replace("imgsync.", "python -m imgsync.")
            assert outcome.lines[0].startswith(f"usage: {prog} [-h]"), line
    overview = "\n".join(outcomes["imgsync --help"].lines)
    assert all(f"  {name} " in overview for name in COMMANDS)


async def test_wrong_usage_is_told_with_the_name_of_the_command_and_exit_code_2() -> None:
    lines = [
        "",
        "nonsense",
        "relay --port seven",
        "client --relay ws://127.0.0.1:9/ws",
        "client --relay ws://127.0.0.1:9/ws --user C --ever 3",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --every 0 .",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --every soon .",
        "demo one two",
    ]
    outcomes = await run_together(
        {line: partial(run_to_end, line, *imgsync(*line.split()), env=STRICT) for line in lines}
    )

    for line, outcome in outcomes.items():
        command = line.split()[0] if line.startswith(COMMANDS) else ""
        prog = f"imgsync {command}".strip()
        assert outcome.code == 2, line
        assert outcome.lines == [], line
        assert outcome.errors[0].startswith(f"usage: {prog} ["), line
        assert outcome.errors[-1].startswith(f"{prog}: error: "), line
        assert "Traceback" not in "\n".join(outcome.errors), line


# ── whoever reads our output has gone ────────────────────────────────────────────────────────────


async def test_a_relay_whose_first_line_nobody_takes_ends_without_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with trio.fail_after(SESSION_S):
            done = await trio.run_process(
                our_relay(), stdout=writer, capture_stderr=True, check=False, env=STRICT
            )
    finally:
        os.close(writer)
    errors = done.stderr.decode().splitlines()
    assert [line for line in errors if " INFO " not in line] == []
    assert done.returncode == 1


async def test_an_evaluator_whose_reader_goes_ends_the_session_without_a_traceback(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "unread", str(SAMPLES))
    async with (
        open_onlooker(relay_url, "unread") as onlooker,
        open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.wait_line(START_S)
        await showing.close_stdout()
        await showing.write("next\n" * 5)
        assert await showing.wait_exit() == 1
        assert showing.read_errors() == ""

    assert onlooker.end_reason is EndReason.ENDED


async def test_a_client_whose_reader_goes_ends_the_session_without_a_traceback(
    relay_url: str,
) -> None:
    async with (
        open_child("client", *client(relay_url, "deaf", "--json"), env=STRICT) as following,
        open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as evaluator,
    ):
        await following.wait_event("registered")
        async with evaluator.open_session("deaf") as session:
            await following.wait_event("session")
            await following.close_stdout()
            image = ImageRef(0, "http://127.0.0.1:9/a", "http://127.0.0.1:9/a", "a")
            with trio.move_on_after(EXIT_S):
                async with trio.open_nursery() as nursery:
                    for _ in range(5):
                        nursery.start_soon(session.show, image)
                    nursery.cancel_scope.cancel()
            with trio.fail_after(EXIT_S):
                assert await session.wait_ended() is EndReason.ENDED
        assert await following.wait_exit() == 1
        assert following.read_errors() == ""
