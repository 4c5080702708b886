"""Commands of ours before a node that can't reach what it shares: they wait, the doctor says it."""

from __future__ import annotations

from collections.abc import Callable

from imgsync.commands.doctor.findings import Result
from imgsync.commands.doctor.relay import Account, check_token
from imgsync.peer.network import open_internet
from tests.kit.forks import open_fork
from tests.kit.node_relays import HASTY, open_node, wait_health
from tests.kit.processes import (
    SESSION_S,
    Child,
    our_client,
    our_evaluator,
    wait_until,
)
from tests.kit.redis_servers import HERE, needs_redis, run_redis

NOT_YET = "the relay does not take us yet"


@needs_redis
async def test_whoever_comes_meanwhile_is_in_a_session_when_it_is_over() -> None:
    with run_redis() as redis:
        async with open_node(redis.url, pace=HASTY) as node:
            redis.freeze()
            await wait_health(node, 200, "degraded")
            async with open_internet([HERE]) as network:
                finding, servers = await check_token(network, node.url, Account(None, None, None))
            assert (finding.result, servers) == (Result.FAILED, None)
            assert "can't reach what it shares with others; try again" in finding.detail
            async with (
                open_fork("client", *our_client(node.url)) as client,
                open_fork("evaluator", *our_evaluator(node.url), "--wait") as evaluator,
            ):
                for child in (client, evaluator):
                    await wait_until(has_waited(child), f"the words of the {child.name}")
                redis.thaw()
                await wait_health(node, 200, "ok")
                for child in (client, evaluator):
                    assert (await child.wait_outcome(SESSION_S)).code == 0, child.read_errors()


def has_waited(child: Child) -> Callable[[], bool]:
    return lambda: NOT_YET in child.read_errors()
