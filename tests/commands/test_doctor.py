"""`imgsync doctor`, where all is well and where each thing is wrong, by real servers."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
import trio
import trustme

from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.net.connect import open_relay_socket
from imgsync.relay.tokens import mint_token
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.ports import find_free_port
from tests.kit.processes import (
    EXIT_S,
    JSON,
    LISTENING,
    START_S,
    STRICT,
    Outcome,
    open_child,
    run_together,
)
from tests.kit.turn_servers import SECRET as TURN_SECRET
from tests.kit.turn_servers import needs_coturn, open_coturn

DOCTOR = (sys.executable, "-m", "imgsync", "doctor", "--ice-address", "127.0.0.1")

AUTH_SECRET = "of 32 bytes, and not one of them fewer"

AHEAD_S = 3600
"""How far a clock is set ahead that is wrong."""

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@attrs.frozen
class Examined:
    """What the doctor said, as JSON, and how it exited."""

    findings: list[JSON]
    summary: JSON
    outcome: Outcome

    def of(self, check: str) -> JSON:
        """The one finding of this check."""
        [finding] = [finding for finding in self.findings if finding["check"] == check]
        return finding

    @property
    def results(self) -> list[tuple[str, str]]:
        return [(finding["check"], finding["result"]) for finding in self.findings]


@asynccontextmanager
async def open_relay(*options: str, env: dict[str, str] = STRICT) -> AsyncIterator[str]:
    """Yields its URL."""
    command = (sys.executable, "-m", "imgsync.relay", "--port", "0", *options)
    # What another environment changes is there from the start on, such as a clock.
    opening = open_fork if env is STRICT else open_child
    async with opening("relay", *command, env=env) as relay:
        line = await relay.wait_line(START_S)
        assert line.startswith(LISTENING)
        yield line.removeprefix(LISTENING)


async def examine(url: str, *options: str) -> Outcome:
    command = (*DOCTOR, "--json", "--relay", url, *options)
    return await run_fork_to_end("doctor", *command)


def read(outcome: Outcome) -> Examined:
    *findings, summary = map(json.loads, outcome.lines)
    assert all(finding["event"] == "check" for finding in findings)
    assert summary["event"] == "summary"
    assert summary["checks"] == len(findings)
    failed = sum(finding["result"] == "failed" for finding in findings)
    assert summary["failed"] == failed
    assert outcome.code == (1 if failed else 0)
    [*complaint] = outcome.errors
    assert len(complaint) == (1 if failed else 0)
    return Examined(findings, summary, outcome)


def write_secret(path: Path, secret: str) -> str:
    path.write_text(secret)
    path.chmod(0o600)
    return str(path)


# ── all is well ──────────────────────────────────────────────────────────────────────────────────


@needs_coturn
async def test_where_all_is_well_every_part_has_been_tried(tmp_path: Path) -> None:
    secret = write_secret(tmp_path / "turn-secret", TURN_SECRET)
    tokens = ("--auth-secret-file", write_secret(tmp_path / "auth-secret", AUTH_SECRET))
    async with open_coturn() as coturn:
        turn = f"turn:127.0.0.1:{coturn.port}"
        ice = ("--stun", f"stun:127.0.0.1:{coturn.port}", "--turn-secret-file", secret)
        async with open_relay(*ice, "--turn", turn, *tokens) as url:
            token = mint_token(AUTH_SECRET.encode(), Claims("ann", Role.CLIENT, None), 3600)
            seen = read(await examine(url, "--token", token))
    assert seen.results == [
        (check, "ok")
        for check in (
            "relay",
            "websocket",
            "token",
            "clock",
            "stun",
            "turn",
            "path",
            "path",
            "path",
            "images",
        )
    ]
    assert "client 'ann'" in seen.of("token")["detail"]
    assert "60 minutes" in seen.of("token")["detail"]
    assert f"{turn} relays for us at 127.0.0.1:" in seen.of("turn")["detail"]
    ways = [finding["detail"] for finding in seen.findings if finding["check"] == "path"]
    for way, detail in zip(("direct: ", "reflexive: ", f"through {turn}: "), ways, strict=True):
        assert detail.startswith(way)
    assert not any(finding["advice"] for finding in seen.findings)


async def test_in_prose_each_part_has_one_line_with_its_result_first() -> None:
    async with open_relay("--stun", "none") as url:
        outcome = await run_fork_to_end("doctor", *DOCTOR, "--relay", url, env=STRICT)
    assert (outcome.code, outcome.errors) == (0, [])
    *lines, summary = outcome.lines
    assert [line.split()[:2] for line in lines] == [
        ["ok", check] for check in ("relay", "websocket", "token", "clock", "path", "images")
    ]
    assert summary == "6 checks, 0 failed, 0 with a warning"


# ── something is wrong ───────────────────────────────────────────────────────────────────────────


async def _no_relay(folder: Path) -> Outcome:
    return await examine(f"ws://127.0.0.1:{find_free_port()}/ws")


async def _other_server(folder: Path) -> Outcome:
    """It speaks HTTP, and is no relay."""

    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        outcome = await examine(f"ws://127.0.0.1:{port}/ws")
        nursery.cancel_scope.cancel()
    return outcome


async def _no_token(folder: Path) -> Outcome:
    secret = write_secret(folder / "auth-secret", AUTH_SECRET)
    async with open_relay("--auth-secret-file", secret) as url:
        return await examine(url)


async def _untrusted(folder: Path) -> Outcome:
    certificate = folder / "certificate.pem"
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    files = ("--tls-cert", str(certificate), "--tls-key", str(certificate))
    async with open_relay("--stun", "none", *files) as url:
        return await examine(url)


async def _dead_stun(folder: Path) -> Outcome:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with open_relay("--stun", f"stun:127.0.0.1:{silent.getsockname()[1]}") as url:
            return await examine(url)


async def _dead_turn(folder: Path) -> Outcome:
    turn = f"turn:127.0.0.1:{find_free_port()}?transport=tcp"
    secret = ("--turn-secret-file", write_secret(folder / "turn-secret", TURN_SECRET))
    async with open_relay("--stun", "none", "--turn", turn, *secret) as url:
        return await examine(url)


async def _other_secret(folder: Path) -> Outcome:
    other = write_secret(folder / "other-secret", "another one than the TURN server's")
    async with open_coturn() as coturn:
        turn = ("--turn", f"turn:127.0.0.1:{coturn.port}", "--turn-secret-file", other)
        async with open_relay("--stun", "none", *turn) as url:
            return await examine(url)


async def _wrong_clock(folder: Path) -> Outcome:
    ahead = {
        **STRICT,
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": f"+{AHEAD_S}",
        "DONT_FAKE_MONOTONIC": "1",
    }
    async with open_relay("--stun", "none", env=ahead) as url:
        return await examine(url)


async def _forbidden_image(folder: Path) -> Outcome:
    async def refuse(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    manifest = folder / "manifest.json"
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, refuse, 0, host="127.0.0.1"))
        image = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/a.png"
        entry = {"imageUrl": image, "signedUrl": f"{image}?signature=c0ffee"}
        manifest.write_text(json.dumps([entry, entry]))
        async with open_relay("--stun", "none") as url:
            outcome = await examine(url, str(manifest))
        nursery.cancel_scope.cancel()
    return outcome


async def _other_origin(folder: Path) -> Outcome:
    """As a proxy that does not pass on the header Host."""

    async def carry(source: trio.SocketStream, target: trio.SocketStream) -> None:
        async for some in source:
            await target.send_all(re.sub(rb"\r\nHost: [^\r]+", b"\r\nHost: backend:80", some))
        await target.send_eof()

    async with open_relay("--stun", "none") as url, trio.open_nursery() as nursery:

        async def serve(near: trio.SocketStream) -> None:
            far = await trio.open_tcp_stream("127.0.0.1", urlsplit(url).port or 0)
            async with near, far, trio.open_nursery() as both:
                both.start_soon(carry, near, far)
                both.start_soon(carry, far, near)

        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        outcome = await examine(f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/ws")
        nursery.cancel_scope.cancel()
    return outcome


async def _too_many(folder: Path) -> Outcome:
    strict = ("--stun", "none", "--connect-rate", "0.001")
    async with open_relay(*strict) as url, open_relay_socket(url):
        return await examine(url)


async def _proxy_without_relay(folder: Path) -> Outcome:
    return await _answered(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


async def _captive_portal(folder: Path) -> Outcome:
    portal = b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n"
    return await _answered(portal)


async def _answered(answer: bytes) -> Outcome:
    """What it finds at a server that answers everything so."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        outcome = await examine(f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/ws")
        nursery.cancel_scope.cancel()
    return outcome


#: What is wrong, the check that says so, its result, and words of what it says and advises; the one
#: that takes longest first.
WRONG: dict[Callable[[Path], Awaitable[Outcome]], tuple[str, str, str, str]] = {
    _dead_stun: ("stun", "warning", "gave no address: it did not answer", "UDP"),
    _no_relay: ("relay", "failed", "Connection refused", "is it running?"),
    _other_server: ("websocket", "failed", "HTTP status 404", "Upgrade"),
    _no_token: ("token", "failed", "token", "--token-file"),
    _untrusted: ("relay", "failed", "certificate", "trusted"),
    _dead_turn: ("turn", "failed", "gave no address: ConnectionRefused", "TCP"),
    _other_secret: ("turn", "failed", "refused the credential", "--turn-secret-file"),
    _wrong_clock: ("clock", "failed", "3600.0 s behind", "NTP"),
    _other_origin: ("origin", "failed", "may not connect", "--allow-origin http://127.0.0.1:"),
    _too_many: ("websocket", "failed", "4029", "--connect-rate"),
    _proxy_without_relay: ("websocket", "failed", "502: a proxy is there", "is the relay running"),
    _captive_portal: ("websocket", "failed", "leads to http://login.example/", "sign in first"),
    _forbidden_image: ("images", "failed", "can't be had: http_403", "sign the URLs anew"),
}


@needs_coturn
@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
async def test_what_is_wrong_is_found_by_the_check_for_it_with_what_to_do(
    tmp_path: Path,
) -> None:
    jobs = {wrong.__name__: partial(wrong, tmp_path) for wrong in WRONG}
    outcomes = await run_together(jobs, at_once=3)
    for wrong, (check, result, detail, advice) in WRONG.items():
        seen = read(outcomes[wrong.__name__])
        finding = seen.of(check)
        assert finding["result"] == result, finding
        said = f"{finding['detail']}; {finding['advice']}"
        assert detail in said, finding
        assert advice in said, finding
        others = {(name, value) for name, value in seen.results if value == "failed"}
        assert others <= {(check, "failed")}, seen.results
        assert ("path", "ok") in seen.results  # whatever else is wrong, that much works here
        assert "c0ffee" not in "".join(seen.outcome.lines)


# ── and the command itself ───────────────────────────────────────────────────────────────────────


async def test_what_can_not_be_meant_is_told_in_one_line() -> None:
    url = f"ws://127.0.0.1:{find_free_port()}/ws"
    outcomes = await run_together(
        {
            "no ws URL": partial(examine, "http://127.0.0.1/ws"),
            "no address": partial(examine, url, "--ice-address", "here"),
            "no role": partial(examine, url, "--role", "king"),
        }
    )
    for name, (code, words) in {
        "no ws URL": (1, "ws://HOST:PORT/ws"),
        "no address": (1, "--ice-address 'here'"),
        "no role": (2, "invalid choice: 'king'"),
    }.items():
        outcome = outcomes[name]
        assert (outcome.code, outcome.lines) == (code, [])
        assert words in outcome.errors[-1]


async def test_ctrl_c_leaves_at_once_and_without_a_word() -> None:
    with socket.socket() as silent:  # it takes a connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/ws"
        async with open_fork("doctor", *DOCTOR, "--relay", url, env=STRICT) as child:
            silent.setblocking(False)
            with trio.fail_after(START_S):
                trio_socket = trio.socket.from_stdlib_socket(silent.dup())
                with trio_socket:
                    connection, _ = await trio_socket.accept()
            with connection:
                child.process.send_signal(signal.SIGINT)
                outcome = await child.wait_outcome(EXIT_S)
    assert outcome == Outcome(130, [], [])
