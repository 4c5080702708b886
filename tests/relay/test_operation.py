"""The relay as a process, as its operators see it: signals, figures, logs, certificates."""

import json
import re
import signal
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import attrs
import jwt
import pytest
import trio

from imgsync.core.protocol.errors import SocketClosed, UpgradeRefused
from imgsync.net.connect import open_relay_socket
from tests.kit.descriptions import AIORTC as SDP
from tests.kit.forks import open_fork
from tests.kit.processes import LISTENING, START_S, STRICT, Child, our_relay, wait_until
from tests.kit.relays import Object, Peer, event, open_peer, register
from tests.net.test_frames import TEXT, frame, open_raw, upgrade_head
from tests.relay.test_limits import BIG, get, pair_up, scrape
from tests.relay.test_tls import Pair as Certificates
from tests.relay.test_tls import name_seen_at, trusting

WITHIN = 40.0
"""Seconds for one test on a loaded machine, the start of a process included."""

EXIT_S = 5.0
"""The relay's promise of how soon it is gone."""

SESSIONS = 30

TO_FILL_A_KERNEL = 100
"""Signals of 60 kB are more than kernels take for a peer that does not read."""


@attrs.frozen
class Relay:
    """A relay's process."""

    child: Child
    port: int

    async def wait_good_end(self) -> None:
        """It has got its signal, and ends as it should."""
        assert await self.child.wait_exit(EXIT_S) == 0
        assert "Traceback" not in self.child.read_errors()

    def has_logged(self, text: str) -> bool:
        return text in self.child.read_errors()


@asynccontextmanager
async def open_relay(*options: str) -> AsyncIterator[Relay]:
    with trio.fail_after(WITHIN):
        async with open_fork("relay", *our_relay(*options), env=STRICT) as child:
            line = await child.wait_line(START_S)
            assert line.startswith(LISTENING)
            yield Relay(child, int(line.rpartition(":")[2].removesuffix("/ws")))


# ── its end ──────────────────────────────────────────────────────────────────────────────────────


class Talk:
    """Sessions whose sides answer each signal with another at once, until they are closed."""

    def __init__(self) -> None:
        self._silent = 2 * SESSIONS
        #: Set when each side has answered something.
        self.is_on = trio.Event()
        #: The close code of each side.
        self.codes: list[int] = []

    async def run(self, port: int) -> None:
        """Until the relay closes them all."""
        async with trio.open_nursery() as nursery:
            for number in range(SESSIONS):
                nursery.start_soon(self._run_session, port, f"c{number}", f"e{number}")

    async def _run_session(self, port: int, client_id: str, evaluator_id: str) -> None:
        async with (
            open_peer(port, client_id) as client,
            open_peer(port, evaluator_id, "evaluator") as evaluator,
            trio.open_nursery() as nursery,
        ):
            evaluator.post("start_session", clientId=client_id)
            await evaluator.wait_for("session_started")
            for _ in range(3):
                evaluator.post("webrtc_signal", targetUserId=client_id, signal="x" * 500)
            nursery.start_soon(self._answer, client, evaluator_id)
            nursery.start_soon(self._answer, evaluator, client_id)

    async def _answer(self, peer: Peer, target: str) -> None:
        try:
            for number in count():
                content = await peer.wait_for("webrtc_signal")
                peer.post("webrtc_signal", targetUserId=target, signal=content["signal"])
                if number == 0:
                    self._silent -= 1
                if self._silent == 0:
                    self.is_on.set()
        except SocketClosed as exc:
            self.codes.append(exc.code)


@asynccontextmanager
async def open_deaf(port: int) -> AsyncIterator[Peer]:
    """A client that reads nothing of the much that waits for it; yields its evaluator."""
    async with open_raw(port) as deaf, open_peer(port, "shouting", "evaluator") as evaluator:
        await deaf.upgrade()
        await deaf.send(frame(TEXT, register("deaf", "client").encode()))
        while (await evaluator.wait_for("presence"))["userId"] != "deaf":
            pass
        evaluator.post("start_session", clientId="deaf")
        for _ in range(TO_FILL_A_KERNEL):
            evaluator.post("webrtc_signal", targetUserId="deaf", signal=BIG)
            evaluator.post("dance")
            assert (await evaluator.wait_for("error"))["code"] == "unknown_event"
        yield evaluator


DEAF = ("--outbox-size", "100000000", "--write-deadline", "60", "--rate-limit", "0")
"""With these the relay keeps a deaf client."""


async def test_a_relay_under_load_tells_every_peer_that_reads_and_is_gone_in_time() -> None:
    talk = Talk()
    async with (
        open_relay(*DEAF) as relay,
        open_deaf(relay.port) as shouting,
        trio.open_nursery() as nursery,
        open_raw(relay.port) as mute,
        open_raw(relay.port) as in_a_frame,
        open_raw(relay.port) as in_a_head,
    ):
        await mute.upgrade()
        await in_a_frame.upgrade()
        await in_a_frame.send(frame(TEXT, b"half")[:6])
        nursery.start_soon(talk.run, relay.port)
        await talk.is_on.wait()
        await in_a_head.send(upgrade_head()[:-2])
        started = trio.current_time()
        relay.child.process.send_signal(signal.SIGTERM)
        for told in (mute, in_a_frame):
            assert await told.read_close_code() == 1001
        assert (await shouting.wait_close()).code == 1001
        await relay.wait_good_end()
        assert trio.current_time() - started < EXIT_S
    assert talk.codes == [1001] * 2 * SESSIONS


async def test_ctrl_c_under_load_does_the_same() -> None:
    talk = Talk()
    async with open_relay("--rate-limit", "0") as relay, trio.open_nursery() as nursery:
        nursery.start_soon(talk.run, relay.port)
        await talk.is_on.wait()
        relay.child.process.send_signal(signal.SIGINT)
        await relay.wait_good_end()
    assert talk.codes == [1001] * 2 * SESSIONS


async def test_while_it_drains_newcomers_are_told_so_and_a_second_signal_changes_nothing() -> None:
    async with open_relay(*DEAF) as relay, open_deaf(relay.port) as shouting:
        assert await get(relay.port, "/health") == (200, b"ok\n")
        relay.child.process.send_signal(signal.SIGTERM)
        assert (await shouting.wait_close()).code == 1001
        for again in (signal.SIGTERM, signal.SIGINT):
            assert await get(relay.port, "/health") == (503, b"draining\n")
            with pytest.raises(UpgradeRefused, match="HTTP status 503"):
                await open_peer(relay.port).__aenter__()
            relay.child.process.send_signal(again)
        figures = await scrape(relay.port)
        assert figures["connects_refused_total", "draining"] == 2
        await relay.wait_good_end()


@pytest.mark.usefixtures("hang_up_by_default")
async def test_a_hang_up_ends_a_relay_without_a_certificate_as_sigterm_does() -> None:
    async with open_relay() as relay, open_peer(relay.port, "c") as peer:
        relay.child.process.send_signal(signal.SIGHUP)
        assert (await peer.wait_close()).code == 1001
        await relay.wait_good_end()


# ── its certificate ──────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_tls_peer(
    port: int, context: ssl.SSLContext, user: str, role: str
) -> AsyncIterator[Peer]:
    async with open_relay_socket(f"wss://127.0.0.1:{port}/ws", tls=context) as socket:
        socket.post(register(user, role))
        peer = Peer(socket)
        await peer.next("registered")
        yield peer


async def test_a_hang_up_changes_the_certificate_and_running_sessions_go_on(tmp_path: Path) -> None:
    files = Certificates(tmp_path).issue("first")
    context = trusting()
    options = ("--tls-cert", str(files.cert), "--tls-key", str(files.key))
    async with (
        open_relay(*options) as relay,
        open_tls_peer(relay.port, context, "carl", "client") as client,
        open_tls_peer(relay.port, context, "ann", "evaluator") as evaluator,
    ):
        pair = await pair_up(evaluator, client)
        assert await name_seen_at(relay.port) == "first"

        files.issue("second")
        relay.child.process.send_signal(signal.SIGHUP)
        await wait_until(lambda: relay.has_logged("new connections get"), "the new certificate")
        assert await name_seen_at(relay.port) == "second"
        assert await pair.is_undisturbed()

        files.damage("cert", "no certificate")
        relay.child.process.send_signal(signal.SIGHUP)
        await wait_until(lambda: relay.has_logged("ERROR the certificate was not"), "the complaint")
        assert relay.has_logged(f"{files.cert} holds no certificate")
        assert await name_seen_at(relay.port) == "second"
        async with open_raw(relay.port) as plain:
            await plain.send(upgrade_head())
            await plain.read_rest()
        assert await pair.is_undisturbed()

        relay.child.process.send_signal(signal.SIGTERM)
        for peer in (evaluator, client):
            assert (await peer.wait_close()).code == 1001
        await relay.wait_good_end()


# ── its figures ──────────────────────────────────────────────────────────────────────────────────


async def play_little_session(port: int, stack: AsyncExitStack) -> None:
    """Three sessions: replaced, ended, and one whose client goes without a word."""
    raw = await stack.enter_async_context(open_raw(port))
    await raw.upgrade()
    await raw.send(frame(TEXT, register("carl", "client").encode()))
    ann = await stack.enter_async_context(open_peer(port, "ann", "evaluator"))
    ann.post("webrtc_signal", targetUserId="carl", signal="too early")
    assert (await ann.wait_for("error"))["code"] == "no_session"
    ann.post("start_session", clientId="carl")
    await ann.next("session_started")
    ann.post("webrtc_signal", targetUserId="carl", signal={"type": "offer"})
    for signal_of_carl in ({"type": "answer"}, {"candidate": ""}):
        text = event("webrtc_signal", targetUserId="ann", signal=signal_of_carl)
        await raw.send(frame(TEXT, text.encode()))
        await ann.wait_for("webrtc_signal")
    ann.post("start_session", clientId="carl")
    ann.post("end_session", sessionId=(await ann.wait_for("session_started"))["sessionId"])
    await ann.wait_for("session_ended")
    ann.post("start_session", clientId="carl", sessionId="of a relay before this one")
    assert (await ann.wait_for("session_started"))["resumed"] is True
    raw.reset()
    assert (await ann.wait_for("session_ended"))["reason"] == "peer_gone"


async def test_the_figures_are_right_after_a_little_session() -> None:
    async with open_relay("--grace", "0.1") as relay, AsyncExitStack() as stack:
        assert await get(relay.port, "/health") == (200, b"ok\n")
        await play_little_session(relay.port, stack)
        async with open_raw(relay.port) as raw:
            await raw.send(upgrade_head(Origin=b"https://elsewhere.example"))
            assert await raw.read_status() == 403
        figures = await scrape(relay.port)
    others = ("process_", "info", "handshake_")
    assert {key: n for key, n in figures.items() if n and not key[0].startswith(others)} == {
        ("connections",): 1,
        ("connections_opened_total",): 2,
        ("connects_refused_total", "origin"): 1,
        ("registered", "evaluator"): 1,
        ("sessions_started_total",): 3,
        ("sessions_resumed_total",): 1,
        ("sessions_ended_total", "replaced"): 1,
        ("sessions_ended_total", "ended"): 1,
        ("sessions_ended_total", "peer_gone"): 1,
        ("signals_forwarded_total",): 3,
        ("errors_total", "no_session"): 1,
        ("drops_total", "abnormal"): 1,
    }
    assert figures["handshake_seconds_count",] == figures["handshake_seconds_bucket", "+Inf"] == 1
    assert 0 < figures["handshake_seconds_sum",] < WITHIN
    assert figures["process_open_fds",] > 0


# ── its logs ─────────────────────────────────────────────────────────────────────────────────────

CANDIDATE = "candidate:842163049 1 udp 1677729535 203.0.113.7 50001 typ srflx raddr 0.0.0.0 rport 0"
AUTH_SECRET, TURN_SECRET = "a-secret-of-the-relay-0123456789", "another-secret-for-turn-987654321"


def token_of(user: str, role: str = "client", secret: str = AUTH_SECRET) -> str:
    """A token that is short enough for the reason of a close frame."""
    claims = {"sub": user, "role": role, "exp": int(time.time()) + 60}
    return jwt.encode(claims, secret, headers={"typ": None})


async def play_secret_session(port: int) -> list[str]:
    """A session, and people who are refused; every text that no log may hold."""
    tokens = {"ann": token_of("ann", "evaluator"), "carl": token_of("carl")}
    forged, asked, left = token_of("carl", secret="x" * 32), token_of("q"), token_of("l")
    async with (
        open_peer(port, "carl", token=tokens["carl"]) as client,
        open_peer(port) as evaluator,
    ):
        evaluator.socket.post(register("ann", "evaluator", token=tokens["ann"]))
        turn = (await evaluator.next("registered"))["iceServers"][-1]
        await pair_up(evaluator, client)
        for kind, sender, receiver, target in (
            ("offer", evaluator, client, "carl"),
            ("answer", client, evaluator, "ann"),
        ):
            for one in ({"type": kind, "sdp": SDP}, {"candidate": CANDIDATE, "sdpMid": "0"}):
                sender.post("webrtc_signal", targetUserId=target, signal=one)
                assert (await receiver.next("webrtc_signal"))["signal"] == one
        # What is refused holds secrets, too.
        client.post("webrtc_signal", targetUserId="nobody", signal={"type": "offer", "sdp": SDP})
        assert (await client.next("error"))["code"] == "no_session"
        client.socket.post(f'{{"event": "webrtc_signal", "data": {json.dumps(SDP)}')
        assert (await client.next("error"))["code"] == "bad_message"
        async with open_peer(port) as stranger:
            stranger.socket.post(register("carl", "client", token=forged))
            assert (await stranger.wait_close()).code == 4001
        resource = f"/ws?token={asked}".encode()
        async with open_raw(port) as raw:
            await raw.upgrade(resource)
        async with open_raw(port) as raw:
            await raw.send(upgrade_head(resource, Origin=b"https://elsewhere.example"))
            assert await raw.read_status() == 403
        client.socket.close(4000, left)
        assert (await evaluator.wait_for("session_ended"))["reason"] == "peer_gone"
    all_tokens = [*tokens.values(), forged, asked, left]
    parts_of_tokens = [part for token in all_tokens for part in token.split(".")]
    parts_of_sdp = [line for line in SDP.split("\r\n") if len(line) > 5]
    ice_pwds = re.findall("ice-pwd:(.*)\r", SDP)
    assert len(ice_pwds) == 1
    return [
        *(*parts_of_tokens, *parts_of_sdp, *ice_pwds),
        *(CANDIDATE, AUTH_SECRET, TURN_SECRET, turn["credential"]),
    ]


async def run_secretly(folder: Path, format: str) -> list[str]:
    """The lines of the log of a relay with that session."""
    auth, turn = folder / "auth", folder / "turn"
    auth.write_text(AUTH_SECRET)
    turn.write_text(TURN_SECRET)
    options = ("--auth-secret-file", str(auth), "--grace", "0.1", "--log-format", format)
    ice = ("--turn", "turn:turn.example:3478", "--turn-secret-file", str(turn))
    async with open_relay(*options, *ice) as relay:
        secrets = await play_secret_session(relay.port)
        relay.child.process.send_signal(signal.SIGTERM)
        await relay.wait_good_end()
        text = relay.child.read_errors()
    assert [secret for secret in secrets if secret in text] == []
    return text.splitlines()


async def test_a_log_of_json_is_an_object_in_each_line_that_tells_whom_it_is_about(
    tmp_path: Path,
) -> None:
    lines: list[Object] = [json.loads(line) for line in await run_secretly(tmp_path, "json")]
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)

    def fields(message: str) -> list[Object]:
        standard = {"time", "level", "logger", "message", "remote"}
        found = [line for line in lines if line["message"] == message]
        return [{name: line[name] for name in line.keys() - standard} for line in found]

    [started] = fields("session started")
    session_id = started["session"]
    assert started == {"session": session_id, "user": "ann", "peer": "carl"}
    assert fields("registered") == [
        {"user": "carl", "role": "client", "socket": 1},
        {"user": "ann", "role": "evaluator", "socket": 2},
    ]
    assert fields("away")[0] == {"session": session_id, "user": "carl", "role": "client"}
    assert fields("session ended") == [{"session": session_id, "reason": "peer_gone"}]
    closed = fields("socket closed")
    assert {"socket": 3, "code": 4001, "reason": "unauthorized"} in closed
    assert {"user": "carl", "socket": 1, "code": 4000, "reason": "[redacted]"} in closed
    assert {line.get("remote", "127.0.0.1") for line in lines} == {"127.0.0.1"}


async def test_a_log_of_text_is_a_record_in_each_line(tmp_path: Path) -> None:
    lines = await run_secretly(tmp_path, "text")
    record = re.compile(r"[\d-]+T[\d:.]+Z (INFO|WARNING) \w")
    assert [line for line in lines if not record.match(line)] == []
    assert any(" INFO registered user=ann role=evaluator socket=2 " in line for line in lines)
