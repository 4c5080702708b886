"""A node in which something fails that never should."""

import logging

import pytest
import trio

from imgsync.core.protocol.signalling import CloseCode
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.outputs import NodeOutput
from imgsync.core.relay.nodes.store import Entry
from imgsync.relay.settings import Settings, Shared
from tests.kit.node_relays import WITHIN_S, get
from tests.kit.redis_servers import needs_redis, run_redis
from tests.kit.relays import open_peer, open_running_relay
from tests.relay.test_limits import scrape

pytestmark = needs_redis


async def test_it_begins_again_without_its_sockets_and_serves_whoever_comes_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(state: NodeState, entry: Entry, now: float) -> list[NodeOutput]:
        monkeypatch.undo()
        raise RuntimeError("half done")

    with run_redis() as redis:
        async with open_running_relay(Settings(shared=Shared(redis.url))) as port:
            async with open_peer(port, "c") as client:
                monkeypatch.setattr(NodeState, "heard", fail)
                async with open_peer(port) as late:
                    late.post("register", userId="late", role="client", package="webrtc")
                    for peer in (client, late):
                        assert (await peer.wait_close()).code == CloseCode.GOING_AWAY
            assert (await scrape(port))["node_troubles_total", "began_again"] == 1
            with trio.fail_after(WITHIN_S):
                while await get(port, "/health") != (200, "ok\n"):  # noqa: ASYNC110 (nobody sets an event)
                    await trio.sleep(0.05)
            async with (
                open_peer(port, "c") as client,
                open_peer(port, "e", "evaluator") as evaluator,
            ):
                evaluator.post("start_session", clientId="c")
                assert (await client.next("session_started"))["evaluatorId"] == "e"
    assert [one for one in caplog.records if one.levelno >= logging.ERROR and one.exc_info]
