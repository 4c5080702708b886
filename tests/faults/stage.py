"""A session of real commands that things are done to, and what each of them has said of it when.

All processes are on one machine, so that their times are of one clock.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import trio

from imgsync.tasks import open_background
from tests.kit.forks import open_fork
from tests.kit.processes import EXIT_S, JSON, LISTENING, SAMPLES, START_S, STRICT, Child, open_child

HERE = ("--ice-address", "127.0.0.1")

EVERY_S = 0.2

LOST_S = 10.0
"""Seconds in which the end of the other side has to be told of."""

RETURN_S = 3.0
"""Seconds in which a process that is started again has to be back in its session; its own start
included where the machine is quiet, and else from when it is registered."""


_STARTING = trio.lowlevel.RunVar[trio.Semaphore]("processes that load")
"""How long a process takes to load is part of what is measured; so not many do so at once."""

MAX_STARTING = 2


def now_ms() -> float:
    return 1000 * time.time()


@attrs.define(eq=False)
class Witness:
    """A command whose JSON lines are kept as they come, each with `seen`, the time at which."""

    child: Child
    #: When it was started.
    started: float = attrs.field(factory=now_ms)
    told: list[JSON] = attrs.field(factory=list)
    is_silent: bool = False
    #: Of the next line, or the end of them.
    news: trio.Event = attrs.field(factory=trio.Event)

    async def listen(self) -> None:
        assert self.child.process.stdout is not None
        unread = b""
        async for chunk in self.child.process.stdout:
            *lines, unread = (unread + chunk).split(b"\n")
            self.told += [{**json.loads(line), "seen": now_ms()} for line in lines]
            self._tell()
        self.is_silent = True
        self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = trio.Event()

    def all(self, event: str, since: float = 0.0) -> list[JSON]:
        return [line for line in self.told if line["event"] == event and line["seen"] >= since]

    @property
    def states(self) -> list[str]:
        return [line["state"] for line in self.all("state")]

    async def wait(
        self,
        event: str,
        is_it: Callable[[JSON], bool] = lambda _: True,
        *,
        since: float = 0.0,
        seconds: float = START_S,
    ) -> JSON:
        """The first line since then with this event that is it, said already or not."""
        with trio.move_on_after(seconds):
            while True:
                for line in self.all(event, since):
                    if is_it(line):
                        return line
                if self.is_silent:
                    break
                await self.news.wait()
        name, last = self.child.name, self.told[-5:]
        raise AssertionError(f"no {event!r} from the {name} within {seconds} s; its last: {last}")

    async def wait_state(self, *states: str, since: float = 0.0, seconds: float = START_S) -> JSON:
        """The first of these states since then."""
        return await self.wait(
            "state", lambda line: line["state"] in states, since=since, seconds=seconds
        )

    def signal(self, number: signal.Signals) -> float:
        """Send it a signal; returns the time."""
        self.child.process.send_signal(number)
        return now_ms()

    async def kill(self) -> float:
        at = self.signal(signal.SIGKILL)
        await self.child.wait_exit()
        return at

    async def wait_exit(self, seconds: float = EXIT_S) -> int:
        """Its exit code, once all that it said is here."""
        code = await self.child.wait_exit(seconds)
        while not self.is_silent:
            await self.news.wait()
        return code


@attrs.define(eq=False)
class Stage:
    """Where the processes of one test live. Made by `open_stage`.

    :param options: what both peers are told besides.
    """

    stack: AsyncExitStack
    nursery: trio.Nursery
    options: Sequence[str]
    url: str = ""

    @property
    def port(self) -> int:
        """Of the relay, or of the last one."""
        port = urlsplit(self.url).port
        assert port is not None
        return port

    async def start(
        self,
        name: str,
        *command: str,
        stdin: int = subprocess.DEVNULL,
        network: str | None = None,
        env: Mapping[str, str] = STRICT,
        is_loaded: bool = True,
    ) -> Witness:
        """Start a process when its turn has come.

        :param network: the namespace that it runs in, of a fork; ours by default.
        :param is_loaded: it is a fork, whose start is not what the test is about.
        """
        opening = _opening(network, is_loaded)
        starting = _starting()
        await starting.acquire()
        try:
            child = await self.stack.enter_async_context(
                opening(name, *command, env=env, stdin=stdin)
            )
        except BaseException:
            starting.release()
            raise
        witness = Witness(child)
        self.nursery.start_soon(witness.listen)
        self.nursery.start_soon(_release_when_loaded, witness, starting)
        return witness

    async def start_relay(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        logs: str = "text",
        servers: Sequence[str] = ("--stun", "none"),
        network: str | None = None,
        is_loaded: bool = True,
    ) -> Child:
        """Wait until it listens, and let all that start from now on use it."""
        where = ("--host", host, "--port", str(port), *servers, "--no-auth")
        words = (sys.executable, "-m", "imgsync.relay", *where, "--log-format", logs)
        async with _starting():
            child = _opening(network, is_loaded)("relay", *words, env=STRICT)
            relay = await self.stack.enter_async_context(child)
            line = await relay.wait_line(START_S)
        assert line.startswith(LISTENING)
        self.url = line.removeprefix(LISTENING)
        return relay

    async def start_client(
        self,
        options: Sequence[str] = (),
        network: str | None = None,
        env: Mapping[str, str] = STRICT,
        is_loaded: bool = True,
    ) -> Witness:
        words = (sys.executable, "-m", "imgsync.client", "--user", "C", *options)
        command = (*words, *self._common(self.url))
        return await self.start("client", *command, network=network, env=env, is_loaded=is_loaded)

    async def start_evaluator(
        self,
        *,
        source: Path,
        every: float | None,
        url: str | None = None,
        network: str | None = None,
        is_loaded: bool = True,
    ) -> Witness:
        """With stdin to drive it where it shows nothing by the clock.

        :param url: where it finds the relay, if not where that listens.
        """
        peers = ("--user", "E", "--client", "C")
        pace = () if every is None else ("--every", str(every))
        words = (sys.executable, "-m", "imgsync.evaluator", *peers, *pace, str(source))
        stdin = subprocess.PIPE if every is None else subprocess.DEVNULL
        command = (*words, *self._common(url or self.url))
        return await self.start(
            "evaluator", *command, stdin=stdin, network=network, is_loaded=is_loaded
        )

    def _common(self, url: str) -> tuple[str, ...]:
        return ("--relay", url, "--json", *self.options)


def _opening(
    network: str | None, is_loaded: bool
) -> Callable[..., AbstractAsyncContextManager[Child]]:
    """How to start a command."""
    if is_loaded:
        return partial(open_fork, network=network)
    assert network is None
    return open_child


def _starting() -> trio.Semaphore:
    try:
        return _STARTING.get()
    except LookupError:
        starting = trio.Semaphore(MAX_STARTING)
        _STARTING.set(starting)
        return starting


async def _release_when_loaded(witness: Witness, starting: trio.Semaphore) -> None:
    try:
        with trio.move_on_after(START_S):
            while not witness.told and not witness.is_silent:
                await witness.news.wait()
    finally:
        starting.release()


@asynccontextmanager
async def open_stage(*options: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack, open_background() as nursery:
        yield Stage(stack, nursery, options)


async def open_session(
    stage: Stage,
    source: Path = SAMPLES,
    every: float | None = None,
    url: str | None = None,
    is_loaded: bool = True,
) -> tuple[Witness, Witness]:
    """An evaluator and a client in a session at the stage's relay, one image shown.

    :param is_loaded: they are forks, as nobody judges how they start.
    """
    client = await stage.start_client(is_loaded=is_loaded)
    await client.wait("registered")
    evaluator = await stage.start_evaluator(
        source=source, every=every, url=url, is_loaded=is_loaded
    )
    await evaluator.wait("connected")
    if every is None:
        await evaluator.child.write("next\n")
    await evaluator.wait("acked")
    # Acked it is first, and told of then: who is killed in between could not say so any more.
    await client.wait("image")
    return evaluator, client


async def show_next(evaluator: Witness, seconds: float = 5.0) -> None:
    """Show one more image and see it acked."""
    since = now_ms()
    await evaluator.child.write("next\n")
    await evaluator.wait("acked", since=since, seconds=seconds)


async def kill_client(evaluator: Witness, client: Witness) -> float:
    """Kill it once it has said what it has acked, which it does afterwards; returns when."""
    last = evaluator.all("acked")[-1]["sentAt"]
    await client.wait("image", lambda line: line["sentAt"] == last)
    return await client.kill()


async def wait_return(heir: Witness, seconds: float = RETURN_S) -> tuple[JSON, float]:
    """The first image that a client sees which was started again, and how long that took it."""
    registered = await heir.wait("registered")
    again = await heir.wait("image", seconds=seconds)
    return again, (again["receivedAt"] - registered["seen"]) / 1000


async def end_session(evaluator: Witness, seconds: float = EXIT_S) -> int:
    """Its exit code; before it goes, what it has shown is still sent."""
    await evaluator.child.write("end\n")
    return await evaluator.wait_exit(seconds)


def make_series(folder: Path, count: int) -> Path:
    """A manifest of so many images, which nobody serves: what is followed here is the session."""
    urls = [f"http://127.0.0.1:9/{number:03}.png" for number in range(count)]
    manifest = folder / "series.json"
    manifest.write_text(json.dumps([{"imageUrl": url, "signedUrl": url} for url in urls]))
    return manifest


# ── what has to be so, whatever happened ─────────────────────────────────────────────────────────


def assert_true_account(evaluator: Witness, *clients: Witness) -> tuple[int, int]:
    """Nothing acked that was not there, nothing twice, nothing lost without a word.

    Returns how many were acked and how many were not.

    :param clients: the processes that were the client, one after the other.
    """
    for client in clients:
        times = [line["sentAt"] for line in client.all("image")]
        assert times == sorted(set(times)), "an image twice, or out of order"
    reported = {line["sentAt"]: line["imageIndex"] for c in clients for line in c.all("image")}
    acked = evaluator.all("acked")
    assert len({line["sentAt"] for line in acked}) == len(acked)
    for line in acked:
        assert reported.get(line["sentAt"]) == line["imageIndex"], line
    not_acked = evaluator.all("not_acked")
    assert all(line["reason"] for line in not_acked)
    [summary] = evaluator.all("summary")
    assert summary["acked"] == len(acked)
    assert summary["sent"] == len(acked) + len(not_acked)
    return len(acked), len(not_acked)


def assert_uninterrupted(*witnesses: Witness) -> None:
    """On a machine that has no time for them, two sides may suspect each other for a moment."""
    for witness in witnesses:
        assert set(witness.states) <= {"suspect", "connected"}


def latest(client: Witness, since: float) -> float:
    """By how many ms the slowest image since then was slower than is usual in this session."""
    ways = [line["receivedAt"] - line["sentAt"] for line in client.all("image")]
    later = [line["receivedAt"] - line["sentAt"] for line in client.all("image", since)]
    worst: float = max(later) - statistics.median(ways)
    return worst


def tell(what: str, **figures: float) -> None:
    """For whoever runs the tests with -s."""
    told = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in figures.items())
    print(f"\n    {what}: {told}")
