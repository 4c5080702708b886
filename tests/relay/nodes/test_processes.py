"""Several relays as processes that are one: nobody tells that from a relay that is alone."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

import imgsync
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import sign_claims
from tests.commands.test_clocks_apart import FAKE, FAKETIME, HOUR_S
from tests.kit.command_lines import LOOPBACK
from tests.kit.foreign import IMAGES, MakePeer, find_peer
from tests.kit.node_relays import PATIENT, WITHIN_S, open_node, open_nodes
from tests.kit.onlookers import open_onlooker
from tests.kit.processes import SESSION_S, STRICT, open_child
from tests.kit.redis_servers import Redis, needs_redis, run_redis
from tests.kit.relays import Object, Peer, open_peer, open_running_relay
from tests.kit.side_by_side import side_by_side

pytestmark = needs_redis

SECRET = b"0123456789abcdef" * 2

MANY = 200
"""Sessions that are started at once, of evaluators with five each."""


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """Each test has a prefix of its own."""
    with run_redis() as redis:
        yield redis


# ── whole sessions ───────────────────────────────────────────────────────────────────────────────


@side_by_side(4)
async def test_a_session_across_two_nodes_shows_fifty_images_beside_one_at_one_node(
    folder: Path, redis: Redis
) -> None:
    async with open_nodes(2, redis.url, pace=PATIENT, prefix="images") as (a, b):
        with trio.fail_after(SESSION_S):
            async with (
                open_onlooker(b.url, "apart") as apart,
                open_onlooker(a.url, "together") as together,
                imgsync.open_evaluator(a.url, user_id="E", ice_addresses=[LOOPBACK]) as evaluator,
                evaluator.open_session("apart") as first,
                evaluator.open_session("together") as second,
            ):
                for index in range(50):
                    url = f"http://127.0.0.1:9/{index}.png"
                    image = imgsync.ImageRef(index, f"{index}.png", url, url)
                    for session in (first, second):
                        await session.show(image)
    assert apart.indices == together.indices == [*range(50)]
    assert apart.end_reason == together.end_reason


@side_by_side(6)
async def test_a_peer_from_the_protocols_page_alone_is_served_by_two_nodes(
    folder: Path, redis: Redis, foreign_wrtc: MakePeer
) -> None:
    async with (
        open_nodes(2, redis.url, pace=PATIENT, prefix="foreign") as (a, b),
        AsyncExitStack() as stack,
    ):
        client = await stack.enter_async_context(
            open_child("foreign client", *foreign_wrtc("client", b.url))
        )
        await client.wait_event("registered")
        evaluator = await stack.enter_async_context(
            open_child("foreign evaluator", *foreign_wrtc("evaluator", a.url))
        )
        [_registered, acked] = await evaluator.wait_success()
        [shown] = await client.wait_success()
    assert [ack["imageIndex"] for ack in acked["acks"]] == [*range(IMAGES)]
    assert acked["complaints"] == shown["complaints"] == []


@pytest.fixture(scope="module")
def foreign_wrtc() -> MakePeer:
    return find_peer()


async def next_of(peer: Peer, *names: str) -> Object:
    """The next of these events, with its name."""
    while True:
        message: Object = json.loads(await peer.socket.receive())
        if message["event"] in names:
            return message


async def play(evaluator: Peer, client: Peer, evaluator_id: str, client_id: str) -> str:
    """A handshake, as both sides see it; what is different each time is left out."""
    told: list[Object] = []
    evaluator.post("start_session", clientId=client_id, ref="one")
    evaluator.post("webrtc_signal", targetUserId=client_id, signal={"type": "offer"}, ref="one")
    evaluator.post("webrtc_signal", targetUserId=client_id, signal=1, ref="one")
    evaluator.post("start_session", clientId="nobody", ref="two")
    told += [await next_of(evaluator, "session_started", "error") for _ in range(2)]
    session_id = told[0]["data"]["sessionId"]
    told.append(await next_of(client, "session_started"))
    client.post("webrtc_signal", targetUserId=evaluator_id, signal=None, sessionId=session_id)
    told.append(await next_of(evaluator, "webrtc_signal"))
    client.post("webrtc_signal", targetUserId=evaluator_id, signal=2, sessionId="another")
    told.append(await next_of(client, "error"))
    evaluator.post("end_session", sessionId=session_id, reason="connection_lost", detail="so")
    told += [await next_of(peer, "session_ended") for peer in (evaluator, client)]
    said = json.dumps(told)
    for name in (session_id, evaluator_id, client_id):
        said = said.replace(f'"{name}"', "?")
    return said


@side_by_side(2)
async def test_a_session_across_two_nodes_is_told_as_one_at_one_node_and_as_at_a_relay_alone(
    folder: Path, redis: Redis
) -> None:
    early = ["early_offer"]
    async with (
        open_nodes(2, redis.url, pace=PATIENT, prefix="told") as (a, b),
        open_running_relay() as alone,
    ):
        said = []
        for number, ports in enumerate([(a.port, b.port), (a.port, a.port), (alone, alone)]):
            names = f"E{number}", f"C{number}"
            async with (
                open_peer(ports[0], names[0], "evaluator", features=early) as evaluator,
                open_peer(ports[1], names[1], features=early) as client,
            ):
                while (await next_of(evaluator, "presence"))["data"]["userId"] != names[1]:
                    pass
                said.append(await play(evaluator, client, *names))
    assert said[0] == said[1] == said[2]


@side_by_side(8)
async def test_very_many_sessions_that_are_started_at_once_are_each_started_once(
    folder: Path, redis: Redis
) -> None:
    async with (
        open_nodes(3, redis.url, "--rate-limit", "0", pace=PATIENT, prefix="many") as nodes,
        trio.open_nursery() as nursery,
        AsyncExitStack() as stack,
    ):
        clients, evaluators = [], []
        for number in range(MANY):
            port = nodes[number % 3].port
            clients.append(await stack.enter_async_context(open_peer(port, f"c{number}")))
        for number in range(MANY // 5):
            port = nodes[number % 3].port
            opened = open_peer(port, f"e{number}", "evaluator")
            evaluators.append(await stack.enter_async_context(opened))
        started: list[str] = []

        async def answer(client: Peer, number: int) -> None:
            told = await client.next("session_started")
            evaluator_id = told["evaluatorId"]
            assert evaluator_id == f"e{number // 5}"
            client.post("webrtc_signal", targetUserId=evaluator_id, signal=number)

        async def begin(evaluator: Peer, first: int) -> None:
            wanted = {f"c{number}" for number in range(first, first + 5)}
            for client_id in wanted:
                evaluator.post("start_session", clientId=client_id)
            answered: list[str] = []
            while len(answered) < 5:
                message = await next_of(evaluator, "session_started", "webrtc_signal", "error")
                if message["event"] == "session_started":
                    started.append(message["data"]["sessionId"])
                else:
                    answered.append(message["data"]["fromUserId"])
            assert {*answered} == wanted

        with trio.fail_after(2 * WITHIN_S):
            async with trio.open_nursery() as both:
                for number, client in enumerate(clients):
                    both.start_soon(answer, client, number)
                for number, evaluator in enumerate(evaluators):
                    both.start_soon(begin, evaluator, 5 * number)
        assert len({*started}) == len(started) == MANY
        nursery.cancel_scope.cancel()


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
@side_by_side(8)
async def test_a_node_whose_clock_is_an_hour_off_ends_what_is_over_when_it_is(
    folder: Path, redis: Redis
) -> None:
    (folder / "secret").touch(0o600)
    (folder / "secret").write_bytes(SECRET)
    options = ("--grace", "1", "--auth-secret-file", str(folder / "secret"), "--end-at-expiry")
    # It would take tokens for expired that are not, if it were ahead; all else is the same.
    slow = STRICT | FAKE | {"FAKETIME": f"-{HOUR_S}"}
    async with (
        open_node(redis.url, *options, pace=PATIENT, prefix="clocks", env=slow) as a,
        open_node(redis.url, *options, pace=PATIENT, prefix="clocks") as b,
    ):
        expires_at = time.time() + 4

        def token(user: str, role: Role, until: float) -> str:
            return sign_claims(SECRET, Claims(user, role, expires_at=until))

        later = expires_at + HOUR_S
        first = token("e", Role.EVALUATOR, later)
        async with (
            open_peer(a.port, "e", "evaluator", token=first) as evaluator,
            open_peer(b.port, "c", token=token("c", Role.CLIENT, expires_at)) as client,
        ):
            async with open_peer(b.port, "d", token=token("d", Role.CLIENT, later)) as gone:
                evaluator.post("start_session", clientId="d")
                await gone.wait_for("session_started")
            await evaluator.wait_for("peer_away")
            since = trio.current_time()
            evaluator.post("start_session", clientId="c")
            await client.wait_for("session_started")
            assert (await evaluator.wait_for("session_ended"))["reason"] == "peer_gone"
            assert 0.8 < trio.current_time() - since < 3
            for peer in (evaluator, client):
                assert (await peer.wait_for("session_ended"))["reason"] == "token_expired"
            assert -0.5 < time.time() - expires_at < 3


# ── alone ────────────────────────────────────────────────────────────────────────────────────────


def test_a_relay_that_is_alone_loads_nothing_of_redis() -> None:
    program = """
import sys, trio
from imgsync.net.ports import open_port
from imgsync.relay.server import open_relay

async def main():
    async with open_relay(await open_port("127.0.0.1", 0)):
        loaded = [name for name in sys.modules if "redis" in name or ".relay.nodes." in name]
        assert all(name.startswith("imgsync.core.") for name in loaded), loaded

trio.run(main)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
