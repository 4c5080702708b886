"""A STUN server that never answers, and what it costs a session."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from imgsync import open_client, open_evaluator
from imgsync.client.client import Client
from imgsync.net.ports import open_port, port_of
from imgsync.relay.server import open_relay as open_relay_inside
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from tests.kit.command_lines import LOOPBACK, NOBODY
from tests.kit.processes import SESSION_S


async def follow_all(
    client: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    task_status.started()
    async for session in client.sessions():
        async with session:
            async for _ in session.images():
                pass


@asynccontextmanager
async def open_timed_session(*stun: str) -> AsyncIterator[Callable[[], Any]]:
    """Yields what measures the seconds from the start of a session to its first ack."""
    listeners = await open_port(LOOPBACK, 0)
    url = f"ws://{LOOPBACK}:{port_of(listeners)}/ws"
    async with (
        open_relay_inside(listeners, Settings(ice=IceOffer(stun=stun))),
        open_client(url, user_id="C", ice_addresses=[LOOPBACK]) as following,
        open_evaluator(url, user_id="E", ice_addresses=[LOOPBACK]) as showing,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(follow_all, following)

        async def measure() -> float:
            begin = trio.current_time()
            with trio.fail_after(SESSION_S):
                async with showing.open_session("C") as session:
                    await session.show(NOBODY)
                    return trio.current_time() - begin

        yield measure
        nursery.cancel_scope.cancel()


async def test_a_dead_stun_server_costs_a_session_no_time() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as dead:
        dead.bind((LOOPBACK, 0))
        stun = f"stun:{LOOPBACK}:{dead.getsockname()[1]}"
        async with open_timed_session(stun) as with_stun, open_timed_session() as without:
            runs = [(await with_stun(), await without()) for _ in range(5)]
        dead.setblocking(False)
        asked = dead.recv(2048)
    # It was asked indeed: a binding request (RFC 8489, section 5).
    assert asked[:2] == b"\x00\x01"
    # What a server costs, it costs each time; what a busy machine costs, it does not.
    slow, quick = (min(times) for times in zip(*runs, strict=True))
    assert slow <= 2 * quick + 0.03, runs
