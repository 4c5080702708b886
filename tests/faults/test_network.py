"""Sessions between two hosts whose network fails: cut, lossy, or with another address afterwards.

The relay is on the host whose network does not fail.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from tests.faults.hosts import ADDRESSES, Hosts, open_hosts
from tests.faults.stage import (
    EVERY_S,
    Stage,
    Witness,
    assert_true_account,
    assert_uninterrupted,
    end_session,
    kill_client,
    make_series,
    now_ms,
    open_stage,
    show_next,
    tell,
    wait_return,
)
from tests.kit.processes import JSON, Child, wait_until
from tests.kit.side_by_side import side_by_side

FLOW_S = 10.0
"""Seconds from the end of a fault to the first ack after it."""

MOVED_S = 15.0
"""Seconds in which a session is back whose peer has another address: 8 to miss the connection, as
many to miss the one to the relay, which begin at the latest 4 later, and then to connect anew."""

MISSED_S = 30.0
"""Seconds in which both ends of a dead connection have missed it and it is replaced: the heartbeat
is 15 apart and waits for 10."""


@attrs.define
class Scene:
    """A session between two hosts, with its evaluator's first image acked."""

    hosts: Hosts
    stage: Stage
    relay: Child
    evaluator: Witness
    client: Witness

    async def restart_client(self) -> Witness:
        await kill_client(self.evaluator, self.client)
        return await self.stage.start_client(network=self.hosts.network_of("client"))


@asynccontextmanager
async def open_scene(
    source: Path, *, every: float | None = EVERY_S, relay_on: str = "evaluator"
) -> AsyncIterator[Scene]:
    async with open_hosts() as hosts, open_stage() as stage:
        relay = await stage.start_relay(
            host=ADDRESSES[relay_on], logs="json", network=hosts.network_of(relay_on)
        )
        client = await stage.start_client(network=hosts.network_of("client"))
        await client.wait("registered")
        evaluator = await stage.start_evaluator(
            source=source, every=every, network=hosts.network_of("evaluator")
        )
        await evaluator.wait("connected")
        if every is None:
            await evaluator.child.write("next\n")
        await evaluator.wait("acked")
        yield Scene(hosts, stage, relay, evaluator, client)


async def finish(what: str, scene: Scene, since: float) -> tuple[int, int]:
    """To the end of the series; the acks have to flow again soon after the fault."""
    evaluator, client = scene.evaluator, scene.client
    first = await evaluator.wait("acked", since=since, seconds=FLOW_S)
    await evaluator.wait_exit(30)
    assert (await client.wait("ended"))["reason"] == "ended"
    acked, not_acked = assert_true_account(evaluator, client)
    tell(
        f"{what}: {evaluator.states} at the evaluator, {client.states} at the client",
        acks_after_s=(first["seen"] - since) / 1000,
        acked=acked,
        not_acked=not_acked,
    )
    return acked, not_acked


# ── cut ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("seconds", "count"), [(1.0, 30), (5.0, 50)])
@side_by_side(14)
async def test_an_interface_that_is_down_for_seconds_costs_no_image(
    folder: Path, seconds: float, count: int
) -> None:
    async with open_scene(make_series(folder, count)) as scene:
        await scene.hosts.set_link("client", "down")
        await trio.sleep(seconds)
        back = await scene.hosts.set_link("client", "up")
        account = await finish(f"down for {seconds:g} s", scene, back)
        assert account == (count, 0)
        assert_uninterrupted(scene.evaluator, scene.client)


@side_by_side(38)
async def test_an_interface_that_is_down_for_long_interrupts_a_session_that_comes_back_with_it(
    folder: Path,
) -> None:
    async with open_scene(make_series(folder, 170)) as scene:
        evaluator, client = scene.evaluator, scene.client
        await scene.hosts.set_link("client", "down")
        await trio.sleep(20)
        assert evaluator.states[-1] == "interrupted"
        back = await scene.hosts.set_link("client", "up")
        resumed = await evaluator.wait_state("resumed", since=back, seconds=FLOW_S)
        _, not_acked = await finish("down for 20 s", scene, resumed["seen"])
        assert not_acked > 0
        assert client.states[-2:] == ["interrupted", "resumed"]
        # Of all that was shown meanwhile, the client sees what is current, and that alone.
        seen = [line for line in client.all("image", since=back)]
        assert len([line for line in seen if line["sentAt"] < resumed["at"]]) == 1
        indexes = [line["imageIndex"] for line in seen]
        assert indexes == list(range(indexes[0], 170))
        tell("down for 20 s", resumed_after_s=(resumed["at"] - back) / 1000)


@side_by_side(16)
async def test_a_session_goes_on_from_another_address(folder: Path) -> None:
    async with open_scene(make_series(folder, 60)) as scene:
        moved = await scene.hosts.move("client")
        resumed = await scene.evaluator.wait_state("resumed", since=moved, seconds=MOVED_S)
        await finish("another address of the client", scene, resumed["seen"])
        tell("another address", resumed_after_s=(resumed["at"] - moved) / 1000)


# ── lossy ────────────────────────────────────────────────────────────────────────────────────────


@side_by_side(66)
async def test_where_a_tenth_of_all_is_lost_for_a_minute_every_image_comes_once_and_in_order(
    folder: Path,
) -> None:
    async with open_scene(make_series(folder, 300)) as scene:
        await scene.hosts.lose(0.1)
        since = now_ms()
        await scene.evaluator.wait_exit(90)
        account = await finish("a tenth lost", scene, since)
        assert account == (300, 0)
        seen = scene.client.all("image")
        assert [line["imageIndex"] for line in seen] == list(range(300))
        ways = sorted(line["receivedAt"] - line["sentAt"] for line in seen)
        tell("a tenth lost", median_ms=ways[150], of_100_longer_ms=ways[-3], longest_ms=ways[-1])


# ── dead without a word ──────────────────────────────────────────────────────────────────────────


def logged(relay: Child, message: str, user: str) -> list[JSON]:
    """What the relay has logged of a user, by message."""
    lines = [json.loads(line) for line in relay.read_errors().splitlines()]
    return [line for line in lines if line["message"] == message and line.get("user") == user]


@pytest.mark.parametrize(("who", "user"), [("client", "C"), ("evaluator", "E")])
@side_by_side(40)
async def test_a_connection_to_the_relay_that_is_dead_without_a_word_is_replaced_and_nothing_else(
    folder: Path, who: str, user: str
) -> None:
    relay_on = "evaluator" if who == "client" else "client"
    source = make_series(folder, 500)
    async with open_scene(source, every=None, relay_on=relay_on) as scene:
        evaluator, relay = scene.evaluator, scene.relay
        dead = await scene.hosts.forget_connections()

        def is_replaced() -> bool:
            is_back = len(logged(relay, "registered", user)) == 2
            return is_back and len(logged(relay, "socket closed", user)) == 1

        # UDP is as it was, and so is what goes from peer to peer.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show_on, evaluator)
            await wait_until(is_replaced, "a new connection to the relay", MISSED_S)
            nursery.cancel_scope.cancel()
        replaced = now_ms()
        assert_uninterrupted(evaluator, scene.client)
        # Who is back before the old connection is missed was never away.
        assert len(logged(relay, "away", user)) == len(logged(relay, "back", user)) <= 1
        [gone] = logged(relay, "socket closed", user)
        assert gone["code"] == 1006
        other = "E" if user == "C" else "C"
        assert logged(relay, "away", other) == []

        heir = await scene.restart_client()
        _, took_s = await wait_return(heir)
        await show_next(evaluator)
        assert await end_session(evaluator) == 1  # nobody serves these images
        assert evaluator.states[-1] == "resumed"
        assert_true_account(evaluator, scene.client, heir)
        tell(
            f"the {who}'s connection to the relay dead",
            replaced_after_s=(replaced - dead) / 1000,
            image_after_return_s=took_s,
        )


async def show_on(evaluator: Witness) -> None:
    """One image after the other, each acked."""
    while True:
        await show_next(evaluator)
        await trio.sleep(EVERY_S)
