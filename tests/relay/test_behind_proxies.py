"""The relay behind each reverse proxy that docs/relay.md has lines for, with these very lines.

At the root of a host, and under a path. What else is said of nginx, see `test_behind_nginx.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import attrs
import pytest
import trio
import trustme

from imgsync.core.protocol.errors import UpgradeRefused
from imgsync.core.protocol.numbers import KEEPALIVE_INTERVAL, PONG_DEADLINE
from imgsync.net.connect import open_relay_socket
from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage
from tests.kit.forks import open_fork
from tests.kit.ports import find_free_port
from tests.kit.processes import LISTENING, START_S, open_child, our_relay, wait_until
from tests.kit.relays import Peer, register
from tests.kit.web_pages import INSIDE, ClientPage
from tests.relay.test_behind_nginx import (
    CONFIGURATION,
    PAGE,
    WITHIN,
    Site,
    blocks,
    nginx_snippet,
    replace_once,
    wait_listening,
)

LIVE = "/etc/letsencrypt/live/relay.example.org"
RELAY = "127.0.0.1:8765"
PREFIX = "/imgsync"


@attrs.frozen
class Pair:
    """A certificate's files."""

    chain: Path
    key: Path
    both: Path


# ── the page's lines, with ports and files of the test ───────────────────────────────────────────


def shown(language: str) -> tuple[str, str]:
    """What the page shows for the root of a host, and for a path."""
    root, path = blocks(language)
    return root, path


def for_nginx(folder: Path, port: int, prefix: str, pair: Pair) -> list[str]:
    whole, (location,) = nginx_snippet(), blocks("conf")
    if prefix:
        begin = whole.index("    location / {")
        end = whole.index("\n", whole.index("proxy_pass")) + 1
        whole = whole[:begin] + location + whole[end:]
        whole = replace_once(whole, "location /metrics", f"location {prefix}/metrics")
    whole = replace_once(whole, "listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    whole = replace_once(whole, "    listen [::]:443 ssl http2;\n", "")
    whole = with_files(whole, pair)
    around = replace_once(CONFIGURATION, "worker_connections 64", "worker_connections 768")
    path = folder / "nginx.conf"
    path.write_text(around.format(folder=folder, snippet=whole))
    return ["-p", str(folder), "-c", str(path), "-e", "stderr"]


def for_haproxy(folder: Path, port: int, prefix: str, pair: Pair) -> list[str]:
    whole, parts = shown("haproxy")
    if prefix:
        frontend, backend = parts.split("\n\n")
        whole = replace_once(whole, "    http-request deny if { path_beg /metrics }\n", "")
        whole = replace_once(whole, "    default_backend imgsync\n", f"{frontend}\n")
        whole = replace_once(whole, "backend imgsync\n    server", f"{backend}    server")
    whole = replace_once(whole, "bind :443", f"bind 127.0.0.1:{port}")
    whole = replace_once(whole, "/etc/haproxy/relay.example.org.pem", str(pair.both))
    path = folder / "haproxy.cfg"
    path.write_text(whole)
    return ["-db", "-f", str(path)]


#: What a2enmod brings with those that are named, and Debian's Apache has from the start.
APACHE_MODULES = ("mpm_event", "authz_core", "socache_shmcb", "proxy")

APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
Listen 127.0.0.1:{port}
{more}
"""


def for_apache(folder: Path, port: int, prefix: str, pair: Pair) -> list[str]:
    whole, proxied = shown("apache")
    if prefix:
        whole = re.sub(r"    ProxyPass .*\n", lambda _: proxied, whole)
        whole = replace_once(whole, "<Location /metrics>", f"<Location {prefix}/metrics>")
    whole = with_files(replace_once(whole, "*:443", f"127.0.0.1:{port}"), pair)
    (named,) = re.findall(r"a2enmod ([a-z0-9_ ]+)`", PAGE.read_text())
    more = [
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in (*APACHE_MODULES, *named.split())
    ]
    if os.getuid() == 0:
        more += ["User www-data", "Group www-data"]
    path = folder / "apache.conf"
    path.write_text(APACHE.format(folder=folder, port=port, more="\n".join(more)) + whole)
    return ["-f", str(path), "-DFOREGROUND"]


def with_files(text: str, pair: Pair) -> str:
    text = replace_once(text, f"{LIVE}/fullchain.pem", str(pair.chain))
    return replace_once(text, f"{LIVE}/privkey.pem", str(pair.key))


PROXIES: dict[str, Callable[[Path, int, str, Pair], list[str]]] = {
    "nginx": for_nginx,
    "haproxy": for_haproxy,
    "apache2": for_apache,
}


def make_pair(folder: Path, tls: ssl.SSLContext) -> Pair:
    authority = trustme.CA()
    authority.configure_trust(tls)
    issued = authority.issue_cert("127.0.0.1")
    pair = Pair(folder / "fullchain.pem", folder / "privkey.pem", folder / "both.pem")
    issued.private_key_pem.write_to_path(pair.key)
    issued.cert_chain_pems[0].write_to_path(pair.chain)
    pair.both.write_bytes(pair.chain.read_bytes() + pair.key.read_bytes())
    return pair


def point_at_relay(folder: Path, port: int, without: Sequence[str]) -> None:
    """Where it is now, in place of where the page has it; and without lines that begin so."""
    (configuration,) = (path for path in folder.iterdir() if path.suffix in (".conf", ".cfg"))
    text = configuration.read_text()
    assert RELAY in text
    text = text.replace(RELAY, f"127.0.0.1:{port}")
    for line in without:
        assert re.search(rf"^ *{line}.*\n", text, re.MULTILINE)
        text = re.sub(rf"^ *{line}.*\n", "", text, flags=re.MULTILINE)
    configuration.write_text(text)


@asynccontextmanager
async def open_site(
    name: str, folder: Path, prefix: str, without: Sequence[str] = ()
) -> AsyncIterator[Site]:
    """A proxy, and the relay behind it; its lines that begin so are left out."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    program = shutil.which(name, path=path)
    if program is None:
        pytest.skip(f"{name} is not installed")
    options = ("--forwarded-by", "127.0.0.1", "--log-format", "json")
    with trio.fail_after(WITHIN):
        async with open_fork("relay", *our_relay(*options)) as relay:
            line = await relay.wait_line(START_S)
            assert line.startswith(LISTENING)
            relay_port = int(line.rpartition(":")[2].removesuffix("/ws"))
            port, tls = find_free_port(), ssl.create_default_context()
            command = PROXIES[name](folder, port, prefix, make_pair(folder, tls))
            point_at_relay(folder, relay_port, without)
            async with open_child(name, program, *command) as proxy:
                await wait_listening(port, proxy)
                yield Site(port, relay_port, relay, tls)


each = pytest.mark.parametrize("prefix", ["", PREFIX], ids=["root", "path"])
of_all = pytest.mark.parametrize("name", [*PROXIES])


@of_all
@each
async def test_peers_have_a_session_and_the_relay_knows_who_asks(
    name: str, prefix: str, tmp_path: Path
) -> None:
    async with open_site(name, tmp_path, prefix) as site:
        url = f"wss://127.0.0.1:{site.port}{prefix}/ws"
        page = f"https://127.0.0.1:{site.port}"
        async with (
            open_relay_socket(url, tls=site.tls, origin=page) as theirs,
            open_relay_socket(url, tls=site.tls) as ours,
        ):
            client, evaluator = Peer(theirs), Peer(ours)
            theirs.post(register("c", "client"))
            await client.next("registered")
            ours.post(register("e", "evaluator"))
            await evaluator.next("registered")
            evaluator.post("start_session", clientId="c")
            await evaluator.next("session_started")
            await client.next("session_started")
            long = "v=0\r\n" + "a" * 30_000
            evaluator.post("webrtc_signal", targetUserId="c", signal={"type": "offer", "sdp": long})
            assert (await client.next("webrtc_signal"))["signal"]["sdp"] == long
            client.post("ping", id=7)
            assert await client.next("pong") == {"id": 7}
        assert await site.get(f"{prefix}/health") == (200, b"ok\n")
        for target in ("/metrics", "/metrics?a=b", "/%6detrics"):
            status, body = await site.get(f"{prefix}{target}")
            assert status == 403
            assert b"imgsync_" not in body
        if prefix:
            status, _ = await site.get("/health")
            assert status in (404, 503)
        forged = {"Origin": b"https://example.org", "X_Forwarded_For": b"192.0.2.6"}
        path = f"{prefix}/ws".encode()
        assert await site.upgrade(address="127.0.0.2", path=path, **forged) == 403
        told = ("127.0.0.2", "--allow-origin https://example.org")
        await wait_until(lambda: all(one in site.relay.read_errors() for one in told), "a warning")
        assert set(site.addresses_in_log()) <= {"127.0.0.1", "127.0.0.2"}


@of_all
async def test_pages_have_a_session_under_a_path(
    name: str, tmp_path: Path, browser: Browser
) -> None:
    async with (
        open_site(name, tmp_path, PREFIX) as site,
        browser.open_page() as client,
        browser.open_page() as console,
    ):
        for page in (client, console):
            await page.command("Security.setIgnoreCertificateErrors", ignore=True)
        root = f"https://127.0.0.1:{site.port}{PREFIX}"
        await client.run_early(INSIDE)
        await client.goto(f"{root}/client?user=c")
        await ClientPage(client).wait_says("Ready.")
        await console.goto(f"{root}/evaluator?user=e")
        await ConsolePage(console).start("c")
        await ClientPage(client).wait_says("Connected to e")
        assert client.errors == console.errors == []


def has_told(site: Site, warning: str) -> bool:
    return warning in site.relay.read_errors()


async def test_a_proxy_that_keeps_a_header_is_named_to_peers_and_in_the_log(tmp_path: Path) -> None:
    for header, page, told, warning in (
        ("proxy_set_header Upgrade", None, "has to pass on Upgrade", "has to pass on both"),
        ("proxy_set_header Host", "https://127.0.0.1:{}", "HTTP status 403", "the header Host"),
    ):
        folder = tmp_path / told.split()[-1]
        await trio.Path(folder).mkdir()
        async with open_site("nginx", folder, "", [header]) as site:
            origin = None if page is None else page.format(site.port)
            with pytest.raises(UpgradeRefused, match=told):
                async with open_relay_socket(site.url, tls=site.tls, origin=origin):
                    pass
            await wait_until(partial(has_told, site, warning), "a warning")
            asked = "/health?origin=" + quote(f"https://127.0.0.1:{site.port}", safe="")
            assert (await site.get(asked))[1] == (b"origin\n" if origin else b"ok\n")


def test_each_waits_longer_than_pings_may_be_apart() -> None:
    longest = KEEPALIVE_INTERVAL + PONG_DEADLINE
    haproxy, apache = shown("haproxy")[0], shown("apache")[0]
    for what in ("client", "server", "tunnel"):
        (seconds,) = re.findall(rf"timeout {what} (\d+)s\n", haproxy)
        assert int(seconds) > longest
    (seconds,) = re.findall(r"ProxyTimeout (\d+)\n", apache)
    assert int(seconds) > longest


def test_caddy_is_said_to_be_untested() -> None:
    assert len(blocks("caddy")) == 2
    assert "This one is untested." in PAGE.read_text()
