"""Signals at every stage of a command, and the end of the other side.

The other side is a command, too, where its exit code matters; else a bare WebSocket.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from tests.kit.command_lines import (
    END_S,
    FINDER,
    HERE,
    LOOPBACK,
    NOBODY,
    assert_one_complaint,
    client,
    env_with_site,
    evaluator,
)
from tests.kit.forks import open_fork
from tests.kit.processes import (
    SAMPLES,
    SESSION_S,
    START_S,
    STRICT,
    Child,
    Job,
    Outcome,
    our_relay,
    run_to_end,
    run_together,
)
from tests.kit.raw_peers import open_raw


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
import builtins, io, os, signal
stock = open

class Ending(io.FileIO):
    def write(self, data):
        written = super().write(data)
        os.kill(os.getpid(), signal.SIGTERM)
        return written

def open_stdout_so(file, *args, **options):
    return Ending(1, "wb", closefd=False) if file == 1 else stock(file, *args, **options)

builtins.open = open_stdout_so
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
    async with open_fork(words[3], *words, env=STRICT) as child:
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
            open_fork("client", *client(relay_url, user, "--once"), env=STRICT) as following,
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
            open_fork("client", *client(relay_url, user, "--json"), env=STRICT) as following,
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
            open_fork("evaluator", *show, env=STRICT) as showing,
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
        async with open_fork("client", *follow, env=STRICT) as following:
            await following.wait_line(START_S)
            async with open_raw(relay_url, "evaluator", "leaving") as leaving:
                await leaving.start("left")
                await following.wait_line(SESSION_S)
            return await following.wait_outcome(END_S)

    async def evaluator_of_a_gone_client() -> Outcome:
        show = evaluator(relay_url, "leaving", *HERE, str(SAMPLES))
        async with (
            open_raw(relay_url, "client", "leaving") as leaving,
            open_fork("evaluator", *show, env=STRICT) as showing,
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
    async with open_fork("client", *follow, env=STRICT) as following:
        await following.wait_event("registered")
        async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
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
    assert (summary["event"], summary["sent"], summary["acked"]) == ("summary", 1, 1)


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
