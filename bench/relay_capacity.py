"""What does one relay process bear, on loopback?

Memory: the resident size (VmRSS) of the relay per idle registered connection. It is read after
WARM_UP connections have come and gone, AT_ONCE at a time: what the first ones cost once is no cost
of each, and what so few leave behind free for the others to use hides less than 1% of it. Then all
come, and it is read again when they are quiet, and once more after the second question (whose 20
peers are then in it), when each has been pinged at least once. The kernel's buffers are not in it.

Latency: 20 peers in 10 sessions send signals of about 600 characters both ways, each RATE a
second, at a relay with no idle connections and at one with all of them, in turns. It is the time
from before a signal is encoded to its arrival on the other side, taken by one process: that process
and the kernel are in it. The idle ones ping and are pinged all the while, evenly spread.

Stall: the same 20 at a third relay, in turns without and with a client that stops reading. Its
evaluator floods it at full tilt in two ways: with twice what the relay's outbox takes, and with
half of it, after which only the write deadline can help. Then it goes on with a small signal now
and then, so that the stall is measured, not a busy machine. The client is gone when its evaluator
gets `peer_away`; latency counts from the flood's first signal until then.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import attrs
import harness

WARM_UP = 300  # connections
AT_ONCE = 10
QUIET = 2.5  # s after the last one has come or gone; longer than the relay lingers
SPARE = 100  # connections
PAIRS = 10
RATE = 10.0  # signals a second of each of the 20
BLOCK = 3.0  # s; five turns of two see each moment between two pings once
WRITE_DEADLINE = 2.0  # s; the relay's default is longer
FLOODS = {"overflow": 2 * 1024 * 1024, "half full": 1024 * 1024 // 2}
"""Characters. Of the relay's outbox, which takes 1 Mi; a Trio program leaves hardly anything to the
kernel's buffer on its side (TCP_NOTSENT_LOWAT), and the client keeps its own small."""

TARGET_MEMORY = 40.0  # kB
TARGET_LATENCY = 2.0  # times the p99
TARGET_STALL = 1.5  # times the p99


@attrs.frozen
class Extent:
    """How much of it.

    :param idle: connections, and `arrival` the seconds for all of them to come.
    :param rounds: of each relay, and `stalls` those of each kind of flood.
    """

    idle: int
    arrival: float
    rounds: int
    stalls: int


# The relay's pings are as far apart as the time in which they all come.
FULL = Extent(idle=2000, arrival=15.0, rounds=5, stalls=2)
QUICK = Extent(idle=500, arrival=4.0, rounds=1, stalls=1)

LOAD = str(harness.BENCH / "relay_load.py")


@attrs.frozen
class Relay:
    """One that runs."""

    url: str
    process: harness.Worker


@contextlib.contextmanager
def open_relay(idle: harness.Worker, *flags: str) -> Iterator[Relay]:
    """Run a relay that has had its first connections."""
    args = ("-m", "imgsync.relay", "--port", "0", "--stun", "none", "--connect-rate", "0", *flags)
    with harness.open_worker("relay", *args, ends_with_stdin=False) as process:
        relay = Relay(process.read_line().removeprefix("listening on "), process)
        idle.ask(do="come and go", url=relay.url, count=WARM_UP, at_once=AT_ONCE)
        yield relay


def measure_memory(relay: Relay, idle: harness.Worker, extent: Extent) -> tuple[int, int]:
    """The relay's kB before and after this many idle ones have come."""
    time.sleep(QUIET)
    before = relay.process.resident_kb()
    idle.ask(do="stay", url=relay.url, count=extent.idle, within=extent.arrival)
    time.sleep(QUIET)
    return before, relay.process.resident_kb()


def measure_latency(
    relays: dict[str, Relay], talking: harness.Worker, rounds: int
) -> dict[str, list[float]]:
    """The ms of all signals at each relay."""
    latencies: dict[str, list[float]] = {name: [] for name in relays}
    for relay in relays.values():
        talking.ask(do="open", url=relay.url, pairs=PAIRS)
        talking.ask(do="talk", url=relay.url, rate=RATE, seconds=1.0)  # not counted
    for _ in range(rounds):
        for name, relay in relays.items():
            answer = talking.ask(do="talk", url=relay.url, rate=RATE, seconds=BLOCK)
            latencies[name] += [ms for _, ms in answer["signals"]]
            time.sleep(harness.SETTLE)
    return latencies


@attrs.frozen
class Stall:
    """One client that has stopped reading; seconds from the flood's first signal.

    :param filled: until its last one was sent, or all that came of it.
    :param gone: until the evaluator got `peer_away`.
    """

    flood: str
    filled: float
    gone: float


def measure_stall(
    relay: Relay, talking: harness.Worker, stalling: harness.Worker, rounds: int
) -> tuple[list[Stall], dict[str, list[float]]]:
    """What became of the clients that stopped reading, and the ms of the others' signals."""
    talking.ask(do="open", url=relay.url, pairs=PAIRS)
    talking.ask(do="talk", url=relay.url, rate=RATE, seconds=1.0)  # not counted
    stalls: list[Stall] = []
    latencies: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(rounds):
        for flood, characters in FLOODS.items():
            answer = talking.ask(do="talk", url=relay.url, rate=RATE, seconds=BLOCK)
            latencies["without"] += [ms for _, ms in answer["signals"]]
            stalling.ask(do="open", url=relay.url)
            stalling.tell(do="flood", characters=characters)
            signals = talking.ask(do="talk", url=relay.url, rate=RATE, seconds=BLOCK)["signals"]
            end = stalling.read_answer()
            began, gone = end["began"], end["gone"]
            stalls.append(Stall(flood, end["filled"] - began, gone - began))
            latencies["with"] += [ms for sent_at, ms in signals if began <= sent_at <= gone]
    return stalls, latencies


def measure(extent: Extent) -> dict[str, Any]:
    """All three, one after the other."""
    count = extent.idle
    with contextlib.ExitStack() as stack:
        idle, talking, stalling = (
            stack.enter_context(harness.open_worker(f"{name} peers", LOAD, name))
            for name in ("idle", "talking", "stalling")
        )
        room = ("--max-connections", str(count + SPARE))
        with open_relay(idle, *room) as empty, open_relay(idle, *room) as full:
            before, quiet = measure_memory(full, idle, extent)
            relays = {"without": empty, "with": full}
            latency = compare(measure_latency(relays, talking, extent.rounds), TARGET_LATENCY)
            still_open = idle.ask(do="count")["open"]
            if still_open != count:
                raise harness.BenchError(f"{count - still_open} idle connections were lost")
            later = full.process.resident_kb()
            idle.ask(do="leave")
            time.sleep(QUIET)  # else the relay would have to see them off, which is not asked here
        memory = {
            "connections": count,
            "kb_each": round((quiet - before) / count, 2),
            "kb_each_later": round((later - before) / count, 2),
            "target": TARGET_MEMORY,
        }
        with open_relay(idle, "--write-deadline", str(WRITE_DEADLINE)) as relay:
            stalls, latencies = measure_stall(relay, talking, stalling, extent.stalls)
        gone = [
            {"flood": one.flood, "filled": round(one.filled, 3), "gone": round(one.gone, 3)}
            for one in stalls
        ]
        stall = {"gone": gone, "write_deadline": WRITE_DEADLINE, **compare(latencies, TARGET_STALL)}
    return {"memory": memory, "latency": latency, "stall": stall}


def compare(latencies: dict[str, list[float]], target: float) -> dict[str, Any]:
    """The ms at p50 and p99 `without` and `with`, and the ratio of p99."""
    figures: dict[str, Any] = {
        name: {
            "n": len(values),
            "p50": round(harness.percentile(values, 50), 3),
            "p99": round(harness.percentile(values, 99), 3),
        }
        for name, values in latencies.items()
    }
    ratio = round(figures["with"]["p99"] / figures["without"]["p99"], 3)
    return {**figures, "ratio_p99": ratio, "target": target}


def tables(result: dict[str, Any]) -> dict[str, Any]:
    """What was measured; the targets are at the top of this file."""
    memory, latency, stall = result["memory"], result["latency"], result["stall"]
    gone = max(one["gone"] for one in stall["gone"])
    rows = [
        ["memory per idle connection", [memory["kb_each"], "kB"]],
        ["after half a minute of pings", [memory["kb_each_later"], "kB"]],
        [f"p99 with {memory['connections']} idle connections", [latency["with"]["p99"], "ms"]],
        ["to that without", [latency["ratio_p99"], ""]],
        ["p99 while a client does not read what floods it", [stall["with"]["p99"], "ms"]],
        ["to that without", [stall["ratio_p99"], ""]],
        [
            f"until that client is gone, with a write deadline of {stall['write_deadline']:g} s",
            [gone, "s"],
        ],
    ]
    return {"relay_capacity": {"heads": ["what", "measured"], "rows": rows}}


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--idle", type=int, metavar="N", help="idle connections")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="turns of each relay, second question"
    )
    args = parser.parse_args()
    extent = QUICK if args.quick else FULL
    given = {"idle": args.idle, "rounds": args.rounds}
    extent = attrs.evolve(extent, **{name: n for name, n in given.items() if n is not None})
    if min(extent.idle, extent.rounds) < 1:
        parser.error("--idle and --rounds must be at least 1")
    harness.clean_up_on_kill()
    result = measure(extent)
    harness.emit({"bench": "relay_capacity", **result, "tables": tables(result)}, args.json)


if __name__ == "__main__":
    harness.run(main)
