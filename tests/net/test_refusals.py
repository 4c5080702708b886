"""What answers in place of a WebSocket is told in words: what it is, and what to do."""

from __future__ import annotations

import ssl
import time
from email.utils import formatdate

import pytest
import trustme

from imgsync.core.protocol.errors import ConnectError, TlsFailed, UpgradeRefused
from imgsync.core.protocol.obstacles import Obstacle
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.refusals import WORDS, refused_upgrade
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background

URL = "ws://relay.example:8765/ws"


def refused(status: int, **headers: str) -> UpgradeRefused:
    return refused_upgrade(URL, status, {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("status", "words", "may_pass"),
    [
        (200, "signed in|sign in", False),
        (204, "sign in", False),
        (400, "ws or wss", False),
        (401, "wants a password", False),
        (403, "a proxy or a firewall forbids it", False),
        (404, "is the path right", False),
        (407, "the proxy of this network wants a password", False),
        (413, "too large", False),
        (431, "too large", False),
        (426, "Upgrade and Connection", False),
        (429, "too many connections from here", True),
        (500, "broken", True),
        (502, "no relay answers it", True),
        (503, "full or shutting down", True),
        (504, "in vain", True),
        (418, "is it a relay", False),
    ],
)
def test_each_status_has_words_and_may_pass_or_not(status: int, words: str, may_pass: bool) -> None:
    error = refused(status)
    assert str(error).startswith(f"{URL} refused the WebSocket with HTTP status {status}")
    assert any(one in str(error) for one in words.split("|"))
    assert error.obstacle is not None
    assert error.obstacle.may_pass is may_pass


def test_all_that_a_status_can_mean_has_words() -> None:
    own = {Obstacle.UNREACHABLE, Obstacle.ORIGIN, Obstacle.FULL, Obstacle.DRAINING}
    assert set(WORDS) == set(Obstacle) - own


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "told"),
    [
        (
            "https://relay.example/ws",
            "leads to https://relay.example/ws; give that address: wss://",
        ),
        ("//relay.example/ws", "leads to http://relay.example/ws; give that address: ws://"),
        ("/imgsync/ws", "give that address: ws://relay.example:8765/imgsync/ws"),
        ("http://portal.example/login?token=c0ffee", "leads to http://portal.example/login; give"),
        ("", "leads elsewhere"),
        ("javascript:alert(1)", "leads elsewhere"),
        ("http://[", "leads elsewhere"),
        ("http://me:c0ffee@a.example/", "leads elsewhere"),
        ("http://a.example/\x1b[2J", "leads elsewhere"),
    ],
)
def test_a_redirection_is_told_with_where_it_leads(status: int, location: str, told: str) -> None:
    text = str(refused(status, location=location))
    assert told in text
    assert "c0ffee" not in text


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), ("0", 0), ("", 0), ("-1", 0), ("soon", 0), ("9" * 50, 999999999), ("1.5", 0)],
)
def test_a_pause_that_is_asked_for_is_known(given: str, seconds: float) -> None:
    assert refused(429, retry_after=given).retry_after == seconds


def test_a_pause_may_be_a_date() -> None:
    later = formatdate(time.time() + 100, usegmt=True)
    assert 95 < refused(503, retry_after=later).retry_after <= 100
    assert refused(503, retry_after=formatdate(0, usegmt=True)).retry_after == 0


# ── over a socket ────────────────────────────────────────────────────────────────────────────────


async def failure(url: str, answer: Response, tls: ssl.SSLContext | None = None) -> ConnectError:
    """What connecting to a server fails by that answers so."""

    async def http(request: Request) -> Response:
        return answer

    async def serve(socket: WebSocket, request: Request) -> None:
        raise AssertionError("no WebSocket is let in")

    site = Site(http, {"/ws": serve}, lambda request: answer)
    listeners = await open_port("127.0.0.1", 0, tls)
    async with open_background() as nursery:
        await nursery.start(serve_site, site, listeners)
        with pytest.raises(ConnectError) as caught:
            async with open_relay_socket(url.format(port_of(listeners))):
                pass
    return caught.value


async def test_what_a_server_says_beside_its_status_is_heard() -> None:
    busy = refuse(429, "", ("retry-after", "30"))
    error = await failure("ws://127.0.0.1:{}/ws", busy)
    assert isinstance(error, UpgradeRefused)
    assert (error.obstacle, error.retry_after) == (Obstacle.TOO_MANY, 30)
    moved = refuse(301, "", ("location", "https://relay.example/ws"))
    assert "leads to https://relay.example/ws" in str(await failure("ws://127.0.0.1:{}/ws", moved))
    portal = Response(200, b"<html>" + bytes(50_000), "text/html")
    assert "sign in to it first" in str(await failure("ws://127.0.0.1:{}/ws", portal))


async def test_tls_where_there_is_none_and_none_where_there_is_tls_are_told_as_that() -> None:
    plain = await failure("wss://127.0.0.1:{}/ws", refuse(404))
    assert isinstance(plain, TlsFailed)
    assert "speaks no TLS: its URL begins with ws://" in str(plain)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    assert "is it ws or wss?" in str(await failure("ws://127.0.0.1:{}/ws", refuse(404), context))
    untrusted = await failure("wss://127.0.0.1:{}/ws", refuse(404), context)
    assert "is its certificate trusted here, and for this very name?" in str(untrusted)
