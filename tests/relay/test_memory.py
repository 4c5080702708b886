"""What a relay's process takes where many don't read, or say half of something: what it may."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from tests.kit.relays import open_peer, register
from tests.net.test_frames import TEXT, RawPeer, frame, open_raw
from tests.relay.test_limits import BIG, scrape
from tests.relay.test_operation import Relay, open_relay

TOTAL = 8 * 1024 * 1024
"""Bytes that all may hold together."""

OPTIONS = (
    *("--outbox-total", str(TOTAL), "--outbox-size", "100000000", "--write-deadline", "60"),
    *("--rate-limit", "0", "--connect-rate", "0"),
)

SLACK = 10 * 1024 * 1024
"""Bytes that a process grows by besides: for 200 connections, and by what the allocator keeps."""

HALF = frame(TEXT, ("\N{GRINNING FACE}" * 60_000).encode())[:-1]
"""A message of 240 kB that never ends."""

TOO_SLOW = ("drops_total", "too_slow")
SHED = ("connections_shed_total",)


def memory(relay: Relay) -> int:
    """Bytes that are resident."""
    status = Path(f"/proc/{relay.child.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


async def test_half_messages_of_many_take_no_more_than_they_may_together() -> None:
    async with (
        open_relay(*OPTIONS) as relay,
        open_peer(relay.port, "ann", "evaluator") as witness,
        AsyncExitStack() as stack,
    ):
        await scrape(relay.port)  # the first one loads a library
        before = memory(relay)
        count = 100
        for _ in range(count):
            raw = await stack.enter_async_context(open_raw(relay.port))
            await raw.upgrade()
            await raw.send(HALF)
        while (await scrape(relay.port))[SHED] < count - TOTAL // 240_000:
            pass
        grown = memory(relay) - before
        figures = await scrape(relay.port)
        assert figures[TOO_SLOW] == figures[SHED]
        assert grown < TOTAL + SLACK
        assert await witness.says_nothing_more()


async def test_peers_that_do_not_read_take_no_more_than_they_may_together() -> None:
    count = 8
    async with (
        open_relay(*OPTIONS) as relay,
        open_peer(relay.port, "ann", "evaluator") as evaluator,
        AsyncExitStack() as stack,
    ):
        await scrape(relay.port)
        for number in range(count):
            deaf = await stack.enter_async_context(open_deaf(relay.port))
            await deaf.send(frame(TEXT, register(f"deaf-{number}", "client").encode()))
            while (await evaluator.wait_for("presence"))["userId"] != f"deaf-{number}":
                pass
            evaluator.post("start_session", clientId=f"deaf-{number}")
            await evaluator.wait_for("session_started")
        before = memory(relay)
        for _ in range(80):  # 4.8 MB for each
            for number in range(count):
                evaluator.post("webrtc_signal", targetUserId=f"deaf-{number}", signal=BIG)
            evaluator.post("dance")
            while (await evaluator.wait_for("error"))["code"] != "unknown_event":
                pass
        grown = memory(relay) - before
        figures = await scrape(relay.port)
        assert 0 < figures[SHED] < count
        assert grown < TOTAL + SLACK


@asynccontextmanager
async def open_deaf(port: int) -> AsyncIterator[RawPeer]:
    """A WebSocket for which the kernel takes little."""
    with trio.socket.socket() as socket:
        socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
        await socket.connect(("127.0.0.1", port))
        raw = RawPeer(trio.SocketStream(socket))
        await raw.upgrade()
        yield raw
