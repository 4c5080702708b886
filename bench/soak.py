"""Does anything grow while sessions come and go?

One relay, one evaluator and one client, each a process, have one session after the other: three
images, each acked, and the end. Every EVERY-th goes another way, these in turn: the client leaves
in the middle; the evaluator is cancelled when it is about to offer, or when the answer comes; the
connection is lost and made again; the evaluator loses the relay.

Of threads, tasks, timers and open files there may, within SETTLE, be no more than before the first
session. The resident memory (VmRSS) may grow by a bound, counted from after a warm-up in which each
way came once; it is read without collecting garbage before. `blocks` are those of Python's own
allocator that are in use once it is collected: memory that grows without them is the C libraries'
or fragmented. The exit code is 1 where a bound is not kept. Linux only.

With --browser, sessions of pages and reloads in them instead: see `tests/kit/page_sessions.py`. The
exit code is 1 where one of them failed.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import attrs
import harness
from held import COUNTS
from soak_ways import UNUSUAL, USUAL

EVERY = 10
WARM_UP = EVERY * len(UNUSUAL)  # sessions
SETTLE = 5.0  # s; what closes in the background has its deadlines
LOOK_AGAIN = 0.1  # s

SESSIONS = 1000, 50  # and where it has to be quick
MAX_GROWTH = 10.0  # MiB

PAGE_SESSIONS = 250, 3
RELOADS = 40, 1

PEER = str(harness.BENCH / "soak_peer.py")
RELAY = str(harness.BENCH / "soak_relay.py")

Object = dict[str, Any]
Held = dict[str, Object]
"""What each process holds, by its name."""


@attrs.frozen
class Processes:
    """The relay, the evaluator and the client."""

    workers: dict[str, harness.Worker]

    def run(self, first: int, last: int) -> list[dict[str, float]]:
        """Have these sessions, counted from 1; the ms of the parts of each usual one."""
        parts: list[dict[str, float]] = []
        for begin in range(first, last + 1, EVERY):
            ways = [_way(number) for number in range(begin, min(begin + EVERY, last + 1))]
            parts += self.workers["evaluator"].ask(do="sessions", ways=ways)["ms"]
        return parts

    def look(self) -> Held:
        # The relay last: once a peer answers, it is registered.
        names = ("client", "evaluator", "relay")
        return {name: self.workers[name].ask(do="measure") for name in names}

    def begin(self) -> Held:
        """Look until two looks agree; who is only just registered may have a task more."""
        deadline = time.monotonic() + SETTLE
        last, now = self.look(), self.look()
        while (find_more(last, now) or find_more(now, last)) and time.monotonic() < deadline:
            last, now = now, self.look()
        return now

    def settle(self, before: Held) -> Held:
        """Look until no count is higher than it was, or SETTLE is over."""
        deadline = time.monotonic() + SETTLE
        now = self.look()
        # Each look collects garbage, so that the first one alone tells of the memory without.
        memory = {name: one["memory_kb"] for name, one in now.items()}
        while find_more(before, now) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN)
            now = self.look()
        return {name: {**one, "memory_kb": memory[name]} for name, one in now.items()}


def _way(number: int) -> str:
    turn, rest = divmod(number, EVERY)
    return USUAL if rest else UNUSUAL[turn % len(UNUSUAL)]


@contextlib.contextmanager
def open_processes() -> Iterator[Processes]:
    with harness.open_worker("relay", RELAY, ends_with_stdin=False) as relay:
        url = relay.read_line().removeprefix("listening on ")
        with (
            harness.open_worker("client", PEER, "client", url) as client,
            harness.open_worker("evaluator", PEER, "evaluator", url) as evaluator,
        ):
            yield Processes({"client": client, "evaluator": evaluator, "relay": relay})


def find_more(before: Held, now: Held) -> list[str]:
    """What there is more of now, in words."""
    return [
        f"{count} of the {name}: {now[name][count]}, and {before[name][count]} before"
        for name in before
        for count in COUNTS
        if now[name][count] > before[name][count]
    ]


def soak(sessions: int, max_growth: float) -> Object:
    """Have the sessions, and find what was not kept."""
    with open_processes() as processes:
        before = processes.begin()
        processes.run(1, WARM_UP)
        looks = {"before": before, "start": processes.settle(before)}
        parts: list[dict[str, float]] = []
        seconds = 0.0
        half = WARM_UP + sessions // 2
        for name, first, last in (
            ("middle", WARM_UP + 1, half),
            ("end", half + 1, WARM_UP + sessions),
        ):
            began = time.monotonic()
            parts += processes.run(first, last)
            seconds += time.monotonic() - began
            looks[name] = processes.settle(before)
    growth = {
        name: (looks["end"][name]["memory_kb"] - looks["start"][name]["memory_kb"]) / 1024
        for name in before
    }
    broken = [f"{when}: {left}" for when in looks for left in find_more(before, looks[when])]
    broken += [
        f"memory of the {name}: grew by {grown:.1f} MiB, and not by less than {max_growth:g}"
        for name, grown in growth.items()
        if grown >= max_growth
    ]
    return {
        "sessions": sessions,
        "per_second": round(sessions / seconds, 1),
        "ms": summarize(parts),
        "looks": looks,
        "growth_mib": {name: round(grown, 2) for name, grown in growth.items()},
        "max_growth_mib": max_growth,
        "broken": broken,
    }


def summarize(parts: list[dict[str, float]]) -> Object:
    """Median and p95 of each part of a usual session, ms."""
    figures = {}
    for part in parts[0]:
        values = [one[part] for one in parts]
        figures[part] = {
            f"p{percent}": round(harness.percentile(values, percent), 1) for percent in (50, 95)
        }
    return figures


def tables(result: Object) -> Object:
    """What the page tells, and what each process held when."""
    growth = result["growth_mib"]
    looks = result["looks"]
    late = max(
        (looks["end"][name]["memory_kb"] - looks["middle"][name]["memory_kb"]) / 1024
        for name in growth
    )
    rows = [
        ["memory that they add: evaluator", [growth["evaluator"], "MiB"]],
        ["client", [growth["client"], "MiB"]],
        ["relay", [growth["relay"], "MiB"]],
        ["of it in the second half, at the most", [round(late, 2), "MiB"]],
        ["sessions a second", [result["per_second"], ""]],
    ]
    rows += [[f"{part}, median", [row["p50"], "ms"]] for part, row in result["ms"].items()]
    held = [
        [
            f"{name}, {when}",
            *([look[name][count], ""] for count in COUNTS),
            [round(look[name]["memory_kb"] / 1024, 1), ""],
            [look[name]["blocks"], ""],
            [round(look[name]["cpu"], 1), ""],
        ]
        for name in ("relay", "evaluator", "client")
        for when, look in looks.items()
    ]
    heads = ["who, when", *COUNTS, "memory, MiB", "blocks", "CPU, s"]
    return {
        "soak": {"heads": ["what", "measured"], "rows": rows},
        "soak_held": {"heads": heads, "rows": held},
    }


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument(
        "--sessions",
        type=int,
        metavar="N",
        help=f"after the warm-up, {SESSIONS[0]}; with --browser of each kind, {PAGE_SESSIONS[0]}",
    )
    parser.add_argument(
        "--max-growth", type=float, default=MAX_GROWTH, metavar="MIB", help="of each process"
    )
    parser.add_argument("--browser", choices=("chromium", "firefox"), help="pages in this browser")
    parser.add_argument("--reloads", type=int, metavar="N", help="of each kind, with --browser")
    args = parser.parse_args()
    if args.sessions is None:
        full, quick = SESSIONS if args.browser is None else PAGE_SESSIONS
        args.sessions = quick if args.quick else full
    if args.reloads is None:
        args.reloads = RELOADS[1] if args.quick else RELOADS[0]
    if args.sessions < 2:
        parser.error("--sessions must be at least 2")
    harness.clean_up_on_kill()
    if args.browser is None:
        found = soak(args.sessions, args.max_growth)
        found["tables"] = tables(found)
    else:
        # What pages are driven with is in the tests, and needs what they need.
        harness.use_tests()
        from soak_pages import soak_pages

        found = soak_pages(args.browser, args.sessions, args.reloads)
    harness.emit({"bench": "soak", **found}, args.json)
    if found["broken"]:
        sys.exit("\n".join(["soak.py: not kept:", *found["broken"]]))


if __name__ == "__main__":
    harness.run(main)
