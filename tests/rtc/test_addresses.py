"""Servers that have several addresses, of one family or both, and relayed addresses of IPv6."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest
import trio

from imgsync.core.handshake.inputs import Gathered
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from imgsync.rtc.names import MAX_ADDRESSES, NEXT_AFTER, by_turns, first_answer
from imgsync.seams import LinkEvent, Received, ServerFailed
from imgsync.tasks import Inbox
from tests.kit.turn_servers import needs_coturn, open_coturn
from tests.rtc.test_link import DEADLINE, End, connect

V4, V6 = "127.0.0.1", "::1"


# ── the order of addresses ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "tried"),
    [
        ([], []),
        (["192.0.2.1"], ["192.0.2.1"]),
        (["2001:db8::1", "192.0.2.1"], ["2001:db8::1", "192.0.2.1"]),
        (["2001:db8::1", "2001:db8::2", "192.0.2.1"], ["2001:db8::1", "192.0.2.1", "2001:db8::2"]),
        (["192.0.2.1", "192.0.2.2", "2001:db8::1"], ["192.0.2.1", "2001:db8::1", "192.0.2.2"]),
        (["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.1"]),
        (["fe80::1%lo", "192.0.2.1"], ["fe80::1%lo", "192.0.2.1"]),
        (["224.0.0.1", "::", "192.0.2.1", "ff02::1", "::ffff:0.0.0.0"], ["192.0.2.1"]),
        (["224.0.0.1"], []),
    ],
)
def test_both_families_are_tried_by_turns_and_each_address_once(
    found: list[str], tried: list[str]
) -> None:
    assert by_turns(found) == tried


def test_not_every_address_of_a_name_that_has_many_is_tried() -> None:
    assert by_turns([f"192.0.2.{n}" for n in range(99)]) == [f"192.0.2.{n}" for n in range(4)]
    assert MAX_ADDRESSES == 4


# ── the first that answers ───────────────────────────────────────────────────────────────────────


async def fail(error: Exception) -> str:
    raise error


async def answer(name: str, after: float = 0.0) -> str:
    await asyncio.sleep(after)
    return name


async def stay_silent() -> str:
    await asyncio.Event().wait()
    return "never"


def race(*tries: Callable[[], Awaitable[str]]) -> tuple[str, float, list[str]]:
    """What came of it, after how many seconds, and what was dropped."""
    dropped: list[str] = []

    async def run() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await first_answer(tries, dropped.append)
        return found, loop.time() - began

    return (*asyncio.run(run()), dropped)


def test_the_next_address_is_tried_where_one_fails_or_is_silent() -> None:
    refused = partial(fail, ConnectionRefusedError())
    assert race(refused, partial(answer, "b"))[::2] == ("b", [])
    found, took, dropped = race(stay_silent, partial(answer, "b"))
    assert (found, dropped) == ("b", [])
    assert NEXT_AFTER <= took < NEXT_AFTER + 0.4


def test_the_first_address_that_answers_late_still_counts() -> None:
    late = partial(answer, "a", NEXT_AFTER + 0.05)
    found, _, dropped = race(late, stay_silent)
    assert (found, dropped) == ("a", [])


def test_of_two_that_answer_at_once_one_is_dropped() -> None:
    gate = NEXT_AFTER + 0.02

    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "b"

    found, _, dropped = race(partial(answer, "a", gate), stubborn)
    assert (found, dropped) == ("a", ["b"])


def test_where_none_answers_the_one_that_says_most_is_told() -> None:
    no_way = partial(fail, OSError(errno.ENETUNREACH, "no way"))
    refused = partial(fail, ConnectionRefusedError("refused"))
    for tries in ((no_way, refused), (refused, no_way)):
        with pytest.raises(ConnectionRefusedError):
            race(*tries)
    with pytest.raises(OSError, match="no way"):
        race(no_way, no_way)


# ── servers ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def naming(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Iterator[str]:
    """A name that has these addresses, in this order."""
    real = socket.getaddrinfo

    def look_up(host: str, *given: Any, **options: Any) -> Any:
        if host != "turn.example":
            return real(host, *given, **options)
        return [entry for one in addresses for entry in real(one, *given, **options)]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        yield "turn.example"


async def gather(
    server: IceServer, *addresses: str, relay_only: bool = False
) -> tuple[list[str], list[ServerFailed]]:
    """The candidates behind those of this machine, as kind and address, and what failed."""
    found: list[str] = []
    failed: list[ServerFailed] = []
    with trio.fail_after(DEADLINE):
        async with (
            open_bridge() as bridge,
            open_link(bridge, [server], addresses, relay_only) as link,
        ):
            events = Inbox[LinkEvent]()
            link.listen(events.put)
            await link.make_offer()
            while True:
                match await events.get():
                    case Gathered(None):
                        return sorted(found), failed
                    case Gathered(str(line)):
                        words = line.split()
                        found.append(f"{words[7]} {words[4]}")
                    case ServerFailed() as failure:
                        failed.append(failure)


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_server_of_both_families_gives_an_address_of_each(transport: str) -> None:
    async with open_coturn(hosts=[V4, V6]) as turn:
        for host in (V4, V6):
            server = turn.over(transport, host=host)
            assert await gather(server, host, relay_only=True) == (
                ["relay 127.0.0.1", "relay ::1"],
                [],
            )


@needs_coturn
async def test_a_server_of_one_family_gives_an_address_of_that_and_nothing_is_told() -> None:
    for host in (V4, V6):
        async with open_coturn(hosts=[host]) as turn:
            assert await gather(turn.over("udp"), host) == ([f"relay {host}"], [])


@needs_coturn
async def test_stun_is_asked_from_sockets_of_both_families() -> None:
    async with open_coturn(hosts=[V6, V4]) as turn:
        for host, seen in ((V6, [f"srflx {V6}"]), (V4, [f"srflx {V4}"])):
            server = IceServer(
                str(turn.over("udp", host=host).urls).split("?")[0].replace("turn", "stun")
            )
            assert await gather(server, V4, V6) == (seen, [])


@needs_coturn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_the_second_address_of_a_name_serves_where_the_first_is_dead(
    monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    async with open_coturn(hosts=[V6]) as turn:
        with socket.socket(
            type=socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        ) as dead:
            dead.bind((V4, turn.port))
            if transport == "tcp":
                dead.listen()
            with naming(monkeypatch, V4, V6) as name:
                assert await gather(turn.over(transport, host=name), V6) == ([f"relay {V6}"], [])


async def test_a_name_without_an_address_of_our_family_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with naming(monkeypatch, V6) as name:
        found, [failure] = await gather(IceServer(f"stun:{name}"), V4)
    assert found == []
    assert "no address of a family" in failure.why


@needs_coturn
async def test_a_peer_of_ipv4_and_one_of_ipv6_meet_through_a_server_of_both() -> None:
    async with open_coturn(hosts=[V4, V6]) as turn, open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            async with (
                open_link(bridge, [turn.over("udp", host=V4)], [V4]) as near,
                open_link(bridge, [turn.over("udp", host=V6)], [V6]) as far,
            ):
                offerer, answerer = End(near), End(far)
                await connect(offerer, answerer)
                near.send("there")
                assert (await answerer.expect(Received)).text == "there"
                assert offerer.path is not None
                assert "relay" in (*offerer.path, *(answerer.path or ()))


@needs_coturn
async def test_a_peer_of_ipv6_without_a_server_is_met_by_one_that_has_one() -> None:
    async with open_coturn(hosts=[V4, V6]) as turn, open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            async with (
                open_link(bridge, [turn.over("udp", host=V4)], [V4]) as near,
                open_link(bridge, [], [V6]) as far,
            ):
                offerer, answerer = End(near), End(far)
                await connect(offerer, answerer)
