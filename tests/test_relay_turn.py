"""The relay's TURN credentials, held to a real coturn by both our peers and those in Node.

Everything is on loopback, so whoever is relay-only has nothing but the TURN server to go through.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import trio

from imgsync import ImageRef, open_client, open_evaluator
from imgsync.client.client import Client
from imgsync.core.messages import IceServer
from imgsync.net.connect import open_relay_socket
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import Link, Socket
from tests.foreign import find_node
from tests.processes import SESSION_S, open_child, open_relay, our_client, our_evaluator
from tests.relays import register
from tests.turn_servers import SECRET, needs_coturn, open_coturn

pytestmark = needs_coturn

IMAGE = ImageRef(0, "a.png", "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=1")

A_SESSION = 3 * 24 * 3600
"""Seconds that credentials have to be good for at the least: a wait over a weekend, and a day."""


@attrs.frozen
class RelayOnly:
    """See `imgsync.seams.Network`: the real one, for who may tell nobody his addresses."""

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


async def test_a_relay_only_node_client_is_reached_by_our_evaluator(tmp_path: Path) -> None:
    node = find_node()
    async with (
        open_relay_with_turn(tmp_path) as url,
        open_child("Node client", *node("client", url, "--relay-only")) as client,
    ):
        await client.wait_event("registered")
        async with open_child("evaluator", *our_evaluator(url)) as evaluator:
            await evaluator.wait_success()
            [result] = await client.wait_success()
    assert len(result["showings"]) == 10
    assert result["localCandidates"]
    assert all(" typ relay " in candidate for candidate in result["localCandidates"])


async def test_a_relay_only_node_evaluator_reaches_our_client(tmp_path: Path) -> None:
    node = find_node()
    async with (
        open_relay_with_turn(tmp_path) as url,
        open_child("client", *our_client(url)) as client,
    ):
        await client.wait_event("registered")
        async with open_child("Node evaluator", *node("evaluator", url, "--relay-only")) as other:
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
