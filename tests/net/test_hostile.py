"""Whatever comes in on the relay's port hurts nobody but its sender.

Each input has a connection of its own. Beside it an evaluator and a client exchange numbered
signals for as long as the attack lasts; every one has to arrive, in order. What a standard defines
an answer for has to get that answer.
"""

import itertools
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from imgsync.core.codec.codec import MAX_FRAME
from imgsync.net.connect import open_relay_socket
from imgsync.net.ports import open_port, port_of
from imgsync.net.websocket import WebSocket
from imgsync.relay.server import open_relay
from tests.net.test_frames import BINARY, CLOSE, PING, PONG, TEXT, frame, open_raw, upgrade_head

BURST = 20

WITHIN = 8.0
"""Seconds for one test on a loaded machine; each needs a small part of one."""


# ── a session that wants to go on ────────────────────────────────────────────────────────────────


def event(name: str, **content: object) -> str:
    return json.dumps({"event": name, "data": content})


def signal(to: str, number: int) -> str:
    return event("webrtc_signal", targetUserId=to, signal={"number": number})


async def next_event(socket: WebSocket, name: str) -> dict[str, object]:
    """The next event of this name, whatever comes before."""
    while True:
        message = json.loads(await socket.receive())
        assert message["event"] != "error", message
        if message["event"] == name:
            content: dict[str, object] = message["data"]
            return content


async def pass_burst(sender: WebSocket, receiver: WebSocket, to: str, first: int) -> None:
    for number in range(first, first + BURST):
        sender.post(signal(to, number))
    for number in range(first, first + BURST):
        content = await next_event(receiver, "webrtc_signal")
        assert content["signal"] == {"number": number}


async def exchange_signals(
    url: str,
    attack_over: trio.Event,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Bursts to and fro, until one has passed that began after the attack."""
    async with open_relay_socket(url) as evaluator, open_relay_socket(url) as client:
        client.post(event("register", userId="c", role="client", package="webrtc"))
        await next_event(client, "registered")
        evaluator.post(event("register", userId="e", role="evaluator", package="webrtc"))
        evaluator.post(event("start_session", clientId="c"))
        await next_event(client, "session_started")
        last_round = False
        for first in itertools.count(step=BURST):
            await pass_burst(evaluator, client, "c", first)
            await pass_burst(client, evaluator, "e", first)
            if first == 0:
                task_status.started()
            if last_round:
                return
            last_round = attack_over.is_set()


async def check_health(port: int) -> None:
    async with open_raw(port) as raw:
        await raw.send(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert await raw.read_status() == 200


@asynccontextmanager
async def open_battlefield(caplog: pytest.LogCaptureFixture) -> AsyncIterator[int]:
    """A relay with a healthy session, which has to outlive the block. Yields the port."""
    attack_over = trio.Event()
    with trio.fail_after(WITHIN):
        listeners = await open_port("127.0.0.1", 0)
        port = port_of(listeners)
        async with open_relay(listeners), trio.open_nursery() as nursery:
            await nursery.start(exchange_signals, f"ws://127.0.0.1:{port}/ws", attack_over)
            yield port
            await check_health(port)
            attack_over.set()
    # A connection's last line of defence logs an error; it is there for what nobody thought of.
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Hostile:
    """What is sent, and the answer: the status of a response, or the code of a close frame.

    Without an answer, the relay ends the connection, and may say why. With `hangs`, it waits for
    more, and it is the attacker that gives up.
    """

    name: str
    sent: bytes
    answer: int | None = None
    hangs: bool = False


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line, b"Host: a", *headers, b"", body])


GET = b"GET /health HTTP/1.1"
POST = b"POST /health HTTP/1.1"
CHUNKED = b"Transfer-Encoding: chunked"
TWO_HOSTS = upgrade_head().replace(b"Host: 127.0.0.1", b"Host: a\r\nHost: b")
TWO_LENGTHS = request(GET, b"Content-Length: 6", b"Content-Length: 5", body=b"hello!")
SMUGGLED = b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n"

REQUESTS = [
    Hostile("UTF-8 in the subprotocol", upgrade_head(Sec_WebSocket_Protocol=b"caf\xc3\xa9"), 101),
    Hostile("no text in the subprotocol", upgrade_head(Sec_WebSocket_Protocol=b"\xff"), 101),
    Hostile("no text in the extensions", upgrade_head(Sec_WebSocket_Extensions=b"\xff"), 101),
    Hostile("no text in Connection", upgrade_head(Connection=b"\xff"), 400),
    Hostile("no text in Host", upgrade_head(Host=b"xn--\xff.example"), 101),
    Hostile("bad punycode in Host", upgrade_head(Host=b"xn--zzzzzzzz99999.example"), 101),
    Hostile("endless punycode in Host", upgrade_head(Host=b"xn--" + b"a" * 15_000), 101),
    Hostile("no Host", upgrade_head(Host=None), 400),
    Hostile("two Hosts", TWO_HOSTS, 400),
    Hostile("no key", upgrade_head(Sec_WebSocket_Key=None), 400),
    Hostile("an empty key", upgrade_head(Sec_WebSocket_Key=b""), 400),
    Hostile("a short key", upgrade_head(Sec_WebSocket_Key=b"AAAA"), 400),
    Hostile("a key that is not base64", upgrade_head(Sec_WebSocket_Key=b"?" * 24), 400),
    Hostile("no version", upgrade_head(Sec_WebSocket_Version=None), 400),
    Hostile("an old version", upgrade_head(Sec_WebSocket_Version=b"8"), 426),
    Hostile("no Upgrade", upgrade_head(Upgrade=None), 426),
    Hostile("an upgrade to HTTP/2", upgrade_head(Upgrade=b"h2c"), 426),
    Hostile("no Connection", upgrade_head(Connection=None), 400),
    Hostile("no upgrade in Connection", upgrade_head(Connection=b"keep-alive"), 400),
    Hostile("an upgrade to another path", upgrade_head(b"/other"), 404),
    Hostile("an upgrade to no path", upgrade_head(b"*"), 404),
    Hostile("no text in the path", upgrade_head(b"/\xff"), 400),
    Hostile("no text behind percents", upgrade_head(b"/%ff"), 404),
    Hostile("an upgrade by POST", upgrade_head(method=b"POST"), 400),
    Hostile("every byte there is", bytes(range(256)) * 8, 400),
    Hostile("zeros", bytes(4096), 400),
    Hostile("a TLS client hello", bytes.fromhex("16030100c8010000c40303") + bytes(200), 400),
    Hostile("a header without end", GET + b"\r\nX: " + b"a" * 40_000, 431),
    Hostile("headers without end", GET + b"\r\n" + b"X: a\r\n" * 10_000, 431),
    Hostile("a path without end", b"GET /" + b"a" * 1_000_000, 431),
    Hostile("a body that nobody wants", request(POST, b"Content-Length: 5", body=b"hello"), 405),
    Hostile("a big body", request(POST, b"Content-Length: 999999", body=bytes(999_999)), 405),
    Hostile("a question before a body", request(POST, b"Expect: 100-continue", CHUNKED), 405),
    Hostile("a chunked body", request(POST, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"), 405),
    Hostile("a chunk of no size", request(GET, CHUNKED, body=b"zz\r\n"), 200),
    Hostile("a tunnel", request(b"CONNECT a:443 HTTP/1.1"), 405),
    Hostile("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405),
    Hostile("HTTP/0.9", b"GET /\r\n\r\n", 400),
    Hostile("HTTP/0.9 in one line", b"GET /\r\n", hangs=True),
    Hostile("bare line feeds", b"GET /other HTTP/1.1\nHost: a\n\n", 404),
    Hostile("bare carriage returns", b"GET / HTTP/1.1\rHost: a\r\r", hangs=True),
    Hostile("length and chunks", request(POST, b"Content-Length: 6", CHUNKED, body=SMUGGLED), 405),
    Hostile("two lengths", TWO_LENGTHS, 400),
    Hostile("a negative length", request(GET, b"Content-Length: -5"), 400),
    Hostile("two encodings", request(GET, CHUNKED, b"Transfer-Encoding: identity"), 501),
    Hostile("an unknown encoding", request(GET, b"Transfer-Encoding: xchunked"), 501),
    Hostile("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    Hostile("a zero in a header", request(GET, b"X: \0"), 400),
    Hostile("a way up", request(b"GET /../../etc/passwd HTTP/1.1"), 404),
    Hostile("no upgrade at all", request(b"GET /ws HTTP/1.1"), 426),
    Hostile("half a head", upgrade_head()[:-2], hangs=True),
    Hostile("nothing", b"", hangs=True),
]


@pytest.mark.parametrize("hostile", REQUESTS, ids=lambda hostile: hostile.name)
async def test_a_hostile_request_hurts_nobody(
    hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_battlefield(caplog) as port, open_raw(port) as raw:
        await raw.send(hostile.sent)
        if not hostile.hangs:
            assert await raw.read_status() == hostile.answer


async def test_a_body_is_never_taken_for_a_request(caplog: pytest.LogCaptureFixture) -> None:
    length = b"Content-Length: %d" % len(SMUGGLED)
    async with open_battlefield(caplog) as port, open_raw(port) as raw:
        await raw.send(request(GET, length, body=SMUGGLED))
        assert await raw.read_status() == 200
        assert (await raw.read_rest()).endswith(b"ok\n")


@pytest.mark.parametrize("big", [999, 9_999_999])
async def test_an_answer_is_not_overtaken_by_a_reset(
    big: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_battlefield(caplog) as port, open_raw(port) as raw:
        await raw.stream.send_all(request(POST, b"Content-Length: %d" % big, body=bytes(big)))
        assert await raw.read_status() == 405
        while await raw.stream.receive_some():
            pass


async def test_frames_before_the_handshake_is_over_hurt_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_battlefield(caplog) as port, open_raw(port) as raw:
        await raw.send(upgrade_head() + frame(TEXT, b"too early") + frame(CLOSE))
        assert await raw.read_status() == 101


# ── frames ───────────────────────────────────────────────────────────────────────────────────────


def header(size: int) -> bytes:
    """Of a text frame that is announced to be this long."""
    return bytes([0x81, 0xFF]) + size.to_bytes(8) + b"mask"


UNFINISHED = 0
PAGE = b"x" * MAX_FRAME

PROTOCOL_ERRORS = {None, 1002, 1007}
"""Section 7.1.7 of RFC 6455 leaves it open whether a close frame tells of one."""

FRAMES = [
    Hostile("no mask", frame(TEXT, b"hi", mask=None)),
    Hostile("a reserved opcode", frame(0x3, b"hi")),
    Hostile("a reserved control opcode", frame(0xB, b"hi")),
    Hostile("a reserved bit", frame(TEXT, b"hi", first=0xC0)),
    Hostile("all reserved bits", frame(TEXT, b"hi", first=0xF0)),
    Hostile("a length of 2^63", header(2**63)),
    Hostile("a length of 2^63 - 1", header(2**63 - 1), hangs=True),
    Hostile("a length of 2^63 - 1 and some of it", header(2**63 - 1) + PAGE + b"x", 1009),
    Hostile("a small length in eight bytes", header(5) + b"hello"),
    Hostile("half a ping", frame(PING, b"x", first=UNFINISHED)),
    Hostile("a long ping", frame(PING, bytes(126))),
    Hostile("no UTF-8", frame(TEXT, b"\xff\xfe")),
    Hostile("half a character", frame(TEXT, b"\xe2\x82")),
    Hostile("a surrogate", frame(TEXT, b"\xed\xa0\x80")),
    Hostile("a continuation of nothing", frame(0, b"x")),
    Hostile("a text in a text", frame(TEXT, b"x", first=UNFINISHED) + frame(TEXT, b"y")),
    Hostile("a close of one byte", frame(CLOSE, b"\x03")),
    Hostile("a close with code 999", frame(CLOSE, (999).to_bytes(2))),
    Hostile("a close with code 1005", frame(CLOSE, (1005).to_bytes(2))),
    Hostile("a close with code 1006", frame(CLOSE, (1006).to_bytes(2))),
    Hostile("a close with code 65535", frame(CLOSE, (65535).to_bytes(2))),
    Hostile("a close whose reason is no UTF-8", frame(CLOSE, b"\x03\xe8\xff")),
    Hostile("a close and more", frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"x") * 100, 1000),
    Hostile("a close with a code of its own", frame(CLOSE, (4999).to_bytes(2)), 4999),
    Hostile("a message over the limit", frame(TEXT, PAGE + b"x"), 1009),
    Hostile("a binary message over the limit", frame(BINARY, PAGE + b"x"), 1009),
    Hostile("a message far over the limit", frame(TEXT, PAGE * 100), 1009),
    Hostile(
        "a message over the limit in parts",
        frame(TEXT, PAGE, first=UNFINISHED) + frame(0, b"x"),
        1009,
    ),
    Hostile(
        "empty parts without end",
        frame(TEXT, first=UNFINISHED) + frame(0, first=UNFINISHED) * 20_000,
        hangs=True,
    ),
    Hostile("pongs that nobody asked for", frame(PONG, b"?") * 1_000, hangs=True),
    Hostile("binary frames", frame(BINARY, b"x") * 10, hangs=True),
    Hostile("half a frame", frame(TEXT, b"hello")[:8], hangs=True),
    Hostile("garbage", bytes(range(256))),
]


@pytest.mark.parametrize("hostile", FRAMES, ids=lambda hostile: hostile.name)
async def test_a_hostile_frame_hurts_nobody(
    hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_battlefield(caplog) as port, open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(hostile.sent)
        if not hostile.hangs:
            expected = PROTOCOL_ERRORS if hostile.answer is None else {hostile.answer}
            assert await raw.read_close_code() in expected


async def test_each_ping_of_a_flood_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    payloads = [b"%d" % number for number in range(2_000)]
    async with (
        open_battlefield(caplog) as port,
        open_raw(port) as raw,
        trio.open_nursery() as pings,
    ):
        await raw.upgrade()
        pings.start_soon(raw.send, b"".join(frame(PING, payload) for payload in payloads))
        assert [await raw.read_frame() for _ in payloads] == [(PONG, one) for one in payloads]


# ── resets ───────────────────────────────────────────────────────────────────────────────────────

REGISTER = event("register", userId="c", role="client", package="webrtc").encode()

MOMENTS = {
    "after connecting": [],
    "in a head": [upgrade_head()[:40]],
    "in a body": [request(POST, b"Content-Length: 999999", body=bytes(99_999))],
    "during the handshake": [upgrade_head()],
    "in a frame": [upgrade_head(), frame(TEXT, REGISTER)[:20]],
    "in a big frame": [upgrade_head(), frame(TEXT, PAGE)[:40_000]],
    "after a frame": [upgrade_head(), frame(TEXT, b"{}")],
    "after registering as a second socket": [upgrade_head(), frame(TEXT, REGISTER)],
    "after a message over the limit": [upgrade_head(), frame(TEXT, PAGE * 100)],
    "after a close frame": [upgrade_head(), frame(CLOSE)],
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("patient", [True, False], ids=["patiently", "at once"])
async def test_a_reset_hurts_nobody(
    moment: str, patient: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_battlefield(caplog) as port:
        for _ in range(5):
            async with open_raw(port) as raw:
                for part in MOMENTS[moment]:
                    await raw.send(part)
                    if patient and part == upgrade_head():
                        assert await raw.read_status() == 101
                raw.reset()


async def test_two_hundred_connections_at_once_hurt_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def attack(port: int, sent: bytes) -> None:
        async with open_raw(port) as raw:
            await raw.upgrade()
            await raw.send(sent)
            raw.reset()

    async with open_battlefield(caplog) as port, trio.open_nursery() as attackers:
        for number in range(200):
            attackers.start_soon(attack, port, FRAMES[number % len(FRAMES)].sent[:4096])


def test_no_two_inputs_are_alike() -> None:
    assert len({one.sent for one in [*REQUESTS, *FRAMES]}) == len(REQUESTS) + len(FRAMES) >= 41
