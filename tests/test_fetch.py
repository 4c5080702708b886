"""Fetching from servers that misbehave, and saving under names that others choose."""

import gzip
import os
import ssl
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.client import fetch
from imgsync.client.fetch import Fetched, Fetcher, FetchFailed, open_fetcher, save_image
from tests.test_images import IMAGES, PNG
from tests.test_net_frames import RawPeer

SECRET = "c0ffee"

SHORT = 0.1
"""Seconds, in place of a deadline that is to pass."""

WITHIN = 10.0
"""Seconds for one test on a loaded machine; each needs a small part of one."""

# httpx gives up its generators where we or it stop in the middle of a body; they are harmless.
gives_up_generators = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

LAW = settings(deadline=None, derandomize=True)

Serve = Callable[[RawPeer], Awaitable[None]]


# ── servers ──────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_server(serve: Serve) -> AsyncIterator[str]:
    """A server that does this with every connection, once it has read a head; yields a URL."""

    async def handle(stream: trio.SocketStream) -> None:
        peer = RawPeer(stream)
        while await peer.read_head():
            await serve(peer)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        with trio.fail_after(WITHIN):
            yield f"http://127.0.0.1:{port}/{SECRET}.png?signature={SECRET}"
        nursery.cancel_scope.cancel()


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> Serve:
    """A response; a length that is not the body's is a lie."""
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"content-length: {size}", "", ""])
    return say(head.encode() + body)


def say(raw: bytes, *, hang_up: bool = False) -> Serve:
    async def serve(peer: RawPeer) -> None:
        await peer.send(raw)
        if hang_up:
            await peer.stream.send_eof()

    return serve


@asynccontextmanager
async def open_quick_fetcher() -> AsyncIterator[Fetcher]:
    """As the real one, but without a certificate store, which takes longer to load than a test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(follow_redirects=True, verify=context, trust_env=False) as http:
        yield Fetcher(http)


async def failure_of(url: str) -> str:
    """The reason for which fetching this fails; what people are told may not hold the URL."""
    async with open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed) as failure:
            await fetcher.fetch(url)
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    assert str(failure.value) == f"the image could not be fetched: {failure.value.reason}"
    return failure.value.reason


async def failure_with(serve: Serve) -> str:
    async with open_server(serve) as url:
        return await failure_of(url)


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", IMAGES)
async def test_an_image_is_fetched_whole_and_its_kind_told(name: str) -> None:
    async with open_server(answer(IMAGES[name])) as url, open_quick_fetcher() as fetcher:
        fetched = await fetcher.fetch(url)
    assert fetched == Fetched(IMAGES[name], name.rpartition(".")[2])
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
    monkeypatch.setattr(fetch, "FETCH_DEADLINE", SHORT)
    assert await failure_with(say(raw)) == "timeout"


async def test_a_server_that_drips_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FETCH_DEADLINE", SHORT)

    async def drip(peer: RawPeer) -> None:
        await answer(PNG, length=10**6)(peer)
        while True:
            await peer.stream.send_all(b".")
            await trio.sleep(SHORT / 20)

    async def serve(peer: RawPeer) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await drip(peer)

    assert await failure_with(serve) == "timeout"


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
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n\x89PNG\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnot packed",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"220 ftp ready\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000,
    ],
    ids=lambda raw: ascii(raw)[2:30],
)
async def test_a_broken_off_or_senseless_answer_is_as_none(raw: bytes) -> None:
    assert await failure_with(say(raw, hang_up=True)) == "unreachable"


@pytest.mark.parametrize(
    "location",
    ["/again", "http://[", "ftp://h/", "file:///etc/passwd", "http://h:port/", "", "\xff", "//"],
)
async def test_a_redirect_that_leads_nowhere_is_unreachable(location: str) -> None:
    # The first of them leads back to where it came from.
    raw = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    assert await failure_with(say(raw.encode("latin-1"))) == "unreachable"


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with open_server(answer(PNG)) as url:
        pass
    assert await failure_of(url) == "unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"/{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"file:///etc/{SECRET}",
        f"http:///{SECRET}",
        f"http://[/{SECRET}",
        f"http://127.0.0.1:port/{SECRET}",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://127.0.0.1:1/{SECRET}\x00",
        f"http://127.0.0.1:1/{SECRET}\r\nx: y",
        f"http://127.0.0.1:1/{SECRET}\ud800",
        f"http://\ud800/{SECRET}",
        f"http://{'x' * 64}./{SECRET}",
        f"http://\u2100/{SECRET}",
        f"http://a..b/{SECRET}",
        f"http://127.0.0.1:1/{SECRET * 20_000}",
        f"http://{SECRET}:{SECRET}@127.0.0.1:1/",
    ],
    ids=lambda url: ascii(url)[:40],
)
async def test_what_is_no_url_is_unreachable(url: str) -> None:
    assert await failure_of(url) == "unreachable"


@LAW
@given(st.text(st.characters(codec=None), max_size=30), st.booleans())
def test_any_text_is_unreachable(text: str, is_path: bool) -> None:
    url = f"http://127.0.0.1:1/{text}" if is_path else text
    assert trio.run(failure_of, url) == "unreachable"


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
from imgsync.client.fetch import open_fetcher
from imgsync.core.errors import MissingExtra

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
    assert "pip install 'imgsync[cli]'" in done.stdout
    assert done.stdout.count("\n") == 1


# ── saving ───────────────────────────────────────────────────────────────────────────────────────

HOSTILE_URLS = [
    "",
    "http://h",
    "http://h/",
    "http://h/.",
    "http://h/..",
    "http://h/...",
    "http://h/.png",
    "http://h/../../etc/passwd",
    "http://h/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "http://h/..%5c..%5cwindows%5cwin.ini",
    "http://h/%2fetc%2fpasswd",
    "http://h/C:%5Ca.png",
    "http://h/a%00b.png",
    "http://h/a%0Ab.png",
    "http://h/%1b%5b2J.png",
    "http://h/%ff%fe.png",
    "http://h/-rf",
    "http://h/con.png",
    "http://h/~root.png",
    "http://h/$(id).png",
    "http://h/a b;c'd\"e.png",
    "http://h/" + "x" * 5000 + ".png",
    "http://h/" + "%E4%B8%AD" * 500 + ".png",
    "http://h/" + "%F0%A0%80%80" * 500 + ".webp",
    "http://h/" + "\u0130" * 300,
    "http://h/\ud800.png",
    "http://[",
    "http://[::1/a.png",
    "http://u[@h/a.png",
    "http://\u2100.example/a.png",
    "/etc/passwd",
    "C:\\windows\\win.ini",
    "a" * 300,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the property below; each example leaves it empty."""
    return tmp_path_factory.mktemp("outer") / "inner"


def save_alone(folder: Path, index: int, image_url: str, kind: str) -> str:
    """Save into a folder that is empty before and after; the name that came about."""
    folder.mkdir(exist_ok=True)
    path = save_image(folder, index, image_url, Fetched(PNG, kind))
    assert path.parent == folder
    assert os.listdir(folder) == [path.name]
    assert os.listdir(folder.parent) == [folder.name]
    assert path.read_bytes() == PNG
    path.unlink()
    return path.name


def assert_safe(name: str, index: int, kind: str) -> None:
    assert name.startswith(f"{index:04d}-")
    assert name.endswith(f".{kind}")
    assert name.isprintable()
    assert not set(name) & set("/\\:*?\"<>| ;'$&%`()[]{}~!#\0")
    assert len(os.fsencode(name)) <= 255


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=lambda url: ascii(url)[:40])
def test_a_hostile_name_becomes_a_safe_one(tmp_path: Path, url: str) -> None:
    assert_safe(save_alone(tmp_path / "inner", 7, url, "webp"), 7, "webp")


@LAW
@given(st.text(st.characters(codec=None)), st.integers(0, 10**6), st.sampled_from(["png", "jpg"]))
def test_any_name_becomes_a_safe_one(folder: Path, url: str, index: int, kind: str) -> None:
    assert_safe(save_alone(folder, index, url, kind), index, kind)
    assert_safe(save_alone(folder, index, f"http://h/{url}", kind), index, kind)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/images/1-cross.png", "0003-1-cross.gif"),
        ("http://h/1.2.png?v=3#x", "0003-1.2.gif"),
        ("http://h/two%20words.png", "0003-two_words.gif"),
        ("http://h/%C3%9Cbung.png", "0003-Übung.gif"),
        ("http://h/noext", "0003-noext.gif"),
        ("http://h/", "0003-image.gif"),
    ],
)
def test_a_name_says_what_it_was_and_its_suffix_what_it_is(
    tmp_path: Path, url: str, name: str
) -> None:
    assert save_alone(tmp_path / "inner", 3, url, "gif") == name


def test_saving_again_replaces(tmp_path: Path) -> None:
    for body in (PNG, PNG + b".", PNG):
        path = save_image(tmp_path, 0, "http://h/a.png", Fetched(body, "png"))
        assert path.read_bytes() == body
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_what_can_not_be_saved_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "0000-a.png").mkdir()
    with pytest.raises(OSError, match="directory"):
        save_image(tmp_path, 0, "http://h/a.png", Fetched(PNG, "png"))
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_a_folder_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_image(tmp_path / "gone", 0, "http://h/a.png", Fetched(PNG, "png"))


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"precious")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "0000-a.png").symlink_to(tmp_path / "outside")
    assert save_image(inner, 0, "http://h/a.png", Fetched(PNG, "png")).read_bytes() == PNG
    assert (tmp_path / "outside").read_bytes() == b"precious"


async def test_the_same_image_saved_by_many_at_once_is_always_whole(tmp_path: Path) -> None:
    # An image that is shown twice in short order is fetched and saved twice at the same time.
    bodies = [PNG + bytes([number]) * 2_000_000 for number in range(8)]

    async def save(body: bytes) -> None:
        fetched = Fetched(body, "png")
        path = await trio.to_thread.run_sync(save_image, tmp_path, 0, "http://h/a.png", fetched)
        assert path.read_bytes() in bodies

    with trio.fail_after(WITHIN):
        async with trio.open_nursery() as nursery:
            for body in bodies:
                nursery.start_soon(save, body)
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_a_saved_image_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    path = save_image(tmp_path, 0, "http://h/a.png", Fetched(PNG, "png"))
    (tmp_path / "plain").write_bytes(b"")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
