"""Sessions between two hosts whose network fails: cut, lossy, or with another address afterwards.

The hosts are network namespaces, with a wire of ours between them:

    evaluator 10.77.0.1 ── wire ── 10.77.0.2 client

The relay is on the host whose network does not fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from tests import lossy_wire
from tests.faults import (
    EVERY_S,
    Witness,
    assert_true_account,
    make_series,
    now_ms,
    open_stage,
    tell,
)
from tests.processes import EXIT_S, START_S, Child, open_child

ADDRESSES = {"evaluator": "10.77.0.1", "client": "10.77.0.2"}
ELSEWHERE = "10.77.0.3"

FLOW_S = 10.0
"""Seconds from the end of a fault to the first ack after it."""

DOWN_S = 5.0
MOVED_S = 15.0
"""Seconds in which a session is back whose peer has another address: 8 to miss the connection, as
many to miss the one to the relay, which begin at the latest 4 later, and then to connect anew."""


async def run_ip(*words: str) -> None:
    done = await trio.run_process(("ip", *words), capture_stderr=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


async def require_namespaces() -> None:
    """Skip where they can't be made; there is no such place among those that have to test all."""
    missing = "" if shutil.which("ip") else "ip is not installed"
    if not missing:
        probe = ("unshare", "-n", "ip", "netns", "list")
        done = await trio.run_process(probe, capture_stdout=True, capture_stderr=True, check=False)
        allowed = done.returncode == 0 and os.geteuid() == 0
        missing = "" if allowed else "network namespaces need root"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


@attrs.define
class Hosts:
    """Two hosts, named for who runs there, and what lies between them.

    :param mark: what the names of their namespaces begin with.
    """

    mark: str
    wire: Child

    def on(self, host: str) -> tuple[str, ...]:
        """Before a command that is to run there."""
        return ("ip", "netns", "exec", f"{self.mark}-{host}")

    async def set_link(self, host: str, state: str) -> float:
        """Set its interface up or down; returns when."""
        await run_ip("-n", f"{self.mark}-{host}", "link", "set", "eth0", state)
        return now_ms()

    async def move(self, host: str) -> float:
        """Give it another address instead of its own; returns when."""
        addr, on_eth0 = ("-n", f"{self.mark}-{host}", "addr"), ("dev", "eth0")
        await run_ip(*addr, "del", f"{ADDRESSES[host]}/24", *on_eth0)
        await run_ip(*addr, "add", f"{ELSEWHERE}/24", *on_eth0)
        return now_ms()

    async def lose(self, share: float) -> None:
        await self.wire.write(f"{share}\n")


@asynccontextmanager
async def open_hosts() -> AsyncIterator[Hosts]:
    mark = f"imgsync-{uuid.uuid4().hex[:8]}"
    middle = f"{mark}-wire"
    names = [middle, *(f"{mark}-{host}" for host in ADDRESSES)]
    try:
        for name in names:
            await run_ip("netns", "add", name)
            await run_ip("-n", name, "link", "set", "lo", "up")
        for host, address in ADDRESSES.items():
            name = f"{mark}-{host}"
            peer = ("peer", "name", "eth0", "netns", name)
            await run_ip("-n", middle, "link", "add", host, "type", "veth", *peer)
            await run_ip("-n", middle, "link", "set", host, "up", "promisc", "on")
            await run_ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            await run_ip("-n", name, "link", "set", "eth0", "up")
        command = ("ip", "netns", "exec", middle, sys.executable, lossy_wire.__file__, *ADDRESSES)
        async with open_child("wire", *command, stdin=subprocess.PIPE) as wire:
            assert await wire.wait_line(START_S) == "up"
            yield Hosts(mark, wire)
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(EXIT_S):
            for name in names:
                await trio.run_process(("ip", "netns", "del", name), check=False)


@asynccontextmanager
async def open_session(
    folder: Path, count: int, *, relay_on: str = "evaluator"
) -> AsyncIterator[tuple[Hosts, Witness, Witness]]:
    """The hosts, and an evaluator and a client in a session with an image every 200 ms."""
    await require_namespaces()
    async with open_hosts() as hosts, open_stage() as stage:
        await stage.start_relay(*hosts.on(relay_on), host=ADDRESSES[relay_on])
        client = await stage.start_client(*hosts.on("client"))
        await client.wait("registered")
        source = make_series(folder, count)
        evaluator = await stage.start_evaluator(
            *hosts.on("evaluator"), source=source, every=EVERY_S
        )
        await evaluator.wait("acked")
        yield hosts, evaluator, client


async def finish(what: str, evaluator: Witness, client: Witness, since: float) -> tuple[int, int]:
    """To the end of the series; the acks have to flow again soon after the fault."""
    first = await evaluator.wait("acked", since=since, seconds=FLOW_S)
    await evaluator.wait_exit(20)
    assert (await client.wait("ended"))["reason"] == "ended"
    acked, not_acked = assert_true_account(evaluator, client)
    tell(
        f"{what}: {evaluator.states} at the evaluator, {client.states} at the client",
        acks_after_s=(first["seen"] - since) / 1000,
        acked=acked,
        not_acked=not_acked,
    )
    return acked, not_acked


async def test_an_interface_that_is_down_for_seconds_costs_no_image(tmp_path: Path) -> None:
    async with open_session(tmp_path, 50) as (hosts, evaluator, client):
        await hosts.set_link("client", "down")
        await trio.sleep(DOWN_S)
        back = await hosts.set_link("client", "up")
        acked, _ = await finish(f"down for {DOWN_S:g} s", evaluator, client, back)
        assert acked == 50
        assert set(evaluator.states) <= {"suspect", "connected"}


async def test_a_session_goes_on_from_another_address(tmp_path: Path) -> None:
    async with open_session(tmp_path, 60, relay_on="evaluator") as (hosts, evaluator, client):
        moved = await hosts.move("client")
        resumed = await evaluator.wait_state("resumed", since=moved, seconds=MOVED_S)
        await finish("another address of the client", evaluator, client, resumed["seen"])
        tell("another address", resumed_after_s=(resumed["at"] - moved) / 1000)


async def test_where_a_tenth_of_all_is_lost_every_image_comes_once_and_in_order(
    tmp_path: Path,
) -> None:
    async with open_session(tmp_path, 50) as (hosts, evaluator, client):
        await hosts.lose(0.1)
        acked, not_acked = await finish("a tenth lost", evaluator, client, now_ms())
        assert (acked, not_acked) == (50, 0)
        assert len(client.all("image")) == 50
        ways = sorted(line["receivedAt"] - line["sentAt"] for line in client.all("image"))
        tell("a tenth lost", median_ms=ways[25], longest_ms=ways[-1])
