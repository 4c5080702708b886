"""What a link makes of descriptions, candidates and addresses, its own and the other side's."""

import asyncio
import re

import attrs
import pytest
import trio
from aioice import Candidate as IceCandidate
from aioice import ice, mdns

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import Hindered, LinkLost
from imgsync.core.handshake.sdp import Candidate, Description, parse_candidate, parse_description
from imgsync.core.protocol.errors import InputError, NegotiationError
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.ice import Connection, IceSettings
from imgsync.rtc.link import open_link
from imgsync.seams import Received
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    Change,
    both_opened,
    connect,
    describe,
    open_ends,
    pass_candidates,
)

NOBODY = "b9e6a2a0-0000-4000-8000-000000000000.local"
"""An mDNS name that nobody answers to."""


# ── descriptions that can't be used ──────────────────────────────────────────────────────────────

UNUSABLE: dict[str, Change] = {
    "an ssrc that is no number": lambda sdp: sdp + "a=ssrc:x cname:y\r\n",
    "a connection line of no known kind": lambda sdp: sdp + "c=IN IP9 nowhere\r\n",
    "parameters of a codec that is not there": lambda sdp: sdp + "a=fmtp:0 x\r\n",
    "an extension without its URI": lambda sdp: sdp + "a=extmap:1\r\n",
    "a group without a value": lambda sdp: re.sub("a=group:.*", "a=group", sdp),
    "a version that is no number": lambda sdp: sdp.replace("s=-", "v=x"),
    "a setup that is overridden": lambda sdp: sdp.replace("s=-", "s=-\r\na=setup:x"),
    "a fingerprint that is overridden": lambda sdp: sdp.replace("s=-", "s=-\r\na=fingerprint:x"),
    "a bundle with a section that is not there": lambda sdp: sdp.replace("BUNDLE", "BUNDLE 9"),
}
"""What aiortc chokes on, each with an exception of another kind. None of it is
for `core.handshake.sdp` to know, so it is put in behind that check."""


def spoil(description: Description, change: Change) -> Description:
    spoilt = change(description.sdp)
    assert spoilt != description.sdp
    return attrs.evolve(description, sdp=spoilt)


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_offer_that_aiortc_chokes_on_is_a_negotiation_error(change: Change) -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as offerer:
        offer = parse_description("offer", await offerer.make_offer())
        with trio.fail_after(DEADLINE):
            async with open_link(bridge, (), LOOPBACK) as answerer:
                with pytest.raises(NegotiationError, match="an offer that can't be used"):
                    await answerer.make_answer(spoil(offer, change))


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_answer_that_aiortc_chokes_on_is_a_negotiation_error(change: Change) -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as answerer:
        with trio.fail_after(DEADLINE):
            async with open_link(bridge, (), LOOPBACK) as offerer:
                offer = parse_description("offer", await offerer.make_offer())
                answer = parse_description("answer", await answerer.make_answer(offer))
                with pytest.raises(NegotiationError, match="an answer that can't be used"):
                    await offerer.apply_answer(spoil(answer, change))


async def test_an_answer_out_of_turn_is_a_negotiation_error() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        _, answer = await describe(offerer.link, answerer.link)
        with pytest.raises(NegotiationError):
            await offerer.link.apply_answer(answer)


def forge_fingerprints(sdp: str) -> str:
    """The same description of another certificate."""
    lines = sdp.splitlines()
    forged = [
        line[:-2] + ("00" if line[-2:] != "00" else "11") if "a=fingerprint:" in line else line
        for line in lines
    ]
    assert forged != lines
    return "".join(f"{line}\r\n" for line in forged)


@pytest.mark.parametrize("forged", ["offer", "answer"])
async def test_a_certificate_that_is_not_the_described_one_loses_the_link(forged: str) -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        changes = {f"change_{forged}": forge_fingerprints}
        descriptions = await describe(offerer.link, answerer.link, **changes)
        pass_candidates(offerer, answerer, *descriptions)
        betrayed = offerer if forged == "answer" else answerer
        with trio.fail_after(DEADLINE):
            hindered = await betrayed.expect(Hindered)
            lost = await betrayed.expect(LinkLost)
        assert hindered.cause is Cause.DTLS_REFUSED
        assert lost.why == "the peer connection is failed"


# ── candidates and addresses ─────────────────────────────────────────────────────────────────────


async def test_a_name_that_nobody_answers_to_holds_nothing_up() -> None:
    name = parse_candidate(f"1 1 udp 2113937151 {NOBODY} 50000 typ host")

    async def live(bridge: Bridge) -> tuple[float, float]:
        """Seconds for opening and for closing, which happen while the name is being asked for."""
        started = trio.current_time()
        async with open_ends(bridge) as (offerer, answerer):
            offer, answer = await describe(offerer.link, answerer.link)
            for end, candidates in ((offerer, answer.candidates), (answerer, offer.candidates)):
                for candidate in (name, *candidates, None):
                    end.link.add_candidate(candidate)
            await both_opened(offerer, answerer)
            opened = trio.current_time()
        return opened - started, trio.current_time() - opened

    async with open_bridge() as bridge:
        openings, closings = zip(*[await live(bridge) for _ in range(3)], strict=True)
    # aioice asks for a second. A delay that is ours comes every time, one of the machine does not.
    assert min(openings) < 0.8
    assert min(closings) < 0.8


@pytest.mark.parametrize("deaf", [0, 1], ids=["offerer", "answerer"])
async def test_the_end_of_candidates_before_any_candidate_does_not_end_it(deaf: int) -> None:
    async with open_bridge() as bridge, open_ends(bridge) as ends:
        offer, answer = await describe(ends[0].link, ends[1].link)
        ends[deaf].link.add_candidate(None)
        await bridge.call(asyncio.sleep, 0.1)
        # Only the checks of the other side tell this one where the other side is.
        for candidate in (offer if deaf == 0 else answer).candidates:
            ends[1 - deaf].link.add_candidate(candidate)
        await both_opened(*ends)


@pytest.mark.parametrize("deaf", [0, 1], ids=["offerer", "answerer"])
async def test_names_that_cant_be_resolved_and_their_end_do_not_end_it(
    deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_: mdns.MDnsProtocol, name: str) -> None:
        """Nobody has this name."""

    monkeypatch.setattr(mdns.MDnsProtocol, "resolve", resolve)
    async with open_bridge() as bridge, open_ends(bridge) as ends:
        descriptions = await describe(
            *(end.link for end in ends), change_offer=gathered, change_answer=gathered
        )
        assert all(one.complete for one in descriptions)
        for candidate in (*descriptions[1 - deaf].candidates, None):
            ends[deaf].link.add_candidate(candidate)
        while ends[deaf].link._loop._tasks:
            await bridge.call(asyncio.sleep, 0)
        # Only the checks of the other side tell this one where the other side is.
        ends[1 - deaf].link.add_candidate(seen_at(descriptions[deaf]))
        await both_opened(*ends)


def gathered(sdp: str) -> str:
    """As a browser tells its candidates that has found them all before it speaks."""
    named = re.sub(r"(a=candidate:.* )127\.0\.0\.1 ", rf"\1{NOBODY} ", sdp)
    return named + "a=end-of-candidates\r\n"


def seen_at(description: Description) -> Candidate:
    """Its first candidate, at the address that stands behind the name."""
    return parse_candidate(description.candidates[0].line.replace(NOBODY, LOOPBACK[0]))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ("127.0.0.1", 1),
        *((none, 0) for none in ("224.0.0.251", "0.0.0.0", "255.255.255.255", "ff02::fb", "::")),
    ],
)
def test_what_a_name_means_is_checked_only_where_it_is_the_address_of_one_host(
    answer: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_: mdns.MDnsProtocol, name: str) -> str:
        return answer

    async def add() -> int:
        settings = IceSettings([LOOPBACK[0]], lambda _: None)
        connection = Connection(settings, ice_controlling=True)
        named = IceCandidate("1", 1, "udp", 1, NOBODY, 9, "host")
        await connection.add_remote_candidate(named)
        found = len(connection.remote_candidates)
        await connection.close()
        return found

    monkeypatch.setattr(mdns.MDnsProtocol, "resolve", resolve)
    assert asyncio.run(add()) == count


async def test_a_candidate_behind_their_end_is_used() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        offer, answer = await describe(offerer.link, answerer.link)
        # The offerer alone is told where the other side is, too late.
        for candidate in (None, *answer.candidates):
            offerer.link.add_candidate(candidate)
        answerer.link.add_candidate(None)
        await both_opened(offerer, answerer)
        assert not offer.complete


async def test_candidates_after_their_end_or_after_a_close_are_no_error() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        await connect(offerer, answerer)
        for candidate in (None, parse_candidate("1 1 udp 5 127.0.0.1 9 typ host"), None):
            offerer.link.add_candidate(candidate)
        with trio.fail_after(DEADLINE):
            offerer.link.send("still here")
            assert (await answerer.expect(Received)).text == "still here"
            await offerer.link.aclose()
            offerer.link.add_candidate(parse_candidate("1 1 udp 5 127.0.0.1 9 typ host"))
            await bridge.call(asyncio.sleep, 0)


async def test_without_a_usable_local_address_the_error_names_the_option() -> None:
    async with open_bridge() as bridge:
        async with open_ends(bridge, addresses=("198.51.100.1", "2001:db8::1")) as (lost, _):
            with pytest.raises(InputError, match=r"198\.51\.100\.1, 2001:db8::1.*--ice-address"):
                await lost.link.make_offer()
        async with open_ends(bridge) as (offerer, _), open_link(bridge, (), ("198.51.100.1",)) as b:
            offer = parse_description("offer", await offerer.link.make_offer())
            with pytest.raises(InputError, match=r"198\.51\.100\.1.*--ice-address"):
                await b.make_answer(offer)


async def test_an_unusable_address_beside_a_usable_one_is_passed_over() -> None:
    addresses = ("198.51.100.1", "127.0.0.1")
    async with open_bridge() as bridge, open_ends(bridge, addresses=addresses) as ends:
        await connect(*ends)


def hosts_of(sdp: str) -> list[str]:
    return [candidate.line.split()[4] for candidate in parse_description("offer", sdp).candidates]


async def test_only_the_addresses_that_were_asked_for_are_offered() -> None:
    async with (
        open_bridge() as bridge,
        open_link(bridge, (), ("127.0.0.1", "127.0.0.2")) as link,
    ):
        assert hosts_of(await link.make_offer()) == ["127.0.0.1", "127.0.0.2"]


async def test_all_but_loopback_is_offered_where_none_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.3"])
    async with open_bridge() as bridge, open_link(bridge, ()) as link:
        assert hosts_of(await link.make_offer()) == ["127.0.0.3"]


async def test_loopback_is_used_where_the_machine_has_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    async with open_bridge() as bridge, open_ends(bridge, addresses=()) as ends:
        await connect(*ends)
        assert {line.split()[4] for end in ends for line in end.gathered if line} == set()


async def test_the_offer_carries_host_candidates_and_leaves_their_end_open() -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        offer = parse_description("offer", await link.make_offer())
        assert [candidate.usable for candidate in offer.candidates] == [True]
        assert not offer.complete
