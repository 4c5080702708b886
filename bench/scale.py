"""What does one more session cost an evaluator, and one more image?

One evaluator process has 1, 20 and 100 sessions at an image a second each, and one session with as
many images a second as the 20 have together; these take turns. The clients share a few processes of
their own. Printed are p50 and p99 of the time from an image to its ack, what CPU the evaluator's
process uses for one (pings included), and by how much a session makes it larger. Then one session
has thousands of images, each after the ack of the one before: what the last thousand cost, against
the first.
"""

import argparse
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import attrs
import harness

CLIENT_PROCESSES = 4
RELAY = ("-m", "imgsync.relay", "--port", "0", "--stun", "none", "--max-per-address", "1000")
BLOCK = 1000  # images of a long session that are looked at together
WARM_UP = 200  # images, so that what is made once is there


@attrs.define
class Setting:
    """So many sessions, at so many images a second each, and what was measured."""

    sessions: int
    rate: int
    times: list[float] = attrs.Factory(list)
    cpu: list[float] = attrs.Factory(list)
    memory: list[float] = attrs.Factory(list)

    def figures(self) -> dict[str, float]:
        return {
            "sessions": self.sessions,
            "rate": self.rate,
            "images": len(self.times),
            "p50_ms": round(harness.percentile(self.times, 50), 2),
            "p99_ms": round(harness.percentile(self.times, 99), 2),
            "cpu_us_per_image": round(harness.percentile(self.cpu, 50)),
            "kb_per_session": round(harness.percentile(self.memory, 50) / 1000),
        }


@contextlib.contextmanager
def open_peers(most: int) -> Iterator[harness.Worker]:
    """Relay, clients and evaluator; yields the evaluator."""
    harness.clean_up_on_kill()
    script = str(harness.BENCH / "scale_peer.py")
    share = -(-most // CLIENT_PROCESSES)
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(harness.open_worker("relay", *RELAY, ends_with_stdin=False))
        url = relay.read_line().removeprefix("listening on ")
        for first in range(0, most, share):
            args = (script, "clients", url, str(first), str(min(share, most - first)))
            clients = stack.enter_context(harness.open_worker(f"clients {first}", *args))
            clients.ask(do="hello")
        evaluator = stack.enter_context(harness.open_worker("evaluator", script, "evaluator", url))
        evaluator.ask(do="hello")
        yield evaluator


def measure(evaluator: harness.Worker, setting: Setting, seconds: int) -> None:
    """Once."""
    image = harness.IMAGE
    opened = evaluator.ask(do="open", sessions=setting.sessions, image=image)
    setting.memory.append(opened["bytes"] / setting.sessions)
    evaluator.ask(do="show", rate=setting.rate, count=setting.rate, image=image)
    count = seconds * setting.rate
    shown = evaluator.ask(do="show", rate=setting.rate, count=count, image=image)
    setting.times += shown["ms"]
    setting.cpu.append(shown["cpu_us"])


def measure_long(evaluator: harness.Worker, blocks: int) -> dict[str, float]:
    """One session with thousands of images."""
    evaluator.ask(do="open", sessions=1, image=harness.IMAGE)
    evaluator.ask(do="push", count=WARM_UP, image=harness.IMAGE)
    pushed = [
        evaluator.ask(do="push", count=BLOCK, image=harness.IMAGE) for _ in range(max(blocks, 2))
    ]
    grown = sum(block["bytes"] for block in pushed[1:]) / (len(pushed) - 1)
    return {
        "images": BLOCK * len(pushed),
        "first_cpu_us_per_image": round(pushed[0]["cpu_us"]),
        "last_cpu_us_per_image": round(pushed[-1]["cpu_us"]),
        "bytes_per_image": round(grown / BLOCK),
    }


def report(rows: list[dict[str, float]], long: dict[str, float], as_json: bool) -> None:
    """Print it."""
    alike = {row["sessions"]: row for row in rows if row["sessions"] * row["rate"] == 20}
    ratio = round(alike[20]["p99_ms"] / alike[1]["p99_ms"], 2)
    machine = harness.describe_machine()
    if as_json:
        result: dict[str, Any] = {"bench": "scale", "rows": rows, "long": long}
        print(json.dumps({**result, "ratio_p99_20_to_1": ratio, "machine": machine}))
        return
    print("one evaluator process, image to ack")
    names = ["sessions", "rate", "images", "p50_ms", "p99_ms", "cpu_us_per_image", "kb_per_session"]
    print("".join(f"{name:>18}" for name in names))
    for row in rows:
        print("".join(f"{row[name]:>18}" for name in names))
    print(f"ratio of p99, 20 sessions / 1 at the same rate in all: {ratio:.2f}")
    print(
        f"one session with {long['images']} images: CPU of the first {BLOCK}"
        f" {long['first_cpu_us_per_image']} us each, of the last"
        f" {long['last_cpu_us_per_image']} us; {long['bytes_per_image']} bytes each"
    )
    harness.print_machine(machine)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="less of it, for a look")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    args = parser.parse_args()
    rounds, seconds, blocks = (2, 5, 3) if args.quick else (4, 15, 10)
    settings = [Setting(1, 1), Setting(1, 20), Setting(20, 1), Setting(100, 1)]
    with open_peers(max(setting.sessions for setting in settings)) as evaluator:
        evaluator.ask(do="open", sessions=1, image=harness.IMAGE)  # what is made once is made
        for _ in range(rounds):
            for setting in settings:
                measure(evaluator, setting, seconds)
        long = measure_long(evaluator, blocks)
    report([setting.figures() for setting in settings], long, args.json)


if __name__ == "__main__":
    harness.run(main)
