"""Fetching from servers that misbehave."""

import gzip
import hashlib
import re
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.images import fetch
from imgsync.images.fetch import Fetcher, FetchFailed, open_fetcher
from tests.images.test_kinds import IMAGES, PNG
from tests.kit.image_servers import (
    LAW,
    SECRET,
    answer,
    failure_of,
    failure_with,
    open_quick_fetcher,
    open_server,
    say,
)
from tests.net.test_frames import RawPeer

SHORT = 0.1
"""Seconds, in place of a deadline that is to pass."""

# httpx gives up its generators where we or it stop in the middle of a body; they are harmless.
gives_up_generators = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")


@pytest.mark.parametrize("name", IMAGES)
async def test_an_image_is_fetched_whole_and_its_kind_told(name: str) -> None:
    async with open_server(answer(IMAGES[name])) as url, open_quick_fetcher() as fetcher:
        fetched = await fetcher.fetch(url)
    assert (fetched.body, fetched.kind) == (IMAGES[name], name.rpartition(".")[2])
    assert fetched.facts.sha256 == hashlib.sha256(IMAGES[name]).hexdigest()
    assert fetched.facts.bytes == len(IMAGES[name])
    assert len(repr(fetched)) < 30


async def test_the_real_fetcher_fetches_and_uses_a_connection_again() -> None:
    connections: set[int] = set()

    async def serve(peer: RawPeer) -> None:
        connections.add(id(peer))
        await answer(PNG)(peer)

    async with open_server(serve) as url, open_fetcher() as fetcher:
        for _ in range(3):
            assert (await fetcher.fetch(url)).body == PNG
    assert len(connections) == 1


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    serve = say(b"HTTP/1.1 200 OK\r\n\r\n" + PNG, hang_up=True)
    async with open_server(serve) as url, open_quick_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG


async def test_a_compressed_body_is_unpacked() -> None:
    serve = answer(gzip.compress(PNG), "200 OK", "content-encoding: gzip")
    async with open_server(serve) as url, open_quick_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG


async def test_a_redirect_is_followed() -> None:
    async with open_server(answer(PNG)) as url:
        first = answer(b"", "302 Found", f"location: {url}")
        async with open_server(first) as from_url, open_quick_fetcher() as fetcher:
            assert (await fetcher.fetch(from_url)).body == PNG


@pytest.mark.parametrize("status", [204, 206, 304, 400, 403, 404, 410, 429, 500, 503])
async def test_a_status_other_than_ok_is_the_reason(status: int) -> None:
    body = b"" if status in (204, 304) else PNG
    assert await failure_with(answer(body, f"{status} No")) == f"http_{status}"


@gives_up_generators
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no image",
        b"<!DOCTYPE html><html><body><svg/></body></html>",
        b"\x89PNG",
        bytes(9000),
    ],
)
async def test_what_is_no_image_is_refused_whatever_its_type_says(body: bytes) -> None:
    serve = answer(body, "200 OK", "content-type: image/png")
    assert await failure_with(serve) == "not_an_image"


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"]
)
async def test_a_server_that_falls_silent_is_a_timeout(
    raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "FETCH_STALL", SHORT)
    assert await failure_with(say(raw)) == "timeout"


async def test_a_server_that_drips_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long beside what a busy machine makes of a pause between two drips.
    monkeypatch.setattr(fetch, "FETCH_STALL", 5 * SHORT)

    async def drip(peer: RawPeer) -> None:
        await answer(b"", length=len(PNG))(peer)
        for place in range(len(PNG)):
            await peer.stream.send_all(PNG[place : place + 1])
            await trio.sleep(7 * SHORT / len(PNG))

    async with open_server(drip) as url, open_quick_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG


@gives_up_generators
async def test_an_image_that_is_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_IMAGE", len(PNG))
    async with open_server(answer(PNG)) as url, open_quick_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG
    assert await failure_with(answer(PNG + b".")) == "too_large"
    # Without waiting for a rest that never comes.
    assert await failure_with(answer(PNG + b".", length=10**12)) == "too_large"
    packed = gzip.compress(PNG + bytes(10**6))
    assert await failure_with(answer(packed, "200 OK", "content-encoding: gzip")) == "too_large"


@gives_up_generators
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "unreachable"),
        (b"HTTP/1.1 200", "unreachable"),
        (b"220 ftp ready\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + PNG, "truncated"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n\x89PNG\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnot packed", "bad_encoding"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "bad_answer"),
        (b"\x00" * 100, "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000, "bad_answer"),
    ],
    ids=lambda one: ascii(one)[2:30],
)
async def test_what_is_wrong_with_an_answer_is_the_reason(raw: bytes, reason: str) -> None:
    assert await failure_with(say(raw, hang_up=True)) == reason


async def test_where_an_answer_has_broken_off_is_told() -> None:
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + PNG
    async with open_server(say(raw, hang_up=True)) as url, open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed, match=rf"\(it broke off after {len(PNG)} of 1000 bytes\)"):
            await fetcher.fetch(url)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        # The first of them lead back to where they came from.
        ("/again", "redirect_loop"),
        ("", "redirect_loop"),
        ("\xff", "redirect_loop"),
        ("//", "redirect_loop"),
        ("http://h:port/", "bad_redirect"),
        ("ftp://h/", "bad_redirect"),
        ("file:///etc/passwd", "bad_redirect"),
        ("http://[", "unknown_host"),
        ("http://nowhere.invalid/", "unknown_host"),
        ("http://127.0.0.1:1/", "unreachable"),
    ],
)
async def test_a_redirect_that_leads_nowhere_says_how(location: str, reason: str) -> None:
    raw = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    assert await failure_with(say(raw.encode("latin-1"))) == reason


async def test_a_name_that_no_host_has_is_told_as_that() -> None:
    assert await failure_of(f"http://nowhere.invalid/{SECRET}") == "unknown_host"


@pytest.mark.parametrize("speaks_tls", [True, False])
async def test_tls_that_is_refused_is_told_as_that(speaks_tls: bool) -> None:
    if speaks_tls:
        certificate = trustme.CA().issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)

    async def serve(stream: trio.SocketStream) -> None:
        if speaks_tls:
            with suppress(trio.BrokenResourceError):
                await trio.SSLStream(stream, context, server_side=True).do_handshake()
        else:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        async with open_quick_fetcher() as fetcher:
            with pytest.raises(FetchFailed) as failure:
                await fetcher.fetch(f"https://127.0.0.1:{port}/{SECRET}")
        nursery.cancel_scope.cancel()
    assert failure.value.reason == "tls"
    assert ("not trusted" in failure.value.detail) == speaks_tls


async def test_a_proxy_that_is_in_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert await failure_of(f"http://192.0.2.1/{SECRET}") == "proxy"


@gives_up_generators
@pytest.mark.parametrize(
    ("query", "body", "detail"),
    [
        ("Expires=EARLIER", b"", "its URL was good until 90 min ago"),
        ("expires=1600000000&signature=x", b"", " h ago"),
        ("X-Amz-Date=20200102T030405Z&X-Amz-Expires=60", b"<Code>x</Code>", "its URL was good"),
        ("se=2020-01-02T03%3A04%3A05Z&sig=x", b"", "its URL was good until"),
        ("Expires=99999999999", b"<Code>SignatureDoesNotMatch</Code>", "SignatureDoesNotMatch"),
        ("", b"<Code>AccessDenied</Code>" + bytes(9000), "its host says AccessDenied"),
        ("", b"<Code>what ever</Code>", ""),
        ("Expires=soon", b"no", ""),
    ],
)
async def test_why_a_host_refuses_is_told_as_far_as_it_is_known(
    query: str, body: bytes, detail: str
) -> None:
    query = query.replace("EARLIER", str(int(time.time()) - 90 * 60 - 1))
    async with open_server(answer(body, "403 No")) as url, open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed) as failure:
            await fetcher.fetch(f"{url.partition('?')[0]}?{query}")
    assert failure.value.reason == "http_403"
    assert detail in failure.value.detail
    assert bool(detail) == bool(failure.value.detail)


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with open_server(answer(PNG)) as url:
        pass
    assert await failure_of(url) == "unreachable"


NO_URLS = [
    "",
    SECRET,
    f"/{SECRET}",
    f"//127.0.0.1/{SECRET}",
    f"pictures/{SECRET}",
    f"?{SECRET}",
    f"ftp://127.0.0.1/{SECRET}",
    f"file:///etc/{SECRET}",
    f"file://127.0.0.1/etc/{SECRET}",
    f"data:image/png;base64,{SECRET}",
    f"blob:http://127.0.0.1:1/{SECRET}",
    f"javascript:{SECRET}",
    f"ws://127.0.0.1:1/{SECRET}",
    f"http:{SECRET}",
    f"http:/127.0.0.1:1/{SECRET}",
    f"http:///{SECRET}",
    f"http://:1/{SECRET}",
    f"http://@/{SECRET}",
    f" http://127.0.0.1:1/{SECRET}",
    f"http://127.0.0.1 /{SECRET}",
    f"http://[/{SECRET}",
    f"http://[::1/{SECRET}",
    f"http://[]/{SECRET}",
    f"http://[127.0.0.1]/{SECRET}",
    f"http://[fe80::1%lo]/{SECRET}",
    f"http://[fe80::1%25lo]:1/{SECRET}",
    f"http://127.0.0.1:port/{SECRET}",
    f"http://127.0.0.1:-1/{SECRET}",
    f"http://127.0.0.1:0/{SECRET}",
    f"http://127.0.0.1:99999/{SECRET}",
    f"http://127.0.0.1:1\\@h/{SECRET}",
    f"http://127.0.0.1:1/{SECRET}\x00",
    f"http://127.0.0.1:1/{SECRET}\r\nx: y",
    f"http://127.0.0.1:1/{SECRET}\x85",
    f"http://127.0.0.1:1/{SECRET}\ud800",
    f"http://\ud800/{SECRET}",
    f"http://\u2100/{SECRET}",
    f"http://%00/{SECRET}",
    f"http://{'ä' * 64}/{SECRET}",
    f"http://\u200d/{SECRET}",
    f"http://127.0.0.1:1/{SECRET * 20_000}",
]

NOBODY_THERE = [
    f"http://{'x' * 64}./{SECRET}",
    f"http://a..b/{SECRET}",
    f"http://xn--{SECRET}--/{SECRET}",
    f"http://{SECRET}:{SECRET}@127.0.0.1:1/",
    f"http://@127.0.0.1:1/{SECRET}",
    f"http://127.0.0.1:00001/{SECRET}",
    f"http://[::1]:1/{SECRET}",
    f"HTTP://127.0.0.1:1/{SECRET} %zz?[]^`{{|}}\\#",
]


@asynccontextmanager
async def open_familiar_fetcher() -> AsyncIterator[tuple[Fetcher, str]]:
    """A fetcher that was told to keep cookies, by a server whose address comes with it."""
    cookies = ("set-cookie: a=b", "set-cookie: c=d; Path=/; Max-Age=9999", "set-cookie: \xff;;=")
    async with (
        open_server(answer(PNG, "200 OK", *cookies)) as url,
        open_quick_fetcher() as fetcher,
    ):
        assert (await fetcher.fetch(url)).body == PNG
        yield fetcher, url


async def assert_each_fails(urls: Iterable[str], reasons: str) -> None:
    """Each with this, also where a host has set a cookie; and images are fetched after it."""
    for url in urls:
        assert re.fullmatch(reasons, await failure_of(url)), ascii(url)[:80]
    async with open_familiar_fetcher() as (fetcher, good):
        for url in urls:
            with pytest.raises(FetchFailed, match=f": (?:{reasons})"):
                await fetcher.fetch(url)
            assert (await fetcher.fetch(good)).body == PNG


async def test_what_is_no_url_is_told_as_that() -> None:
    await assert_each_fails(NO_URLS, "bad_url")


async def test_a_url_where_nobody_can_be_is_told_as_that() -> None:
    await assert_each_fails(NOBODY_THERE, "unreachable|unknown_host")


@LAW
@given(st.text(st.characters(codec=None), max_size=30), st.booleans())
def test_any_text_fails_and_no_more(text: str, is_path: bool) -> None:
    url = f"http://127.0.0.1:1/{text}" if is_path else text
    assert trio.run(failure_of, url) in ("bad_url", "unreachable", "unknown_host")


PARTS = st.tuples(
    st.sampled_from(["http", "https", "HTTP", "file", "ftp", "data", "ws", "x-y", ""]),
    st.sampled_from(["://", ":", ":/", ":///", "//", "", ":\\\\"]),
    st.sampled_from(["", "@", "u@", "u:p@", "u%40:@", ":@", "a@b@", "\x00@"]),
    st.one_of(
        st.sampled_from(
            [
                *("127.0.0.1", "[::1]", "[fe80::1%25lo]", "[::1", "1", "0x7f.1", "xn--", "xn--a"),
                *("", ".", "a..b", "%", "%31", "\ud800", "\u2100", "\u3002", "\u00ad", "-", "_"),
                *("a b", "\u00df.invalid"),
            ]
        ),
        st.text(st.characters(codec=None), max_size=8).map(lambda text: f"{text}.invalid"),
    ),
    st.sampled_from(
        ["", ":", ":1", ":0", ":00001", ":65535", ":65536", ":x", ":-1", ":1:1", ":\u0661"]
    ),
    st.text(st.characters(codec=None), max_size=8).map(lambda text: f"/{text}"),
)


@settings(LAW, max_examples=300)
@given(st.lists(PARTS.map("".join), min_size=1, max_size=5))
def test_whatever_a_url_is_made_of_it_fails_and_the_next_image_comes(urls: list[str]) -> None:
    async def fetch_all() -> None:
        async with open_familiar_fetcher() as (fetcher, good):
            for url in urls:
                with pytest.raises(FetchFailed):
                    await fetcher.fetch(url)
            assert (await fetcher.fetch(good)).body == PNG

    trio.run(fetch_all)


async def test_no_cookie_is_kept_or_sent_back() -> None:
    heads: list[bytes] = []
    cookie = "set-cookie: a=b; Path=/"
    async with open_server(answer(PNG, "200 OK", cookie), heads) as url:
        hop = answer(b"", "302 Found", f"location: {url}", cookie)
        async with open_server(hop, heads) as from_url, open_quick_fetcher() as fetcher:
            for _ in range(2):
                assert (await fetcher.fetch(from_url)).body == PNG
    assert len(heads) == 4
    assert not any(b"cookie" in head.lower() for head in heads)


@pytest.mark.parametrize("url", [*NO_URLS[1:-1], *NOBODY_THERE])
async def test_a_redirect_to_what_is_no_url_fails_and_the_next_image_comes(url: str) -> None:
    location = url.encode(errors="surrogatepass")
    raw = b"HTTP/1.1 302 Found\r\nset-cookie: a=b\r\ncontent-length: 0\r\nlocation: %s\r\n\r\n"
    async with (
        open_familiar_fetcher() as (fetcher, good),
        open_server(say(raw % location)) as redirecting,
    ):
        with pytest.raises(FetchFailed, match=r"unreachable|unknown_host|redirect|bad_answer"):
            await fetcher.fetch(redirecting)
        assert (await fetcher.fetch(good)).body == PNG


async def test_one_failure_leaves_the_fetcher_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([answer(b"", "500 No"), say(b"", hang_up=True), answer(PNG)])

    async def serve(peer: RawPeer) -> None:
        await next(answers)(peer)

    async with open_server(serve) as url, open_quick_fetcher() as fetcher:
        for reason in ("http_500", "unreachable"):
            with pytest.raises(FetchFailed, match=reason):
                await fetcher.fetch(url)
        assert (await fetcher.fetch(url)).body == PNG


def test_without_httpx_the_extra_is_named() -> None:
    program = """
import sys
sys.modules["httpx"] = None
import trio
from imgsync.images.fetch import open_fetcher
from imgsync.core.protocol.errors import MissingExtra

async def main():
    try:
        async with open_fetcher():
            pass
    except MissingExtra as exc:
        print(exc)

trio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert "pip install 'httpx>=" in done.stdout
    assert done.stdout.count("\n") == 1
