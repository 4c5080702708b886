"""Nodes as processes whose Redis is emptied, killed, frozen, replaced, or badly connected."""

import json
import math
from collections.abc import Callable
from itertools import count
from pathlib import Path

import attrs
import pytest
import trio

import imgsync
from imgsync.core.protocol.signalling import PresenceState
from tests.kit.command_lines import LOOPBACK
from tests.kit.node_relays import (
    HASTY,
    USUAL,
    WITHIN_S,
    Node,
    Pairs,
    open_node,
    open_nodes,
    open_pair,
    wait_health,
)
from tests.kit.onlookers import open_onlooker
from tests.kit.processes import SESSION_S
from tests.kit.redis_proxies import open_redis_proxy
from tests.kit.redis_servers import needs_redis, run_redis
from tests.kit.relays import Peer, open_peer, register
from tests.kit.side_by_side import side_by_side
from tests.relay.test_limits import scrape

pytestmark = needs_redis

BOUND_S = 2.5
"""Seconds in which it is said that Redis does not answer: one, on a loaded machine."""

AT_ONCE_S = 0.7
"""Seconds for the same, once it is known."""

EARED = attrs.evolve(USUAL, silence=0.3)
"""Notices soon that it is deaf; its lease lasts for as long as usual."""


async def count_troubles(node: Node, kind: str) -> int:
    return int((await scrape(node.port))["node_troubles_total", kind])


async def wait_trouble(node: Node, kind: str) -> None:
    with trio.fail_after(WITHIN_S):
        while not await count_troubles(node, kind):  # noqa: ASYNC110 (nobody sets an event)
            await trio.sleep(0.05)


async def go_on_again(pairs: Pairs, *nodes: Node) -> None:
    """Each node has begun again, and serves as before; nobody's socket was lost by it."""
    for node in nodes:
        await wait_trouble(node, "began_again")
        await wait_health(node, 200, "ok")
    await pairs.go_on()
    assert pairs.lost == 0
    async with open_pair([nodes[-1].url], [nodes[0].url], "-new"):
        pass


# ── emptied, killed, frozen ──────────────────────────────────────────────────────────────────────


@side_by_side(4)
async def test_sessions_go_on_where_redis_is_emptied(folder: Path) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, pace=HASTY) as (a, b), Pairs(a, b) as pairs:
            redis.flush()
            await go_on_again(pairs, a, b)


@side_by_side(5)
async def test_sessions_go_on_where_redis_is_killed_and_started_empty(folder: Path) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, pace=HASTY) as (a, b), Pairs(a, b) as pairs:
            redis.kill()
            for node in (a, b):
                await wait_health(node, 200, "degraded")
            with run_redis(port=redis.port):
                await go_on_again(pairs, a, b)


@side_by_side(7)
async def test_sessions_go_on_where_redis_is_frozen_for_longer_than_leases_last(
    folder: Path,
) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, pace=HASTY) as (a, b), Pairs(a, b) as pairs:
            redis.freeze()
            await trio.sleep(1.2 * HASTY.lease)
            redis.thaw()
            await go_on_again(pairs, a, b)


async def until_both_are_back(peer: Peer, session_id: str) -> None:
    """In their session, of which nothing else is said, nor that any client was gone."""
    told: list[str] = []
    while "session_started" not in told or told.count("peer_away") > told.count("peer_back"):
        # Its answer comes behind all that is said in the same breath.
        peer.post("end_session", sessionId="asked for the answer")
        while (message := json.loads(await peer.socket.receive()))["event"] != "error":
            if message["event"] == "presence":
                assert message["data"]["state"] != "offline"
                continue
            told.append(message["event"])
            assert message["data"]["sessionId"] == session_id
            assert message["data"].get("resumed", True)


@side_by_side(4)
async def test_peers_that_do_nothing_themselves_are_in_their_session_where_redis_is_emptied(
    folder: Path,
) -> None:
    with run_redis() as redis:
        async with (
            open_nodes(2, redis.url, pace=HASTY) as (a, b),
            open_peer(a.port, "e", "evaluator") as evaluator,
            open_peer(b.port, "c") as client,
            open_peer(b.port, "free"),
        ):
            session_id = await start(evaluator, client, "c", "e")
            redis.flush()
            for peer in (evaluator, client):
                await until_both_are_back(peer, session_id)
            for sender, receiver, user in ((evaluator, client, "c"), (client, evaluator, "e")):
                sender.post("webrtc_signal", targetUserId=user, signal="still here")
                assert (await receiver.next("webrtc_signal"))["signal"] == "still here"
            evaluator.post("start_session", clientId="free")
            assert (await evaluator.next("session_started"))["clientId"] == "free"


@side_by_side(4)
async def test_what_peers_have_between_them_is_not_disturbed_where_redis_is_emptied(
    folder: Path,
) -> None:
    with run_redis() as redis:
        with trio.fail_after(SESSION_S):
            async with (
                open_nodes(2, redis.url, pace=HASTY) as (a, b),
                open_onlooker(b.url, "c") as client,
                imgsync.open_evaluator(a.url, user_id="E", ice_addresses=[LOOPBACK]) as evaluator,
                evaluator.open_session("c") as session,
            ):
                for index in range(10):
                    if index == 5:
                        redis.flush()
                        for node in (a, b):
                            await wait_trouble(node, "began_again")
                    url = f"http://127.0.0.1:9/{index}.png"
                    await session.show(imgsync.ImageRef(index, url, url))
                # It would have been "resumed" after an interruption.
                assert session.state is imgsync.SessionState.CONNECTED
                assert evaluator.clients["c"] is PresenceState.BUSY
    assert client.indices == [*range(10)]
    assert client.end_reason is imgsync.EndReason.ENDED


async def start(evaluator: Peer, client: Peer, client_id: str, evaluator_id: str) -> str:
    """A session in which the client has said something: there is nothing left to be decided."""
    evaluator.post("start_session", clientId=client_id)
    session_id: str = (await client.wait_for("session_started"))["sessionId"]
    client.post("webrtc_signal", targetUserId=evaluator_id, signal="first")
    await evaluator.wait_for("webrtc_signal")
    return session_id


async def is_refused(peer: Peer, name: str, within: float, **content: object) -> None:
    """As nothing is in reach that it needs."""
    peer.post(name, **content)
    with trio.fail_after(within):
        error = await peer.wait_for("error")
    assert (error["code"], error["event"]) == ("unavailable", name)


@side_by_side(7)
async def test_what_needs_a_redis_that_is_frozen_is_refused_at_once_and_all_else_goes_on(
    folder: Path,
) -> None:
    with run_redis() as redis:
        async with (
            open_nodes(2, redis.url) as (a, b),
            open_peer(a.port, "e", "evaluator") as evaluator,
            open_peer(a.port, "here") as here,
            open_peer(b.port, "there") as there,
        ):
            session_id = await start(evaluator, here, "here", "e")
            await start(evaluator, there, "there", "e")
            redis.freeze()
            away = {"targetUserId": "there", "signal": "lost"}
            evaluator.post("webrtc_signal", **away)
            for number in count():
                # Nobody waits for what waits for Redis.
                evaluator.post("webrtc_signal", targetUserId="here", signal=number)
                with trio.fail_after(AT_ONCE_S):
                    assert (await here.wait_for("webrtc_signal"))["signal"] == number
                if number == 20:
                    break
            with trio.fail_after(BOUND_S):
                error = await evaluator.wait_for("error")
            assert (error["code"], error["event"]) == ("unavailable", "webrtc_signal")
            await is_refused(evaluator, "webrtc_signal", AT_ONCE_S, **away)
            await is_refused(evaluator, "start_session", AT_ONCE_S, clientId="there")
            await is_refused(evaluator, "end_session", AT_ONCE_S, sessionId=session_id)
            async with open_peer(a.port) as late:
                late.socket.post(register("late", "client"))
                with trio.fail_after(AT_ONCE_S):
                    assert (await late.next("error"))["code"] == "unavailable"
                    assert (await late.wait_close()).code == 1013
            for node in (a, b):
                await wait_health(node, 200, "degraded")
            redis.thaw()
            for node in (a, b):
                await wait_health(node, 200, "ok")
            for peer, user in ((here, "here"), (there, "there")):
                evaluator.post("webrtc_signal", targetUserId=user, signal="again")
                while (await peer.wait_for("webrtc_signal"))["signal"] != "again":
                    pass
            async with open_pair([b.url], [a.url], "-new"):
                assert not await count_troubles(a, "began_again")


# ── badly connected ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", ["held", "swallowed", "reset", "slow"])
@side_by_side(5)
async def test_sessions_go_on_whatever_a_network_does_to_redis(folder: Path, fault: str) -> None:
    with run_redis() as redis:
        async with (
            open_redis_proxy(redis.port) as proxy,
            open_node(redis.url, pace=EARED) as a,
            open_node(proxy.url, pace=EARED) as b,
            Pairs(b, a) as pairs,
        ):
            match fault:
                case "held":
                    proxy.hold()
                    await wait_health(b, 200, "degraded")
                    proxy.release()
                case "swallowed":
                    proxy.swallow()
                    await wait_trouble(b, "away")
                case "reset":
                    proxy.reset()
                case "slow":
                    proxy.delay = 0.05
            await wait_health(b, 200, "ok")
            await pairs.go_on()
            assert pairs.lost == 0
            if fault == "slow":
                assert not any([await count_troubles(b, kind) for kind in ("away", "deaf")])


@side_by_side(5)
async def test_sessions_go_on_on_a_replica_that_has_lost_the_last_of_them(folder: Path) -> None:
    with (
        run_redis("--repl-diskless-sync-delay", 0) as primary,
        run_redis("--replicaof", "127.0.0.1", primary.port) as replica,
    ):
        async with (
            open_redis_proxy(primary.port) as proxy,
            open_nodes(2, proxy.url, pace=HASTY) as (a, b),
            Pairs(a, b) as pairs,
        ):
            assert primary.call("WAIT", 1, 5000) == ["1"]
            replica.call("REPLICAOF", "NO", "ONE")
            async with open_pair([b.url, a.url], [a.url, b.url], "-last") as last:
                proxy.target = replica.port
                primary.kill()
                await go_on_again(pairs, a, b)
                await last.exchange()
                assert last.has_gone_on


@pytest.mark.parametrize("probes", [True, False], ids=["probing", "not probing"])
@side_by_side(5)
async def test_a_node_that_is_deaf_notices_by_its_probes_and_by_nothing_else(
    folder: Path, probes: bool
) -> None:
    with run_redis() as redis:
        async with (
            open_redis_proxy(redis.port) as proxy,
            open_node(redis.url) as a,
            open_node(proxy.url, pace=attrs.evolve(EARED, probes=probes)) as b,
            open_peer(a.port, "e", "evaluator") as evaluator,
            open_peer(b.port, "c") as client,
        ):
            await start(evaluator, client, "c", "e")
            with trio.fail_after(WITHIN_S):
                await proxy.deafen()
            evaluator.post("webrtc_signal", targetUserId="c", signal="unheard")
            with trio.move_on_after(WITHIN_S if probes else 10 * EARED.silence) as scope:
                assert (await client.wait_for("webrtc_signal"))["signal"] == "unheard"
            assert scope.cancelled_caught != probes
            assert await count_troubles(b, "deaf") == probes
            if not probes:
                proxy.reset()
                assert (await client.wait_for("webrtc_signal"))["signal"] == "unheard"


# ── full ─────────────────────────────────────────────────────────────────────────────────────────


@side_by_side(4)
async def test_signals_for_a_node_that_reads_nothing_are_refused_and_none_is_lost_unsaid(
    folder: Path,
) -> None:
    small = attrs.evolve(USUAL, inbox=20)
    with run_redis() as redis:
        async with (
            open_nodes(2, redis.url, "--rate-limit", "0", pace=small) as (a, b),
            open_peer(a.port, "e", "evaluator") as evaluator,
            open_peer(b.port, "c") as client,
        ):
            await start(evaluator, client, "c", "e")
            b.freeze()
            talk = Talk(evaluator, client)
            with trio.fail_after(WITHIN_S):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(talk.count_refused)
                    nursery.start_soon(talk.hear)
                    await talk.until(lambda: talk.refused > 5)
                    assert 10 <= talk.sent - talk.refused < 500
                    b.thaw()
                    before = len(talk.heard)
                    await talk.until(lambda: len(talk.heard) > before + 100)
                    # Each was heard, once and in order, or refused.
                    await talk.until(lambda: False, last=talk.sent + 1)
                    nursery.cancel_scope.cancel()
            assert talk.heard == sorted(set(talk.heard))
            assert not await count_troubles(b, "began_again")


@attrs.define
class Talk:
    """Signals, one after the other, of which each has to be heard or refused."""

    sender: Peer
    receiver: Peer
    sent: int = 0
    refused: int = 0
    heard: list[int] = attrs.field(factory=list)

    async def count_refused(self) -> None:
        while True:
            error = await self.sender.wait_for("error")
            assert (error["code"], error["event"]) == ("unavailable", "webrtc_signal")
            self.refused += 1

    async def hear(self) -> None:
        while True:
            self.heard.append((await self.receiver.wait_for("webrtc_signal"))["signal"])

    async def until(self, is_so: Callable[[], bool], last: float = math.inf) -> None:
        """Say one after the other until something is so, or none is missing up to the last."""
        while not is_so():
            if self.sent < last:
                self.sender.post("webrtc_signal", targetUserId="c", signal=self.sent)
                self.sent += 1
            elif self.refused + len(self.heard) == self.sent:
                return
            await trio.sleep(0.005)
