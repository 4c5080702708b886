"""Images through a proxy, by the rules of the relay's connection, and by whom is trusted there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.images.fetch import Fetcher, FetchFailed, open_fetcher
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.tasks import open_background
from tests.images.test_kinds import PNG
from tests.kit.image_servers import SECRET, answer, open_server
from tests.kit.proxies import Authority, open_proxy, set_proxies, trust_authority
from tests.net.test_proxies import own_address

FAR = "images.example.org"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch)


def elsewhere(url: str) -> str:
    """Of a server on this machine, under a name that the proxy alone knows."""
    return url.replace("127.0.0.1", FAR)


@asynccontextmanager
async def open_tls_server(authority: Authority) -> AsyncIterator[str]:
    """Serves an image by a private authority; yields a URL."""

    async def serve(_: Request) -> Response:
        return Response(200, PNG, "image/png")

    tls = authority.serving(FAR, "127.0.0.1")
    listeners = await open_port("127.0.0.1", 0, tls)
    async with open_background() as nursery:
        await nursery.start(serve_site, Site(http=serve), listeners)
        yield f"https://127.0.0.1:{port_of(listeners)}/{SECRET}.png"


async def reason_of(fetcher: Fetcher, url: str) -> tuple[str, str]:
    with trio.fail_after(5), pytest.raises(FetchFailed) as caught:
        await fetcher.fetch(url)
    assert SECRET not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    return caught.value.reason, caught.value.detail


async def test_http_images_come_through_the_proxy_which_sees_their_urls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_server(answer(PNG)) as url, open_proxy() as proxy, open_fetcher() as fetcher:
        proxy.login = "ann:c0/ffee"
        set_proxies(monkeypatch, http_proxy=f"ann:c0%2Fffee@127.0.0.1:{proxy.port}")
        assert (await fetcher.fetch(elsewhere(url))).body == PNG
        assert proxy.asked == [f"GET {elsewhere(url)} HTTP/1.1"]


async def test_https_images_come_through_a_tunnel_by_the_authority_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trust_authority(tmp_path, monkeypatch)
    async with open_tls_server(authority) as url, open_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG
        async with open_proxy() as proxy:
            set_proxies(monkeypatch, https_proxy=f"127.0.0.1:{proxy.port}")
            assert (await fetcher.fetch(elsewhere(url))).body == PNG
            assert proxy.asked == [f"CONNECT {FAR}:{urlsplit(url).port} HTTP/1.1"]


async def test_a_proxy_may_be_spoken_to_by_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trust_authority(tmp_path, monkeypatch)
    async with (
        open_server(answer(PNG)) as plain,
        open_tls_server(authority) as encrypted,
        open_proxy(authority.serving("127.0.0.1")) as proxy,
        open_fetcher() as fetcher,
    ):
        set_proxies(monkeypatch, all_proxy=f"https://127.0.0.1:{proxy.port}")
        for url in (plain, encrypted):
            assert (await fetcher.fetch(elsewhere(url))).body == PNG
        assert len(proxy.asked) == 2


@pytest.mark.parametrize("value", ["http://127.0.0.1:1", "socks5://p", "http://p:notaport", "::"])
async def test_loopback_and_this_machine_are_asked_directly_whatever_the_variables_say(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    set_proxies(monkeypatch, all_proxy=value, no_proxy="[::1],[nonsense")
    async with open_server(answer(PNG)) as url, open_fetcher() as fetcher:
        assert (await fetcher.fetch(url)).body == PNG
        assert (await fetcher.fetch(url.replace("127.0.0.1", "localhost"))).body == PNG
    own = own_address()
    if own is None:
        return
    listeners = await open_port(own, 0)

    async def serve(_: Request) -> Response:
        return Response(200, PNG, "image/png")

    async with open_background() as nursery, open_fetcher() as fetcher:
        await nursery.start(serve_site, Site(http=serve), listeners)
        assert (await fetcher.fetch(f"http://{own}:{port_of(listeners)}/a.png")).body == PNG


async def test_a_redirect_goes_by_the_way_that_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        open_server(answer(PNG)) as url,
        open_server(answer(b"", "302 Found", f"location: {url}")) as first,
        open_proxy() as proxy,
        open_fetcher() as fetcher,
    ):
        set_proxies(monkeypatch, http_proxy=f"127.0.0.1:{proxy.port}")
        assert (await fetcher.fetch(elsewhere(first))).body == PNG
        assert proxy.asked == [f"GET {elsewhere(first)} HTTP/1.1"]


# Of http, whether another status is the proxy's or the host's nobody can tell.
@pytest.mark.parametrize(
    ("scheme", "status", "words"),
    [
        ("http", 407, "asks for a login"),
        ("https", 407, "asks for a login"),
        ("https", 403, "allow CONNECT"),
        ("https", 502, "can't reach"),
    ],
)
async def test_a_proxy_that_refuses_is_told_to_all_and_named_in_the_log_alone(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    status: int,
    words: str,
) -> None:
    with caplog.at_level(logging.WARNING):
        async with open_proxy() as proxy, open_fetcher() as fetcher:
            proxy.status = status
            set_proxies(monkeypatch, all_proxy=f"127.0.0.1:{proxy.port}")
            reason, detail = await reason_of(fetcher, f"{scheme}://{FAR}/{SECRET}")
    assert reason == "proxy"
    assert words in detail
    assert f"http://127.0.0.1:{proxy.port} (all_proxy)" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://127.0.0.1:1", "can't be reached"),
        ("https://127.0.0.1:1", "can't be reached"),
        ("socks5://127.0.0.1:1", "none that can be used"),
        ("http://127.0.0.1:notaport", "none that can be used"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_or_none_is_told(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str, scheme: str
) -> None:
    set_proxies(monkeypatch, all_proxy=value)
    async with open_fetcher() as fetcher:
        reason, detail = await reason_of(fetcher, f"{scheme}://{FAR}/{SECRET}")
    assert (reason, words in detail) == ("proxy", True)


async def test_a_certificate_behind_a_proxy_is_judged_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trust_authority(tmp_path, monkeypatch)
    async with open_tls_server(authority) as url, open_proxy() as proxy:
        (tmp_path / "other").mkdir()
        trust_authority(tmp_path / "other", monkeypatch)
        set_proxies(monkeypatch, https_proxy=f"127.0.0.1:{proxy.port}")
        async with open_fetcher() as fetcher:
            reason, detail = await reason_of(fetcher, elsewhere(url))
    assert (reason, "not trusted" in detail) == ("tls", True)


async def test_a_file_of_certificates_that_is_none_is_an_error_of_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    with pytest.raises(InputError, match="SSL_CERT_FILE"):
        async with open_fetcher():
            pass
