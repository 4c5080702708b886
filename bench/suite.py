"""All benches, one after the other: `python -m bench`.

Each is a script of its own, and runs by hand as well. Without --full they are quick: under four
minutes for all of them. With --write, what was measured goes into docs/speed.md in the place of
what stands there; what was not stays. A range is of --runs, in each of which all have their turn.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import attrs
import harness
import speed
from tables import print_tables

Figures = dict[str, Any]


@attrs.frozen
class Bench:
    """One script, which has `--quick` and `--json`.

    :param args: that it is always given.
    :param is_long: it is never quick, and only among all with `--full`.
    """

    name: str
    script: str
    args: tuple[str, ...] = ()
    is_long: bool = False

    def command(self, *, full: bool) -> tuple[str, ...]:
        script = str(harness.BENCH / self.script)
        return (sys.executable, script, *self.args, *(() if full else ("--quick",)), "--json")


def _of(name: str) -> Bench:
    return Bench(name, f"{name}.py")


BENCHES = (
    _of("handshake"),
    _of("push"),
    _of("wan"),
    _of("loss"),
    _of("stacks"),
    _of("slow_link"),
    _of("pictures"),
    _of("onset"),
    _of("exposure"),
    _of("page_start"),
    _of("recording_offset"),
    _of("relay_capacity"),
    _of("relay_cpu"),
    _of("presence"),
    _of("scale"),
    _of("report"),
    _of("soak"),
    Bench("soak_chromium", "soak.py", ("--browser", "chromium"), is_long=True),
    Bench("soak_firefox", "soak.py", ("--browser", "firefox"), is_long=True),
)


def run(command: Sequence[str]) -> tuple[Figures | None, int]:
    """Of one script, what it found and its exit code; what it says of that is on our stderr."""
    # Ctrl-C reaches us alone, who pass it on once and wait for what it cleans up.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        said, _ = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    lines = said.decode().splitlines()
    figures = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
    return figures, process.returncode


def run_all(
    benches: Sequence[Bench], *, full: bool, runs: int
) -> tuple[dict[str, list[Figures]], list[str]]:
    """What each has found in each run, and what went wrong, in words."""
    found: dict[str, list[Figures]] = {bench.name: [] for bench in benches}
    wrong = []
    for number in range(1, runs + 1):
        for bench in benches:
            began = time.monotonic()
            figures, code = run(bench.command(full=full))
            took = f"{time.monotonic() - began:.0f} s"
            if figures is None:
                wrong.append(f"{bench.name} found nothing in run {number}: exit code {code}")
                print(f"── {bench.name}: nothing, {took}", file=sys.stderr)
                continue
            found[bench.name].append(figures)
            if code != 0:
                wrong.append(f"{bench.name} did not keep what it holds in run {number}")
            print(f"── {bench.name}, run {number}, {took}", file=sys.stderr)
            print_tables([figures], file=sys.stderr)
    return found, wrong


def print_all(found: dict[str, list[Figures]]) -> None:
    """The tables of each, of all runs, and the machine once."""
    for name, runs in found.items():
        if runs:
            print(f"\n{name}, {speed.describe_runs(runs)}")
            print_tables(runs)
    machines = [runs[-1]["machine"] for runs in found.values() if runs]
    if machines:
        print()
        harness.print_machine(machines[-1])


def read_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [bench.name for bench in BENCHES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--full", action="store_true", help="all rounds of each: hours")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="of all that is asked")
    parser.add_argument("--write", action="store_true", help="put it into docs/speed.md")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in names]:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(names)}")
    if args.runs < 1:
        parser.error("--runs must be at least 1")
    return args


def measure() -> None:
    args = read_args()
    harness.clean_up_on_kill()
    benches = [
        bench
        for bench in BENCHES
        if bench.name in args.names or not (args.names or (bench.is_long and not args.full))
    ]
    found, wrong = run_all(benches, full=args.full, runs=args.runs)
    if args.json:
        print(json.dumps(found))
    else:
        print_all(found)
    if args.write:
        speed.write([runs for runs in found.values() if runs])
    if wrong:
        sys.exit("\n".join(wrong))


def main() -> None:
    harness.run(measure)
