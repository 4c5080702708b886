"""`imgsync demo`: relay, evaluator and client as three processes on loopback, with real pictures.

It starts the very commands that a person would, reads what they say as JSON, and puts the two
sides together: an image counts when the evaluator has its ack and the client has its bytes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import trio

from imgsync.cli import EXIT_FAILED, Output, run_command
from imgsync.core.errors import ImgsyncError, MissingExtra

SAMPLES = Path(__file__).parent / "samples"
EVERY = 0.2
START_DEADLINE = 20.0
STOP_DEADLINE = 6.0
LOOPBACK = "127.0.0.1"


class DemoFailed(ImgsyncError):
    """One of the three processes did not do its part."""


@attrs.define
class _Score:
    """What the two sides have said of each image, by index."""

    acked: dict[int, dict[str, Any]] = attrs.field(factory=dict)
    fetched: dict[int, dict[str, Any]] = attrs.field(factory=dict)
    failures: list[str] = attrs.field(factory=list)
    summary: dict[str, Any] = attrs.field(factory=dict)


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync demo") -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Show pictures from one process to another, on this machine."
    )
    parser.add_argument(
        "folder", nargs="?", default=str(SAMPLES), metavar="FOLDER", help="pictures of your own"
    )
    folder = parser.parse_args(arguments).folder

    async def run() -> int:
        return await _demonstrate(folder)

    return run_command(run, prog)


async def _demonstrate(folder: str) -> int:
    if find_spec("httpx") is None:
        raise MissingExtra("the demo's client fetches images with httpx", "cli")
    relay_options = ("--host", LOOPBACK, "--port", "0", "--stun", "none")
    async with _open_process("relay", *relay_options) as relay:
        url = (await relay.first_line()).rpartition(" ")[2]
        peer = ("--relay", url, "--json", "--ice-address", LOOPBACK)
        async with _open_process("client", *peer, "--user", "demo-client", "--once") as client:
            await client.first_line()
            series = ("--client", "demo-client", "--every", str(EVERY), folder)
            async with _open_process("evaluator", *peer, "--user", "demo", *series) as evaluator:
                return await _follow(evaluator, client)


async def _follow(evaluator: "_Part", client: "_Part") -> int:
    """Tell what both sides say, to the end of both; the exit code."""
    score = _Score()
    output = Output(as_json=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_read_events, client, score, output)
        await _read_events(evaluator, score, output)
        if await evaluator.process.wait() != 0:
            nursery.cancel_scope.cancel()
            return EXIT_FAILED  # it has said why
        nursery.cancel_scope.deadline = trio.current_time() + STOP_DEADLINE
        await client.process.wait()
    return _conclude(score, client.process.returncode, output)


def _conclude(score: _Score, code: int | None, output: Output) -> int:
    shown = score.summary.get("shown", 0)
    for failure in score.failures:
        print(f"imgsync demo: {failure}", file=sys.stderr)
    trip = score.summary.get("roundTripMs", {})
    prose = f"{shown} images shown, {len(score.acked)} acked, {len(score.fetched)} fetched"
    if trip:
        prose += f"; round trip {trip['median']:.1f} ms (longest {trip['max']:.1f})"
    output.tell(prose, "summary")
    complete = shown == len(score.acked) == len(score.fetched) > 0
    return 0 if complete and code == 0 else EXIT_FAILED


class _Part:
    """One of the three processes, with its stdout as lines.

    An iterator and no generator: one that is left half-way keeps its place and needs no closing.
    """

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._rest = b""

    async def first_line(self) -> str:
        """What it says once it has started. Raises DemoFailed."""
        with trio.move_on_after(START_DEADLINE):
            async for line in self:
                return line
        raise DemoFailed(f"this process did not start: {self.process.args!r}")

    def __aiter__(self) -> "_Part":
        return self

    async def __anext__(self) -> str:
        assert self.process.stdout is not None
        while b"\n" not in self._rest:
            chunk = await self.process.stdout.receive_some()
            if not chunk:
                raise StopAsyncIteration
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


@asynccontextmanager
async def _open_process(command: str, *options: str) -> AsyncIterator[_Part]:
    """One of our commands as a process of its own; a peer's complaints go to our stderr."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "imgsync", command, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # The relay's log would drown what there is to see; what fails there, fails at a peer.
        stderr=subprocess.DEVNULL if command == "relay" else None,
        # Ctrl-C is ours to hear; the three are ended in order.
        start_new_session=True,
    )
    try:
        yield _Part(process)
    finally:
        with trio.move_on_after(STOP_DEADLINE) as scope:
            scope.shield = True
            process.terminate()
            await process.wait()
        if process.returncode is None:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def _read_events(part: _Part, score: _Score, output: Output) -> None:
    async for line in part:
        event = json.loads(line)
        match event["event"]:
            case "acked":
                score.acked[event["imageIndex"]] = event
            case "fetched":
                score.fetched[event["imageIndex"]] = event
            case "fetch_failed":
                score.failures.append(f"image {event['imageIndex']}: {event['reason']}")
            case "summary":
                score.summary = event
        _tell_if_complete(event, score, output)


def _tell_if_complete(event: dict[str, Any], score: _Score, output: Output) -> None:
    """One line for an image as soon as both sides have told of it."""
    index = event.get("imageIndex")
    if event["event"] not in ("acked", "fetched") or index not in score.acked:
        return
    if index in score.fetched:
        acked, fetched = score.acked[index], score.fetched[index]
        output.tell(
            f"image {index:3}  {acked['name']:<28} {fetched['bytes']:>8} bytes"
            f"  round trip {acked['roundTripMs']:.1f} ms",
            "image",
        )
