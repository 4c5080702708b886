"""The image host over real sockets: what it serves, and that it serves nothing else."""

import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
import trio

from imgsync.client.client import ReceivedImage
from imgsync.core.protocol.channel import Image, UpcomingImage
from imgsync.images import host
from imgsync.images.fetch import open_fetcher
from imgsync.images.folder import list_images
from imgsync.images.host import ImageHost, open_image_host
from imgsync.images.kinds import CONTENT_TYPES
from imgsync.images.ref import ImageRef
from imgsync.images.signing import sign_path
from imgsync.images.sources import open_images
from imgsync.net.http import Request
from imgsync.net.limits import NetLimits
from tests.images.test_kinds import IMAGES, PNG
from tests.images.test_sources import ODD_NAMES, fill
from tests.kit.answers import NO_ANSWERS
from tests.net.test_frames import RawPeer, open_raw

LOOPBACK = "127.0.0.1"
SECRET = PNG + b"not to be served"

WITHIN = 10.0
"""Seconds for one test on a loaded machine; each needs a small part of one."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one image of each kind, beside and in which lie others that are not listed."""
    fill(tmp_path, "secret.png", content=SECRET)
    series = tmp_path / "series"
    for name, content in IMAGES.items():
        fill(series, name, content=content)
    return series


@asynccontextmanager
async def open_host(folder: Path) -> AsyncIterator[ImageHost]:
    async with open_image_host(LOOPBACK, list_images(folder)) as image_host:
        fill(folder, "later.png", content=SECRET)
        yield image_host


@asynccontextmanager
async def open_http() -> AsyncIterator[httpx.AsyncClient]:
    # Without a certificate store, whose loading would take longer than most tests in here.
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=WITHIN) as http:
        yield http


def port_of(image_host: ImageHost) -> int:
    port = urlsplit(image_host.url_of("")).port
    assert port is not None
    return port


def target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def signature_of(signed_url: str) -> str:
    return parse_qs(urlsplit(signed_url).query)["signature"][0]


async def ask(port: int, target: str | bytes, method: bytes = b"GET") -> tuple[int | None, bytes]:
    """Status and body, for a request target of any bytes."""
    raw_target = target if isinstance(target, bytes) else target.encode()
    with trio.fail_after(WITHIN):
        async with open_raw(port) as peer:
            await peer.send(method + b" " + raw_target + b" HTTP/1.1\r\nHost: h\r\n")
            await peer.send(b"Connection: close\r\n\r\n")
            return await peer.read_status(), await peer.read_rest()


async def read_response(peer: RawPeer) -> tuple[int | None, bytes]:
    """One response on a connection that stays open."""
    head = await peer.read_head()
    length = re.search(rb"\r\ncontent-length: ([0-9]+)\r\n", head, re.IGNORECASE)
    assert length is not None
    return int(head.split()[1]), await peer.read_exactly(int(length[1]))


# ── what is served ───────────────────────────────────────────────────────────────────────────────


async def test_every_listed_image_arrives_as_it_is(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        for name, content in IMAGES.items():
            response = await http.get(image_host.signed_url_of(name))
            assert response.status_code == 200
            assert response.content == content
            assert response.headers["content-type"] == CONTENT_TYPES[name[2:]]
            assert response.headers["content-length"] == str(len(content))
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["access-control-allow-origin"] == "*"
            assert response.headers["timing-allow-origin"] == "*"
            assert response.headers["cross-origin-resource-policy"] == "cross-origin"
            assert "sandbox" in response.headers["content-security-policy"]
            assert "private" in response.headers["cache-control"]


async def test_names_of_every_kind_arrive(tmp_path: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        fill(tmp_path, name, content=PNG + bytes([number]))
    async with open_images(tmp_path, via="url") as images, open_http() as http:
        for image in images:
            response = await http.get(str(image.signed_url))
            assert response.content == PNG + bytes([ODD_NAMES.index(image.name)])


async def test_a_large_image_arrives_whole_at_many_clients_at_once(folder: Path) -> None:
    large = PNG + bytes(range(256)) * 20_000
    fill(folder, "a.png", content=large)
    async with open_host(folder) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")

        async def fetch() -> None:
            assert (await http.get(url)).content == large

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(fetch)


async def test_the_content_type_is_told_by_the_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", content=IMAGES["b.jpg"])
    async with open_host(tmp_path) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")
        assert (await http.get(url)).headers["content-type"] == "image/jpeg"
        fill(tmp_path, "a.png", content=b"<html><script>alert(1)</script>")
        assert (await http.get(url)).headers["content-type"] == "application/octet-stream"


async def test_head_has_the_head_alone(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")
        response = await http.head(url)
        assert response.status_code == 200
        assert response.headers["content-type"] == "image/png"
        assert response.headers["content-length"] == str(len(PNG))
        assert await ask(port_of(image_host), target_of(url), b"HEAD") == (200, b"")
        assert (await http.head(image_host.url_of("a.png"))).status_code == 403


async def test_one_connection_serves_many_requests(folder: Path) -> None:
    async with open_host(folder) as image_host, open_raw(port_of(image_host)) as peer:
        with trio.fail_after(WITHIN):
            for name, content in [*IMAGES.items()] * 2:
                target = target_of(image_host.signed_url_of(name))
                await peer.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                assert await read_response(peer) == (200, content)
                await peer.send(b"GET /images/a.png HTTP/1.1\r\nHost: h\r\n\r\n")
                assert (await read_response(peer))[0] == 403


async def test_requests_may_come_in_one_piece(folder: Path) -> None:
    async with open_host(folder) as image_host, open_raw(port_of(image_host)) as peer:
        target = target_of(image_host.signed_url_of("a.png"))
        with trio.fail_after(WITHIN):
            await peer.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 10)
            for _ in range(10):
                assert await read_response(peer) == (200, PNG)


async def test_a_file_that_is_deleted_meanwhile_is_missing_and_may_come_back(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")
        (folder / "a.png").unlink()
        response = await http.get(url)
        assert response.status_code == 404
        assert str(folder) not in response.text
        (folder / "a.png").mkdir()
        assert (await http.get(url)).status_code == 404
        (folder / "a.png").rmdir()
        fill(folder, "a.png")
        assert (await http.get(url)).content == PNG


async def test_only_get_and_head_are_answered(folder: Path) -> None:
    async with open_host(folder) as image_host:
        target = target_of(image_host.signed_url_of("a.png"))
        for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"get"):
            status, body = await ask(port_of(image_host), target, method)
            assert status == 405
            assert PNG not in body


async def test_the_host_is_gone_with_its_block(folder: Path) -> None:
    async with open_host(folder) as image_host:
        pass
    with pytest.raises(OSError, match="all attempts to connect"):
        await trio.open_tcp_stream(LOOPBACK, port_of(image_host))


async def test_it_serves_on_ipv6_too(folder: Path) -> None:
    try:
        listeners = await trio.open_tcp_listeners(0, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    await trio.aclose_forcefully(listeners[0])
    async with open_image_host("::1", list_images(folder)) as image_host, open_http() as http:
        assert image_host.url_of("a.png").startswith("http://[::1]:")
        assert (await http.get(image_host.signed_url_of("a.png"))).content == PNG


# ── what is not served ───────────────────────────────────────────────────────────────────────────


async def test_an_unsigned_url_is_forbidden(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        for url in (image_host.url_of("a.png"), image_host.url_of("a.png") + "?"):
            response = await http.get(url)
            assert response.status_code == 403
            assert response.text == "This URL is not signed, or its time is over.\n"


async def test_a_tampered_url_is_forbidden(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")
        signature = signature_of(url)
        for other in (
            url.replace("a.png", "b.jpg"),
            url.replace("expires=", "expires=9"),
            url.replace("expires=", "expires=0"),
            url.replace(signature, signature.upper()),
            url.replace(signature, signature[::-1]),
            url.replace(signature, signature[:-1]),
            url.replace(signature, signature + "0"),
            url.replace("&signature", "&Signature"),
            url + "&expires=9999999999",
        ):
            assert (await http.get(other)).status_code == 403
        assert (await http.get(url)).status_code == 200


async def test_a_url_of_another_host_is_forbidden(folder: Path) -> None:
    async with open_host(folder) as one, open_host(folder) as other, open_http() as http:
        url = one.signed_url_of("a.png").replace(str(port_of(one)), str(port_of(other)))
        assert (await http.get(url)).status_code == 403


async def test_an_expired_url_is_forbidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        for lifetime, status in ((-3600, 403), (-1, 403), (0, 403), (60, 200)):
            monkeypatch.setattr(host, "URL_LIFETIME", lifetime)
            response = await http.get(image_host.signed_url_of("a.png"))
            assert response.status_code == status


async def test_a_query_signed_with_a_guessed_key_is_forbidden(folder: Path) -> None:
    async with open_host(folder) as image_host:
        for key in (b"", bytes(32), b"secret"):
            query = sign_path(key, "/images/a.png", int(time.time()) + 60)
            assert (await ask(port_of(image_host), f"/images/a.png?{query}"))[0] == 403


TRAVERSALS = [
    "/",
    "/images",
    "/images/",
    "/images//a.png",
    "//images/a.png",
    "/images/./a.png",
    "/images/a.png/",
    "/images/a.png/.",
    "/Images/a.png",
    "/images/A.PNG",
    "/a.png",
    "a.png",
    "*",
    "/images/later.png",
    "/images/../secret.png",
    "/images/x/../../secret.png",
    "/images/..%2fsecret.png",
    "/images/..%2Fsecret.png",
    "/images/%2e%2e/secret.png",
    "/images/%2e%2e%2fsecret.png",
    "/images/%2E%2E%2Fsecret.png",
    "/images/.%2e/secret.png",
    "/images/%252e%252e%252fsecret.png",
    "/images/..%252fsecret.png",
    "/images/..%c0%afsecret.png",
    "/images/%c0%ae%c0%ae%c0%afsecret.png",
    "/images/..%ef%bc%8fsecret.png",
    "/images/..\\secret.png",
    "/images/..%5csecret.png",
    "/images/..%5Csecret.png",
    "/images/....//secret.png",
    "/images/..;/secret.png",
    "/../secret.png",
    "/..%2fsecret.png",
    "../secret.png",
    "/images/a.png%00",
    "/images/a.png%00.txt",
    "/images/%00a.png",
    "/images/..%00/secret.png",
    "/images/a.png%20",
    "/images/a.png.",
    "/images/a.png::$DATA",
    "/images/a.png#",
    "/images/C:%5csecret.png",
    "/images/file:%2f%2f%2fetc%2fpasswd",
    "/images/~/secret.png",
    "/images/%",
    "/images/%zz",
    "/images/%0d%0aX-Header:%20x",
    "/images/" + "x" * 8000,
    "/images/" + "../" * 2000 + "secret.png",
    "/images/" + "%2e%2e%2f" * 1000 + "secret.png",
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=lambda path: path[:40])
async def test_no_spelling_of_a_path_leads_elsewhere(folder: Path, path: str) -> None:
    secret = quote(str(folder.parent / "secret.png"))
    async with open_host(folder) as image_host:
        query = urlsplit(image_host.signed_url_of("a.png")).query
        for target in (path, f"{path}?{query}", path.replace("secret.png", secret) + f"?{query}"):
            status, body = await ask(port_of(image_host), target)
            assert status in (403, 404)
            assert b"not to be served" not in body
            assert PNG not in body


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (b"/images/a.png\x00", 400),
        (b"/images/\xff\xfe.png", 400),
        (b"/images/\xc3\xa4.png", 400),
        (b"/images/a b.png", 400),
        (b"/images/\r\n\r\n", 400),
        (b"", 400),
        (b"/images/" + b"x" * 2 * NetLimits().max_head, 431),
        (b"/images/" + b"../" * NetLimits().max_head, 431),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_no_request_target_is_refused(
    folder: Path, target: bytes, wanted: int
) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        status, body = await ask(port_of(image_host), target)
        assert status == wanted
        assert b"not to be served" not in body
        assert (await http.get(image_host.signed_url_of("a.png"))).content == PNG


async def test_an_image_that_was_not_listed_is_not_served(folder: Path) -> None:
    async with open_host(folder) as image_host:
        for name in ("later.png", ".hidden.png", "../secret.png", str(folder / "a.png")):
            status, body = await ask(port_of(image_host), target_of(image_host.url_of(name)))
            assert status == 403
            assert b"not to be served" not in body


# ── what nobody may see ──────────────────────────────────────────────────────────────────────────


def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    """As somebody would who looks for a fault: every logger that there is."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "imgsync")
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


async def test_no_log_ever_holds_a_signature(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    async with open_images(folder, via="url") as images, open_fetcher() as fetcher:
        signed = [str(image.signed_url) for image in images]
        for url in signed:
            await fetcher.fetch(url)
            port = urlsplit(url).port or 0
            await ask(port, target_of(url))
            await ask(port, target_of(url).replace("expires=", "expires=9"))
            await ask(port, target_of(url), b"POST")
            await ask(port, b"\xff" + target_of(url).encode())
        (folder / "g.svg").unlink()
        await ask(port, target_of(url))
    logged = everything_logged(caplog)
    assert "200 for '/images/b.jpg'" in logged
    assert "403 for '/images/b.jpg'" in logged
    assert "can't read" in logged
    for url in signed:
        assert signature_of(url) not in logged


async def test_no_log_holds_the_signature_that_a_redirect_leads_to(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    async with open_images(folder, via="url") as images, open_fetcher() as fetcher:
        url = str(images[0].signed_url)

        async def redirect(stream: trio.SocketStream) -> None:
            await RawPeer(stream).read_head()
            head = f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"
            await stream.send_all(head.encode())

        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(trio.serve_tcp, redirect, 0)
            port = listeners[0].socket.getsockname()[1]
            fetched = await fetcher.fetch(f"http://{LOOPBACK}:{port}/")
            nursery.cancel_scope.cancel()
    assert fetched.body == PNG
    assert signature_of(url) not in everything_logged(caplog)


async def test_a_path_can_not_forge_a_line_of_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="imgsync")
    async with open_host(folder) as image_host:
        await ask(port_of(image_host), "/images/%0a200%20for%20everybody%1b%5b2J%0d")
    assert "everybody" in everything_logged(caplog)
    for record in caplog.records:
        assert record.getMessage().isprintable()


def test_no_repr_ever_holds_a_signature() -> None:
    query = urlencode({"expires": 1, "signature": "c0ffee"})
    url = f"http://h/images/a.png?{query}"
    for value in (
        ImageRef(0, "http://h/images/a.png", url, "a.png"),
        ReceivedImage(0, "http://h/images/a.png", url, 1, 2, lambda *_: None, NO_ANSWERS),
        UpcomingImage("http://h/images/a.png", url),
        Image(0, "http://h/images/a.png", url, 1),
        Request("GET", "/images/a.png", query, {"referer": url}, "192.0.2.1"),
    ):
        for text in (repr(value), str(value), f"{value}"):
            assert "a.png" in text
            assert "c0ffee" not in text
            assert "expires" not in text


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_rest_of_an_image_is_sent_as_long_as_it_is_the_same_one(folder: Path) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        url = image_host.signed_url_of("a.png")
        tag = (await http.get(url)).headers["etag"]
        for condition in ({}, {"if-range": tag}):
            response = await http.get(url, headers={"range": "bytes=10-", **condition})
            assert (response.status_code, response.content) == (206, PNG[10:])
            assert response.headers["etag"] == tag
            assert response.headers["content-range"] == f"bytes 10-{len(PNG) - 1}/{len(PNG)}"
        fill(folder, "a.png", content=PNG + b"more")
        response = await http.get(url, headers={"range": "bytes=10-", "if-range": tag})
        assert (response.status_code, response.content) == (200, PNG + b"more")


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-9", "bytes=-5", "bytes=0-1,5-", "bytes=99999-", "bytes=x-", "items=1-", "bytes=1--"],
)
async def test_any_other_range_is_answered_by_all_of_it(folder: Path, wanted: str) -> None:
    async with open_host(folder) as image_host, open_http() as http:
        response = await http.get(image_host.signed_url_of("a.png"), headers={"range": wanted})
        assert (response.status_code, response.content) == (200, PNG)
