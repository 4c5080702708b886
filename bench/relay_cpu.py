"""What does a relay's process spend for each signal that it passes on?

CPU time of the whole process, user's and the kernel's (Linux: /proc/PID/task/*/schedstat), over the
signals that arrived. Peers on loopback send bursts of BURST signals, each burst in one write; a
burst has arrived before the next one leaves. All relays take turns in the same run, because ratios
say more than times on a noisy machine: ours; one on `websockets`; one on python-socketio with
uvicorn; in Node, where that is there, one on `ws` and one on Socket.IO. What of these is not
installed is put into a temporary folder, with pip or npm. A relay that can't be had is left out,
and said so.

Then ours alone, with and without IDLE connections that have registered and say nothing: the CPU of
each signal, in turns, and the resident size (VmRSS) of each idle connection.
"""

import contextlib
import importlib.util
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import harness

SIZES = (200, 2000)  # bytes of a signal
BURST = 20  # signals
PAIRS = 5
ARRIVE_WITHIN = 20.0  # s
WARM_UP = 300  # idle connections that have come and gone before memory is read
ARRIVAL = 15.0  # s for all idle ones to come, so that their pings are as far apart
QUIET = 2.5  # s; longer than a relay lingers
SPARE = 100  # connections

OURS = "ours"
ALL = (OURS, "websockets", "python-socketio", "ws", "socket.io")
PIP = ("python-socketio==5.14.3", "uvicorn==0.38.0")
NPM = ("ws@8.18.3", "socket.io@4.8.1")
TARGETS = {"websockets": 1.8, "python-socketio": 0.5}
"""At most so many times what that one spends for a small signal."""
TARGET_IDLE = 1.15
TARGET_MEMORY = 28.0  # kB

LOAD = str(harness.BENCH / "relay_load.py")
OTHERS = str(harness.BENCH / "relay_others.py")


# ── peers ────────────────────────────────────────────────────────────────────────────────────────


class Peer:
    """A WebSocket that writes and reads in blocks; on Socket.IO's relays it speaks as that does."""

    def __init__(self, url: str, user: str, role: str) -> None:
        parts = urlsplit(url)
        self.user = user
        self._is_socketio = parts.path == "/socket.io/"
        self._socket = socket.create_connection((parts.hostname, parts.port), ARRIVE_WITHIN)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        query = "?EIO=4&transport=websocket" if self._is_socketio else ""
        # Here, as the tables are made, and tested, without it.
        from websockets.client import ClientProtocol
        from websockets.uri import parse_uri

        self._frames = ClientProtocol(parse_uri(url + query))
        self._frames.send_request(self._frames.connect())
        self._flush()
        self._texts: list[str] = []
        while self._frames.handshake_exc is None and self._frames.state.name == "CONNECTING":
            self._receive()
        if self._is_socketio:
            self._wait("0")
            self._frames.send_text(b"40")
            self._flush()
            self._wait("40")
        self.say("register", {"userId": user, "role": role, "package": "webrtc"})
        self.wait_event("registered")

    def say(self, event: str, data: dict[str, Any], times: int = 1) -> None:
        """In one write, however often."""
        if self._is_socketio:
            text = "42" + json.dumps([event, data])
        else:
            text = json.dumps({"event": event, "data": data})
        for _ in range(times):
            self._frames.send_text(text.encode())
        self._flush()

    def wait_event(self, event: str, times: int = 1) -> None:
        """Read until so many have come; others count for nothing."""
        start = f'42["{event}"' if self._is_socketio else f'{{"event":"{event}"'
        self._wait(start, times)

    def _wait(self, start: str, times: int = 1) -> None:
        until = time.monotonic() + ARRIVE_WITHIN
        while times:
            while not self._texts:
                if time.monotonic() > until:
                    raise harness.BenchError("a relay has lost a signal")
                self._receive()
            text = self._texts.pop(0)
            if self._is_socketio and text == "2":
                self._frames.send_text(b"3")  # its own ping
                self._flush()
            # Some write a space behind a colon.
            times -= text[:40].replace(" ", "").startswith(start)

    def _receive(self) -> None:
        from websockets.frames import Frame, Opcode

        data = self._socket.recv(65536)
        if not data:
            raise harness.BenchError("a relay hung up")
        self._frames.receive_data(data)
        self._flush()  # pongs
        for event in self._frames.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._texts.append(bytes(event.data).decode())

    def _flush(self) -> None:
        self._socket.sendall(b"".join(self._frames.data_to_send()))

    def close(self) -> None:
        """Without a word."""
        self._socket.close()


@attrs.frozen
class Relay:
    """One that runs, with the pairs that talk through it."""

    url: str
    processes: list[harness.Worker]
    #: Where clients are, if that is elsewhere.
    other_url: str = ""
    pairs: list[tuple[Peer, Peer]] = attrs.field(factory=list)

    def measure(self, size: int, signals: int) -> float:
        """Microseconds of CPU for each of so many signals, or a few more."""
        padding = size - len(json.dumps({"candidate": ""}))
        data = {"signal": {"candidate": "x" * padding}}
        bursts = -(-signals // BURST)
        before = self.cpu()
        for number in range(bursts):
            # Both ways: who never reads answers no pings.
            sender, receiver = self.pairs[number % PAIRS][:: 1 if number // PAIRS % 2 else -1]
            sender.say("webrtc_signal", {"targetUserId": receiver.user, **data}, BURST)
            receiver.wait_event("webrtc_signal", BURST)
        return (self.cpu() - before) / (bursts * BURST) * 1e6

    def cpu(self) -> float:
        """Seconds, of all that it takes."""
        return sum(process.cpu() for process in self.processes)

    def time_signals(self, count: int) -> list[float]:
        """Seconds from the one that says a signal to the one that has it, one after the other."""
        sender, receiver = self.pairs[0]
        data = {"targetUserId": receiver.user, "signal": {"candidate": "x" * SIZES[0]}}
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            sender.say("webrtc_signal", data)
            receiver.wait_event("webrtc_signal")
            times.append(time.perf_counter() - begun)
        return times


# ── relays ───────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Kind:
    """A relay that can be run here: by `program` with these arguments."""

    name: str
    args: tuple[str, ...]
    program: str = sys.executable


def our_kind(connections: int = 1000, *more: str) -> Kind:
    unbounded = ("--rate-limit", "0", "--connect-rate", "0")
    room = ("--max-connections", str(connections), "--max-per-address", str(connections))
    relay = ("-m", "imgsync.relay", "--port", "0", "--stun", "none")
    return Kind(OURS, (*relay, *unbounded, *room, *more))


def find_kinds(folder: Path) -> tuple[list[Kind], list[str]]:
    """All that can be had, ours first, and why others can't."""
    kinds, missing = [our_kind(), Kind("websockets", (OTHERS, "websockets"))], []
    try:
        python = _python_with_socketio(folder / "venv")
        kinds.append(Kind("python-socketio", (OTHERS, "socketio"), python))
    except (OSError, subprocess.CalledProcessError) as exc:
        missing.append(f"python-socketio could not be installed: {exc}")
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return kinds, [*missing, "Node and npm are not installed: neither ws nor Socket.IO"]
    try:
        _run(npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *NPM)
    except subprocess.CalledProcessError as exc:
        return kinds, [*missing, f"ws and Socket.IO could not be installed: {exc}"]
    script = str(harness.BENCH / "relay_others.mjs")
    names = ("ws", "socket.io")
    return [*kinds, *(Kind(one, (script, one, str(folder)), node) for one in names)], missing


def _python_with_socketio(venv: Path) -> str:
    if importlib.util.find_spec("socketio") and importlib.util.find_spec("uvicorn"):
        return sys.executable
    _run(sys.executable, "-m", "venv", str(venv))
    python = str(venv / "bin" / "python")
    _run(python, "-m", "pip", "install", "--quiet", *PIP, "websockets")
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)


@contextlib.contextmanager
def open_relay(kind: Kind) -> Iterator[Relay]:
    """Run one, to which nobody is connected."""
    ends_with_stdin = kind.name != OURS
    with harness.open_worker(
        kind.name, *kind.args, ends_with_stdin=ends_with_stdin, program=kind.program
    ) as process:
        yield Relay(process.read_line().removeprefix("listening on "), [process])


@contextlib.contextmanager
def open_pairs(relay: Relay, *, with_sessions: bool) -> Iterator[None]:
    """Have the pairs connected. Who is connected has to read, or is dropped after some seconds."""
    with contextlib.ExitStack() as stack:
        for number in range(PAIRS):
            client = Peer(relay.other_url or relay.url, f"c{number}", "client")
            stack.callback(client.close)
            evaluator = Peer(relay.url, f"e{number}", "evaluator")
            stack.callback(evaluator.close)
            if with_sessions:
                evaluator.say("start_session", {"clientId": client.user})
                evaluator.wait_event("session_started")
            relay.pairs.append((evaluator, client))
        yield


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def take_turns(
    relays: dict[str, Relay], size: int, rounds: int, signals: int
) -> dict[str, list[float]]:
    """Microseconds of each turn; the first ones, in which all are slow, do not count."""
    spent: dict[str, list[float]] = {name: [] for name in relays}
    for turn in range(rounds + 1):
        for name, relay in relays.items():
            each = relay.measure(size, signals)
            if turn:
                spent[name].append(each)
    return spent


def compare(kinds: list[Kind], rounds: int, signals: int) -> list[dict[str, Any]]:
    """The first question: a row for each size."""
    rows = []
    with contextlib.ExitStack() as stack:
        relays = {kind.name: stack.enter_context(open_relay(kind)) for kind in kinds}
        for name, relay in relays.items():
            stack.enter_context(open_pairs(relay, with_sessions=name == OURS))
        for size in SIZES:
            spent = take_turns(relays, size, rounds, signals)
            us = {name: round(statistics.median(each), 1) for name, each in spent.items()}
            ratios = {name: round(us[OURS] / each, 2) for name, each in us.items() if name != OURS}
            rows.append({"bytes": size, "us": us, "ratios": ratios})
    return rows


def measure_idle(count: int, rounds: int, signals: int) -> dict[str, Any]:
    """The second question."""
    kind = our_kind(count + SPARE)
    with (
        harness.open_worker("idle peers", LOAD, "idle") as idle,
        open_relay(kind) as empty,
        open_relay(kind) as full,
    ):
        idle.ask(do="come and go", url=full.url, count=WARM_UP, at_once=10)
        time.sleep(QUIET)
        before = full.processes[0].resident_kb()
        idle.ask(do="stay", url=full.url, count=count, within=ARRIVAL)
        time.sleep(QUIET)
        memory = (full.processes[0].resident_kb() - before) / count
        with open_pairs(empty, with_sessions=True), open_pairs(full, with_sessions=True):
            spent = take_turns({"without": empty, "with": full}, SIZES[0], rounds, signals)
        if idle.ask(do="count")["open"] != count:
            raise harness.BenchError("idle connections were lost")
        idle.ask(do="leave")
    us = {name: round(statistics.median(each), 1) for name, each in spent.items()}
    ratio = round(us["with"] / us["without"], 2)
    return {"connections": count, "us": us, "ratio": ratio, "kb_each": round(memory, 1)}


@contextlib.contextmanager
def open_redis() -> Iterator[tuple[str, harness.Worker]]:
    """A Redis of our own, and its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = ("--port", port, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1")
    program = shutil.which("redis-server")
    if program is None:
        raise harness.BenchError("redis-server is not installed")
    with harness.open_worker("redis", *command, ends_with_stdin=False, program=program) as process:
        while "Ready to accept connections" not in process.read_line():
            pass
        yield f"redis://127.0.0.1:{port}", process


def measure_nodes(rounds: int, signals: int) -> dict[str, Any]:
    """The third question."""
    with contextlib.ExitStack() as stack:
        url, redis = stack.enter_context(open_redis())
        alone = stack.enter_context(open_relay(our_kind()))
        one, two, third = (
            stack.enter_context(open_relay(our_kind(1000, "--redis", url, "--redis-prefix", name)))
            for name in ("both", "both", "one")
        )
        across = Relay(one.url, [*one.processes, *two.processes, redis], two.url)
        relays = {"alone": alone, "on one node": third, "across nodes": across}
        for relay in relays.values():
            stack.enter_context(open_pairs(relay, with_sessions=True))
        rows = [_row_of(relays, size, rounds, signals) for size in SIZES]
        times: dict[str, list[float]] = {name: [] for name in relays}
        for _ in range(rounds):
            for name, relay in relays.items():
                times[name] += relay.time_signals(50)
    p50 = {name: round(statistics.median(each) * 1e3, 3) for name, each in times.items()}
    return {"rows": rows, "p50_ms": p50, "added_ms": round(p50["across nodes"] - p50["alone"], 3)}


def _row_of(relays: dict[str, Relay], size: int, rounds: int, signals: int) -> dict[str, Any]:
    spent = take_turns(relays, size, rounds, signals)
    us = {name: round(statistics.median(each), 1) for name, each in spent.items()}
    ratios = {name: round(each / us["alone"], 2) for name, each in us.items() if name != "alone"}
    return {"bytes": size, "us": us, "ratios": ratios}


# ── report ───────────────────────────────────────────────────────────────────────────────────────


def tables(result: dict[str, Any]) -> dict[str, Any]:
    """What was measured; the targets are at the top of this file."""
    heads = ["CPU of the relay for a signal", "imgsync"]
    heads += ["`websockets`", "python-socketio", "`ws`", "Socket.IO"]
    rows: list[list[Any]] = []
    for row in result["rows"]:
        us, ratios = row["us"], row["ratios"]
        spent = [[us[name], "us"] if name in us else "-" for name in ALL]
        beside = [[ratios[name], ""] if name in ratios else "-" for name in ALL[1:]]
        rows += [[f"of {row['bytes']} bytes", *spent], ["imgsync's to that", "", *beside]]
    idle = result["idle"]
    beside_idle = [
        ["CPU for a signal, alone", [idle["us"]["without"], "us"]],
        [f"with {idle['connections']} idle connections", [idle["us"]["with"], "us"]],
        ["to alone", [idle["ratio"], ""]],
        ["memory of an idle connection", [idle["kb_each"], "kB"]],
    ]
    return {
        "relay_cpu": {"heads": heads, "rows": rows},
        "relay_idle": {"heads": ["imgsync's relay", "measured"], "rows": beside_idle},
    }


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--nodes", action="store_true", help="several nodes alone")
    parser.add_argument("--only", action="store_true", help="our relay alone, for profiling")
    args = parser.parse_args()
    rounds, signals, idle = (3, 2000, 500) if args.quick else (9, 6000, 5000)
    harness.clean_up_on_kill()
    if args.nodes:
        harness.emit({"bench": "relay_nodes", **measure_nodes(rounds, signals)}, args.json)
        return
    with tempfile.TemporaryDirectory(prefix="imgsync-bench-") as name:
        kinds, missing = ([our_kind()], []) if args.only else find_kinds(Path(name))
        rows = compare(kinds, rounds, signals)
    result = {
        "rows": rows,
        "missing": missing,
        "idle": measure_idle(idle, rounds, signals),
        "others": [*PIP, *NPM],
    }
    harness.emit({"bench": "relay_cpu", **result, "tables": tables(result)}, args.json)
    for line in missing:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    harness.run(main)
