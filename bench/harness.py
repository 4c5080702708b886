"""What the benches share: worker processes that are asked one thing at a time, and the figures.

All scripts have `--quick`, for less than half a minute, and `--json`, for one object on stdout; see
`tables.py` for what is in it, and `suite.py` for who runs them.

A worker reads one JSON object per line on stdin and answers each with one on stdout; it ends when
its stdin does. A relay says `listening on URL` as its first line and is asked nothing. The variants
take turns in the same run, because on a noisy machine their ratio says more than their absolute
times. What a worker writes to stderr is shown if it fails.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tables import print_tables

Variant = Literal["ours", "bare", "socketio"]
VARIANTS: tuple[Variant, ...] = ("ours", "bare", "socketio")
NAMES = {"ours": "imgsync", "bare": "bare", "socketio": "python-socketio"}
_PEERS = {"ours": "ours.py", "bare": "bare.py", "socketio": "bare_socketio.py"}

ANSWER_WITHIN = 60.0  # s; the longest question is a block of pushes, about a second
END_WITHIN = 5.0  # s; the relay promises to drain within this
SHOWN_OF_STDERR = 5000  # characters, the last ones
# s; the other variant's closing (both processes) must not run inside a timed round.
SETTLE = 0.1

# Each two on a wire know each other's address; what hides it asks everybody for it first, and on a
# network that has just come up it may never get its name.
NO_MDNS = "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebRtcHideLocalIpsWithMdns"

BENCH = Path(__file__).resolve().parent
SHOWN_VERSIONS = (
    "imgsync-webrtc",
    "aiortc",
    "aioice",
    "trio",
    "trio-websocket",
    "anyio",
    "cattrs",
    "websockets",
    "python-socketio",
    "aiohttp",
)

# Makes a wire message of about 600 bytes; a signed URL of a cloud store is mostly query.
IMAGE = {
    "imageUrl": "https://images.example.org/study-12/block-3/stimulus-0042.png",
    "signedUrl": "https://images.example.org/study-12/block-3/stimulus-0042.png"
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20250101%2F"
    "eu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20250101T000000Z&X-Amz-Expires=900"
    "&X-Amz-SignedHeaders=host&X-Amz-Security-Token=FwoGZXIvYXdzEBYaDKFx5DsZb2tlbjEyMzQ1Njc4OTA"
    "&X-Amz-Signature=" + "0123456789abcdef" * 8,
}


class BenchError(Exception):
    """A worker ended or stayed silent."""


class Worker:
    """A child process and the lines that it writes."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._name = name
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._unread = b""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def cpu(self) -> float:
        """Seconds that the process has spent so far, all threads together (Linux)."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9

    def resident_kb(self) -> int:
        """VmRSS (Linux). BenchError if it has ended."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise BenchError(f"{self._name} has ended")

    def ask(self, **command: Any) -> Any:
        """Send one command and wait for its answer. BenchError if there is none."""
        self.tell(**command)
        return self.read_answer()

    def tell(self, **command: Any) -> None:
        """Send one command, whose answer is read later; until then, send no other."""
        try:
            self._stdin.write(json.dumps(command).encode() + b"\n")
        except OSError as exc:
            raise BenchError(f"{self._name} is gone") from exc

    def read_answer(self) -> Any:
        """The answer to what was told. BenchError if there is none."""
        return json.loads(self.read_line())

    def read_line(self) -> str:
        """The next line, without its end. BenchError if it does not come within ANSWER_WITHIN."""
        pipe = self._stdout.fileno()
        deadline = time.monotonic() + ANSWER_WITHIN
        while b"\n" not in self._unread:
            readable, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise BenchError(f"{self._name} said nothing for {ANSWER_WITHIN:.0f} s")
            chunk = os.read(pipe, 65536)
            if not chunk:
                raise BenchError(f"{self._name} ended before it answered")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def end(self, *, with_stdin: bool) -> None:
        """End the process, and wait for its end: by the end of its stdin or by signals."""
        try:
            self._stdin.close()
            if with_stdin and self._has_ended():
                return
            self._process.terminate()
            if self._has_ended():
                return
        finally:
            self._process.kill()  # does nothing once the process has ended
            self._process.wait()
            self._stdout.close()

    def _has_ended(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN)
        return self._process.returncode is not None


@contextlib.contextmanager
def open_worker(
    name: str,
    *args: str,
    ends_with_stdin: bool = True,
    prefix: Sequence[str] = (),
    program: str = sys.executable,
) -> Iterator[Worker]:
    """Run `python ARGS`, or another program, as a worker; it has ended when the block is left.

    :param prefix: before the command, as what enters a network namespace.
    """
    environment = os.environ | {
        # So that the benches run from a checkout that isn't installed.
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(BENCH.parent), os.environ.get("PYTHONPATH")])
        )
    }
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*prefix, program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env=environment,
            # Ctrl-C reaches only the bench itself, which then ends its workers in order.
            start_new_session=True,
        )
        worker = Worker(name, process)
        is_interrupted = False
        try:
            yield worker
        except (KeyboardInterrupt, SystemExit):
            is_interrupted = True  # what ends in the middle of its work may well complain
            raise
        finally:
            worker.end(with_stdin=ends_with_stdin)
            if process.returncode != 0 and not is_interrupted:
                errors.seek(0)
                said = errors.read().decode(errors="replace")[-SHOWN_OF_STDERR:]
                print(f"{said}{name} ended with code {process.returncode}", file=sys.stderr)


def _here(_: str) -> tuple[str, ...]:
    """In no namespace but ours."""
    return ()


@contextlib.contextmanager
def open_relay(
    variant: Variant = "ours", *options: str, host: str = "127.0.0.1", prefix: Sequence[str] = ()
) -> Iterator[str]:
    """A relay of one variant, on a port of its own choice; yields its URL.

    :param options: of ours.
    """
    ours = ("-m", "imgsync.relay", "--host", host, "--port", "0", "--stun", "none", *options)
    args = ours if variant == "ours" else (str(BENCH / _PEERS[variant]), "relay", host)
    ends = variant != "ours"
    with open_worker(f"{variant} relay", *args, ends_with_stdin=ends, prefix=prefix) as relay:
        yield relay.read_line().removeprefix("listening on ")


@contextlib.contextmanager
def open_variant(
    variant: Variant,
    on: Callable[[str], Sequence[str]] = _here,
    host: str = "127.0.0.1",
    options: Sequence[str] = (),
) -> Iterator[Worker]:
    """Relay, client and evaluator of one variant, connected; yields the evaluator.

    :param on: what the commands begin with that run on the host of this role.
    :param host: where the relay listens.
    :param options: of our relay.
    """
    script = str(BENCH / _PEERS[variant])
    with (
        open_relay(variant, *options, host=host, prefix=on("relay")) as url,
        open_worker(f"{variant} client", script, "client", url, prefix=on("client")) as client,
        open_worker(
            f"{variant} evaluator", script, "evaluator", url, prefix=on("evaluator")
        ) as evaluator,
    ):
        client.ask(do="hello")
        evaluator.ask(do="hello")
        yield evaluator


@contextlib.contextmanager
def open_variants(variants: Sequence[Variant]) -> Iterator[dict[Variant, Worker]]:
    """The evaluators of these variants; all processes have ended when the block is left."""
    clean_up_on_kill()
    with contextlib.ExitStack() as stack:
        yield {variant: stack.enter_context(open_variant(variant)) for variant in variants}


def clean_up_on_kill() -> None:
    """Make `kill` leave all blocks, and so end the workers, as Ctrl-C does.

    It is Ctrl-C to all that runs, because Trio knows how to be ended by that alone; a shell has a
    command in the background ignore it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def make_parser(doc: str | None) -> argparse.ArgumentParser:
    """With the options that every bench has: `quick` and `json`."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a first look")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def parse_args(
    doc: str | None, *, rounds: int, quick_rounds: int, round_is: str
) -> argparse.Namespace:
    """The options of a bench of variants: `rounds` and `only` as well."""
    parser = make_parser(doc)
    parser.add_argument("--rounds", type=int, metavar="N", help=f"{round_is}; {rounds} by default")
    parser.add_argument("--only", choices=VARIANTS, help="run one variant alone, for profiling")
    args = parser.parse_args()
    if args.rounds is None:
        args.rounds = quick_rounds if args.quick else rounds
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    args.variants = (args.only,) if args.only else VARIANTS
    return args


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the sorted values lie, linear between neighbours."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def report(
    bench: str, question: str, times: dict[Variant, list[float]], tail: int, as_json: bool
) -> None:
    """Print p50 and the `tail` percentile of each variant (times in ms), and the ratios of p50."""
    figures: dict[str, dict[str, float]] = {
        variant: {
            "n": len(values),
            "p50": round(percentile(values, 50), 3),
            f"p{tail}": round(percentile(values, tail), 3),
        }
        for variant, values in times.items()
    }
    ratios = {
        variant: round(figures["ours"]["p50"] / row["p50"], 3)
        for variant, row in figures.items()
        if variant != "ours" and "ours" in figures
    }
    heads = ["what"]
    rows: list[list[Any]] = [[question], [f"the same, p{tail}"]]
    for variant, found in figures.items():
        heads.append(NAMES[variant])
        for row, percent in zip(rows, ("p50", f"p{tail}"), strict=True):
            row.append([found[percent], "ms"])
        if variant in ratios:
            heads.append("ratio")
            rows[0].append([ratios[variant], ""])
            rows[1].append("")
    emit(
        {
            "bench": bench,
            "unit": "ms",
            **figures,
            "ratio_p50": ratios,
            "tables": {bench: {"heads": heads, "rows": rows}},
        },
        as_json,
    )


def emit(figures: dict[str, Any], as_json: bool) -> None:
    """Print what was found, and what it depends on: as one JSON object, or as tables."""
    machine = describe_machine()
    load = round(os.getloadavg()[0], 1)
    if as_json:
        print(json.dumps({**figures, "load": load, "machine": machine}))
        return
    print_tables([figures])
    print(f"load {load}")
    print_machine(machine)


def print_machine(machine: dict[str, Any]) -> None:
    """Print what `describe_machine` has found, on one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    print(f"{machine['cores']} cores, Python {machine['python']}, {versions}")


def describe_machine() -> dict[str, Any]:
    """What the figures depend on: cores, Python, the versions of the libraries."""
    versions = {}
    for name in SHOWN_VERSIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def use_tests() -> None:
    """From here on `tests` can be imported, which has what browsers and namespaces need."""
    sys.path.insert(0, str(BENCH.parent))


@contextlib.contextmanager
def open_chromium(*flags: str) -> Iterator[Any]:
    """A browser of the tests, `Started`; what it needs beside it may be imported from then on.

    :raises BenchError: there is none.
    """
    clean_up_on_kill()
    use_tests()
    import pytest

    from tests.kit.chromium import shared_chromium

    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(shared_chromium(*flags))
        except pytest.skip.Exception as exc:
            raise BenchError(str(exc)) from None
        yield started


def run(main: Callable[[], None]) -> None:
    """Run a bench's `main`; a BenchError is one line on stderr and exit code 1, Ctrl-C is 130."""
    try:
        main()
    except BenchError as exc:
        sys.exit(f"{Path(sys.argv[0]).name}: {exc}")
    except KeyboardInterrupt:
        sys.exit(130)
