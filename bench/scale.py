"""What does one more session cost an evaluator, and one more image?

One evaluator process has 1, 20 and 100 sessions at an image a second each, and one session with as
many images a second as the 20 have together; these take turns. The clients share a few processes of
their own. Printed are p50 and p99 of the time from an image to its ack, what CPU the evaluator's
process uses for one (pings included), and by how much a session makes it larger. Then one session
has thousands of images, each after the ack of the one before: what the last thousand cost, against
the first.
"""

import contextlib
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


def tables(result: dict[str, Any]) -> dict[str, Any]:
    """What was measured."""
    rows = [
        [
            f"{row['sessions']} with {row['rate']} a second each",
            [row["p50_ms"], "ms"],
            [row["p99_ms"], "ms"],
            [row["cpu_us_per_image"], "us"],
            [row["kb_per_session"], "kB"],
        ]
        for row in result["rows"]
    ]
    long = result["long"]
    in_a_row = [
        ["p99 with 20 sessions, to one at the same rate", [result["ratio_p99_20_to_1"], ""]],
        [f"CPU of each of the first {BLOCK} images", [long["first_cpu_us_per_image"], "us"]],
        [f"of each of {BLOCK} at the end", [long["last_cpu_us_per_image"], "us"]],
        ["memory that stays of an image", [long["bytes_per_image"], "bytes"]],
    ]
    heads = ["sessions", "image to ack, median", "p99", "CPU of an image", "memory of a session"]
    return {
        "scale": {"heads": heads, "rows": rows},
        "scale_long": {"heads": ["what", "measured"], "rows": in_a_row},
    }


def main() -> None:
    args = harness.make_parser(__doc__).parse_args()
    rounds, seconds, blocks = (2, 5, 3) if args.quick else (4, 15, 10)
    settings = [Setting(1, 1), Setting(1, 20), Setting(20, 1), Setting(100, 1)]
    with open_peers(max(setting.sessions for setting in settings)) as evaluator:
        evaluator.ask(do="open", sessions=1, image=harness.IMAGE)  # what is made once is made
        for _ in range(rounds):
            for setting in settings:
                measure(evaluator, setting, seconds)
        long = measure_long(evaluator, blocks)
    rows = [setting.figures() for setting in settings]
    alike = {row["sessions"]: row for row in rows if row["sessions"] * row["rate"] == 20}
    ratio = round(alike[20]["p99_ms"] / alike[1]["p99_ms"], 2)
    result: dict[str, Any] = {"rows": rows, "long": long, "ratio_p99_20_to_1": ratio}
    harness.emit({"bench": "scale", **result, "tables": tables(result)}, args.json)


if __name__ == "__main__":
    harness.run(main)
