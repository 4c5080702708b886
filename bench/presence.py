"""What does a crowd that comes and goes cost those who are in a session at the same relay?

Clients that say nothing are registered at one relay, some of which flap: in a block, each leaves
once without a word and returns AWAY later, evenly spread. Evaluators are told of all of them; they
read what they are told, and count it. Meanwhile 20 peers in 10 sessions send signals of about 600
characters both ways, each RATE a second, as in `relay_capacity.py`: latency is the time from before
a signal is encoded to its arrival on the other side, taken by one process. Quiet blocks and
flapping ones take turns. Behind each, all evaluators have to know who is online, and how: exit
code 1 where one does not. The ratio is that of p99, of all signals of a kind together.

Then as many evaluators as ROOM allows are connected, and register at once while the 20 go on;
counted are the signals that are sent from the first `register` until the last one has its list. The
CPU of an evaluator's register is that of the relay's process while the evaluators of the flapping
blocks register, one after the other, less what it spends in a quiet time; the upgrade to a
WebSocket is not in it, and the writing of the list is.

All is on one machine and loopback. The peers that flap and watch are cheap (`crowd.py`), but they,
the idle ones and those that talk share with the kernel what the relay leaves of the cores: on two,
the relay has one for itself, unless something else runs. The relay's share is of one core.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import attrs
import harness

PAIRS = 10
RATE = 10.0  # signals a second of each of the 20
AWAY = 0.5  # s; until who has left returns
QUIET = 1.0  # s; what the relay spends in it is taken off
LEAD = 0.3  # s; signals that are on their way before evaluators register at once
SPARE = 200  # connections; those that have just left count for a moment
TARGET = 3.0  # times the p99

LOAD = str(harness.BENCH / "relay_load.py")


@attrs.frozen
class Extent:
    """How much of it.

    :param idle: clients that stay, and `arrival` the seconds for all of them to come.
    :param flapping: clients that leave and return, in `block` seconds.
    :param watching: evaluators.
    :param registering: those that register at once, `registers` times.
    :param rounds: of quiet and flapping blocks.
    """

    idle: int
    arrival: float
    flapping: int
    block: float
    watching: int
    registering: int
    registers: int
    rounds: int


# As many a second leave in both.
FULL = Extent(3000, 10.0, 1000, 10.0, 100, registering=300, registers=3, rounds=3)
QUICK = Extent(600, 2.0, 200, 2.0, 50, registering=50, registers=1, rounds=1)


@attrs.define
class Scene:
    """A relay, and all that is connected to it."""

    extent: Extent
    url: str
    relay: harness.Worker
    idle: harness.Worker
    talking: harness.Worker
    flapping: harness.Worker
    watching: harness.Worker
    registering: harness.Worker
    #: What evaluators believed that did not know who is online.
    wrong: list[str] = attrs.field(factory=list)

    @property
    def clients(self) -> int:
        """How many are online, with those in sessions."""
        return self.extent.idle + self.extent.flapping + PAIRS

    def gather(self) -> float:
        """Have all come. Returns the CPU ms of an evaluator's register."""
        extent, url = self.extent, self.url
        self.idle.ask(do="stay", url=url, count=extent.idle, within=extent.arrival)
        self.flapping.ask(do="come", url=url, count=extent.flapping)
        self.talking.ask(do="open", url=url, pairs=PAIRS)
        self.watching.ask(do="connect", url=url, prefix="watching", count=extent.watching)
        time.sleep(QUIET)  # for what has come to be done with
        before, began = self.relay.cpu(), time.monotonic()
        time.sleep(QUIET)
        idle = (self.relay.cpu() - before) / (time.monotonic() - began)
        before, began = self.relay.cpu(), time.monotonic()
        self.watching.ask(do="register", clients=self.clients, at_once=False)
        spent = self.relay.cpu() - before - idle * (time.monotonic() - began)
        self.check()
        return max(0.0, spent) / extent.watching * 1000

    def talk(self, seconds: float) -> list[tuple[float, float]]:
        """Signals: when each was sent, and the ms of its way."""
        answer = self.talking.ask(do="talk", url=self.url, rate=RATE, seconds=seconds)
        return [(sent_at, ms) for sent_at, ms in answer["signals"]]

    def check(self, *, flapping: bool = True) -> None:
        """Look whether all evaluators know who is online."""
        available = {"idle-": self.extent.idle}
        if flapping:
            available["flapping-"] = self.extent.flapping
        online = {"available": available, "busy": {"c": PAIRS}}
        self.wrong += self.watching.ask(do="know", online=online)["wrong"]

    def watch(self) -> tuple[float, float]:
        """Frames and kB that an evaluator was told so far."""
        told = self.watching.ask(do="told")
        return told["frames"], told["bytes"] / self.extent.watching / 1000


@attrs.define
class Block:
    """What was measured while it was quiet, or was not."""

    ms: list[float] = attrs.field(factory=list)
    cpu: float = 0.0
    seconds: float = 0.0

    @contextlib.contextmanager
    def measure(self, relay: harness.Worker) -> Iterator[None]:
        """Have the relay's CPU counted in it."""
        before, began = relay.cpu(), time.monotonic()
        yield
        self.cpu += relay.cpu() - before
        self.seconds += time.monotonic() - began

    def figures(self) -> dict[str, float]:
        return {
            "n": len(self.ms),
            "p50": round(harness.percentile(self.ms, 50), 3),
            "p99": round(harness.percentile(self.ms, 99), 3),
            "cpu": round(self.cpu / self.seconds * 100, 1),
        }


@contextlib.contextmanager
def open_scene(extent: Extent) -> Iterator[Scene]:
    """Run all processes; nobody is connected yet."""
    room = str(extent.idle + extent.flapping + extent.watching + extent.registering + SPARE)
    args = ("-m", "imgsync.relay", "--port", "0", "--stun", "none", "--connect-rate", "0")
    limits = ("--max-connections", room, "--max-per-address", room)
    with contextlib.ExitStack() as stack:
        relay = harness.open_worker("relay", *args, *limits, ends_with_stdin=False)
        process = stack.enter_context(relay)
        url = process.read_line().removeprefix("listening on ")
        kinds = ("idle", "talking", "flapping", "watching", "watching")
        peers = [
            stack.enter_context(harness.open_worker(f"{kind} peers", LOAD, kind)) for kind in kinds
        ]
        idle, talking, flapping, watching, registering = peers
        yield Scene(extent, url, process, idle, talking, flapping, watching, registering)


def measure_flapping(scene: Scene) -> dict[str, Any]:
    """Quiet blocks and flapping ones, in turns."""
    extent = scene.extent
    quiet, flapping = Block(), Block()
    frames = kilobytes = 0.0
    scene.talk(1.0)  # not counted
    for _ in range(extent.rounds):
        with quiet.measure(scene.relay):
            quiet.ms += [ms for _, ms in scene.talk(extent.block)]
        before = scene.watch()
        with flapping.measure(scene.relay):
            scene.flapping.tell(do="flap", seconds=extent.block, away=AWAY)
            flapping.ms += [ms for _, ms in scene.talk(extent.block)]
        scene.flapping.read_answer()
        scene.check()
        after = scene.watch()
        frames += after[0] - before[0]
        kilobytes += after[1] - before[1]
    found = {"quiet": quiet.figures(), "flapping": flapping.figures()}
    ratio = found["flapping"]["p99"] / found["quiet"]["p99"]
    return {
        **found,
        "ratio_p99": round(ratio, 2),
        "target": TARGET,
        "told_frames": round(frames / extent.rounds, 1),
        "told_kb": round(kilobytes / extent.rounds, 1),
    }


def measure_registers(scene: Scene) -> dict[str, Any]:
    """Many evaluators that register at once."""
    extent, block, lasted = scene.extent, Block(), 0.0
    for _ in range(extent.registers):
        count = extent.registering
        scene.registering.ask(do="connect", url=scene.url, prefix="registering", count=count)
        with block.measure(scene.relay):
            scene.talking.tell(do="talk", url=scene.url, rate=RATE, seconds=extent.block / 2)
            time.sleep(LEAD)
            end = scene.registering.ask(do="register", clients=scene.clients, at_once=True)
            signals = scene.talking.read_answer()["signals"]
        began, done = end["began"], end["done"]
        lasted = max(lasted, done - began)
        block.ms += [ms for sent_at, ms in signals if began <= sent_at <= done]
        scene.registering.ask(do="leave")
        time.sleep(QUIET)  # the relay sees them off
    if not block.ms:
        raise harness.BenchError("all evaluators had registered before the next signal was sent")
    return {**block.figures(), "evaluators": extent.registering, "seconds": round(lasted, 3)}


def measure(extent: Extent) -> dict[str, Any]:
    """All of it."""
    with open_scene(extent) as scene:
        register_ms = scene.gather()
        found = measure_flapping(scene)
        registers = measure_registers(scene)
        scene.flapping.ask(do="leave")
        scene.check(flapping=False)
        still_open = scene.idle.ask(do="count")["open"]
        if still_open != extent.idle:
            raise harness.BenchError(f"{extent.idle - still_open} idle connections were lost")
        return {
            "clients": extent.idle + extent.flapping,
            "flapped": extent.flapping,
            "seconds": extent.block,
            "evaluators": extent.watching,
            **found,
            "register_cpu_ms": round(register_ms, 2),
            "registers": registers,
            "wrong": scene.wrong,
        }


def tables(result: dict[str, Any]) -> dict[str, Any]:
    """What was measured; the target is at the top of this file."""
    crowd = f"{result['flapped']} of {result['clients']} clients flap in {result['seconds']:g} s"
    registers, watching = result["registers"], result["evaluators"]
    rows = [
        ["p99 of others' signals, quiet", [result["quiet"]["p99"], "ms"]],
        [f"while {crowd}", [result["flapping"]["p99"], "ms"]],
        ["to quiet", [result["ratio_p99"], ""]],
        [
            f"while {registers['evaluators']} evaluators register at once",
            [registers["p99"], "ms"],
        ],
        ["until the last of them has its list", [registers["seconds"] * 1000, "ms"]],
        ["the relay's CPU for an evaluator's register", [result["register_cpu_ms"], "ms"]],
        ["its share of a core, quiet", [result["quiet"]["cpu"], "%"]],
        ["and flapping", [result["flapping"]["cpu"], "%"]],
        [f"frames that each of {watching} evaluators is told", [result["told_frames"], ""]],
        ["and what is in them", [result["told_kb"], "kB"]],
    ]
    return {"presence": {"heads": ["what", "measured"], "rows": rows}}


def main() -> None:
    args = harness.make_parser(__doc__).parse_args()
    harness.clean_up_on_kill()
    result = measure(QUICK if args.quick else FULL)
    harness.emit({"bench": "presence", **result, "tables": tables(result)}, args.json)
    if result["wrong"]:
        lines = "\n".join(result["wrong"])
        sys.exit(f"not all evaluators know who is online:\n{lines}")


if __name__ == "__main__":
    harness.run(main)
