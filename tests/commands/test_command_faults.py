"""What goes wrong at the commands: wrong arguments, signals at every stage, hostile peers.

A complaint is one line on stderr that says what to do. The other side of a session is a command,
too, where its exit code matters; else a peer of ours inside the test; and a bare WebSocket where it
has to misbehave.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from imgsync import ImageRef, SessionEnded, open_client, open_evaluator
from imgsync.client.client import Client
from imgsync.images.host import open_image_host
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response, refuse
from imgsync.net.server import Site, open_port, port_of, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.relay.server import open_relay as open_relay_inside
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from tests.kit.processes import (
    JSON,
    SAMPLES,
    SESSION_S,
    START_S,
    STRICT,
    Child,
    Job,
    Outcome,
    open_child,
    our_relay,
    run_to_end,
    run_together,
    shared_relay,
    wait_until,
)

LOOPBACK = "127.0.0.1"

#: How soon a command ends in good order, with a peer that takes no part in it.
END_S = 8

#: How long a command takes to load, on a loaded machine.
LOAD_S = 10

NOBODY = ImageRef(0, "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?signature=x", "a.png")


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    # A peer that was killed is given up soon, and one that floods is not held back.
    with shared_relay("--grace", "0.5", "--rate-limit", "0") as url:
        yield url


def imgsync(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync", *words)


def client(url: str, user: str, *options: str) -> tuple[str, ...]:
    return imgsync("client", "--relay", url, "--user", user, *options)


def evaluator(url: str, client_id: str, *options: str) -> tuple[str, ...]:
    who = ("--user", f"evaluator-of-{client_id}", "--client", client_id)
    return imgsync("evaluator", "--relay", url, *who, *options)


HERE = ("--ice-address", LOOPBACK)


# ── a peer that is no more than a WebSocket ──────────────────────────────────────────────────────


@attrs.frozen
class RawPeer:
    """Says what a test wants it to say, true or not."""

    socket: WebSocket
    user: str

    def say(self, event: str, **content: object) -> None:
        self.socket.post(json.dumps({"event": event, "data": content}))

    def signal(self, to: str, value: object) -> None:
        self.say("webrtc_signal", targetUserId=to, signal=value)

    async def wait_event(self, *events: str, seconds: float = START_S) -> JSON:
        """The next of these events; others are passed over."""
        with trio.fail_after(seconds):
            while True:
                message: JSON = json.loads(await self.socket.receive())
                if message["event"] in events:
                    content: JSON = message["data"]
                    return content

    async def wait_presence(self, user: str, state: str) -> None:
        while True:
            presence = await self.wait_event("presence")
            if presence["userId"] == user and presence["state"] == state:
                return

    async def start(self, client_id: str) -> str:
        """Start a session, and return its id."""
        self.say("start_session", clientId=client_id)
        started = await self.wait_event("session_started", "error")
        session_id: str = started["sessionId"]
        return session_id


@asynccontextmanager
async def open_raw(url: str, role: str, user: str) -> AsyncIterator[RawPeer]:
    async with open_relay_socket(url) as socket:
        peer = RawPeer(socket, user)
        peer.say("register", userId=user, role=role, package="webrtc")
        await peer.wait_event("registered")
        yield peer


# ── wrong arguments ──────────────────────────────────────────────────────────────────────────────


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


async def run_wrong(cases: dict[str, tuple[tuple[str, ...], str]]) -> None:
    """Run all these command lines; each has to fail with one line of this pattern."""
    outcomes = await run_together(
        {name: partial(run_to_end, name, *words, env=STRICT) for name, (words, _) in cases.items()}
    )
    complaints = {name: assert_one_complaint(name, outcomes[name]) for name in cases}
    wrong = {
        name: complaints[name]
        for name, (words, pattern) in cases.items()
        if not re.fullmatch(f"imgsync {words[3]}: {pattern}", complaints[name])
    }
    assert wrong == {}


def assert_one_complaint(name: str, outcome: Outcome) -> str:
    assert len(outcome.errors) == 1, (name, outcome.errors)
    assert outcome.code == 1, name
    return outcome.errors[0]


async def test_a_relay_that_is_not_there_or_no_relay_is_told_with_what_to_check(
    relay_url: str,
) -> None:
    elsewhere = relay_url.replace("/ws", "/elsewhere")
    with deaf_port() as nobody:
        gone = f"ws://{LOOPBACK}:{nobody}/ws"
        no_relay = rf"no relay at {gone}: .*[Cc]onnection refused; is it running\?"
        path = rf"{elsewhere} refused .* status 404; is it a relay, and is the path right\?"
        await run_wrong(
            {
                "no relay": (evaluator(gone, "C", str(SAMPLES)), no_relay),
                "wrong path": (client(elsewhere, "C"), path),
            }
        )


async def test_tls_to_a_plain_port_is_told_with_what_to_try(relay_url: str) -> None:
    outcome = await run_to_end("client", *client(relay_url.replace("ws:", "wss:"), "C"))
    assert re.search(r"ws://|wss? or wss?", assert_one_complaint("TLS", outcome))


async def test_a_client_that_is_unknown_or_busy_is_told_with_what_to_do(relay_url: str) -> None:
    async with (
        open_raw(relay_url, "client", "busy"),
        open_raw(relay_url, "evaluator", "other") as other,
    ):
        await other.start("busy")
        await run_wrong(
            {
                "unknown": (
                    evaluator(relay_url, "nobody", str(SAMPLES)),
                    r"No client 'nobody' is online; start it first, or check its user id\.",
                ),
                "busy": (
                    evaluator(relay_url, "busy", str(SAMPLES)),
                    r"Client 'busy' is in a session with another evaluator; try again later\.",
                ),
            }
        )


async def test_a_source_that_holds_no_images_is_told_with_its_name(
    relay_url: str, tmp_path: Path
) -> None:
    # More of what a source can be wrong in is in the tests of the demo and of the sources.
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text("[{")
    expected = {
        "empty": r"there are no images in '.*/empty' \(of gif, .*",
        "broken.json": r"the manifest '.*/broken\.json' is not JSON: .*",
    }
    await run_wrong(
        {
            name: (evaluator(relay_url, "C", str(tmp_path / name)), pattern)
            for name, pattern in expected.items()
        }
    )


async def test_an_address_that_is_none_of_ours_is_told_with_the_option_to_check(
    relay_url: str,
) -> None:
    no_socket = r"can't open a UDP socket on any of 192\.0\.2\.1; check --ice-address"
    no_address = r"--ice-address 'here' is not an IP address"
    wrong = ("--ice-address", "192.0.2.1")
    async with (
        open_raw(relay_url, "client", "addressee"),
        open_child("client", *client(relay_url, "nowhere", *wrong), env=STRICT) as following,
        open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as library,
    ):
        await following.wait_line(START_S)
        # Only a session needs the address.
        with trio.fail_after(SESSION_S), pytest.raises(SessionEnded):
            async with library.open_session("nowhere"):
                pass
        outcome = await following.wait_outcome()
        assert re.fullmatch(f"imgsync client: {no_socket}", assert_one_complaint("", outcome))
        options = ("--ice-address", "here")
        await run_wrong(
            {
                "evaluator": (evaluator(relay_url, "addressee", *wrong, str(SAMPLES)), no_socket),
                "no IP": (client(relay_url, "C", *options), no_address),
            }
        )


async def test_a_place_where_the_relay_cant_or_should_not_listen_is_told_with_another() -> None:
    with deaf_port() as taken:
        await run_wrong(
            {
                "taken": (
                    imgsync("relay", "--port", str(taken)),
                    rf"can't listen on 127\.0\.0\.1:{taken}: the port is taken;"
                    r" stop what uses it, or choose another \(0 takes a free one\)",
                ),
                "no port": (
                    imgsync("relay", "--port", "65536"),
                    "there is no port 65536; choose one from 0 to 65535",
                ),
                "exposed": (
                    imgsync("relay", "--host", "0.0.0.0", "--port", "0"),
                    r"anybody who reaches 0\.0\.0\.0 could register as anybody; ask for tokens with"
                    r" --auth-secret-file, say --no-auth if it is meant, or listen on 127\.0\.0\.1",
                ),
                "not ours": (
                    imgsync("relay", "--host", "192.0.2.1", "--port", "0", "--no-auth"),
                    r"can't listen on 192\.0\.2\.1:0: this machine has no such address",
                ),
            }
        )


async def test_a_place_where_images_cant_be_saved_is_told_with_its_name(
    relay_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    pattern = f"can't make the folder '{file}': File exists; name another one with --save"
    await run_wrong({"a file": (client(relay_url, "C", "--save", str(file)), pattern)})


def env_with_site(folder: Path, code: str) -> dict[str, str]:
    """An environment in which Python runs this code before anything else."""
    (folder / "sitecustomize.py").write_text(code)
    return STRICT | {"PYTHONPATH": f"{folder}{os.pathsep}{STRICT['PYTHONPATH']}"}


#: What imports look like where a package is not installed, or where a signal comes in the middle.
FINDER = """
import os, signal, sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == {name!r}:
            {act}
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


async def test_what_needs_httpx_and_has_none_names_the_extra_that_brings_it(
    relay_url: str, tmp_path: Path
) -> None:
    env = env_with_site(tmp_path, FINDER.format(name="httpx", act="return None"))
    lines = {"client": client(relay_url, "C"), "demo": imgsync("demo")}
    outcomes = await run_together(
        {name: partial(run_to_end, name, *words, env=env) for name, words in lines.items()}
    )
    for name, outcome in outcomes.items():
        complaint = assert_one_complaint(name, outcome)
        assert re.fullmatch(
            rf"imgsync {name}: .*httpx; install it with: pip install 'httpx>=.*", complaint
        )


async def test_a_full_disk_behind_stdout_is_told_in_one_line() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with trio.fail_after(SESSION_S):
            done = await trio.run_process(
                our_relay(), stdout=full, capture_stderr=True, check=False, env=STRICT
            )
    finally:
        os.close(full)
    complaints = [line for line in done.stderr.decode().splitlines() if " INFO " not in line]
    assert complaints == ["python -m imgsync.relay: can't write to stdout: No space left on device"]
    assert done.returncode == 1


def command_of(main: str) -> tuple[str, ...]:
    """A command line of its own for what stands behind all of them."""
    code = f"""
import sys, trio
from imgsync.commands.common import print_line, run_command
from imgsync.core.protocol.errors import InputError

async def main():
{textwrap.indent(textwrap.dedent(main), "    ")}

sys.exit(run_command(main, "imgsync test"))
"""
    return (sys.executable, "-c", code)


async def test_errors_that_happen_together_are_told_in_the_line_of_one_of_them() -> None:
    fail_twice = """
        async def fail():
            raise InputError("this is wrong; mend it")
        async with trio.open_nursery() as outer, trio.open_nursery() as inner:
            outer.start_soon(fail)
            inner.start_soon(fail)
            inner.start_soon(fail)
    """
    outcome = await run_to_end("command", *command_of(fail_twice), env=STRICT)
    assert outcome == Outcome(1, [], ["imgsync test: this is wrong; mend it"])


async def test_an_error_that_is_not_ours_is_not_hidden_by_one_that_is() -> None:
    fail_both = """
        async def fail(exc):
            raise exc
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail, InputError("this is wrong; mend it"))
            nursery.start_soon(fail, ZeroDivisionError("a defect"))
    """
    outcome = await run_to_end("command", *command_of(fail_both), env=STRICT)
    assert outcome.code == 1
    assert "ZeroDivisionError: a defect" in "\n".join(outcome.errors)


async def test_a_hang_up_that_was_to_be_ignored_stays_ignored() -> None:
    echo = """
        while True:
            line = await trio.to_thread.run_sync(sys.stdin.readline)
            await (trio.lowlevel.checkpoint() if line else trio.sleep_forever())
            print_line(line.strip())
    """
    words = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command_of(echo))
    async with open_child("command", *words, env=STRICT, stdin=subprocess.PIPE) as child:
        for line in ("here", "still here", "and here"):
            await child.write(f"{line}\n")
            assert await child.wait_line(START_S) == line
            child.process.send_signal(signal.SIGHUP)
        child.process.send_signal(signal.SIGTERM)
        await child.close_stdin()
        assert await child.wait_outcome(END_S) == Outcome(143, [], [])


# ── signals, stage by stage ──────────────────────────────────────────────────────────────────────


async def run_with_ctrl_c_at(module: str, folder: Path, *commands: str) -> dict[str, Outcome]:
    """Run commands that get a Ctrl-C as they import a module."""
    act = "os.kill(os.getpid(), signal.SIGINT)"
    env = env_with_site(folder, FINDER.format(name=module, act=act))
    return await run_together(
        {
            command: partial(run_to_end, command, sys.executable, "-m", *command.split(), env=env)
            for command in commands
        }
    )


@pytest.mark.parametrize("module", ["attrs", "trio"])
async def test_ctrl_c_while_a_command_loads_ends_it_without_a_traceback(
    tmp_path: Path, module: str
) -> None:
    commands = ("imgsync demo", "imgsync.relay", "imgsync.client", "imgsync.evaluator")
    outcomes = await run_with_ctrl_c_at(module, tmp_path, *commands)
    assert outcomes == dict.fromkeys(commands, Outcome(130, [], []))


async def test_ctrl_c_while_a_peer_loads_what_it_connects_with_ends_it_in_good_order(
    relay_url: str, tmp_path: Path
) -> None:
    command = f"imgsync client --relay {relay_url} --user loading"
    outcomes = await run_with_ctrl_c_at("aiortc", tmp_path, command)
    assert outcomes == {command: Outcome(130, [], [])}


async def test_a_signal_that_comes_with_the_relays_first_line_drains_it(tmp_path: Path) -> None:
    """Whoever reads that line may well be quicker than the relay's next step."""
    code = """
import builtins, os, signal
stock = print

def print_and_end(*values, **options):
    stock(*values, **options)
    os.kill(os.getpid(), signal.SIGTERM)

builtins.print = print_and_end
"""
    outcome = await run_to_end("relay", *our_relay(), env=env_with_site(tmp_path, code))
    assert outcome.code == 0
    assert len(outcome.lines) == 1


Handler = Callable[[WebSocket], Any]


@asynccontextmanager
async def open_stuck_relay(until: str) -> AsyncIterator[tuple[str, trio.Event]]:
    """Something that is like a relay until it gets an event of this name.

    Yields its URL, and what is set then.
    """
    stuck = trio.Event()

    async def serve(socket: WebSocket, _: Request) -> None:
        while True:
            message = json.loads(await socket.receive())
            if message["event"] == until:
                stuck.set()
            elif message["event"] == "register":
                user, role = message["data"]["userId"], message["data"]["role"]
                content = {"userId": user, "role": role, "iceServers": []}
                socket.post(json.dumps({"event": "registered", "data": content}))

    async def answer(_: Request) -> Response:
        return refuse(404)

    listeners = await open_port(LOOPBACK, 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_site, Site(answer, {"/ws": serve}), listeners)
        yield f"ws://{LOOPBACK}:{port_of(listeners)}/ws", stuck
        nursery.cancel_scope.cancel()


async def end_when(stage: trio.Event, number: int, *words: str) -> Outcome:
    async with open_child(words[3], *words, env=STRICT) as child:
        with trio.fail_after(START_S):
            await stage.wait()
        child.process.send_signal(number)
        return await child.wait_outcome(END_S)


async def test_a_signal_ends_a_peer_that_waits_for_the_relays_answer() -> None:
    async with (
        open_stuck_relay("register") as (deaf_url, deaf),
        open_stuck_relay("start_session") as (slow_url, slow),
    ):
        follow, show = client(deaf_url, "C"), evaluator(slow_url, "C", str(SAMPLES))
        outcomes = await run_together(
            {
                "client": partial(end_when, deaf, signal.SIGINT, *follow),
                "evaluator": partial(end_when, slow, signal.SIGTERM, *show),
            }
        )
    assert outcomes == {"client": Outcome(130, [], []), "evaluator": Outcome(143, [], [])}


#: Ways to end a process in the middle: exit code, and what the relay tells the other side of it.
ENDS = [
    (signal.SIGINT, 130, "ended"),
    (signal.SIGTERM, 143, "ended"),
    (signal.SIGKILL, -signal.SIGKILL, "peer_gone"),
]


async def test_the_end_of_a_client_that_waits_for_a_session_is_told_to_evaluators(
    relay_url: str,
) -> None:
    async def end_waiting(number: int) -> Outcome:
        user = f"waiting-{number}"
        async with (
            open_raw(relay_url, "evaluator", f"onlooker-{number}") as onlooker,
            open_child("client", *client(relay_url, user, "--once"), env=STRICT) as following,
        ):
            await onlooker.wait_presence(user, "available")
            await following.wait_line(START_S)
            following.process.send_signal(number)
            outcome = await following.wait_outcome(END_S)
            await onlooker.wait_presence(user, "offline")
            return outcome

    outcomes = await run_together({str(n): partial(end_waiting, n) for n, _, _ in ENDS})
    assert outcomes == {str(number): Outcome(code, [], []) for number, code, _ in ENDS}


async def test_a_client_ended_in_the_handshake_is_reported_to_an_evaluator_that_never_offers(
    relay_url: str,
) -> None:
    async def handshake(number: int, reason: str) -> Outcome:
        user = f"unoffered-{number}"
        async with (
            open_raw(relay_url, "evaluator", f"silent-{number}") as silent,
            open_child("client", *client(relay_url, user, "--json"), env=STRICT) as following,
        ):
            await following.wait_event("registered")
            session_id = await silent.start(user)
            assert (await following.wait_event("session"))["sessionId"] == session_id
            following.process.send_signal(number)
            outcome = await following.wait_outcome(END_S)
            ended = await silent.wait_event("session_ended")
            assert (ended["sessionId"], ended["reason"]) == (session_id, reason)
            assert ended["byUserId"] == user
            return outcome

    jobs: dict[str, Job] = {str(n): partial(handshake, n, reason) for n, _, reason in ENDS}
    outcomes = await run_together(jobs)
    assert outcomes == {str(number): Outcome(code, [], []) for number, code, _ in ENDS}


async def test_an_evaluator_ended_in_the_handshake_is_reported_to_a_client_that_never_answers(
    relay_url: str,
) -> None:
    async def handshake(number: int, reason: str) -> Outcome:
        user = f"unanswering-{number}"
        show = evaluator(relay_url, user, *HERE, str(SAMPLES))
        async with (
            open_raw(relay_url, "client", user) as silent,
            open_child("evaluator", *show, env=STRICT) as showing,
        ):
            started = await silent.wait_event("session_started")
            offer = await silent.wait_event("webrtc_signal")
            assert offer["signal"]["type"] == "offer"
            showing.process.send_signal(number)
            outcome = await showing.wait_outcome(END_S)
            ended = await silent.wait_event("session_ended")
            assert (ended["sessionId"], ended["reason"]) == (started["sessionId"], reason)
            return outcome

    jobs: dict[str, Job] = {str(n): partial(handshake, n, reason) for n, _, reason in ENDS}
    outcomes = await run_together(jobs)
    assert outcomes == {str(number): Outcome(code, [], []) for number, code, _ in ENDS}


async def test_a_peer_whose_other_side_goes_in_the_handshake_fails_in_one_line(
    relay_url: str,
) -> None:
    async def client_of_a_gone_evaluator() -> Outcome:
        follow = client(relay_url, "left", "--once")
        async with open_child("client", *follow, env=STRICT) as following:
            await following.wait_line(START_S)
            async with open_raw(relay_url, "evaluator", "leaving") as leaving:
                await leaving.start("left")
                await following.wait_line(SESSION_S)
            return await following.wait_outcome(END_S)

    async def evaluator_of_a_gone_client() -> Outcome:
        show = evaluator(relay_url, "leaving", *HERE, str(SAMPLES))
        async with (
            open_raw(relay_url, "client", "leaving") as leaving,
            open_child("evaluator", *show, env=STRICT) as showing,
        ):
            await leaving.wait_event("webrtc_signal")
            await leaving.socket.flush_and_close()
            return await showing.wait_outcome(END_S)

    outcomes = await run_together(
        {"client": client_of_a_gone_evaluator, "evaluator": evaluator_of_a_gone_client}
    )
    gone = "the session has ended: the other side has gone"
    for name, outcome in outcomes.items():
        assert assert_one_complaint(name, outcome) == f"imgsync {name}: {gone}"


@asynccontextmanager
async def open_pair(url: str, user: str, *mode: str) -> AsyncIterator[tuple[Child, Child]]:
    """Both commands, connected: an evaluator that is driven by lines, or by the clock."""
    show = evaluator(url, user, *HERE, "--json", *mode)
    follow = client(url, user, *HERE, "--json", "--once")
    async with open_child("client", *follow, env=STRICT) as following:
        await following.wait_event("registered")
        async with open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
            await showing.wait_event("connected")
            yield showing, following


def many_images(folder: Path) -> str:
    """A manifest of more images than a test waits for; nobody serves them."""
    entry = {"imageUrl": NOBODY.image_url, "signedUrl": NOBODY.signed_url}
    path = folder / "many.json"
    path.write_text(json.dumps([entry] * 5000))
    return str(path)


async def test_ctrl_c_of_a_connected_client_ends_the_evaluator_in_one_line(relay_url: str) -> None:
    async with open_pair(relay_url, "stopped-client", str(SAMPLES)) as (showing, following):
        await showing.write("next\n")
        await showing.wait_event("acked")
        following.process.send_signal(signal.SIGINT)
        followed = await following.wait_outcome(END_S)
        shown = await showing.wait_outcome(END_S)

    assert (followed.code, followed.errors) == (130, [])
    assert assert_one_complaint("evaluator", shown) == (
        "imgsync evaluator: the session has ended: one of the two sides ended it"
    )
    summary = json.loads(shown.lines[-1])
    assert (summary["event"], summary["shown"], summary["acked"]) == ("summary", 1, 1)


async def test_sigterm_of_a_showing_evaluator_ends_the_client_in_good_order(
    relay_url: str, tmp_path: Path
) -> None:
    mode = ("--every", "0.1", many_images(tmp_path))
    async with open_pair(relay_url, "stopped-evaluator", *mode) as (showing, following):
        await showing.wait_event("acked")
        showing.process.send_signal(signal.SIGTERM)
        shown = await showing.wait_outcome(END_S)
        followed = await following.wait_outcome(END_S)

    assert (shown.code, shown.errors) == (143, [])
    assert json.loads(shown.lines[-1])["event"] == "summary"
    assert (followed.code, followed.errors) == (0, [])
    assert json.loads(followed.lines[-1])["reason"] == "ended"


async def test_ctrl_c_of_the_survivor_works_after_either_side_was_killed(
    relay_url: str, tmp_path: Path
) -> None:
    """That the other side has gone shows on the channel only after half a minute."""
    mode = ("--every", "0.1", many_images(tmp_path))

    async def kill(victim: str) -> Outcome:
        async with open_pair(relay_url, f"killed-{victim}", *mode) as (showing, following):
            await showing.wait_event("acked")
            killed, survivor = (following, showing) if victim == "client" else (showing, following)
            killed.process.kill()
            assert await killed.wait_exit() == -signal.SIGKILL
            survivor.process.send_signal(signal.SIGINT)
            return await survivor.wait_outcome(END_S)

    outcomes = await run_together(
        {victim: partial(kill, victim) for victim in ("client", "evaluator")}
    )
    for victim, outcome in outcomes.items():
        assert (outcome.code, outcome.errors) == (130, []), victim


# ── what a long life leaves behind ───────────────────────────────────────────────────────────────


@attrs.frozen
class Footprint:
    """What a process holds."""

    files: int
    threads: int

    @classmethod
    def of(cls, child: Child) -> Footprint:
        proc = Path("/proc") / str(child.process.pid)
        return cls(len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))

    def is_within(self, limit: Footprint) -> bool:
        return self.files <= limit.files and self.threads <= limit.threads


async def test_a_client_holds_no_more_files_and_threads_after_ten_sessions_than_after_two(
    relay_url: str,
) -> None:
    footprints = []
    async with (
        open_image_host(LOOPBACK, {"a": SAMPLES / "9-blank.png"}) as host,
        open_child("client", *client(relay_url, "long", *HERE, "--json"), env=STRICT) as following,
        open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as library,
    ):
        await following.wait_event("registered")
        image = ImageRef(0, host.url_of("a"), host.signed_url_of("a"), "a")
        for _ in range(10):
            with trio.fail_after(SESSION_S):
                async with library.open_session("long") as session:
                    await session.show(image)
                    await following.wait_event("fetched")
            assert (await following.wait_event("ended"))["reason"] == "ended"
            footprints.append(Footprint.of(following))
        # aioice closes its sockets in the turn of the loop after the one that we wait for.
        await wait_until(
            lambda: Footprint.of(following).is_within(footprints[1]), f"no growth in {footprints}"
        )


# ── a STUN server that never answers ─────────────────────────────────────────────────────────────


async def follow_all(
    client: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    task_status.started()
    async for session in client.sessions():
        async with session:
            async for _ in session.images():
                pass


@asynccontextmanager
async def open_timed_session(*stun: str) -> AsyncIterator[Callable[[], Any]]:
    """Yields what measures the seconds from the start of a session to its first ack."""
    listeners = await open_port(LOOPBACK, 0)
    url = f"ws://{LOOPBACK}:{port_of(listeners)}/ws"
    async with (
        open_relay_inside(listeners, Settings(ice=IceOffer(stun=stun))),
        open_client(url, user_id="C", ice_addresses=[LOOPBACK]) as following,
        open_evaluator(url, user_id="E", ice_addresses=[LOOPBACK]) as showing,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(follow_all, following)

        async def measure() -> float:
            begin = trio.current_time()
            with trio.fail_after(SESSION_S):
                async with showing.open_session("C") as session:
                    await session.show(NOBODY)
                    return trio.current_time() - begin

        yield measure
        nursery.cancel_scope.cancel()


async def test_a_dead_stun_server_costs_a_session_no_time() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as dead:
        dead.bind((LOOPBACK, 0))
        stun = f"stun:{LOOPBACK}:{dead.getsockname()[1]}"
        async with open_timed_session(stun) as with_stun, open_timed_session() as without:
            runs = [(await with_stun(), await without()) for _ in range(5)]
        dead.setblocking(False)
        asked = dead.recv(2048)
    # It was asked indeed: a binding request (RFC 8489, section 5).
    assert asked[:2] == b"\x00\x01"
    # What a server costs, it costs each time; what a busy machine costs, it does not.
    slow, quick = (min(times) for times in zip(*runs, strict=True))
    assert slow <= 2 * quick + 0.03, runs


# ── hostile peers ────────────────────────────────────────────────────────────────────────────────

SDP = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=sctp-port:5000
a=max-message-size:65536
a=ice-ufrag:{ufrag}
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
"""


def sdp(ufrag: str = "abcd", **changes: str) -> str:
    fingerprint = ":".join(["00"] * 32)
    text = SDP.format(ufrag=ufrag, fingerprint=fingerprint)
    for old, new in changes.items():
        text = re.sub(rf"(?m)^.={old}\b.*\n", new, text)
    return text.replace("\n", "\r\n")


def candidate(text: str) -> JSON:
    return {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0}


def offer(text: object) -> JSON:
    return {"type": "offer", "sdp": text}


#: What an evaluator may say, and what the client says of it when it ends the session.
NONSENSE: dict[str, tuple[object, str]] = {
    "a number": (17, "unreadable signal: expected an object"),
    "a list": ([[]], "unreadable signal: expected an object"),
    "an empty object": ({}, "unreadable signal: neither a type nor a candidate"),
    "a deep nest": (json.loads("[" * 500 + "]" * 500), "unreadable signal: "),
    "an offer without SDP": ({"type": "offer"}, "unreadable signal: signal.sdp: missing"),
    "an offer of a number": (offer(5), "unreadable signal: signal.sdp: expected a string"),
    "an offer of noise": (offer("noise"), "its SDP does not begin with v=0"),
    "an offer of 40 kB": (offer("v=0\r\n" + "a=x\r\n" * 8000), "more than 32768 characters"),
    "an offer of video": (
        offer(sdp(application="m=video 9 UDP/TLS/RTP/SAVPF 96\n")),
        "one data-channel section and nothing else",
    ),
    "an offer without a fingerprint": (offer(sdp(fingerprint="")), "its a=fingerprint is missing"),
    "a candidate of noise": (candidate("candidate:noise"), "the form of RFC 8839"),
    "a candidate at port 0": (
        candidate("candidate:1 1 udp 1 127.0.0.1 0 typ host"),
        "its port is not between 1 and 65535",
    ),
    "a candidate at a name": (
        candidate("candidate:1 1 udp 1 example.org 9 typ host"),
        "no IP address and no mDNS name",
    ),
}

#: What it may say that is no reason to end anything.
HARMLESS: list[object] = [
    None,
    {"type": "answer", "sdp": "not for a client"},
    {"type": "request_offer"},
    {"type": "something new", "sdp": 5},
    candidate(""),
    candidate("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active"),
    offer(sdp()),
    offer(sdp()),
    candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host"),
]

FLOOD = 5000


async def assert_serves(client_id: str, url: str) -> None:
    """A good session; where the client has just lost the relay, when it is back."""
    async with open_evaluator(url, user_id="good", ice_addresses=[LOOPBACK]) as library:
        await wait_until(lambda: client_id in library.clients, f"{client_id} at the relay", START_S)
        with trio.fail_after(SESSION_S):
            async with library.open_session(client_id) as session:
                await session.show(NOBODY)


async def test_a_client_survives_whatever_an_evaluator_says_and_then_serves_a_good_session(
    relay_url: str,
) -> None:
    follow = client(relay_url, "bold", *HERE, "--json")
    async with open_child("client", *follow, env=STRICT) as following:
        await following.wait_event("registered")
        async with open_raw(relay_url, "evaluator", "hostile") as hostile:
            for name, (value, complaint) in NONSENSE.items():
                session_id = await hostile.start("bold")
                hostile.signal("bold", value)
                ended = await hostile.wait_event("session_ended")
                assert (ended["sessionId"], ended["byUserId"]) == (session_id, "bold"), name
                told = await following.wait_event("ended")
                assert told["sessionId"] == session_id, name
                assert told["reason"] == "negotiation_failed", name
                assert complaint in told["detail"], name

            session_id = await hostile.start("bold")
            for value in HARMLESS:
                hostile.signal("bold", value)
            answer = await hostile.wait_event("webrtc_signal", "session_ended")
            assert answer.get("signal", {}).get("type") == "answer"
            hostile.say("end_session", sessionId=session_id)
            assert (await following.wait_event("ended"))["reason"] == "ended"
        await assert_serves("bold", relay_url)
        assert (await following.wait_event("ended"))["reason"] == "ended"
        following.process.send_signal(signal.SIGINT)
        outcome = await following.wait_outcome(END_S)
    assert (outcome.code, outcome.errors) == (130, [])


async def test_a_client_survives_a_flood_of_candidates_and_a_frame_that_is_too_large(
    relay_url: str,
) -> None:
    follow = client(relay_url, "flooded", *HERE, "--json")
    one = candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host")
    async with open_child("client", *follow, env=STRICT) as following:
        await following.wait_event("registered")
        async with open_raw(relay_url, "evaluator", "flood") as flood:
            await flood.start("flooded")
            for _ in range(FLOOD):
                flood.signal("flooded", one)
                # Else they would pile up here instead of there.
                await trio.lowlevel.checkpoint()
            told = await following.wait_event("ended", SESSION_S)
            assert told["reason"] == "negotiation_failed"
            assert re.search(r"more (than 100 candidates|signals than)", told["detail"])
        async with open_raw(relay_url, "evaluator", "giant") as giant:
            await giant.start("flooded")
            giant.signal("flooded", offer("v" * 70_000))
            assert (await following.wait_event("ended"))["reason"] == "peer_gone"
        await assert_serves("flooded", relay_url)
        assert (await following.wait_event("ended"))["reason"] == "ended"
        following.process.send_signal(signal.SIGINT)
        outcome = await following.wait_outcome(END_S)
    assert outcome.code == 130
    assert "Traceback" not in "\n".join(outcome.errors)


def answer(text: object) -> JSON:
    return {"type": "answer", "sdp": text}


#: What a client may say, and how the evaluator's complaint ends.
NONSENSE_OF_CLIENTS: dict[str, tuple[list[object], str]] = {
    "noise": (
        [answer("noise")],
        r"the other side sent an answer that can't be used: its SDP does not begin with v=0",
    ),
    "number": ([17], r"the other side sent an unreadable signal: expected an object"),
    "flood": (
        [candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host")] * 200,
        r"the other side sent more (than 100 candidates|signals than can be handled)",
    ),
}


async def test_an_evaluator_names_in_one_line_what_was_wrong_with_a_clients_answer(
    relay_url: str,
) -> None:
    async def converse(name: str) -> Outcome:
        show = evaluator(relay_url, name, *HERE, str(SAMPLES))
        async with (
            open_raw(relay_url, "client", name) as hostile,
            open_child("evaluator", *show, env=STRICT) as showing,
        ):
            await hostile.wait_event("webrtc_signal")
            for value in NONSENSE_OF_CLIENTS[name][0]:
                hostile.signal(f"evaluator-of-{name}", value)
            return await showing.wait_outcome(END_S)

    outcomes = await run_together({name: partial(converse, name) for name in NONSENSE_OF_CLIENTS})
    for name, (_, pattern) in NONSENSE_OF_CLIENTS.items():
        complaint = assert_one_complaint(name, outcomes[name])
        assert re.fullmatch(f"imgsync evaluator: the session has ended: {pattern}", complaint)
