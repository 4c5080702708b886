"""The way to the relay through a proxy, and whose certificates are trusted on it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync.core.protocol.errors import (
    ConnectError,
    ConnectTimeout,
    InputError,
    ProxyFailed,
    TlsFailed,
)
from imgsync.environment import trusted_context
from imgsync.net.ask import ask
from imgsync.net.connect import local_address_towards_relay, open_relay_socket
from tests.kit.proxies import Proxy, open_proxy, set_proxies, trust_authority
from tests.net.test_connect import AT_ONCE, DEADLINE, check_echo, find_failure, open_echo
from tests.net.test_frames import open_descriptors, open_server

FAR = "relay.example.org"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch)


@asynccontextmanager
async def open_way(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy that all is to go through, and the URL of an echo behind it."""
    async with open_proxy() as proxy, open_echo() as port:
        set_proxies(monkeypatch, all_proxy=f"127.0.0.1:{proxy.port}")
        yield proxy, f"ws://{FAR}:{port}/ws"


# ── through it ───────────────────────────────────────────────────────────────────────────────────


async def test_the_relay_is_asked_through_the_proxy_and_its_name_is_for_that_to_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = open_descriptors()
    async with open_way(monkeypatch) as (proxy, url):
        await check_echo(url)
        assert (await ask(url, "/health")).status == 404
        where = url.removeprefix("ws://").removesuffix("/ws")
        assert proxy.asked == [f"CONNECT {where} HTTP/1.1"] * 2
        proxy.login = "ann:c0/ffee"
        set_proxies(monkeypatch, http_proxy=f"http://ann:c0%2Fffee@127.0.0.1:{proxy.port}")
        await check_echo(url)
    assert open_descriptors() == before


@pytest.mark.parametrize("proxy_tls", [False, True])
@pytest.mark.parametrize("relay_tls", [False, True])
async def test_tls_is_spoken_with_the_relay_and_with_the_proxy_by_whom_the_variable_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy_tls: bool, relay_tls: bool
) -> None:
    authority = trust_authority(tmp_path, monkeypatch)
    tls_of_relay = authority.serving(FAR) if relay_tls else None
    tls_of_proxy = authority.serving("127.0.0.1") if proxy_tls else None
    before = open_descriptors()
    async with open_proxy(tls_of_proxy) as proxy, open_echo(tls=tls_of_relay) as port:
        value = f"http{'s' if proxy_tls else ''}://127.0.0.1:{proxy.port}"
        name = "https_proxy" if relay_tls else "http_proxy"
        set_proxies(monkeypatch, **{name: value})
        await check_echo(f"ws{'s' if relay_tls else ''}://{FAR}:{port}/ws")
        assert len(proxy.asked) == 1
    assert open_descriptors() == before


async def test_loopback_this_machine_and_what_is_excepted_are_asked_directly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value in ("http://127.0.0.1:1", "socks5://127.0.0.1:1", "http://proxy:notaport"):
        set_proxies(monkeypatch, all_proxy=value)
        async with open_echo() as port:
            await check_echo(f"ws://127.0.0.1:{port}/ws")
            await check_echo(f"ws://localhost:{port}/ws")
            await check_echo(f"ws://127.1:{port}/ws")
    own = own_address()
    if own is not None:
        async with open_echo(own) as port:
            await check_echo(f"ws://{own}:{port}/ws")
            set_proxies(monkeypatch, all_proxy="http://127.0.0.1:1", no_proxy="10.0.0.0/8")
            await check_echo(f"ws://{own}:{port}/ws")


def own_address() -> str | None:
    """Of this machine, and no loopback; None where it has none."""
    from aioice.ice import get_host_addresses

    return next(iter(get_host_addresses(use_ipv4=True, use_ipv6=False)), None)


# ── not through it ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "allow CONNECT"), (407, "asks for a login"), (502, "can't reach"), (418, "HTTP 418")],
)
async def test_a_proxy_that_refuses_is_named_with_what_it_says(
    monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    before = open_descriptors()
    async with open_way(monkeypatch) as (proxy, url):
        proxy.status = status
        text = await failure(url, ProxyFailed)
        assert words in text
        assert f"http://127.0.0.1:{proxy.port} (all_proxy)" in text
    assert open_descriptors() == before


async def failure(url: str, kind: type[ConnectError], deadline: float = 10.0) -> str:
    with trio.fail_after(AT_ONCE), pytest.raises(ConnectError) as caught:
        async with open_relay_socket(url, connect_deadline=deadline):
            pass
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert "c0ffee" not in str(caught.value)
    return str(caught.value)


async def test_a_login_that_is_refused_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_way(monkeypatch) as (proxy, url):
        proxy.login = "ann:other"
        set_proxies(monkeypatch, http_proxy=f"ann:c0ffee@127.0.0.1:{proxy.port}")
        assert "user name and password in http_proxy" in await failure(url, ProxyFailed)


@pytest.mark.parametrize("port", [1, 0])
async def test_a_proxy_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    value = "http://no.such.name.invalid:3128" if port == 0 else f"http://127.0.0.1:{port}"
    set_proxies(monkeypatch, HTTP_PROXY=value)
    text = await failure(f"ws://{FAR}:8765/ws", ProxyFailed)
    assert f"the proxy {value} (HTTP_PROXY) can't be reached" in text


async def test_a_proxy_that_says_nothing_hangs_up_or_speaks_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = open_descriptors()
    async with open_server(lambda raw: raw.read_rest()) as port:
        for scheme in ("http", "https"):
            set_proxies(monkeypatch, all_proxy=f"{scheme}://127.0.0.1:{port}")
            text = await failure(f"wss://{FAR}/ws", ConnectTimeout, DEADLINE)
            assert f"through the proxy {scheme}://127.0.0.1:{port}" in text
    async with open_server(lambda raw: raw.read_head()) as port:
        set_proxies(monkeypatch, all_proxy=f"http://127.0.0.1:{port}")
        assert "closed the connection" in await failure(f"wss://{FAR}/ws", ProxyFailed)
    async with open_server(lambda raw: raw.read_exactly(1)) as port:
        set_proxies(monkeypatch, all_proxy=f"https://127.0.0.1:{port}")
        assert "no TLS with the proxy" in await failure(f"wss://{FAR}/ws", ProxyFailed)
    async with open_server(lambda raw: raw.send(b"SSH-2.0-x\r\n")) as port:
        set_proxies(monkeypatch, all_proxy=f"http://127.0.0.1:{port}")
        assert "not as a proxy does" in await failure(f"wss://{FAR}/ws", ProxyFailed)
    assert open_descriptors() == before


async def test_a_proxy_that_breaks_tls_open_is_told_of_beside_the_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = trust_authority(tmp_path, monkeypatch).serving("intercepted.example")
    async with open_proxy() as proxy, open_echo(tls=other) as port:
        set_proxies(monkeypatch, https_proxy=f"http://127.0.0.1:{proxy.port}")
        text = await failure(f"wss://{FAR}:{port}/ws", TlsFailed)
        assert "may show one of its own" in text


@pytest.mark.parametrize("value", ["socks5://proxy:1080", "http://proxy:notaport", "ftp://proxy"])
async def test_a_variable_that_names_none_is_an_error_of_input(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    set_proxies(monkeypatch, ALL_PROXY=value)
    for what in (ask(f"ws://{FAR}/ws", "/health"), local_address_towards_relay(f"wss://{FAR}/")):
        with pytest.raises(InputError, match="ALL_PROXY"):
            await what
    with pytest.raises(InputError, match="ALL_PROXY"):
        async with open_relay_socket(f"wss://{FAR}/ws"):
            pass


async def test_an_exception_that_can_t_be_read_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    odd = f"10.0.0.0/99{os.getpid()}"
    async with open_way(monkeypatch) as (_, url):
        monkeypatch.setenv("no_proxy", f"[::1],{odd}")
        with caplog.at_level(logging.WARNING):
            await check_echo(url)
            await check_echo(url)
    assert len([line for line in caplog.messages if odd in line]) == 1


# ── the address that a folder is served on ───────────────────────────────────────────────────────


async def test_a_folder_is_served_where_others_are_if_the_proxy_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_proxies(monkeypatch, all_proxy="http://127.0.0.1:3128")
    far = await local_address_towards_relay(f"wss://{FAR}/ws")
    assert far == (own_address() or "127.0.0.1")
    assert await local_address_towards_relay("ws://127.0.0.1:8765/ws") == "127.0.0.1"


# ── trust ────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_variables_name_is_looked_at_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY---")
    (tmp_path / "folder").mkdir()
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name in ("missing", "empty", "text", "key.pem", "folder"):
        path = str(tmp_path / name)
        monkeypatch.setenv("SSL_CERT_FILE", path)
        with pytest.raises(InputError) as caught:
            trusted_context()
        assert "SSL_CERT_FILE" in str(caught.value)
        assert repr(path) in str(caught.value)
    monkeypatch.delenv("SSL_CERT_FILE")
    for name in ("missing", "empty", "folder"):
        path = str(tmp_path / name)
        monkeypatch.setenv("SSL_CERT_DIR", path)
        with pytest.raises(InputError, match="SSL_CERT_DIR"):
            trusted_context()
    (tmp_path / "folder" / "0a1b2c3d.0").touch()
    trusted_context()


def test_a_folder_is_no_matter_where_a_file_is_good_and_empty_variables_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust_authority(tmp_path, monkeypatch)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    trusted_context()
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    assert trusted_context() is trusted_context()
    assert trusted_context() is not trusted_context(for_http=False)


async def test_a_file_that_is_none_is_no_matter_where_no_tls_is_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    async with open_echo() as port:
        await check_echo(f"ws://127.0.0.1:{port}/ws")
        with pytest.raises(InputError, match="SSL_CERT_FILE"):
            await find_failure(f"wss://127.0.0.1:{port}/ws", TlsFailed)
