"""The relay as docs/relay.md puts it on the internet: a real nginx with the page's own lines."""

import configparser
import json
import os
import re
import shlex
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import attrs
import pytest
import trio
import trustme

from imgsync.commands.relay.options import make_parser, settings_of
from imgsync.core.protocol.numbers import KEEPALIVE_INTERVAL, PONG_DEADLINE
from imgsync.core.protocol.signalling import CloseCode
from imgsync.net.connect import open_relay_socket
from imgsync.relay.metrics import Metrics, NodeMetrics
from tests.kit.forks import open_fork
from tests.kit.ports import find_free_port
from tests.kit.processes import (
    LISTENING,
    LOOK_AGAIN_S,
    START_S,
    Child,
    open_child,
    our_relay,
    wait_until,
)
from tests.kit.relays import Peer, register
from tests.net.test_frames import RawPeer, upgrade_head

PAGE = Path(__file__).parents[2] / "docs" / "relay.md"

WITHIN = 40.0
"""Seconds for one test on a loaded machine, two processes to start included."""

NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {snippet}
}}
"""


def blocks(language: str) -> list[str]:
    """What the page shows in this language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the page's nginx lines have {old!r} not once"
    return text.replace(old, new)


def nginx_snippet() -> str:
    (snippet,) = (block for block in blocks("nginx") if "proxy_pass" in block)
    return snippet


@attrs.frozen
class Site:
    """An nginx and the relay behind it."""

    port: int
    relay_port: int
    relay: Child
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"wss://127.0.0.1:{self.port}/ws"

    @property
    def host(self) -> bytes:
        return f"127.0.0.1:{self.port}".encode()

    @asynccontextmanager
    async def open_raw(self, address: str = "127.0.0.1") -> AsyncIterator[RawPeer]:
        """A TLS connection to nginx from this address of ours."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port, local_address=address)
        encrypted = trio.SSLStream(
            stream, self.tls, server_hostname="127.0.0.1", https_compatible=True
        )
        async with encrypted:
            yield RawPeer(cast("trio.SocketStream", encrypted))

    async def get(self, target: str) -> tuple[int | None, bytes]:
        """Status and body of what nginx answers."""
        async with self.open_raw() as raw:
            head = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
            await raw.send(head % (target.encode(), self.host))
            return await raw.read_status(), await raw.read_rest()

    async def upgrade(self, *, address: str = "127.0.0.1", **headers: bytes) -> int | None:
        """The status that an upgrade with these headers gets."""
        async with self.open_raw(address) as raw:
            await raw.send(upgrade_head(Host=self.host, **headers))
            return await raw.read_status()

    def addresses_in_log(self) -> list[str]:
        """The remote addresses that the relay has told of."""
        lines = map(json.loads, self.relay.read_errors().splitlines())
        return [line["remote"] for line in lines if "remote" in line]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    options = ("--forwarded-by", "127.0.0.1", "--log-format", "json")
    with trio.fail_after(WITHIN):
        async with open_fork("relay", *our_relay(*options)) as relay:
            line = await relay.wait_line(START_S)
            assert line.startswith(LISTENING)
            relay_port = int(line.rpartition(":")[2].removesuffix("/ws"))
            port, tls = find_free_port(), ssl.create_default_context()
            snippet = replace_once(nginx_snippet(), "127.0.0.1:8765", f"127.0.0.1:{relay_port}")
            async with open_nginx(tmp_path, port, snippet, tls):
                yield Site(port, relay_port, relay, tls)


@asynccontextmanager
async def open_nginx(
    folder: Path, port: int, snippet: str, tls: ssl.SSLContext
) -> AsyncIterator[None]:
    """One that listens; see `write_configuration`."""
    configuration = write_configuration(folder, port, snippet, tls)
    command = (str(NGINX), "-p", str(folder), "-c", configuration, "-e", "stderr")
    async with open_child("nginx", *command) as nginx:
        await wait_listening(port, nginx)
        yield


def write_configuration(folder: Path, port: int, snippet: str, tls: ssl.SSLContext) -> str:
    """The page's lines with a port and a certificate of the test, which `tls` trusts from then."""
    authority = trustme.CA()
    authority.configure_trust(tls)
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(certificate)
    live = "/etc/letsencrypt/live/relay.example.org"
    for old, new in {
        "    listen 443 ssl http2;\n": f"    listen 127.0.0.1:{port} ssl http2;\n",
        "    listen [::]:443 ssl http2;\n": "",
        f"{live}/fullchain.pem": str(certificate),
        f"{live}/privkey.pem": str(key),
    }.items():
        snippet = replace_once(snippet, old, new)
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, snippet=snippet))
    return str(path)


async def wait_listening(port: int, nginx: Child) -> None:
    while nginx.process.returncode is None:
        try:
            await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
        except OSError:
            await trio.sleep(LOOK_AGAIN_S)
        else:
            return
    pytest.fail(f"nginx did not start: {nginx.read_errors()}")


# ── through nginx ────────────────────────────────────────────────────────────────────────────────


@needs_nginx
async def test_two_peers_have_a_session_and_hear_when_the_relay_goes(site: Site) -> None:
    async with (
        open_relay_socket(site.url, tls=site.tls) as theirs,
        open_relay_socket(site.url, tls=site.tls) as ours,
    ):
        client, evaluator = Peer(theirs), Peer(ours)
        theirs.post(register("c", "client"))
        await client.next("registered")
        ours.post(register("e", "evaluator"))
        await evaluator.next("registered")
        evaluator.post("start_session", clientId="c")
        started = await client.next("session_started")
        assert started["evaluatorId"] == "e"
        await evaluator.next("session_started")
        long = "v=0\r\n" + "a" * 30_000  # more than one of nginx' buffers
        evaluator.post("webrtc_signal", targetUserId="c", signal={"type": "offer", "sdp": long})
        assert (await client.next("webrtc_signal"))["signal"]["sdp"] == long
        client.post("webrtc_signal", targetUserId="e", signal={"type": "answer", "sdp": long})
        assert (await evaluator.wait_for("webrtc_signal"))["signal"]["sdp"] == long
        client.post("end_session", sessionId=started["sessionId"])
        assert (await evaluator.wait_for("session_ended"))["reason"] == "ended"
        site.relay.process.terminate()
        assert (await client.wait_close()).code == CloseCode.GOING_AWAY
        assert (await evaluator.wait_close()).code == CloseCode.GOING_AWAY


@needs_nginx
async def test_pages_of_the_same_origin_may_connect_and_others_may_not(site: Site) -> None:
    assert await site.upgrade() == 101
    assert await site.upgrade(Origin=b"https://" + site.host) == 101
    for foreign in (b"https://example.org", b"https://127.0.0.1", b"null"):
        assert await site.upgrade(Origin=foreign) == 403


@needs_nginx
async def test_the_relay_knows_who_is_before_nginx_whatever_he_says(site: Site) -> None:
    forged = b"192.0.2.6"
    assert await site.upgrade(address="127.0.0.2", X_Forwarded_For=forged) == 101
    await wait_until(lambda: bool(site.addresses_in_log()), "a line with an address")
    assert set(site.addresses_in_log()) == {"127.0.0.2"}


@needs_nginx
async def test_health_is_served_and_metrics_are_not(site: Site) -> None:
    assert await site.get("/health") == (200, b"ok\n")
    for target in ("/metrics", "/metrics?a=b", "//metrics", "/%6detrics", "/a/../metrics"):
        status, body = await site.get(target)
        assert status == 403
        assert b"imgsync_" not in body
    for target in ("/Metrics", "/%256detrics", "/%2fmetrics", "/metrics/", "/metrics;a"):
        status, body = await site.get(target)
        assert status in (400, 403, 404)
        assert b"imgsync_" not in body
    async with await trio.open_tcp_stream("127.0.0.1", site.relay_port) as stream:
        raw = RawPeer(stream)
        await raw.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert await raw.read_status() == 200
        assert b"\nimgsync_connections 0.0\n" in await raw.read_rest()


def test_nginx_waits_longer_than_the_heartbeat() -> None:
    for direction in ("read", "send"):
        (seconds,) = re.findall(rf"proxy_{direction}_timeout (\d+)s;", nginx_snippet())
        assert int(seconds) > KEEPALIVE_INTERVAL + PONG_DEADLINE


# ── the unit ─────────────────────────────────────────────────────────────────────────────────────


def read_units() -> list[configparser.RawConfigParser]:
    """The service and what is dropped in beside it."""
    units = []
    for block in blocks("ini"):
        unit = configparser.RawConfigParser(strict=False, delimiters=("=",), allow_no_value=False)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(block)
        units.append(unit)
    return units


def test_the_units_start_a_relay_with_options_that_it_knows(tmp_path: Path) -> None:
    secret = tmp_path / "auth-secret"
    secret.write_text("0" * 64)
    units = read_units()
    assert len(units) == 2
    for unit in units:
        command = shlex.split(unit["Service"]["ExecStart"].replace("%d", str(tmp_path)))
        assert command[1:3] == ["-m", "imgsync.relay"]
        options = make_parser("relay").parse_args(command[3:])
        assert settings_of(options).read_token is not None
        assert not options.no_auth
        has_tls = options.tls_cert is not None and options.tls_key is not None
        # Without a certificate a hang-up ends the relay.
        assert has_tls == ("ExecReload" in unit["Service"])
        assert has_tls or options.forwarded_by == ["127.0.0.1"]


def test_the_service_is_locked_in() -> None:
    service = read_units()[0]["Service"]
    assert service["LoadCredential"].startswith("auth-secret:")
    assert service["Restart"] == "on-failure"
    assert service["KillSignal"] == "SIGTERM"
    assert int(service["TimeoutStopSec"]) > 5
    assert int(service["LimitNOFILE"]) > make_parser("relay").get_default("max_connections")
    for option in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome"):
        assert service[option] == "yes"
    assert service["ProtectSystem"] == "strict"


# ── what it says ─────────────────────────────────────────────────────────────────────────────────


def test_the_options_that_are_named_are_there() -> None:
    known = set(re.findall(r"--[a-z-]+", make_parser("relay").format_help()))
    # The page has the tokens, too, whose options are held to their command there.
    token = PAGE.with_name("commands.md").read_text().partition("## imgsync token")[2]
    known |= set(re.findall(r"`(--[a-z-]+)", token.partition("\n## ")[0]))
    prose = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    named = set(re.findall(r"`(--[a-z-]+)", prose))
    assert "--max-connections" in named
    assert named <= known


def test_every_metric_is_named_and_no_other() -> None:
    named = set(re.findall(r"`(imgsync_[a-z_]+)", PAGE.read_text()))
    metrics = Metrics()
    metrics.node = NodeMetrics()
    families = re.findall(r"^# TYPE (imgsync_\w+)", metrics.render().decode(), re.MULTILINE)
    assert named == set(families)
