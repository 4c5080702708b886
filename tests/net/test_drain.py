"""How the relay leaves: every peer is told, and none can hold it up."""

from contextlib import AsyncExitStack

import pytest
import trio

from imgsync.core.protocol.errors import UpgradeRefused
from imgsync.net import websocket
from tests.kit.relays import AT_ONCE, WITHIN, Peer, open_peer, open_running_relay, register
from tests.net.test_frames import TEXT, RawPeer, frame, open_descriptors, open_raw, upgrade_head

DRAINED = 5.0
"""Seconds that the relay has to leave in, whatever its peers do."""


async def wait_goodbye(
    port: int,
    user: str,
    codes: list[int],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    async with open_peer(port, user) as peer:
        task_status.started()
        codes.append((await peer.wait_close()).code)


async def test_every_peer_is_told_when_the_relay_leaves() -> None:
    before = open_descriptors()
    codes: list[int] = []
    with trio.fail_after(AT_ONCE):
        async with trio.open_nursery() as nursery, open_running_relay() as port:
            for number in range(20):
                await nursery.start(wait_goodbye, port, f"c{number}", codes)
            await nursery.start(wait_goodbye, port, "", codes)
    assert codes == [1001] * 21
    assert open_descriptors() == before


async def test_a_relay_that_is_cancelled_still_says_goodbye() -> None:
    codes: list[int] = []
    with trio.fail_after(AT_ONCE):
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                async with open_running_relay() as port:
                    await nursery.start(wait_goodbye, port, "c", codes)
                    scope.cancel()
                    await trio.sleep_forever()
            assert scope.cancelled_caught
    assert codes == [1001]


async def test_an_error_of_the_owner_comes_out_after_the_goodbye() -> None:
    with trio.fail_after(AT_ONCE):
        with pytest.raises(KeyError, match="mine"):
            async with open_running_relay():
                raise KeyError("mine")


async def make_deaf(raw: RawPeer, evaluator: Peer) -> None:
    """Register a client that never reads, and fill what its kernel holds."""
    await raw.upgrade()
    await raw.send(frame(TEXT, register("deaf", "client").encode()))
    await evaluator.wait_for("presence")
    evaluator.post("start_session", clientId="deaf")
    await evaluator.wait_for("session_started")
    for number in range(15):
        evaluator.post("webrtc_signal", targetUserId="deaf", signal=[number, "x" * 60_000])
    evaluator.post("dance")
    await evaluator.wait_for("error")


async def test_a_socket_that_connects_while_the_relay_leaves_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_DEADLINE", 1.0)
    leave = trio.Event()

    async def run_relay(*, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        async with open_running_relay() as port:
            task_status.started(port)
            await leave.wait()

    with trio.fail_after(WITHIN):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(run_relay)
            async with open_raw(port) as deaf, open_peer(port, "e", "evaluator") as evaluator:
                await make_deaf(deaf, evaluator)
                leave.set()
                assert (await evaluator.wait_close()).code == 1001
                for _ in range(3):
                    with pytest.raises(UpgradeRefused, match="503"):
                        async with open_peer(port):
                            pass


async def test_the_relay_leaves_in_time_whatever_its_peers_do() -> None:
    before = open_descriptors()
    with trio.fail_after(2 * WITHIN):
        async with AsyncExitStack() as stack:

            async def open_one() -> RawPeer:
                return await stack.enter_async_context(open_raw(port))

            async with open_running_relay() as port:
                async with open_peer(port, "e", "evaluator") as evaluator:
                    await make_deaf(await open_one(), evaluator)
                mute = await open_one()
                await mute.upgrade()
                in_a_head = await open_one()
                await in_a_head.send(upgrade_head()[:-2])
                between_requests = await open_one()
                await between_requests.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                assert await between_requests.read_status() == 200
                at_its_end = await open_one()
                await at_its_end.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
                assert await at_its_end.read_status() == 405
                in_a_frame = await open_one()
                await in_a_frame.upgrade()
                await in_a_frame.send(frame(TEXT, b"half")[:6])
                await open_one()
                started = trio.current_time()
            assert trio.current_time() - started < DRAINED
            for one in (mute, in_a_frame):
                assert await one.read_close_code() == 1001
    assert open_descriptors() == before
