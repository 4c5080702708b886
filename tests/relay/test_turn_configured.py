"""coturn as docs/relay.md has it, in its three kinds, and a relay whose files change."""

import json
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync import ImageRef, open_client, open_evaluator
from imgsync.commands.doctor.ice import check_servers
from imgsync.core.protocol.ice import IceKind, choose_ice
from imgsync.core.protocol.numbers import FEATURE_ICE_SERVERS
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.connect import open_relay_socket
from imgsync.net.ports import open_port, port_of
from imgsync.relay.server import open_relay
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from imgsync.rtc.bridge import open_bridge
from tests.kit.forks import open_fork
from tests.kit.ports import find_free_port
from tests.kit.processes import SESSION_S, START_S, open_child, our_relay, wait_until
from tests.kit.relays import open_peer, register
from tests.kit.turn_servers import (
    SECRET,
    answers,
    bind_dead_turn_server,
    make_credentials,
    needs_coturn,
    open_coturn,
    trust_certificate,
)
from tests.relay.test_turn import RelayOnly, follow

PAGE = Path(__file__).parents[2] / "docs" / "relay.md"


@asynccontextmanager
async def open_documented_coturn(folder: Path, certificate: Path) -> AsyncIterator[tuple[int, int]]:
    """The page's own lines, on loopback; yields the two ports."""
    [text] = re.findall(r"```text\n(listening-port=.*?)```", PAGE.read_text(), re.DOTALL)
    port, tls_port = find_free_port(), find_free_port()
    changes = {
        "listening-port=3478": f"listening-port={port}",
        "tls-listening-port=443": f"tls-listening-port={tls_port}",
        "static-auth-secret=SECRET": f"static-auth-secret={SECRET}",
        "/etc/letsencrypt/live/turn.example.org/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/turn.example.org/privkey.pem": str(certificate),
    }
    for old, new in changes.items():
        text = re.sub(rf"(?m)(^|(?<==)){re.escape(old)}$", new, text)
        assert new in text
    (folder / "turnserver.conf").write_text(text)
    own = ["listening-ip=127.0.0.1", "relay-ip=127.0.0.1", f"log-file={folder}/log"]
    own += [f"pidfile={folder}/pid", f"userdb={folder}/users"]
    words = ("-c", str(folder / "turnserver.conf"), *(f"--{option}" for option in own))
    async with open_child("TURN server", "turnserver", *words):
        await wait_until(lambda: answers(port), "the TURN server's answer", START_S)
        yield port, tls_port


@needs_coturn
async def test_coturn_as_documented_answers_over_udp_tcp_and_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = trust_certificate(tmp_path, monkeypatch)
    async with (
        open_documented_coturn(tmp_path, certificate) as (port, tls_port),
        open_bridge() as bridge,
    ):
        [line] = re.findall(r"python -m imgsync.relay (--turn .*)", PAGE.read_text())
        urls = re.findall(r"turns?:turn\.example\.org\S*?(?=['\s])", line)
        for old, new in (("turn.example.org:3478", port), ("turn.example.org:443", tls_port)):
            urls = [url.replace(old, f"127.0.0.1:{new}") for url in urls]
        choice = choose_ice([IceServer(tuple(urls), *make_credentials())])
        assert [server.url.kind for server in choice.turn] == [
            IceKind.TURN_UDP,
            IceKind.TURN_TCP,
            IceKind.TURN_TLS,
        ]
        checked = await check_servers(bridge, choice, ())
        assert [server.finding.result.value for server in checked] == ["ok"] * 3, checked


@needs_coturn
async def test_where_tls_alone_gets_out_two_servers_in_three_kinds_each_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = trust_certificate(tmp_path, monkeypatch)
    image = ImageRef(0, "a.png", "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=1")
    listeners = await open_port("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
    with bind_dead_turn_server("udp") as udp, bind_dead_turn_server("tcp") as tcp:
        async with open_coturn(certificate) as coturn, open_bridge() as bridge:
            # Both of its servers are silent but for TLS, and the first is down.
            silent = [str(server.urls) for server in (udp, tcp)]
            tls = [f"turns:127.0.0.1:{port}" for port in (find_free_port(), coturn.tls_port)]
            turn = [*silent, "turn:127.0.0.1:1024", "turn:127.0.0.1:1025?transport=tcp", *tls]
            ice = IceOffer(stun=(), turn=turn, secret=SECRET.encode())
            network = RelayOnly(bridge)
            with trio.fail_after(SESSION_S):
                async with (
                    open_relay(listeners, Settings(ice=ice)),
                    open_client(url, user_id="C", network=network) as client,
                    open_evaluator(url, user_id="E", network=network) as evaluator,
                    trio.open_nursery() as nursery,
                ):
                    await nursery.start(follow, client)
                    async with evaluator.open_session("C") as session:
                        assert (await session.show(image)).received_at > 0
                    nursery.cancel_scope.cancel()


# ── what peers are told later ────────────────────────────────────────────────────────────────────


async def test_new_credentials_are_told_in_time_to_who_wants_to_know() -> None:
    listeners = await open_port("127.0.0.1", 0)
    ice = IceOffer(stun=(), turn=["turn:t"], secret=b"s", life=2)
    with trio.fail_after(SESSION_S):
        async with (
            open_relay(listeners, Settings(ice=ice)),
            open_peer(port_of(listeners), "old") as other,
            open_peer(port_of(listeners), "new", features=[FEATURE_ICE_SERVERS]) as peer,
        ):
            expiries = []
            for _ in range(2):
                [server] = (await peer.next("ice_servers"))["iceServers"]
                expiry, _, user = server["username"].partition(":")
                assert user == "new"
                expiries.append(int(expiry))
            assert all(expiry > time.time() for expiry in expiries)
            other.post("nonsense")
            assert (await other.next("error"))["code"] == "unknown_event"  # the first that it hears


async def test_a_hang_up_tells_the_peers_what_stands_in_the_files_now(tmp_path: Path) -> None:
    file = tmp_path / "servers.json"

    def write(credential: str) -> None:
        servers = [{"urls": "turn:t", "username": "u", "credential": credential}]
        file.write_text(json.dumps(servers))

    write("first")
    async with open_fork("relay", *our_relay("--ice-servers-file", str(file))) as relay:
        line = await relay.wait_line(START_S)
        port = int(line.rpartition(":")[2].removesuffix("/ws"))
        with trio.fail_after(SESSION_S):
            async with open_peer(port, "c", features=[FEATURE_ICE_SERVERS]) as peer:
                write("second")
                relay.process.send_signal(signal.SIGHUP)
                [*_, server] = (await peer.next("ice_servers"))["iceServers"]
                assert server["credential"] == "second"
                file.write_text("{")
                relay.process.send_signal(signal.SIGHUP)
                said = "the ICE servers were not read again; the old ones stay"
                await wait_until(lambda: said in relay.read_errors(), "the complaint")
                async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as late:
                    late.post(register("d", "client"))
                    told = json.loads(await late.receive())["data"]["iceServers"]
                    assert told[-1]["credential"] == "second"
                assert "second" not in relay.read_errors()
