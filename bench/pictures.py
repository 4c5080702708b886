"""How fast do pictures come over the connection, and how late is what is said beside them?

An evaluator sends pictures of noise to a client, each a process of its own, and shows an image
every EVERY s meanwhile, whose ack is timed. `ours` is the library at both ends: from the order to
announce a picture of a folder until the client has all of it and has checked it. The two others
are stock aiortc, on a second channel as well: `at once` gives it all that there is to send, `128
KiB` never has more than that on its way, as the other side acknowledges. They take turns, each in
new processes in each round, and the figures are medians of the rounds.

The two are in network namespaces of their own, and between them is the wire of the tests, in a
process that others don't hold up: it delays, loses and limits what passes. `loopback` has both in
one namespace, and no wire. A limited line has ROOM bytes for what waits, and LINE_RTT.

`idle` and `ack` are the 50th and the 99th percentile from an image to its ack, before and
meanwhile; `sender` and `receiver` by how much these processes grew meanwhile, at the most, MB. Exit
code 1 where a target is missed. Needs root, for the namespaces.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import harness
import pytest
import trio

if TYPE_CHECKING:
    from tests.faults.hosts import Hosts
    from tests.kit.processes import Child

IDLE_S = 2.0
EVERY = 0.05  # s
EVERY_OF_CROWD = 0.5  # s; twenty clients are not shown twenty images a second each
WINDOW = 128 << 10
ROOM = 256_000  # bytes
LINE_RTT = 0.02  # s
WITHIN = 240.0  # s, for each answer
MB = 1_000_000

VARIANTS = {"at once": None, "128 KiB": WINDOW, "ours": None}


@attrs.frozen
class Case:
    """What lies between the two, how much is sent, and what we want of it.

    :param rtt: s
    :param rate: bytes/s, either way.
    :param at_once: the least ratio to what is queued at once, and `windowed` to the other.
    :param ack: the most that the 99th percentile may be, ms: `times` that of the idle line and
        `plus`.
    """

    name: str
    size: int = 20 * MB
    rtt: float = 0.0
    loss: float = 0.0
    rate: float = math.inf
    clients: int = 1
    at_once: float | None = None
    windowed: float | None = None
    times: float = 2.0
    plus: float = 10.0

    @property
    def has_wire(self) -> bool:
        return self.rtt > 0 or self.loss > 0 or self.rate < math.inf

    @property
    def every(self) -> float:
        return EVERY if self.clients == 1 else EVERY_OF_CROWD


CASES = (
    Case("loopback", at_once=1.0, windowed=0.7),
    Case("30 ms", rtt=0.03, at_once=0.75),
    Case("100 ms", rtt=0.1, at_once=0.75),
    Case("1 % lost", loss=0.01, at_once=0.7, times=0, plus=600),
    Case("10 Mbit/s", size=8 * MB, rate=10e6 / 8, rtt=LINE_RTT),
    Case("2 Mbit/s", size=2 * MB, rate=2e6 / 8, rtt=LINE_RTT, plus=120),
    Case("20 clients", size=MB, clients=20, times=0, plus=150),
)

ROUNDS = 5
QUICK_CASES = ("30 ms",)
QUICK_SHARE = 10
"""A quick round sends so much less."""

SENDER_MB = 2.0
RECEIVER_MB = 2.0  # over one picture for each client


@attrs.frozen
class Trial:
    """What was seen in one round; MB/s, ms and MB."""

    speed: float
    idle: list[float]
    ack: list[float]
    sender: float
    receiver: float


class Memory:
    """By how much a process grows at the most. See proc(5) on clear_refs."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._before = self._read("VmRSS")
        (self._folder / "clear_refs").write_text("5")

    def measure(self) -> float:
        """MB since it was made."""
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> float:
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / MB
        raise AssertionError(f"{name} is missing")


@attrs.frozen
class Pair:
    """An evaluator and a client that are connected."""

    evaluator: Child
    client: Child
    case: Case

    async def run(self, window: int | None) -> Trial:
        """Idle first, then the pictures."""
        case = self.case
        await ask(self.evaluator, do="talk", every=case.every)
        await trio.sleep(IDLE_S * (1 if case.clients == 1 else 2))
        idle = await ask(self.evaluator, do="hush")
        memories = [Memory(child.process.pid) for child in (self.evaluator, self.client)]
        await ask(self.evaluator, do="talk", every=case.every)
        begun = await ask(self.evaluator, do="send", bytes=case.size, window=window)
        ends = [json.loads(await self.client.wait_line(WITHIN)) for _ in range(case.clients)]
        # Those that are still on their way are waited for.
        acks = await ask(self.evaluator, do="hush")
        took = max(end["at"] for end in ends) - begun["at"]
        sender, receiver = (memory.measure() for memory in memories)
        sent = case.clients * begun["bytes"]
        return Trial(sent / MB / took, idle, acks, sender, receiver)


async def ask(child: Child, **command: Any) -> Any:
    """A command, and its answer."""
    await child.write(json.dumps(command) + "\n")
    return json.loads(await child.wait_line(WITHIN))


@attrs.frozen
class Scene:
    """Where the processes are started."""

    hosts: Hosts
    folder: Path

    async def set_wire(self, case: Case) -> None:
        await self.hosts.delay(case.rtt / 2)
        await self.hosts.lose(case.loss)
        await self.hosts.limit(case.rate, ROOM)

    async def measure(self, case: Case, variant: str) -> Trial:
        window = VARIANTS[variant]
        if variant == "ours":
            async with self._open_ours(case) as pair:
                return await pair.run(window)
        async with self._open_bare(case, window) as pair:
            return await pair.run(window)

    def _prefix(self, case: Case, role: str) -> tuple[str, ...]:
        return self.hosts.on(role if case.has_wire else "evaluator")

    @contextlib.asynccontextmanager
    async def _open(self, case: Case, role: str, *words: str) -> AsyncIterator[Child]:
        from tests.kit.processes import open_child

        command = (*self._prefix(case, role), sys.executable, *words)
        # So that the bench runs from a checkout that isn't installed.
        env = os.environ | {"PYTHONPATH": str(harness.BENCH.parent)}
        async with open_child(role, *command, env=env, stdin=subprocess.PIPE) as child:
            yield child

    @contextlib.asynccontextmanager
    async def _open_bare(self, case: Case, window: int | None) -> AsyncIterator[Pair]:
        script = str(harness.BENCH / "pictures_bare.py")
        async with (
            self._open(case, "client", script, "client") as client,
            self._open(case, "evaluator", script, "evaluator") as evaluator,
        ):
            offers = await ask(evaluator, do="offer", count=case.clients)
            answers = await ask(client, do="answer", sdp=offers, bytes=case.size, window=window)
            await ask(evaluator, do="accept", sdp=answers)
            yield Pair(evaluator, client, case)

    @contextlib.asynccontextmanager
    async def _open_ours(self, case: Case) -> AsyncIterator[Pair]:
        from tests.faults.hosts import ADDRESSES
        from tests.kit.processes import LISTENING

        script = str(harness.BENCH / "pictures_ours.py")
        options = ("--host", ADDRESSES["evaluator"], "--port", "0", "--stun", "none", "--no-auth")
        async with self._open(case, "evaluator", "-m", "imgsync.relay", *options) as relay:
            url = (await relay.wait_line(harness.ANSWER_WITHIN)).removeprefix(LISTENING)
            with tempfile.TemporaryDirectory(dir=self.folder) as pictures:
                words = (url, str(case.clients))
                async with (
                    self._open(case, "client", script, "client", *words) as client,
                    self._open(case, "evaluator", script, "evaluator", *words, pictures) as peer,
                ):
                    await ask(client, do="hello")
                    await ask(peer, do="open", bytes=case.size)
                    yield Pair(peer, client, case)


# ── the figures ──────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Row:
    """Medians of one variant in one case."""

    case: Case
    variant: str
    trials: list[Trial]

    def median(self, name: str) -> float:
        found: float = statistics.median(getattr(trial, name) for trial in self.trials)
        return found

    def percentile(self, name: str, percent: float) -> float:
        """The median of what each round has for it."""
        return statistics.median(
            harness.percentile(getattr(trial, name), percent) for trial in self.trials
        )

    def figures(self) -> dict[str, Any]:
        times = {
            f"{name}_p{percent}": round(self.percentile(name, percent), 1)
            for name in ("idle", "ack")
            for percent in (50, 99)
        }
        speed = round(self.median("speed"), 3)
        grown = {name: round(self.median(name), 1) for name in ("sender", "receiver")}
        return {"case": self.case.name, "variant": self.variant, "mb_s": speed, **times, **grown}


def judge(case: Case, rows: dict[str, Row]) -> list[dict[str, Any]]:
    """Each target of a case, what was reached, and whether that will do."""
    ours, found = rows["ours"], []

    def add(what: str, reached: float, target: float, *, is_most: bool) -> None:
        is_met = reached <= target if is_most else reached >= target
        found.append(
            {
                "case": case.name,
                "what": what,
                "reached": round(reached, 2),
                "target": round(target, 2),
                "is_most": is_most,
                "is_met": is_met,
            }
        )

    for variant, least in (("at once", case.at_once), ("128 KiB", case.windowed)):
        if least is not None and variant in rows:
            ratio = ours.median("speed") / rows[variant].median("speed")
            add(f"ratio to {variant}", ratio, least, is_most=False)
    most = case.times * ours.percentile("idle", 99) + case.plus
    add("p99 of acks, ms", ours.percentile("ack", 99), most, is_most=True)
    add("growth of the sender, MB", ours.median("sender"), SENDER_MB, is_most=True)
    receiver = case.clients * (case.size / MB + RECEIVER_MB)
    add("growth of the receiver, MB", ours.median("receiver"), receiver, is_most=True)
    return found


def tables(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A line for each case and variant."""
    heads = ["line", "how", "speed", "image to ack, p99, idle", "meanwhile"]
    cells = [
        [
            row["case"],
            row["variant"],
            [row["mb_s"], "MB/s"],
            [row["idle_p99"], "ms"],
            [row["ack_p99"], "ms"],
        ]
        for row in rows
    ]
    return {"pictures": {"heads": heads, "rows": cells}}


async def measure(scene: Scene, args: argparse.Namespace) -> dict[str, Any]:
    """All cases, in each round each variant of each."""
    trials: dict[tuple[str, str], list[Trial]] = {}
    for number in range(args.rounds):
        for case in args.cases:
            await scene.set_wire(case)
            for variant in args.variants:
                trial = await scene.measure(case, variant)
                trials.setdefault((case.name, variant), []).append(trial)
                print(
                    f"round {number + 1}: {Row(case, variant, [trial]).figures()}", file=sys.stderr
                )
    lines, verdicts = [], []
    for case in args.cases:
        rows = {name: Row(case, name, trials[case.name, name]) for name in args.variants}
        found = judge(case, rows) if "ours" in rows else []
        lines += [row.figures() for row in rows.values()]
        verdicts += found
    return {"rows": lines, "targets": verdicts}


async def run(args: argparse.Namespace) -> dict[str, Any]:
    """Two hosts, and all that happens between them."""
    from tests.faults.hosts import open_hosts

    with tempfile.TemporaryDirectory() as folder:
        async with open_hosts() as hosts:
            figures = await measure(Scene(hosts, Path(folder)), args)
    return {"bench": "pictures", "rounds": args.rounds, **figures}


def read_args() -> argparse.Namespace:
    parser = harness.make_parser(__doc__)
    names = [case.name for case in CASES]
    parser.add_argument("--rounds", type=int, metavar="N", help="of all that is asked")
    parser.add_argument("--cases", nargs="+", choices=names, metavar="CASE")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    args = parser.parse_args()
    if args.rounds is None:
        args.rounds = 1 if args.quick else ROUNDS
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    if args.cases is None:
        args.cases = QUICK_CASES if args.quick else names
    args.cases = [case for case in CASES if case.name in args.cases]
    if args.quick:
        args.cases = [attrs.evolve(case, size=case.size // QUICK_SHARE) for case in args.cases]
    return args


def main() -> None:
    args = read_args()
    harness.clean_up_on_kill()
    harness.use_tests()
    try:
        figures = trio.run(run, args)
    except pytest.skip.Exception as exc:
        raise harness.BenchError(str(exc)) from None
    harness.emit(figures | {"tables": tables(figures["rows"])}, args.json)
    missed = [target for target in figures["targets"] if not target["is_met"]]
    for target in missed:
        sign = "<=" if target["is_most"] else ">="
        what = f"{target['case']}, {target['what']}"
        print(f"{what}: {target['reached']}, not {sign} {target['target']}", file=sys.stderr)
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    harness.run(main)
