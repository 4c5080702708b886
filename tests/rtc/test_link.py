"""The peer connection as Trio sees it: two real links, wired by a small handshake."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import trio
import trio.testing
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from imgsync.core.handshake.inputs import ChannelClosed, Gathered, Hindered, LinkLost, Opened
from imgsync.core.handshake.packets import PathMeasured
from imgsync.core.handshake.sdp import Description, parse_candidate, parse_description
from imgsync.core.protocol.numbers import CHANNEL_LABEL
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.ice import IceSettings, trickling
from imgsync.rtc.link import CHANNEL_CLOSE_DEADLINE, RtcLink, open_link
from imgsync.seams import CarriedEvent, LinkEvent, Received, ServerFailed
from imgsync.tasks import Inbox
from imgsync.wallclock import now_ms

DEADLINE = 30.0
"""Seconds after which whatever should take a moment is taken to hang, on a loaded machine."""

LOOPBACK = ("127.0.0.1",)

E = TypeVar("E", Opened, Received, ChannelClosed, LinkLost, Hindered)


# ── two links and their handshake ────────────────────────────────────────────────────────────────


class End:
    """One side of a pair: passes on what its link gathers, and checks what else it reports."""

    def __init__(self, link: RtcLink) -> None:
        self.link = link
        self._events = Inbox[LinkEvent | CarriedEvent]()
        link.listen(self._events.put)
        link.carry(self._events.put)
        self.gathered: list[str | None] = []
        #: What was told of servers that gave no candidate.
        self.failures: list[ServerFailed] = []
        #: Of the open channel.
        self.path: tuple[str, str] | None = None
        #: What was found of the packets that get through.
        self.measured: PathMeasured | None = None
        self._far: RtcLink | None = None

    def pass_candidates_to(self, far: RtcLink) -> None:
        """Tell the other side all candidates found so far, and from now on each one."""
        self._far = far
        for line in self.gathered:
            far.add_candidate(None if line is None else parse_candidate(line))

    async def expect(self, kind: type[E]) -> E:
        """The next event but for candidates; it has to be of this kind."""
        while True:
            event = await self._next_event()
            if not isinstance(event, Gathered):
                assert isinstance(event, kind), (event, self.failures)
                if isinstance(event, Opened):
                    self.path = event.path
                return event
            self._take_gathered(event)

    async def expect_candidate(self) -> str | None:
        """The next event; it has to be a candidate, or their end."""
        event = await self._next_event()
        assert isinstance(event, Gathered)
        self._take_gathered(event)
        return event.line

    async def read_rest(self) -> list[LinkEvent | CarriedEvent]:
        """What has been reported but not read, without candidates."""
        rest: list[LinkEvent | CarriedEvent] = []

        async def read() -> None:
            while True:
                event = await self._next_event()
                if not isinstance(event, Gathered):
                    rest.append(event)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return rest

    async def _next_event(self) -> LinkEvent | CarriedEvent:
        while True:
            match event := await self._events.get():
                case ServerFailed():
                    self.failures.append(event)
                case PathMeasured():
                    self.measured = event
                case _:
                    return event

    def _take_gathered(self, event: Gathered) -> None:
        self.gathered.append(event.line)
        if self._far is not None:
            self._far.add_candidate(None if event.line is None else parse_candidate(event.line))


Change = Callable[[str], str]


def unchanged(sdp: str) -> str:
    return sdp


async def describe(
    offerer: RtcLink,
    answerer: RtcLink,
    *,
    change_offer: Change = unchanged,
    change_answer: Change = unchanged,
) -> tuple[Description, Description]:
    """Offer and answer cross; no candidate does."""
    offer = parse_description("offer", change_offer(await offerer.make_offer()))
    answer = parse_description("answer", change_answer(await answerer.make_answer(offer)))
    await offerer.apply_answer(answer)
    return offer, answer


async def introduce(offerer: End, answerer: End, *, change_answer: Change = unchanged) -> None:
    """The whole handshake but for the opening of the channel."""
    offer, answer = await describe(offerer.link, answerer.link, change_answer=change_answer)
    pass_candidates(offerer, answerer, offer, answer)


def pass_candidates(offerer: End, answerer: End, offer: Description, answer: Description) -> None:
    """Those of the descriptions, and then those that trickle, which `End.expect` passes on."""
    for candidate in answer.candidates:
        offerer.link.add_candidate(candidate)
    for candidate in offer.candidates:
        answerer.link.add_candidate(candidate)
    offerer.pass_candidates_to(answerer.link)
    answerer.pass_candidates_to(offerer.link)


async def connect(offerer: End, answerer: End) -> None:
    """The handshake up to open channels on both sides."""
    await introduce(offerer, answerer)
    await both_opened(offerer, answerer)


async def both_opened(first: End, second: End) -> None:
    with trio.fail_after(DEADLINE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first.expect, Opened)
            nursery.start_soon(second.expect, Opened)


@asynccontextmanager
async def open_ends(
    bridge: Bridge,
    ice_servers: Sequence[IceServer] = (),
    addresses: Sequence[str] = LOOPBACK,
    *,
    relay_only: bool = False,
    snap: tuple[bool, bool] = (False, False),
) -> AsyncIterator[tuple[End, End]]:
    """Two links that know nothing of each other yet.

    :param snap: the offerer's and the answerer's.
    """
    async with (
        open_link(bridge, ice_servers, addresses, relay_only, snap=snap[0]) as offerer,
        open_link(bridge, ice_servers, addresses, relay_only, snap=snap[1]) as answerer,
    ):
        yield End(offerer), End(answerer)


@asynccontextmanager
async def open_connected() -> AsyncIterator[tuple[End, End]]:
    """Two links with their channel open, on a bridge of their own."""
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        await connect(offerer, answerer)
        yield offerer, answerer


# ── the open channel ─────────────────────────────────────────────────────────────────────────────


async def test_a_thousand_messages_arrive_in_order_both_ways_at_once() -> None:
    async def receive_all(end: End, prefix: str) -> None:
        for number in range(1000):
            assert (await end.expect(Received)).text == f"{prefix} {number}"

    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive_all, offerer, "to the offerer")
                nursery.start_soon(receive_all, answerer, "to the answerer")
                for number in range(1000):
                    offerer.link.send(f"to the answerer {number}")
                    answerer.link.send(f"to the offerer {number}")


async def test_a_message_is_stamped_between_its_sending_and_its_delivery() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            for end, far in ((offerer, answerer), (answerer, offerer)) * 20:
                before = now_ms()
                end.link.send("what time is it?")
                received = await far.expect(Received)
                assert before <= received.at <= now_ms()


async def test_a_message_is_stamped_when_it_comes_in_and_not_when_it_is_read() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            offerer.link.send("read late")
            await offerer.link.close_channel()
            was_delivered = now_ms()
            assert (await answerer.expect(Received)).at <= was_delivered


async def test_texts_of_any_script_and_of_64_kib_arrive_unchanged() -> None:
    texts = ["", " ", "\0", "漢字 🙂 \u2028", "x" * 64 * 1024]
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            for text in texts:
                offerer.link.send(text)
            assert [(await answerer.expect(Received)).text for _ in texts] == texts


async def test_what_the_answerer_sends_the_moment_it_is_open_is_not_lost() -> None:
    async with open_bridge() as bridge:
        for _ in range(10):
            async with open_ends(bridge) as (offerer, answerer):
                await introduce(offerer, answerer)

                async def answer(end: End) -> None:
                    await end.expect(Opened)
                    end.link.send("ready")

                with trio.fail_after(DEADLINE):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(answer, answerer)
                        await offerer.expect(Opened)
                        assert (await offerer.expect(Received)).text == "ready"


async def test_a_message_before_the_channel_is_open_goes_nowhere() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        offerer.link.send("too early")
        descriptions = await describe(offerer.link, answerer.link)
        offerer.link.send("too early")
        answerer.link.send("too early")
        pass_candidates(offerer, answerer, *descriptions)
        await both_opened(offerer, answerer)
        offerer.link.send("in time")
        with trio.fail_after(DEADLINE):
            assert (await answerer.expect(Received)).text == "in time"


async def test_a_message_that_is_too_large_is_dropped_and_the_next_one_arrives() -> None:
    async with open_connected() as (offerer, answerer):
        offerer.link.send("x" * 1024 * 1024)
        offerer.link.send("small")
        with trio.fail_after(DEADLINE):
            assert (await answerer.expect(Received)).text == "small"


# ── its end ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_closed_channel_is_told_apart_from_the_lost_connection_that_follows() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            await answerer.link.close_channel()
            await offerer.expect(ChannelClosed)
            await answerer.link.aclose()
            await offerer.expect(LinkLost)
        assert await offerer.read_rest() == []


async def test_a_channel_closed_and_a_connection_closed_at_once_are_told_apart_too() -> None:
    async with open_bridge() as bridge:
        for _ in range(10):
            async with open_ends(bridge) as (offerer, answerer):
                await connect(offerer, answerer)
                with trio.fail_after(DEADLINE):
                    await offerer.link.close_channel()
                    await offerer.link.aclose()
                    await answerer.expect(ChannelClosed)
                    await answerer.expect(LinkLost)


async def test_a_connection_closed_without_its_channel_is_a_lost_link_and_nothing_else() -> None:
    async with open_bridge() as bridge:
        for leaver in (0, 1) * 5:
            async with open_ends(bridge) as ends:
                await connect(*ends)
                with trio.fail_after(DEADLINE):
                    await ends[leaver].link.aclose()
                    await ends[1 - leaver].expect(LinkLost)
                assert await ends[1 - leaver].read_rest() == []


async def test_our_own_close_is_no_event() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            await offerer.link.close_channel()
            await offerer.link.aclose()
        assert await offerer.read_rest() == []
        with trio.fail_after(DEADLINE):
            await answerer.link.aclose()


async def test_what_was_sent_arrives_before_the_channel_closes() -> None:
    async with open_connected() as (offerer, answerer):
        for number in range(300):
            offerer.link.send(str(number))
        with trio.fail_after(DEADLINE):
            await offerer.link.close_channel()
            for number in range(300):
                assert (await answerer.expect(Received)).text == str(number)
            await answerer.expect(ChannelClosed)


async def test_what_is_sent_after_a_close_goes_nowhere_and_raises_nothing() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            await offerer.link.close_channel()
            offerer.link.send("on a closed channel")
            answerer.link.send("on a channel that the other side has closed")
            await offerer.link.aclose()
            offerer.link.send("on a closed connection")
            await answerer.expect(ChannelClosed)
            await answerer.expect(LinkLost)
            answerer.link.send("on a lost link")
        assert await offerer.read_rest() == []
        assert await answerer.read_rest() == []


async def test_closing_twice_or_before_anything_was_opened_is_no_error() -> None:
    async with open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            async with open_ends(bridge) as (offerer, answerer):
                await offerer.link.close_channel()
                await offerer.link.aclose()
                await offerer.link.aclose()
                await answerer.link.close_channel()


async def test_closing_the_channel_does_not_wait_for_a_dead_peer() -> None:
    async def die(foreign: Foreign) -> None:
        assert foreign.pc.sctp is not None
        await foreign.pc.sctp.transport.transport.stop()

    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await answer_foreign(bridge, foreign, link, [CHANNEL_LABEL])
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
        await bridge.call(die, foreign)
        before = trio.current_time()
        with trio.fail_after(CHANNEL_CLOSE_DEADLINE + DEADLINE):
            await link.close_channel()
        assert trio.current_time() - before > CHANNEL_CLOSE_DEADLINE * 0.9
        await bridge.call(foreign.pc.close)


# ── a peer that is not ours ──────────────────────────────────────────────────────────────────────


class Foreign:
    """A peer of plain aiortc; lives on the loop thread."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channels: list[RTCDataChannel] = []
        self.all_open = asyncio.Event()

    def create_channel(self, label: str) -> None:
        channel = self.pc.createDataChannel(label)
        channel.on("open", self._check_open)
        self.channels.append(channel)

    def _check_open(self) -> None:
        if all(channel.readyState == "open" for channel in self.channels):
            self.all_open.set()

    async def offer(self, labels: Sequence[str]) -> str:
        with trickling(IceSettings(LOOPBACK, lambda _: None)):
            for label in labels:
                self.create_channel(label)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def answer(self, offer: str) -> str:
        with trickling(IceSettings(LOOPBACK, lambda _: None)):
            await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)

    async def apply(self, answer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def send(self, texts: Sequence[str | bytes]) -> None:
        """One text on each channel, once all are open."""
        await self.all_open.wait()
        for channel, text in zip(self.channels, texts, strict=True):
            channel.send(text)


async def make_foreign() -> Foreign:
    return Foreign()


async def answer_foreign(
    bridge: Bridge, foreign: Foreign, link: RtcLink, labels: Sequence[str]
) -> None:
    """The peer offers, and our link answers."""
    offer = parse_description("offer", await bridge.call(foreign.offer, labels))
    await bridge.call(foreign.apply, await link.make_answer(offer))
    for candidate in offer.candidates:
        link.add_candidate(candidate)


async def offer_to_foreign(bridge: Bridge, foreign: Foreign, link: RtcLink) -> None:
    """Our link offers, and the peer answers."""
    answer = parse_description("answer", await bridge.call(foreign.answer, await link.make_offer()))
    await link.apply_answer(answer)
    for candidate in answer.candidates:
        link.add_candidate(candidate)


async def test_other_data_channels_of_an_offerer_are_ignored() -> None:
    labels = ["chat", CHANNEL_LABEL, CHANNEL_LABEL, "x" * 5000]
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await answer_foreign(bridge, foreign, link, labels)
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
            for number in (1, 2):
                texts = ["noise", f"message {number}", "a second channel", "more noise"]
                await bridge.call(foreign.send, texts)
                assert (await end.expect(Received)).text == f"message {number}"
            assert await end.read_rest() == []
            await bridge.call(foreign.pc.close)
            await end.expect(LinkLost)


async def test_other_data_channels_of_an_answerer_are_ignored() -> None:
    async def create_channels(foreign: Foreign) -> None:
        for label in ("chat", CHANNEL_LABEL):
            foreign.create_channel(label)

    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await offer_to_foreign(bridge, foreign, link)
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
            await bridge.call(create_channels, foreign)
            await bridge.call(foreign.send, ["noise", "more noise"])
            await bridge.call(foreign.pc.close)
            await end.expect(LinkLost)
        assert await end.read_rest() == []


async def test_a_binary_message_comes_in_as_bytes() -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await answer_foreign(bridge, foreign, link, [CHANNEL_LABEL])
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
            await bridge.call(foreign.send, [b"\xff\x00"])
            assert (await end.expect(Received)).text == b"\xff\x00"
            await bridge.call(foreign.pc.close)
