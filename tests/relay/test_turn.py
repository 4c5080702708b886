"""The relay's TURN credentials, held to a real coturn by both our peers and those in Node.

Everything is on loopback, so whoever is relay-only has nothing but the TURN server to go through.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
import trio

from imgsync import ImageRef, InputError, open_client, open_evaluator
from imgsync.client.client import Client
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.connect import open_relay_socket
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import Link, Socket
from tests.kit.foreign import MakePeer
from tests.kit.forks import open_fork, open_relay
from tests.kit.processes import SESSION_S, open_child, our_client, our_evaluator
from tests.kit.relays import register
from tests.kit.turn_servers import SECRET, needs_coturn, open_coturn

pytestmark = needs_coturn

IMAGE = ImageRef(0, "a.png", "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=1")

A_SESSION = 3 * 24 * 3600
"""Seconds that credentials have to be good for at the least: a wait over a weekend, and a day."""


@attrs.frozen
class RelayOnly:
    """See `imgsync.seams.Network`: the real one, for whoever may tell nobody its addresses."""

    bridge: Bridge

    def open_socket(self, url: str) -> AbstractAsyncContextManager[Socket]:
        return open_relay_socket(url)

    def open_link(self, ice_servers: Sequence[IceServer]) -> AbstractAsyncContextManager[Link]:
        return open_link(self.bridge, ice_servers, relay_only=True)


@asynccontextmanager
async def open_relay_with_turn(folder: Path, *, secret: str = SECRET) -> AsyncIterator[str]:
    """A relay and a coturn that share a secret; yields the relay's URL."""
    file = folder / "turn-secret"
    file.write_text(f"{secret}\n")
    file.chmod(0o600)
    async with open_coturn() as coturn:
        turn = ("--turn", f"turn:127.0.0.1:{coturn.port}", "--turn-secret-file", str(file))
        async with open_relay(*turn) as url:
            yield url


async def follow(
    client: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    task_status.started()
    async for session in client.sessions():
        async with session:
            async for _ in session.images():
                pass


async def test_our_peers_meet_through_the_turn_server_alone(tmp_path: Path) -> None:
    with trio.fail_after(SESSION_S):
        async with (
            open_relay_with_turn(tmp_path) as url,
            open_bridge() as bridge,
            open_client(url, user_id="C", network=RelayOnly(bridge)) as client,
            open_evaluator(url, user_id="E", network=RelayOnly(bridge)) as evaluator,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(follow, client)
            async with evaluator.open_session("C") as session:
                delivery = await session.show(IMAGE)
                assert delivery.received_at >= 0
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_tap(relay_url: str) -> AsyncIterator[tuple[str, bytearray]]:
    """Another URL of the relay, and all that the relay has said there, whose frames are plain."""
    told = bytearray()
    address = urlsplit(relay_url)
    assert address.hostname is not None
    assert address.port is not None
    relay_at = (address.hostname, address.port)

    async def pump(source: trio.SocketStream, sink: trio.SocketStream, copy: bytearray) -> None:
        with suppress(trio.BrokenResourceError):
            async for chunk in source:
                copy += chunk
                await sink.send_all(chunk)
            await sink.send_eof()

    async def pass_on(near: trio.SocketStream) -> None:
        async with await trio.open_tcp_stream(*relay_at) as far, trio.open_nursery() as pumps:
            pumps.start_soon(pump, near, far, bytearray())
            pumps.start_soon(pump, far, near, told)

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, pass_on, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        yield f"ws://127.0.0.1:{port}{address.path}", told
        nursery.cancel_scope.cancel()


def kinds_of_candidates(told: bytearray) -> set[bytes]:
    return set(re.findall(rb" typ (\w+)", told))


@pytest.mark.parametrize("clients_policy", ["relay", "all"])
async def test_the_commands_meet_through_the_turn_server_and_tell_no_address_if_they_may_not(
    tmp_path: Path, clients_policy: str
) -> None:
    relay_only = ("--ice-policy", "relay")
    clients = ("--ice-policy", clients_policy)
    async with (
        open_relay_with_turn(tmp_path) as url,
        open_tap(url) as (clients_url, told_to_client),
        open_tap(url) as (evaluators_url, told_to_evaluator),
        open_fork("client", *our_client(clients_url), *clients) as client,
    ):
        await client.wait_event("registered")
        evaluator_command = (*our_evaluator(evaluators_url), *relay_only)
        async with open_fork("evaluator", *evaluator_command) as evaluator:
            events = await evaluator.wait_success()
            await client.wait_success()
    assert events[-1]["acked"] == events[-1]["sent"] > 0
    assert kinds_of_candidates(told_to_client) == {b"relay"}
    # Those of the TURN server, and the one that stands for none.
    addresses = set(re.findall(rb"\d+\.\d+\.\d+\.\d+", told_to_client))
    assert addresses == {b"127.0.0.1", b"0.0.0.0"}
    # Whoever may tell of hosts does, which shows that we would see it.
    told_of_hosts = b"host" in kinds_of_candidates(told_to_evaluator)
    assert told_of_hosts == (clients_policy == "all")


async def test_a_policy_that_is_none_is_refused_before_anything_is_told() -> None:
    for open_peer in (open_client, open_evaluator):
        with pytest.raises(InputError, match='"all" or "relay", and not \'Relay\''):
            async with open_peer("ws://127.0.0.1:9/ws", user_id="U", ice_policy="Relay"):  # type: ignore[arg-type]
                pass


async def test_a_relay_only_node_client_is_reached_by_our_evaluator(
    foreign: MakePeer, tmp_path: Path
) -> None:
    async with (
        open_relay_with_turn(tmp_path) as url,
        open_child("Node client", *foreign("client", url, "--relay-only")) as client,
    ):
        await client.wait_event("registered")
        async with open_fork("evaluator", *our_evaluator(url)) as evaluator:
            await evaluator.wait_success()
            [result] = await client.wait_success()
    assert len(result["showings"]) == 10
    assert result["localCandidates"]
    assert all(" typ relay " in candidate for candidate in result["localCandidates"])


async def test_a_relay_only_node_evaluator_reaches_our_client(
    foreign: MakePeer, tmp_path: Path
) -> None:
    async with (
        open_relay_with_turn(tmp_path) as url,
        open_fork("client", *our_client(url)) as client,
    ):
        await client.wait_event("registered")
        async with open_child(
            "Node evaluator", *foreign("evaluator", url, "--relay-only")
        ) as other:
            await client.wait_success()
            [_registered, result] = await other.wait_success()
    assert result["acks"]
    assert result["localCandidates"]
    assert all(" typ relay " in candidate for candidate in result["localCandidates"])


async def test_the_credentials_are_each_users_own_and_outlive_a_session(tmp_path: Path) -> None:
    async with open_relay_with_turn(tmp_path) as url:
        for user in ("C", "D"):
            async with open_relay_socket(url) as socket:
                socket.post(register(user, "client"))
                [turn] = json.loads(await socket.receive())["data"]["iceServers"]
            expiry, _, name = turn["username"].partition(":")
            assert name == user
            assert int(expiry) > time.time() + A_SESSION
