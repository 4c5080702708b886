"""What comes of sessions across three nodes when something happens to their Redis, or to the way
to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial

import trio
from node_sessions import Wrong, open_all, open_crowd, open_crowd_at, read_troubles

from tests.kit.redis_proxies import RedisProxy, open_redis_proxy
from tests.kit.redis_servers import run_redis

NODES = 3

DOWN_S = 3.0
"""Seconds from the end of a Redis to the start of the next."""

FAULT_S = 10.0
"""Seconds for which a network does what it should not."""

DELAY_S = 0.05

AGAIN_S = 0.2
"""Seconds between two times that it does so to connections that there are."""

FEW = 6
"""Sessions where the proxy shares a process with their peers, whose work makes it late."""

LATE = 4
"""Sessions of which a replica has heard nothing."""


async def empty() -> None:
    with run_redis() as redis:
        async with open_crowd_at(*[redis.url] * NODES) as crowd:
            async with crowd.watch("Redis is emptied"):
                redis.flush()
            async with crowd.watch("Redis is emptied twice, half a second apart"):
                redis.flush()
                await trio.sleep(0.5)
                redis.flush()


async def replace() -> None:
    with run_redis() as redis, ExitStack() as stack:
        async with open_crowd_at(*[redis.url] * NODES) as crowd:
            what = f"Redis is killed, and another one started {DOWN_S:g} s later, empty"
            async with crowd.watch(what):
                redis.kill()
                await trio.sleep(DOWN_S)
                stack.enter_context(run_redis(port=redis.port))


async def freeze() -> None:
    """For as long as leases, and for longer."""
    for seconds in (10.0, 15.0):
        with run_redis() as redis:
            async with (
                open_crowd_at(*[redis.url] * NODES) as crowd,
                crowd.watch(f"Redis is stopped for {seconds:g} s"),
            ):
                redis.freeze()
                await trio.sleep(seconds)
                redis.thaw()


async def fail_over() -> None:
    with (
        run_redis("--repl-diskless-sync-delay", 0) as primary,
        run_redis("--replicaof", "127.0.0.1", primary.port) as replica,
    ):
        async with (
            open_redis_proxy(primary.port) as proxy,
            open_crowd_at(*[proxy.url] * NODES) as crowd,
        ):
            assert primary.call("WAIT", 1, 5000) == ["1"]
            replica.call("REPLICAOF", "NO", "ONE")
            for number in range(LATE):
                await crowd.add(number % NODES, (number + number // 2) % NODES)
            what = f"a replica takes the place of Redis that lacks the last {LATE} sessions"
            async with crowd.watch(what):
                proxy.target = replica.port
                primary.kill()


# ── a bad way to it ──────────────────────────────────────────────────────────────────────────────


async def hold(proxy: RedisProxy) -> None:
    proxy.hold()
    await trio.sleep(FAULT_S)
    proxy.release()


async def swallow(proxy: RedisProxy) -> None:
    await _again_and_again(proxy.swallow)


async def reset(proxy: RedisProxy) -> None:
    await _again_and_again(proxy.reset)


async def delay(proxy: RedisProxy) -> None:
    proxy.delay = DELAY_S
    await trio.sleep(FAULT_S)
    proxy.delay = 0.0


async def _again_and_again(fault: Callable[[], None]) -> None:
    with trio.move_on_after(FAULT_S):
        while True:
            fault()
            await trio.sleep(AGAIN_S)


async def over_a_bad_way(name: str, fault: Callable[[RedisProxy], Awaitable[None]]) -> None:
    """Between one of the nodes and Redis, and between all of them and it."""
    for count, who in ((1, "one node"), (NODES, "all nodes")):
        async with AsyncExitStack() as stack:
            redis = stack.enter_context(run_redis())
            proxy = await stack.enter_async_context(open_redis_proxy(redis.port))
            urls = [*[proxy.url] * count, *[redis.url] * (NODES - count)]
            nodes = await stack.enter_async_context(open_all(urls))
            crowd = await stack.enter_async_context(open_crowd(nodes, FEW))
            async with crowd.watch(f"for {FAULT_S:g} s, the way of {who} to Redis {name}"):
                await fault(proxy)
            if fault is delay and (troubles := await read_troubles(nodes)):
                raise Wrong(f"nodes had troubles with a Redis that is but slow: {troubles}")


BAD_WAYS = {
    "redis_held": partial(over_a_bad_way, "holds what is said", hold),
    "redis_swallowed": partial(over_a_bad_way, "swallows what is said", swallow),
    "redis_reset": partial(over_a_bad_way, "resets all connections again and again", reset),
    "redis_slow": partial(over_a_bad_way, f"delays all by {DELAY_S * 1000:g} ms", delay),
}
