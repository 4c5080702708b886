"""What we rely on in aiortc and aioice on the way to a TURN server; see `test_canary`."""

import ast
import asyncio
import inspect
from typing import Any, cast

import attrs
import pytest
from aioice import TransportPolicy, ice, stun, turn
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCConfiguration, RTCPeerConnection

from imgsync.rtc import ice as our_ice
from tests.kit.canaries import (
    LOOPBACK,
    STUN_SERVER,
    awaited,
    calls_in,
    make_ice_connection,
    methods_of,
    our_class,
    self_attributes,
    takes,
)


def make_allocation() -> our_ice.Allocation:
    return our_ice.Allocation(turn.TurnClientUdpProtocol(STUN_SERVER, "ann", "wonder", 600, 240))


def test_the_stock_turn_transport_has_what_ours_uses_and_overrides() -> None:
    ours = our_class("Allocation")
    methods = methods_of(ours)
    own = (self_attributes(methods["__init__"]) | set(methods)) - {"_close", "__init__"}
    assert self_attributes(ours) - own == {"_connect"}
    assert own.isdisjoint(dir(turn.TurnTransport))
    stock = turn.TurnTransport(make_allocation()._client)
    assert own.isdisjoint(vars(stock))
    assert awaited(takes("protocol"))(stock._connect)
    assert awaited(takes())(stock._close)
    assert takes()(stock.close)


def test_a_turn_client_is_made_with_a_server_an_account_and_two_times() -> None:
    for kind in (turn.TurnClientUdpProtocol, turn.TurnClientTcpProtocol):
        parameters = ("server", "username", "password", "lifetime", "channel_refresh_time")
        assert takes(*parameters)(kind)
        client = kind(STUN_SERVER, "ann", "wonder", 600, 240)
        assert (client.relayed_address, client.mapped_address) == (None, None)
        assert awaited(takes())(client.delete)
    assert turn.DEFAULT_ALLOCATION_LIFETIME == 600


def test_the_stock_way_to_a_relayed_candidate_does_what_ours_does_in_its_place() -> None:
    def calls(function: object) -> list[str]:
        source = inspect.getsource(cast(Any, function))
        return calls_in(ast.parse(source))

    assert calls(turn.create_turn_endpoint) == [
        "asyncio.get_running_loop",
        "loop.create_connection",
        "TurnClientTcpProtocol",
        "loop.create_datagram_endpoint",
        "TurnClientUdpProtocol",
        "inner_transport.get_extra_info",
        "sock.setsockopt",  # larger buffers, which images' addresses don't fill
        "protocol_factory",
        "TurnTransport",
        "turn_transport._connect",
        "inner_transport.close",
    ]
    assert [call for call in calls(ice.relayed_candidate) if "get_extra_info" not in call] == [
        "turn.create_turn_endpoint",
        "ipaddress.ip_address",
        "Candidate",
        "candidate_foundation",
        "candidate_priority",
    ]


def test_a_turn_transport_closes_by_its_hook_once_and_the_client_deletes_once() -> None:
    async def check() -> None:
        loop = asyncio.get_running_loop()
        allocation = make_allocation()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: allocation._client, remote_addr=("127.0.0.1", 9)
        )
        closed: list[our_ice.Allocation] = []

        async def close() -> None:
            closed.append(allocation)

        allocation._close = close  # type: ignore[method-assign]
        allocation.close()
        allocation.close()
        await asyncio.sleep(0)
        assert closed == [allocation]
        transport.abort()
        # Nothing is asked of a server on a socket that is closed.
        await asyncio.wait_for(allocation._client.delete(), 1)

    asyncio.run(check())


def test_the_request_of_a_check_is_signed_in_place_before_it_is_sent() -> None:
    async def check() -> None:
        protocol = ice.StunProtocol(ice.Connection(ice_controlling=True))
        sent: list[stun.Message] = []

        def send(message: stun.Message, addr: tuple[str, int]) -> None:
            sent.append(message)

        protocol.send_stun = send  # type: ignore[method-assign]
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        asking = asyncio.create_task(protocol.request(request, STUN_SERVER, integrity_key=b"key"))
        await asyncio.sleep(0)
        assert sent == [request]
        assert sent[0] is request
        assert request.check_message_integrity(b"key")
        asking.cancel()

    asyncio.run(check())


def test_a_pair_of_candidates_can_be_a_key_and_knows_where_it_leads() -> None:
    assert ice.CandidatePair.__eq__ is object.__eq__
    assert isinstance(ice.CandidatePair.remote_addr, property)


def test_priorities_of_relayed_candidates_are_apart_by_their_rank_and_below_all_others() -> None:
    assert takes("candidate_type", "candidate_transport", "base_address")(candidate_foundation)
    first, second = (candidate_priority(1, "relay", 65535 - rank) for rank in (0, 1))
    assert second < first < candidate_priority(1, "srflx", 0) < candidate_priority(1, "host", 0)


@pytest.mark.usefixtures("loopback_hosts")
def test_aiortc_starts_no_connection_for_which_it_sees_no_local_candidate() -> None:
    # Where only relayed candidates are to be used, one has to stand in for those to come.
    async def describe(relay_only: bool) -> str:
        unusable = ("192.0.2.1",)
        settings = our_ice.IceSettings(unusable, lambda _: None, relay_only=relay_only)
        offerer, answerer = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in "ab")
        offerer.createDataChannel("any")
        await offerer.setLocalDescription(await offerer.createOffer())
        with our_ice.trickling(settings):
            await answerer.setRemoteDescription(offerer.localDescription)
        assert answerer.sctp is not None
        ice_transport = answerer.sctp.transport.transport
        assert isinstance(ice_transport._connection, our_ice.Connection)
        await answerer.setLocalDescription(await answerer.createAnswer())
        for _ in range(3):
            await asyncio.sleep(0)
        state: str = ice_transport.state
        await asyncio.gather(offerer.close(), answerer.close())
        return state

    assert asyncio.run(describe(relay_only=True)) == "checking"
    assert asyncio.run(describe(relay_only=False)) == "new"


def test_relay_only_reaches_the_stock_class_which_then_looks_up_no_mdns_name() -> None:
    async def check() -> None:
        with our_ice.trickling(attrs.evolve(LOOPBACK, relay_only=True)):
            connection = await make_ice_connection()
        assert connection._transport_policy is TransportPolicy.RELAY
        assert type(connection) is our_ice.Connection

    asyncio.run(check())
