"""TURN by TCP and TLS through a proxy, which alone knows the server's name."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import trio
import trustme

from imgsync.core.handshake.causes import Cause
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import LinkEvent, ServerFailed
from imgsync.tasks import Inbox
from tests.kit.proxies import Authority, open_proxy, set_proxies, trust_authority
from tests.kit.turn_servers import Coturn, needs_coturn, open_coturn
from tests.net.test_frames import open_server
from tests.rtc.test_cancel import nothing_left
from tests.rtc.test_link import DEADLINE, LOOPBACK, End, both_opened, introduce, open_ends
from tests.rtc.test_turn import exchange, gather_all, is_path

FAR = "turn.example.org"

WITHIN = 6.0
"""Seconds on a loaded machine; no failure but silence has to be waited for."""


def elsewhere(coturn: Coturn, transport: str) -> IceServer:
    """The server under a name that the proxy alone knows."""
    server = coturn.over(transport)
    return attrs.evolve(server, urls=str(server.urls).replace("127.0.0.1", FAR))


def certificate_of(authority: Authority, folder: Path, name: str) -> Path:
    path = folder / "certificate.pem"
    authority.ca.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
    return path


@needs_coturn
@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("proxy_tls", [False, True])
async def test_a_channel_goes_through_proxy_and_turn_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str, proxy_tls: bool
) -> None:
    authority = trust_authority(tmp_path, monkeypatch)
    certificate = certificate_of(authority, tmp_path, FAR)
    tls = authority.serving("127.0.0.1") if proxy_tls else None
    async with (
        open_coturn(certificate) as coturn,
        open_proxy(tls) as proxy,
        open_bridge() as bridge,
        nothing_left(bridge),
    ):
        scheme = "https" if proxy_tls else "http"
        set_proxies(monkeypatch, https_proxy=f"{scheme}://ann:c0ffee@127.0.0.1:{proxy.port}")
        proxy.login = "ann:c0ffee"
        servers = [elsewhere(coturn, transport)]
        async with open_ends(bridge, servers, relay_only=True) as ends:
            with trio.fail_after(DEADLINE):
                await introduce(*ends)
                await both_opened(*ends)
                await exchange(*ends)
            assert all(is_path(end, "relay") for end in ends)
        port = coturn.tls_port if transport == "tls" else coturn.port
        assert set(proxy.asked) == {f"CONNECT {FAR}:{port} HTTP/1.1"}


@needs_coturn
async def test_udp_knows_no_proxy_and_loopback_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_proxies(monkeypatch, all_proxy="http://127.0.0.1:1")
    async with open_coturn() as coturn, open_bridge() as bridge:
        for transport in ("udp", "tcp"):
            async with open_link(bridge, [coturn.over(transport)], LOOPBACK) as link:
                end = End(link)
                await link.make_offer()
                [line] = await gather_all(end)
                assert " typ relay " in line


async def failure(server: IceServer) -> ServerFailed:
    async with (
        open_bridge() as bridge,
        nothing_left(bridge),
        open_link(bridge, [server], LOOPBACK) as link,
    ):
        events = Inbox[LinkEvent]()
        link.listen(events.put)
        await link.make_offer()
        with trio.fail_after(WITHIN):
            while not isinstance(found := await events.get(), ServerFailed):
                pass
    assert "c0ffee" not in found.why
    return found


@pytest.mark.parametrize(
    ("status", "words"), [(403, "allow CONNECT"), (407, "asks for a login"), (502, "can't reach")]
)
async def test_a_proxy_that_refuses_is_why_there_is_no_candidate(
    monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    server = IceServer(f"turn:{FAR}:3478?transport=tcp", "u", "c")
    async with open_proxy() as proxy:
        proxy.status = status
        set_proxies(monkeypatch, http_proxy=f"127.0.0.1:{proxy.port}")
        found = await failure(server)
    assert words in found.why
    assert f"http://127.0.0.1:{proxy.port} (http_proxy)" in found.why
    assert found.cause is Cause.TURN_FAILED


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://127.0.0.1:1", "can't be reached"),
        ("http://no.such.name.invalid", "can't be reached"),
        ("socks5://proxy", "socks5"),
        ("http://proxy:notaport", "ALL_PROXY"),
    ],
)
async def test_a_proxy_that_is_not_there_or_none_is_why(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    set_proxies(monkeypatch, ALL_PROXY=value)
    found = await failure(IceServer(f"turns:{FAR}", "u", "c"))
    assert words in found.why


async def test_a_proxy_that_hangs_up_or_is_silent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    server = IceServer(f"turns:{FAR}", "u", "c")
    async with open_server(lambda raw: raw.read_head()) as port:
        set_proxies(monkeypatch, all_proxy=f"http://127.0.0.1:{port}")
        assert "closed the connection" in (await failure(server)).why
    monkeypatch.setattr("imgsync.rtc.ice.GATHERING_DEADLINE", 0.3)
    async with open_server(lambda raw: raw.read_rest()) as port:
        set_proxies(monkeypatch, all_proxy=f"http://127.0.0.1:{port}")
        assert (await failure(server)).cause is Cause.TURN_SILENT


@needs_coturn
async def test_a_server_with_another_authority_is_not_trusted_through_a_proxy_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust_authority(tmp_path, monkeypatch)
    certificate = certificate_of(Authority(trustme.CA()), tmp_path, FAR)
    async with open_coturn(certificate) as coturn, open_proxy() as proxy:
        set_proxies(monkeypatch, https_proxy=f"http://127.0.0.1:{proxy.port}")
        found = await failure(elsewhere(coturn, "tls"))
    assert found.cause is Cause.TURN_UNTRUSTED


async def test_a_file_of_certificates_that_is_none_is_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    found = await failure(IceServer("turns:127.0.0.1", "u", "c"))
    assert "SSL_CERT_FILE" in found.why
