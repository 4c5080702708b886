"""Nodes as processes whose Redis is emptied, killed, frozen, replaced, or badly connected."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

from tests.kit.node_relays import (
    HASTY,
    USUAL,
    WITHIN_S,
    Node,
    Pace,
    Pair,
    open_node,
    open_nodes,
    open_pair,
    wait_health,
)
from tests.kit.redis_proxies import RedisProxy, open_redis_proxy
from tests.kit.redis_servers import needs_redis, run_redis
from tests.kit.relays import Peer, open_peer
from tests.kit.side_by_side import side_by_side
from tests.relay.test_limits import scrape

pytestmark = needs_redis

BOUND_S = 2.0
"""Seconds in which it is said that Redis does not answer: one, on a loaded machine."""

AT_ONCE_S = 0.5
"""Seconds for the same, once it is known."""


# ── emptied, killed, frozen ──────────────────────────────────────────────────────────────────────


@side_by_side(4)
async def test_sessions_go_on_on_a_redis_that_is_emptied(folder: Path) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, pace=HASTY) as (a, b), two_pairs(a, b) as pairs:
            redis.flush()
            await go_on_after_nodes_began_anew(pairs, [a, b])


@side_by_side(5)
async def test_sessions_go_on_on_a_redis_that_was_killed_and_is_started_empty(
    folder: Path,
) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, pace=HASTY) as (a, b), two_pairs(a, b) as pairs:
            redis.kill()
            for node in (a, b):
                await wait_health(node, 200, "degraded")
            with run_redis(port=redis.port):
                await go_on_after_nodes_began_anew(pairs, [a, b])


def two_pairs(a: Node, b: Node) -> "Pairs":
    return Pairs(a, b)


class Pairs(AsyncExitStack):
    """One across two nodes, and one at the first of them."""

    def __init__(self, a: Node, b: Node) -> None:
        super().__init__()
        self._urls = a.url, b.url
        self.apart: Pair
        self.together: Pair

    async def __aenter__(self) -> "Pairs":
        a, b = self._urls
        self.apart = await self.enter_async_context(open_pair([a, b], [b, a]))
        self.together = await self.enter_async_context(open_pair([a], [a], "-together"))
        return self


async def go_on_after_nodes_began_anew(pairs: "Pairs", nodes: list[Node]) -> None:
    for node in nodes:
        await wait_for_troubles(node, began_anew=1)
        await wait_health(node, 200, "ok")
    for pair in (pairs.apart, pairs.together):
        await pair.exchange()
        assert pair.has_gone_on
    async with open_pair([nodes[1].url], [nodes[0].url], "-new"):
        pass


async def wait_for_troubles(node: Node, **counts: int) -> None:
    with trio.fail_after(WITHIN_S):
        while not await has_had(node, **counts):
            await trio.sleep(0.05)


async def has_had(node: Node, **counts: int) -> bool:
    figures = await scrape(node.port)
    found = {kind: figures["node_troubles_total", kind] for kind in counts}
    return found == counts


async def test_what_needs_no_redis_goes_on_while_it_is_frozen_and_the_rest_is_refused_at_once(
) -> None:
    ...
