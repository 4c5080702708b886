"""TURN servers: what a real one relays, and what one that refuses us costs."""

import asyncio
import logging
import re
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from aioice import Candidate
from aioice.candidate import candidate_foundation

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc import ice as our_ice
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.ice import Connection, IceSettings
from imgsync.rtc.link import open_link
from imgsync.rtc.servers import StunServer, TurnServer, choose_servers
from imgsync.seams import Received, ServerFailed
from tests.kit.turn_servers import needs_coturn, open_coturn, trust_certificate
from tests.rtc.test_cancel import nothing_left
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    End,
    both_opened,
    connect,
    describe,
    introduce,
    open_ends,
    pass_candidates,
)
from tests.rtc.test_trickle import NOISE, Sink

RELAYED = ("relay", "relay")
DIRECT = ("host", "host")


async def read_kinds(*ends: End) -> set[tuple[str, str]]:
    """Run by `Bridge.call`; the kinds of the candidates, near and far, that each end has chosen."""
    kinds = set()
    for end in ends:
        pc = end.link._loop._pc
        assert pc is not None
        assert pc.sctp is not None
        pair = pc.sctp.transport.transport._connection._nominated[1]
        kinds.add((pair.local_candidate.type, pair.remote_candidate.type))
    return kinds


async def exchange(offerer: End, answerer: End) -> None:
    for near, far in ((offerer, answerer), (answerer, offerer)):
        near.link.send("x" * 10_000)
        assert (await far.expect(Received)).text == "x" * 10_000


def is_path(end: End, kind: str) -> bool:
    """Whether it goes between candidates of this type, one of which may have been met before it was
    told of (RFC 8445, section 7.3.1.3)."""
    return end.path in ((kind, kind), (kind, "prflx"))


async def gather_all(end: End) -> list[str]:
    """The lines of all candidates that are told after the description."""
    while not end.gathered or end.gathered[-1] is not None:
        await end.expect_candidate()
    return [line for line in end.gathered if line is not None]


# ── through the server ───────────────────────────────────────────────────────────────────────────


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_two_peers_that_may_use_relayed_candidates_only_talk_through_the_server(
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
        with trio.fail_after(DEADLINE):
            await exchange(*ends)
            assert await bridge.call(read_kinds, *ends) == {RELAYED}
            assert all(is_path(end, "relay") for end in ends)


@needs_coturn
async def test_a_relay_only_peer_tells_of_no_address_of_its_own() -> None:
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_ends(bridge, [coturn.over("udp")], relay_only=True) as (offerer, answerer),
    ):
        offer, answer = await describe(offerer.link, answerer.link)
        for description in (offer, answer):
            assert description.candidates == ()
            assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", description.sdp)) == {"0.0.0.0"}
        with trio.fail_after(DEADLINE):
            (line,) = await gather_all(offerer)
        assert line.split()[6:] == ["typ", "relay", "raddr", "0.0.0.0", "rport", "9"]


@needs_coturn
async def test_the_relayed_candidate_is_paired_with_those_that_the_other_side_tells_later() -> None:
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_ends(bridge, [coturn.over("udp")], relay_only=True) as (offerer, answerer),
    ):
        descriptions = await describe(offerer.link, answerer.link)
        with trio.fail_after(DEADLINE):
            await gather_all(offerer)
            await gather_all(answerer)
        pass_candidates(offerer, answerer, *descriptions)
        await both_opened(offerer, answerer)


@needs_coturn
async def test_the_relayed_candidate_is_paired_with_those_that_were_told_before_it() -> None:
    async def wait_check(server: IceServer) -> None:
        settings = IceSettings(
            (), lambda _: None, turn=choose_servers([server]).turn, relay_only=True
        )
        connection = Connection(settings, ice_controlling=True)
        connection.remote_username, connection.remote_password = "nobody", "x" * 22
        transport, sink = await asyncio.get_running_loop().create_datagram_endpoint(
            Sink, local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]
        line = f"1 1 udp 1 127.0.0.1 {port} typ host"
        await connection.add_remote_candidate(Candidate.from_sdp(line))
        await connection.gather_candidates()
        connecting = asyncio.create_task(connection.connect())
        await asyncio.wait_for(sink.written_to, DEADLINE)
        await connection.close()
        transport.close()
        with suppress(ConnectionError):
            await connecting

    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        await bridge.call(wait_check, coturn.over("udp"))


@needs_coturn
async def test_a_relay_only_peer_meets_one_that_has_no_turn_server() -> None:
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_link(bridge, [coturn.over("udp")], LOOPBACK, relay_only=True) as shy,
        open_link(bridge, (), LOOPBACK) as open_,
    ):
        ends = End(shy), End(open_)
        await connect(*ends)
        with trio.fail_after(DEADLINE):
            await exchange(*ends)
            assert ("relay", "host") in await bridge.call(read_kinds, *ends)


@needs_coturn
async def test_every_server_gives_a_candidate_and_udp_has_the_highest_priority() -> None:
    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        servers = [coturn.over("tcp"), coturn.over("udp")]
        async with open_link(bridge, servers, LOOPBACK) as link:
            end = End(link)
            await link.make_offer()
            with trio.fail_after(DEADLINE):
                lines = await gather_all(end)
    words = sorted((line.split() for line in lines), key=lambda line: -int(line[3]))
    assert all(line[6:10] == ["typ", "relay", "raddr", "127.0.0.1"] for line in words)
    foundations = [line[0] for line in words]
    assert foundations == [candidate_foundation("relay", t, "127.0.0.1") for t in ("udp", "tcp")]
    assert len({line[3] for line in words}) == 2


@needs_coturn
async def test_the_server_is_told_anew_in_time_whom_to_let_pass(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert our_ice.BINDING_REFRESH < 300  # after which it forgets
    monkeypatch.setattr(our_ice, "BINDING_REFRESH", 0)
    caplog.set_level(logging.INFO, "aioice.turn")
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_ends(bridge, [coturn.over("udp")], relay_only=True) as ends,
    ):
        await connect(*ends)
        caplog.clear()
        with trio.fail_after(DEADLINE):
            await exchange(*ends)
    assert caplog.text.count("TURN channel bound") >= 2


async def test_a_relay_only_peer_without_a_turn_server_tells_of_nothing_and_warns(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        open_bridge() as bridge,
        open_link(bridge, [IceServer("turn:")], LOOPBACK, relay_only=True) as link,
    ):
        end = End(link)
        offer = parse_description("offer", await link.make_offer())
        with trio.fail_after(DEADLINE):
            assert await gather_all(end) == []
    assert offer.candidates == ()
    assert "none is named that can be used" in caplog.text


# ── beside the direct way ────────────────────────────────────────────────────────────────────────


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_the_direct_way_is_taken_and_as_quickly_where_there_is_one(transport: str) -> None:
    async def measure(bridge: Bridge, *servers: IceServer) -> float:
        async with open_ends(bridge, servers) as ends:
            before = time.perf_counter()
            await connect(*ends)
            duration = time.perf_counter() - before
            assert await bridge.call(read_kinds, *ends) == {DIRECT}
            assert all(is_path(end, "host") for end in ends)
            return duration

    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        server = coturn.over(transport)
        runs = [(await measure(bridge), await measure(bridge, server)) for _ in range(7)]
    # The least of each: what else the machine does makes any of them longer, and none shorter.
    without, present = map(min, zip(*runs, strict=True))
    assert present < 2 * without + NOISE


# ── a server that refuses us ─────────────────────────────────────────────────────────────────────


TURN = TurnServer("t.example", 5349, "tcp", True, "u", "c")


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_wrong_credential_costs_the_relayed_candidate_alone_and_is_not_logged(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "imgsync")
    async with open_coturn() as coturn, open_bridge() as bridge, nothing_left(bridge):
        server = coturn.over(transport, secret="another one")
        async with open_ends(bridge, [server]) as ends:
            await connect(*ends)
            with trio.fail_after(DEADLINE):
                await exchange(*ends)
                assert [await gather_all(end) for end in ends] == [[], []]
            failures = [failure for end in ends for failure in end.failures]
        async with open_ends(bridge, [server], relay_only=True) as ends:
            await introduce(*ends)
            with trio.fail_after(DEADLINE):
                assert [await gather_all(end) for end in ends] == [[], []]
            failures += [failure for end in ends for failure in end.failures]
    url = f"turn:127.0.0.1:{coturn.port}?transport={transport}"
    assert [(failure.server, failure.code) for failure in failures] == [(url, 401)] * 4
    assert {failure.cause for failure in failures} == {Cause.TURN_UNAUTHORIZED}
    assert server.credential is not None
    assert server.credential not in f"{failures}{caplog.text}"


@pytest.mark.parametrize(
    ("server", "error", "cause"),
    [
        (TURN, ssl.SSLCertVerificationError("self-signed"), Cause.TURN_UNTRUSTED),
        (TURN, TimeoutError(), Cause.TURN_SILENT),
        (TURN, ConnectionRefusedError(), Cause.TURN_FAILED),
        (TURN, ssl.SSLError("wrong version"), Cause.TURN_FAILED),
        (StunServer("s.example", 3478), TimeoutError(), Cause.STUN_SILENT),
        (StunServer("s.example", 3478), OSError("no such name"), Cause.STUN_FAILED),
    ],
)
async def test_a_server_that_fails_is_told_as_a_cause(
    server: StunServer | TurnServer, error: Exception, cause: Cause
) -> None:
    told: list[object] = []

    async def fail() -> None:
        raise error

    async def ask() -> None:
        settings = our_ice.IceSettings((), told.append)
        connection = our_ice.Connection(settings, ice_controlling=True)
        await our_ice.Servers(connection, settings, ()).bounded(server, fail)

    async with open_bridge() as bridge:
        await bridge.call(ask)
    [failure] = told
    assert isinstance(failure, ServerFailed)
    assert failure.cause is cause


async def test_a_credential_that_is_no_text_is_not_told_either() -> None:
    told: list[object] = []

    async def refuse() -> None:
        "secret\ud800".encode()

    async def ask() -> None:
        settings = our_ice.IceSettings((), told.append)
        connection = our_ice.Connection(settings, ice_controlling=True)
        await our_ice.Servers(connection, settings, ()).bounded(
            StunServer("s.example", 3478), refuse
        )

    async with open_bridge() as bridge:
        await bridge.call(ask)
    [failure] = told
    assert isinstance(failure, ServerFailed)
    assert (failure.server, failure.code) == ("stun:s.example:3478", None)
    assert failure.why.startswith("UnicodeEncodeError")
    assert "secret" not in failure.why
