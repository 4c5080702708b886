"""What comes of sessions across nodes that are idle, killed, stopped, or started anew."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import attrs
import trio
from node_sessions import (
    AWAY_S,
    SETTLE_S,
    Crowd,
    Wrong,
    count_words,
    in_seconds,
    open_crowd,
    open_crowd_at,
    read_troubles,
    show,
)

from imgsync.core.protocol.errors import SocketClosed
from tests.kit.node_relays import (
    ANSWER_S,
    Node,
    Pair,
    User,
    open_node,
    open_nodes,
    start_pair,
)
from tests.kit.ports import find_free_port
from tests.kit.redis_servers import Redis, run_redis
from tests.kit.relays import Peer, open_peer

NODES = 3

FROZEN_S = 15.0
"""Seconds for which a node is stopped: longer than its lease."""

NOTICED_S = 1.0
"""Seconds until peers of a node that is stopped come to another."""

EXIT_S = 5.0
"""The relay's promise of how soon it is gone."""

BETWEEN_S = 3.0
"""Seconds between two nodes that are restarted."""

MANY = 200
"""Sessions that are started at once, of evaluators with five each."""

MANY_S = 60.0

PEERS = 9
"""Whose node is stopped, and who come to another meanwhile."""


# ── idle ─────────────────────────────────────────────────────────────────────────────────────────


async def idle(seconds: float) -> None:
    """On two nodes and on three: peers in sessions, who say nothing."""
    with run_redis() as redis:
        async with trio.open_nursery() as nursery:
            for count in (2, 3):
                nursery.start_soon(_idle, redis, count, seconds)


async def _idle(redis: Redis, count: int, seconds: float) -> None:
    async with (
        open_nodes(count, redis.url, pace=None, prefix=f"idle{count}") as nodes,
        trio.open_nursery() as nursery,
    ):
        pairs = [await _start_quiet(nursery, nodes, number) for number in range(2 * count)]
        await trio.sleep(seconds)
        troubles = await read_troubles(nodes)
        lost = sum(user.lost for pair in pairs for user in pair.users)
        for pair in pairs:
            await pair.exchange(AWAY_S)
        gone_on = [pair.has_gone_on for pair in pairs]
        print(f"{count} nodes have {len(pairs)} sessions and nothing to do for {seconds:g} s:")
        show(f"nodes: {count_words(troubles) or 'without troubles'}; sockets lost: {lost}")
        show(f"load {os.getloadavg()[0]:.1f}")
        if troubles["began_again"] or lost or not all(gone_on):
            raise Wrong(f"{count} idle nodes: {troubles}, {lost} sockets lost, {gone_on}")
        nursery.cancel_scope.cancel()


async def _start_quiet(nursery: trio.Nursery, nodes: list[Node], number: int) -> Pair:
    at = number % len(nodes)
    urls = [node.url for node in nodes]
    ways = [[*urls[first:], *urls[:first]] for first in (at, (at + number // 2) % len(nodes))]
    pair = await start_pair(nursery, ways[0], ways[1], f"{number}")
    await pair.exchange()
    return pair


# ── killed ───────────────────────────────────────────────────────────────────────────────────────


async def kill() -> None:
    """One of three, with sessions on all."""
    with run_redis() as redis:
        async with open_crowd_at(*[redis.url] * NODES) as crowd:
            killed = crowd.nodes[0]
            hit = crowd.users_at(killed)
            async with crowd.watch("a node is killed", may_lose=hit):
                await killed.kill()
                crowd.nodes.remove(killed)
            show_aways(crowd)


def show_aways(crowd: Crowd) -> None:
    """How long each user had no socket."""
    aways = [away for one in crowd.sessions for side in one.sides for away in side.aways]
    show(f"without a socket, each time: {in_seconds(aways)}, {len(aways)} times")


# ── stopped ──────────────────────────────────────────────────────────────────────────────────────


async def stop_under_idle_peers() -> None:
    """What they have between them stays where it is, but for those who find their socket dead."""
    with run_redis() as redis:
        async with open_crowd_at(*[redis.url] * NODES) as crowd:
            stopped = crowd.nodes[0]
            hit = crowd.users_at(stopped)
            what = f"a node is stopped for {FROZEN_S:g} s"
            async with crowd.watch(what, may_lose=hit):
                stopped.freeze()
                await trio.sleep(FROZEN_S)
                stopped.thaw()


@attrs.define(eq=False)
class Stranded:
    """One whose node is stopped, in a session with one at another, and who comes to a third."""

    old: Peer
    other: User
    new: User
    session_id: str
    #: Seconds from its coming to signals both ways.
    back_s: float = 0.0

    @property
    def pair(self) -> Pair:
        users = (self.new, self.other)
        return Pair(*(users if self.new.client_id is not None else users[::-1]))

    async def come_back(self, nursery: trio.Nursery) -> None:
        start = trio.current_time()
        nursery.start_soon(self.new.run)
        with trio.fail_after(AWAY_S):
            # As peers do: a session is theirs of whom something is heard in it.
            while not self.other.has_heard("mine now"):
                self._claim()
                with suppress(trio.TooSlowError):
                    await self.other.until(lambda: self.other.has_heard("mine now"), ANSWER_S)
        await self.pair.exchange(AWAY_S)
        self.back_s = trio.current_time() - start

    def _claim(self) -> None:
        target, session_id = self.other.id, self.session_id
        self.new.say("webrtc_signal", targetUserId=target, signal="mine now", sessionId=session_id)

    async def hear_end(self) -> float:
        """Seconds from now until the old socket is told that its session is another's; 0 where
        its peer had given it up before."""
        start = trio.current_time()
        try:
            with trio.fail_after(AWAY_S):
                ended = await self.old.wait_for("session_ended")
        except SocketClosed:
            return 0.0
        if (ended["sessionId"], ended["reason"]) != (self.session_id, "claimed_elsewhere"):
            raise Wrong(f"one whose session is another's was told {ended}")
        return trio.current_time() - start


async def stop_under_peers_that_leave() -> None:
    with run_redis() as redis:
        async with (
            open_nodes(NODES, redis.url, pace=None) as nodes,
            trio.open_nursery() as nursery,
            AsyncExitStack() as stack,
        ):
            stopped = nodes[0]
            stranded = [await _strand(stack, nursery, nodes, number) for number in range(PEERS)]
            stopped.freeze()
            start = trio.current_time()
            await trio.sleep(NOTICED_S)
            async with trio.open_nursery() as back:
                for one in stranded:
                    back.start_soon(one.come_back, nursery)
            await trio.sleep_until(start + FROZEN_S)
            stopped.thaw()
            told: list[float] = []

            async def hear(one: Stranded) -> None:
                told.append(await one.hear_end())

            async with trio.open_nursery() as ends:
                for one in stranded:
                    ends.start_soon(hear, one)
            served = await _time_new_session(stopped, nodes[1])
            await trio.sleep(SETTLE_S)
            print(f"a node is stopped for {FROZEN_S:g} s, and its peers come to others meanwhile:")
            evaluators = [one.back_s for one in stranded if one.new.client_id is not None]
            clients = [one.back_s for one in stranded if one.new.client_id is None]
            show(f"signals both ways of evaluators after: {in_seconds(evaluators)}")
            show(f"signals both ways of clients after: {in_seconds(clients)}")
            show(f"their sockets of before are told so after it goes on: {in_seconds(told)}")
            show(f"a new session across it takes {served * 1000:.0f} ms then")
            show(f"load {os.getloadavg()[0]:.1f}")
            for one in stranded:
                await one.pair.exchange(AWAY_S)
                if not one.pair.has_gone_on or one.other.lost or one.new.lost:
                    raise Wrong(f"{one.new.id}: {one.new.events} {one.other.events}")
            nursery.cancel_scope.cancel()


async def _strand(
    stack: AsyncExitStack, nursery: trio.Nursery, nodes: list[Node], number: int
) -> Stranded:
    stopped, other_at, new_at = nodes[0], nodes[1 + number % 2].url, nodes[2 - number // 2 % 2].url
    evaluator_id, client_id = f"e{number}", f"c{number}"
    if number % 3 == 0:
        old = await stack.enter_async_context(open_peer(stopped.port, evaluator_id, "evaluator"))
        other, new = User(client_id, [other_at]), User(evaluator_id, [new_at], client_id)
        nursery.start_soon(other.run)
        await other.until(lambda: other.url is not None)
        old.post("start_session", clientId=client_id)
        target = client_id
    else:
        old = await stack.enter_async_context(open_peer(stopped.port, client_id))
        other, new = User(evaluator_id, [other_at], client_id), User(client_id, [new_at])
        nursery.start_soon(other.run)
        target = evaluator_id
    session_id = (await old.wait_for("session_started"))["sessionId"]
    if new.client_id is not None:
        new.session_id = session_id
        await other.until(lambda: other.session_id is not None)
        other.say("webrtc_signal", targetUserId=new.id, signal="taken", sessionId=session_id)
        await old.wait_for("webrtc_signal")
    old.post("webrtc_signal", targetUserId=target, signal="mine", sessionId=session_id)
    await other.until(lambda: other.has_heard("mine"))
    return Stranded(old, other, new, session_id)


async def _time_new_session(a: Node, b: Node) -> float:
    async with (
        open_peer(a.port, "e-new", "evaluator") as evaluator,
        open_peer(b.port, "c-new") as client,
    ):
        return await _time_start(evaluator, client, "e-new", "c-new")


async def _time_start(evaluator: Peer, client: Peer, evaluator_id: str, client_id: str) -> float:
    start = trio.current_time()
    evaluator.post("start_session", clientId=client_id)
    await client.wait_for("session_started")
    client.post("webrtc_signal", targetUserId=evaluator_id, signal="first")
    await evaluator.wait_for("webrtc_signal")
    return trio.current_time() - start


# ── many at once ─────────────────────────────────────────────────────────────────────────────────


async def start_many() -> None:
    with run_redis() as redis:
        async with (
            open_nodes(NODES, redis.url, "--rate-limit", "0", pace=None) as nodes,
            AsyncExitStack() as stack,
        ):
            ports = itertools.cycle([node.port for node in nodes])
            opened = partial(_open_peers, stack, ports)
            clients = await opened("c", MANY, "client")
            evaluators = await opened("e", MANY // 5, "evaluator")
            took: list[float] = []
            ids: list[str] = []
            start = trio.current_time()
            with trio.fail_after(MANY_S):
                async with trio.open_nursery() as nursery:
                    for number, client in enumerate(clients):
                        nursery.start_soon(_answer, client, number)
                    for number, evaluator in enumerate(evaluators):
                        nursery.start_soon(_begin, evaluator, 5 * number, took, ids)
            seconds = trio.current_time() - start
            for client in clients:
                if not await client.says_nothing_more():
                    raise Wrong("a client was told more than of one session")
            print(f"{MANY} sessions are started at once on {NODES} nodes: {seconds:.1f} s for all")
            show(f"each, until its client's first signal: {in_seconds(took)}")
            show(f"load {os.getloadavg()[0]:.1f}")
            if not len({*ids}) == len(ids) == MANY:
                raise Wrong(f"{len(ids)} sessions were started, {len({*ids})} of them once")


async def _open_peers(
    stack: AsyncExitStack, ports: itertools.cycle[int], letter: str, count: int, role: str
) -> list[Peer]:
    return [
        await stack.enter_async_context(open_peer(next(ports), f"{letter}{number}", role))
        for number in range(count)
    ]


async def _answer(client: Peer, number: int) -> None:
    told = await client.next("session_started")
    client.post("webrtc_signal", targetUserId=told["evaluatorId"], signal=number)


async def _begin(evaluator: Peer, first: int, took: list[float], ids: list[str]) -> None:
    start = trio.current_time()
    for number in range(first, first + 5):
        evaluator.post("start_session", clientId=f"c{number}")
    missing = 5
    while missing:
        message = json.loads(await evaluator.socket.receive())
        match message["event"]:
            case "session_started":
                ids.append(message["data"]["sessionId"])
            case "webrtc_signal":
                took.append(trio.current_time() - start)
                missing -= 1
            case "error":
                raise Wrong(f"a session was not started: {message}")


# ── restarted, one after the other ───────────────────────────────────────────────────────────────


async def restart() -> None:
    with run_redis() as redis:
        async with AsyncExitStack() as stack:
            ports = [find_free_port() for _ in range(NODES)]
            nodes = [await stack.enter_async_context(_at(redis, port)) for port in ports]
            crowd = await stack.enter_async_context(open_crowd(nodes))
            everybody = [user for one in crowd.sessions for user in one.pair.users]
            what = "all nodes are restarted, one after the other"
            async with crowd.watch(what, may_lose=everybody, settle=EXIT_S):
                for number, port in enumerate(ports):
                    node = nodes[number]
                    start = trio.current_time()
                    node.send(signal.SIGTERM)
                    code = await node.child.wait_exit(EXIT_S)
                    ended = trio.current_time() - start
                    if code != 0 or "Traceback" in node.child.read_errors():
                        raise Wrong(f"a node exits with {code}: {node.child.read_errors()}")
                    nodes[number] = await stack.enter_async_context(_at(redis, port))
                    again = trio.current_time() - start
                    show(f"a node is gone after {ended:.1f} s, and serves after {again:.1f} s")
                    await trio.sleep(BETWEEN_S)
            show_aways(crowd)


@asynccontextmanager
async def _at(redis: Redis, port: int) -> AsyncIterator[Node]:
    async with open_node(redis.url, "--port", str(port), pace=None) as node:
        yield node
