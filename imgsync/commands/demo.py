"""`imgsync demo`: relay, evaluator and client on loopback, with real pictures.

It starts the very commands that a person would, reads their events as JSON, and puts the two
sides together: an image counts when the evaluator has its ack and the client has its bytes. With
`--browser` the client is the page that the relay serves, and an image counts when it was on the
screen there.
"""

import argparse
import math
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import attrs
import trio

import imgsync
from imgsync.commands.common import EXIT_FAILED, WAYS, make_folder, run_command
from imgsync.commands.events import (
    Acked,
    AtDoor,
    Connected,
    Fetched,
    FetchFailed,
    LeftOut,
    PeerEvent,
    SeriesSummary,
    SessionOver,
    Stage,
    State,
    Waiting,
)
from imgsync.commands.groups import OWN_GROUP
from imgsync.commands.output import print_line
from imgsync.core.codec.strict import parse_json, structure
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.errors import ImgsyncError
from imgsync.core.protocol.states import SessionState
from imgsync.distribution import missing_extra
from imgsync.tasks import Pull

SAMPLES = Path(imgsync.__file__).parent / "samples"
EVERY, EVERY_IN_BROWSER = 0.2, 1.5
"""Seconds from one image to the next, for a program and for a person."""

LAUNCH_DEADLINE = 20.0
STOP_DEADLINE = 6.0
COME_BACK_DEADLINE = 10.0
"""Seconds for a page that was reloaded, or closed by mistake."""

LOOPBACK = "127.0.0.1"
CLIENT = "demo-client"
PEERS = ("evaluator", "client")


@attrs.frozen
class _Named:
    """What every event has."""

    event: str


_CLASSES: dict[str, type[Any]] = {cls.EVENT: cls for cls in get_args(PeerEvent)}


class DemoFailed(ImgsyncError):
    """One of the processes did not do its part."""


@attrs.define
class _Score:
    """What is known of each image, by index.

    :param acked: what the evaluator says of its ack.
    :param arrived: what the client says of it: fetched, or on the screen.
    :param over: how the session has ended at the client, where that is a program.
    """

    acked: dict[int, Acked] = attrs.field(factory=dict)
    arrived: dict[int, Fetched | Stage] = attrs.field(factory=dict)
    failures: dict[int, str] = attrs.field(factory=dict)
    summary: SeriesSummary | None = None
    over: SessionOver | None = None

    def add(self, event: PeerEvent) -> None:
        """Take note of it, and print a line for an image as soon as both sides have theirs."""
        match event:
            case Acked():
                self.acked[event.image_index] = event
                self._print_image(event.image_index)
            case Fetched():
                self.arrived[event.image_index] = event
                self._print_image(event.image_index)
            case Stage(stage=StageKind.SHOWN):
                self.arrived[event.image_index] = event
                # It may have come up in a hidden tab, which somebody has looked at since.
                self.failures.pop(event.image_index, None)
                self._print_image(event.image_index)
            case FetchFailed(reason=str(reason)) | Stage(reason=str(reason)):
                self.failures[event.image_index] = reason
            case SeriesSummary():
                self.summary = event
            case LeftOut():
                print(f"imgsync demo: {event.prose}", file=sys.stderr)
            case _:
                pass

    def _print_image(self, index: int) -> None:
        acked, arrived = self.acked.get(index), self.arrived.get(index)
        if acked is None or arrived is None:
            return
        what = f"{arrived.bytes:>8} bytes" if isinstance(arrived, Fetched) else "on the screen"
        print_line(
            f"image {index:3}  {acked.name:<28} {what}  round trip {acked.round_trip_ms:.1f} ms"
        )


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync demo") -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Show pictures from one process to another, on this machine."
    )
    parser.add_argument(
        "folder", nargs="?", default=str(SAMPLES), metavar="FOLDER", help="pictures of your own"
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="wait for a browser on this machine to open the client page, and show them there",
    )
    parser.add_argument(
        "--pictures",
        choices=WAYS,
        default=WAYS[0],
        help="how they come to the client: auto (the default) and peer send them over the"
        " connection itself, url has them fetched from a web address of this machine",
    )
    parser.add_argument(
        "--log", type=Path, metavar="DIR", help="add the peers' records to files in this folder"
    )
    options = parser.parse_args(arguments)

    async def run() -> int:
        logs = await _make_logs(options.log, ("evaluator",) if options.browser else PEERS)
        if options.pictures == "url" and not options.browser and find_spec("httpx") is None:
            raise missing_extra("the demo's client fetches by URLs with httpx", "cli")
        demonstrate = _demonstrate_in_browser if options.browser else _demonstrate
        code = await demonstrate(options.folder, options.pictures, logs)
        if logs:
            print_line(f"report: {shlex.join(['imgsync', 'report', *logs.values()])}")
        return code

    return run_command(run, prog)


async def _make_logs(folder: Path | None, peers: Sequence[str]) -> dict[str, str]:
    """The files for the peers' records, by peer; none without a folder. Raises InputError."""
    if folder is None:
        return {}
    await make_folder(folder, "--log")
    return {peer: str(folder / f"{peer}.jsonl") for peer in peers}


def _log_options(logs: dict[str, str], peer: str) -> tuple[str, ...]:
    return ("--log", logs[peer]) if peer in logs else ()


async def _demonstrate(folder: str, way: str, logs: dict[str, str]) -> int:
    async with _open_relay() as url:
        here = ("--ice-address", LOOPBACK)
        peer = ("--relay", url, "--json", *here)
        # Not --once, with which it would complain of an end that we have asked the other one for.
        own = ("--user", CLIENT, *_log_options(logs, "client"))
        async with _open_process("client", *peer, *own) as client:
            await client.first_line()
            evaluators = (*here, "--pictures", way, *_log_options(logs, "evaluator"))
            async with _open_evaluator(url, EVERY, folder, *evaluators) as evaluator:
                link = f"client page: {page_of(url, 'you')}, or try: imgsync demo --browser"
                return await _follow(evaluator, client, link)


async def _demonstrate_in_browser(folder: str, way: str, logs: dict[str, str]) -> int:
    options = ("--wait", "--pictures", way, *_log_options(logs, "evaluator"))
    async with (
        _open_relay() as url,
        _open_evaluator(url, EVERY_IN_BROWSER, folder, *options) as evaluator,
    ):
        score = _Score()
        with trio.CancelScope() as present:
            async for line in evaluator.lines:
                event = read_event(line)
                score.add(event)
                match event:
                    case Waiting():
                        print_line(f"open this in a browser: {page_of(url, CLIENT)}")
                    case AtDoor():
                        print_line('the page is there: touch "I am ready" on it')
                    case State():
                        present.deadline = _follow_state(event)
        if present.cancelled_caught:
            raise DemoFailed(f"the page did not come back within {COME_BACK_DEADLINE:g} s")
        code = _conclude(score, "shown")
        # Where it has failed, it has said why.
        return code if await evaluator.process.wait() == 0 else EXIT_FAILED


def _follow_state(event: State) -> float:
    """Print whether the page is there; by when it has to be, on Trio's clock."""
    match event.state:
        case SessionState.SUSPECT:
            print_line("the page does not answer")
        case SessionState.INTERRUPTED:
            print_line(f"the page is away ({event.detail}); open it again to go on")
            return trio.current_time() + COME_BACK_DEADLINE
        case _:
            print_line("the page is there again")
    return math.inf


@asynccontextmanager
async def _open_relay() -> AsyncIterator[str]:
    options = ("--host", LOOPBACK, "--port", "0", "--stun", "none")
    async with _open_process("relay", *options) as relay:
        yield (await relay.first_line()).rpartition(" ")[2]


def _open_evaluator(
    url: str, every: float, folder: str, *options: str
) -> AbstractAsyncContextManager["_Part"]:
    peers = ("--relay", url, "--user", "demo", "--client", CLIENT)
    pace = ("--every", str(every), folder)
    return _open_process("evaluator", *peers, "--json", *options, *pace)


def page_of(relay_url: str, user: str) -> str:
    address = relay_url.removeprefix("ws://").removesuffix("/ws")
    # What a link can't hold as it is, %XX stands for: the pages read it as browsers do a form's.
    return f"http://{address}/client?user={quote(user, safe='')}"


async def _follow(evaluator: "_Part", client: "_Part", link: str) -> int:
    """Print what both sides say, to the end of the session at both; the exit code.

    :param link: what to print first, once there is a session.
    """
    score = _Score()

    def hear(line: str) -> PeerEvent:
        event = read_event(line)
        if isinstance(event, Connected):
            print_line(link)
        score.add(event)
        return event

    async def read_client() -> None:
        async for line in client.lines:
            if isinstance(event := hear(line), SessionOver):
                score.over = event
                return  # it goes on, for whoever might come

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_client)
        async for line in evaluator.lines:
            hear(line)
        if await evaluator.process.wait() != 0 and score.summary is None:
            nursery.cancel_scope.cancel()
            return EXIT_FAILED  # it has said why
        nursery.cancel_scope.deadline = trio.current_time() + STOP_DEADLINE
    code = _conclude(score, "fetched")
    is_good = score.over is not None and score.over.reason.in_good_order
    return code if is_good and evaluator.process.returncode == 0 else EXIT_FAILED


def _conclude(score: _Score, arrived: str) -> int:
    """Print how it went; the exit code.

    :param arrived: in words, what has become of those that have.
    """
    sent = 0 if score.summary is None else score.summary.sent
    for index, reason in score.failures.items():
        print(f"imgsync demo: image {index}: {reason}", file=sys.stderr)
    trip = None if score.summary is None else score.summary.round_trip_ms
    prose = f"{sent} images sent, {len(score.acked)} acked, {len(score.arrived)} {arrived}"
    if trip is not None:
        prose += f"; round trip {trip.median:.1f} ms (longest {trip.max:.1f})"
    print_line(prose)
    complete = sent == len(score.acked) == len(score.arrived) > 0
    return 0 if complete else EXIT_FAILED


def read_event(line: str) -> PeerEvent:
    """What a line of a peer's --json stands for. Raises ValueError."""
    members = parse_json(line)
    cls = _CLASSES.get(structure(members, _Named, "event").event)
    if cls is None:
        raise ValueError("an unknown event")
    event: PeerEvent = structure(members, cls, "event")
    return event


class _Part:
    """One of the three processes, with its stdout as lines."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.lines = Pull(self._next_line)
        self._rest = b""

    async def first_line(self) -> str:
        """What it says once it has started. Raises DemoFailed."""
        with trio.move_on_after(LAUNCH_DEADLINE):
            async for line in self.lines:
                return line
        raise DemoFailed(f"this process did not start: {self.process.args!r}")

    async def _next_line(self) -> str | None:
        assert self.process.stdout is not None
        while b"\n" not in self._rest:
            chunk = await self.process.stdout.receive_some()
            if not chunk:
                return None
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
        **OWN_GROUP,
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
