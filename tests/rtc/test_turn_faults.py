"""TURN servers that are dead, frozen or killed: they hold nothing up, and nothing is left."""

import asyncio
import logging
import random
import signal
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import trio
from aioice import turn

from imgsync.core.handshake.inputs import Fruitless, Gathered, LinkLost
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc import ice as our_ice
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.ice import GATHERING_DEADLINE, Allocation
from imgsync.rtc.link import open_link
from imgsync.rtc.servers import choose_servers
from imgsync.seams import LinkEvent, ServerFailed
from tests.kit.ports import find_free_port
from tests.kit.processes import wait_until
from tests.kit.turn_servers import (
    bind_dead_turn_server,
    needs_coturn,
    open_coturn,
    trust_certificate,
)
from tests.rtc.test_cancel import nothing_left
from tests.rtc.test_link import DEADLINE, LOOPBACK, End, connect, introduce, open_ends
from tests.rtc.test_trickle import NOISE, bind_dead_server
from tests.rtc.test_turn import exchange, gather_all

BOUNDED = 3.0
"""Seconds in which a link has to be closed, whatever the server does."""


# ── a server that can't be reached ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("relay_only", [True, False])
async def test_an_attempt_is_fruitless_where_all_is_to_go_through_a_server_that_is_down(
    relay_only: bool,
) -> None:
    server = IceServer(f"turn:127.0.0.1:{find_free_port()}?transport=tcp", "u", "p")
    told: list[LinkEvent] = []
    async with (
        open_bridge() as bridge,
        nothing_left(bridge),
        open_link(bridge, [server], LOOPBACK, relay_only=relay_only) as link,
    ):
        link.listen(told.append)
        await link.make_offer()
        with trio.fail_after(GATHERING_DEADLINE / 2):
            await wait_until(lambda: Gathered(None) in told, "the end of candidates")
            await link.close_channel()  # what is told behind it is there by then
    assert isinstance(told[0], ServerFailed)
    assert told[1:] == [Gathered(None), *[Fruitless()] * relay_only]


# ── a server that never answers ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_dead_server_holds_up_neither_the_channel_nor_the_close(transport: str) -> None:
    async def measure(bridge: Bridge, *servers: IceServer) -> tuple[float, float]:
        """Seconds to open channels, and from there to the end of everything."""
        async with open_ends(bridge, servers) as ends:
            before = time.perf_counter()
            await connect(*ends)
            opened = time.perf_counter()
        return opened - before, time.perf_counter() - opened

    with bind_dead_turn_server(transport) as server:
        async with open_bridge() as bridge, nothing_left(bridge):
            runs = [(await measure(bridge), await measure(bridge, server)) for _ in range(7)]
    for part in (0, 1):
        without, dead = (median(run[which][part] for run in runs) for which in (0, 1))
        assert dead < 2 * without + NOISE


async def measure_end(*ends: End) -> float:
    """Seconds that the slowest of the links takes to close, one after the other."""
    durations = []
    for end in ends:
        before = time.perf_counter()
        await end.link.aclose()
        durations.append(time.perf_counter() - before)
    return max(durations)


@needs_coturn
async def test_a_dead_server_holds_up_no_other_one_and_candidates_end_with_the_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(our_ice, "GATHERING_DEADLINE", 1.0)
    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        with (
            bind_dead_server() as stun,
            bind_dead_turn_server("udp") as udp,
            bind_dead_turn_server("tcp") as tcp,
        ):
            servers = [stun, udp, tcp, coturn.over("udp")]
            async with open_link(bridge, servers, LOOPBACK) as link:
                before = trio.current_time()
                end = End(link)
                await link.make_offer()
                with trio.fail_after(DEADLINE):
                    line = await end.expect_candidate()
                    assert line is not None
                    assert " typ relay " in line
                    answered = trio.current_time() - before
                    assert await end.expect_candidate() is None
                ended = trio.current_time() - before
    assert answered < 0.9 <= ended


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_relay_only_peers_of_a_dead_server_tell_of_nothing_but_the_end(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(our_ice, "GATHERING_DEADLINE", 0.3)
    with bind_dead_turn_server(transport) as server:
        async with (
            open_bridge() as bridge,
            nothing_left(bridge),
            open_ends(bridge, [server], relay_only=True) as ends,
        ):
            await introduce(*ends)
            with trio.fail_after(DEADLINE):
                assert [await gather_all(end) for end in ends] == [[], []]
                assert await measure_end(*ends) < BOUNDED


async def test_a_server_that_hangs_up_or_speaks_no_turn_is_no_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)

    monkeypatch.setattr(our_ice, "GATHERING_DEADLINE", 0.3)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, hang_up, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        urls = (f"turn:127.0.0.1:{port}?transport=tcp", f"turns:127.0.0.1:{port}")
        async with (
            open_bridge() as bridge,
            nothing_left(bridge),
            open_link(bridge, [IceServer(urls, "ann", "wonder")], LOOPBACK) as link,
        ):
            end = End(link)
            await link.make_offer()
            with trio.fail_after(DEADLINE):
                assert await gather_all(end) == []
        nursery.cancel_scope.cancel()
    assert {failure.server for failure in end.failures} == {
        f"turn:127.0.0.1:{port}?transport=tcp",
        f"turns:127.0.0.1:{port}?transport=tcp",
    }


# ── a server that is gone, and what is left ──────────────────────────────────────────────────────


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_server_killed_during_a_session_does_not_hold_up_its_end(
    transport: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    certificate = trust_certificate(tmp_path, monkeypatch) if transport == "tls" else None
    async with (
        open_coturn(certificate) as coturn,
        open_bridge() as bridge,
        nothing_left(bridge),
        open_ends(bridge, [coturn.over(transport)] * 3, relay_only=True) as ends,
    ):
        await connect(*ends)
        await coturn.kill()
        ends[0].link.send("into the void")
        if transport != "udp":
            with trio.fail_after(DEADLINE):
                await ends[0].expect(LinkLost)
        with trio.fail_after(DEADLINE):
            await ends[0].link.close_channel()
            assert await measure_end(*ends) < BOUNDED
    # Not by the deadline of the whole close, which would leave the rest of it to chance.
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def clog(end: End) -> None:
    """Run by `Bridge.call`; have things wait for the server, in every place where they can."""
    assert end.link._loop._pc is not None
    assert end.link._loop._pc.sctp is not None
    (protocol,) = end.link._loop._pc.sctp.transport.transport._connection._protocols
    allocation: object = protocol.transport
    assert isinstance(allocation, Allocation)
    # The server has not been told of this peer, and the second packet waits for the first.
    allocation.sendto(b"x", ("127.0.0.1", 9))
    allocation.sendto(b"x", ("127.0.0.1", 9))
    if isinstance(allocation._client, turn.TurnClientTcpProtocol):
        # More than what the two sockets take.
        allocation._client.transport.write(bytes(32 * 1024 * 1024))


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_server_that_is_frozen_does_not_hold_up_the_end_either(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = trust_certificate(tmp_path, monkeypatch) if transport == "tls" else None
    async with (
        open_coturn(certificate) as coturn,
        open_bridge() as bridge,
        nothing_left(bridge),
        open_ends(bridge, [coturn.over(transport)], relay_only=True) as ends,
    ):
        await connect(*ends)
        coturn.child.process.send_signal(signal.SIGSTOP)
        try:
            await bridge.call(clog, ends[0])
            assert await measure_end(*ends) < BOUNDED
        finally:
            coturn.child.process.send_signal(signal.SIGCONT)


@needs_coturn
@pytest.mark.parametrize("taken", [1, 2])
async def test_a_port_that_the_server_still_has_from_somebody_who_was_killed_is_left_for_another(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [find_free_port() for _ in range(taken)]
    given = ports * 2
    open_socket = asyncio.BaseEventLoop.create_datagram_endpoint

    def open_at(loop: asyncio.BaseEventLoop, make: Any, **options: Any) -> Any:
        if "remote_addr" in options and given:
            options["local_addr"] = ("127.0.0.1", given.pop(0))
        return open_socket(loop, make, **options)

    async def ask(server: IceServer) -> None:
        settings = our_ice.IceSettings((), lambda _: None)
        connection = our_ice.Connection(settings, ice_controlling=True)
        [turn_server] = choose_servers([server]).turn
        for _ in ports:
            allocation, _ = await our_ice._allocate(turn_server, connection, ipv6=False)
            client = allocation._client
            assert client.refresh_task is not None
            client.refresh_task.cancel()
            client.transport.abort()
        allocation, _ = await our_ice._allocate(turn_server, connection, ipv6=False)
        assert given == []
        assert allocation._client.transport.get_extra_info("sockname")[1] not in ports
        allocation.close()

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_datagram_endpoint", open_at)
    async with open_coturn() as coturn, open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            await bridge.call(ask, coturn.over("udp"))


@needs_coturn
async def test_where_an_address_is_none_that_a_host_can_have_another_port_is_asked_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [("0.0.0.0", 0)]
    ports: list[int] = []
    allocate = Allocation.allocate

    async def allocate_at(allocation: Allocation, *how: Any, **options: Any) -> None:
        await allocate(allocation, *how, **options)
        ports.append(allocation._client.transport.get_extra_info("sockname")[1])
        if given:
            allocation._client.relayed_address = given.pop()

    async def ask(server: IceServer) -> None:
        settings = our_ice.IceSettings((), lambda _: None)
        connection = our_ice.Connection(settings, ice_controlling=True)
        [turn_server] = choose_servers([server]).turn
        allocation, _ = await our_ice._allocate(turn_server, connection, ipv6=False)
        assert allocation.relayed_address[1] > 0
        allocation.close()

    monkeypatch.setattr(Allocation, "allocate", allocate_at)
    async with open_coturn() as coturn, open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            await bridge.call(ask, coturn.over("udp"))
    assert len({*ports}) == 2


@needs_coturn
async def test_the_other_side_learns_of_the_end_through_the_server() -> None:
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_ends(bridge, [coturn.over("udp")], relay_only=True) as (offerer, answerer),
    ):
        await connect(offerer, answerer)
        with trio.fail_after(BOUNDED):
            await offerer.link.aclose()
            await answerer.expect(LinkLost)


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_relayed_life_cancelled_at_any_moment_leaves_nothing(transport: str) -> None:
    async def live(bridge: Bridge, server: IceServer) -> None:
        async with open_ends(bridge, [server], relay_only=True) as ends:
            await connect(*ends)
            await exchange(*ends)
            await ends[0].link.close_channel()

    random.seed(transport)
    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        with trio.fail_after(DEADLINE):
            before = trio.current_time()
            await live(bridge, coturn.over(transport))
            undisturbed = trio.current_time() - before
            for _ in range(30):
                with trio.move_on_after(random.uniform(0, undisturbed)):
                    await live(bridge, coturn.over(transport))
