"""Two nodes behind nginx, as docs/relay.md has them, and one of them restarted."""

from __future__ import annotations

import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from imgsync.core.protocol.signalling import CloseCode
from imgsync.net.connect import open_relay_socket
from tests.kit.node_relays import Node, get, open_nodes, wait_health
from tests.kit.ports import find_free_port
from tests.kit.redis_servers import needs_redis, run_redis
from tests.kit.relays import Peer, register
from tests.relay.test_behind_nginx import (
    WITHIN,
    blocks,
    needs_nginx,
    nginx_snippet,
    open_nginx,
    replace_once,
)


def snippet_of(nodes: list[Node]) -> str:
    """The page's lines for one relay, with those for two, and the nodes of the test."""
    (upstream,) = (block for block in blocks("nginx") if block.startswith("upstream "))
    (go_on,) = (block for block in blocks("nginx") if block.startswith("proxy_next_upstream "))
    for old, node in zip(("10.0.0.11:8765", "10.0.0.12:8765"), nodes, strict=True):
        upstream = replace_once(upstream, old, f"127.0.0.1:{node.port}")
    alone = "proxy_pass http://127.0.0.1:8765;"
    return upstream + replace_once(
        nginx_snippet(), alone, f"proxy_pass http://imgsync_nodes;\n{go_on}"
    )


@asynccontextmanager
async def join(url: str, tls: ssl.SSLContext, user: str, role: str) -> AsyncIterator[Peer]:
    async with open_relay_socket(url, tls=tls) as socket:
        socket.post(register(user, role))
        peer = Peer(socket)
        await peer.next("registered")
        yield peer


async def figure(node: Node, name: str) -> int:
    """One of its metrics."""
    _, text = await get(node.port, "/metrics")
    (line,) = (one for one in text.splitlines() if one.startswith(f"imgsync_{name} "))
    return int(float(line.rpartition(" ")[2]))


@needs_nginx
@needs_redis
async def test_a_session_goes_on_when_the_node_of_one_side_goes_away(tmp_path: Path) -> None:
    with trio.fail_after(WITHIN), run_redis() as redis:
        async with open_nodes(2, redis.url, "--forwarded-by", "127.0.0.1") as nodes:
            port, tls = find_free_port(), ssl.create_default_context()
            async with open_nginx(tmp_path, port, snippet_of(nodes), tls):
                await see_one_go(nodes, f"wss://127.0.0.1:{port}/ws", tls)


async def see_one_go(nodes: list[Node], url: str, tls: ssl.SSLContext) -> None:
    async with join(url, tls, "c", "client") as client:
        has_client = await figure(nodes[0], "connections") == 1
        [going] = nodes[1:] if has_client else nodes[:1]
        async with join(url, tls, "e", "evaluator") as evaluator:
            # Whoever comes next is handed to the node that has fewer.
            assert [await figure(node, "connections") for node in nodes] == [1, 1]
            evaluator.post("start_session", clientId="c")
            started = await client.next("session_started")
            assert (await evaluator.next("session_started"))["sessionId"] == started["sessionId"]
            await pass_on(evaluator, "e", client, "c")
            await pass_on(client, "c", evaluator, "e")
            going.send(signal.SIGTERM)
            assert (await evaluator.wait_close()).code == CloseCode.GOING_AWAY
        await wait_health(going, 503, "draining")
        async with join(url, tls, "e", "evaluator") as evaluator:
            # It still listens, and nginx has asked it first.
            assert await figure(going, 'connects_refused_total{reason="draining"}') == 1
            resumed = await evaluator.wait_for("session_started")
            assert resumed["sessionId"] == started["sessionId"]
            assert resumed["resumed"]
            await client.next("peer_away")
            await client.next("peer_back")
            await pass_on(evaluator, "e", client, "c")
            await pass_on(client, "c", evaluator, "e")
            await going.kill()


async def pass_on(sender: Peer, sender_id: str, receiver: Peer, receiver_id: str) -> None:
    value = {"candidate": f"of {sender_id}"}
    sender.post("webrtc_signal", targetUserId=receiver_id, signal=value)
    heard = await receiver.wait_for("webrtc_signal")
    assert (heard["fromUserId"], heard["signal"]) == (sender_id, value)
