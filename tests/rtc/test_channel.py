"""The channel's finer points: messages stamped as they leave, and ones that can't be read."""

import json
import logging
import threading
from struct import pack

import pytest
import trio
import trio.testing
from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG as FIRST
from aiortc.rtcsctptransport import SCTP_DATA_LAST_FRAG as LAST
from aiortc.rtcsctptransport import DataChunk

from imgsync.core.handshake.inputs import ChannelClosed, Gathered, LinkLost, Opened
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import MAX_MESSAGE_SIZE
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from imgsync.rtc.transports import longest_message
from imgsync.seams import LinkEvent, Received
from imgsync.testing import MemoryLink, MemoryNetwork
from imgsync.wallclock import now_ms
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    End,
    both_opened,
    connect,
    describe,
    open_connected,
    open_ends,
    pass_candidates,
)

CONTROL, TEXT, BINARY = 50, 51, 53
"""Kinds of messages (RFC 8831, section 8)."""

OPEN = 3
"""A message of the kind CONTROL (RFC 8832, section 8.2.1)."""


def stamped(at: Milliseconds) -> str:
    return json.dumps({"t": at})


def fail(at: Milliseconds) -> str:
    raise ValueError("out of ink")


# ── stamped as they leave ────────────────────────────────────────────────────────────────────────


async def test_a_stamp_lies_between_the_call_and_the_arrival() -> None:
    async with open_connected() as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            for near, far in ((offerer, answerer), (answerer, offerer)) * 20:
                before = now_ms()
                near.link.send_stamped(stamped)
                received = await far.expect(Received)
                assert before <= json.loads(received.text)["t"] <= received.at


async def test_a_stamp_is_made_when_the_loop_thread_gets_to_it_and_not_before() -> None:
    is_free = threading.Event()
    threads: list[threading.Thread] = []

    def note_thread(at: Milliseconds) -> str:
        threads.append(threading.current_thread())
        return stamped(at)

    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        bridge.post(is_free.wait, DEADLINE)
        near.link.send_stamped(note_thread)
        assert threads == []
        freed_at = now_ms()
        is_free.set()
        with trio.fail_after(DEADLINE):
            received = await far.expect(Received)
        assert json.loads(received.text)["t"] >= freed_at
        assert threads
        assert threads[0] is not threading.current_thread()


async def test_stamped_messages_and_others_keep_their_order() -> None:
    async with open_connected() as (near, far):
        for number in range(100):
            near.link.send(str(number))
            near.link.send_stamped(lambda _, number=number: f"{number} stamped")  # type: ignore[misc]
        with trio.fail_after(DEADLINE):
            for number in range(100):
                assert (await far.expect(Received)).text == str(number)
                assert (await far.expect(Received)).text == f"{number} stamped"


async def test_a_stamped_message_that_cant_be_made_is_logged_and_hurts_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_connected() as (near, far):
        near.link.send_stamped(fail)
        near.link.send_stamped(lambda _: "\ud800")
        near.link.send_stamped(stamped)
        with trio.fail_after(DEADLINE):
            assert "t" in json.loads((await far.expect(Received)).text)
        assert await near.read_rest() == []
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "out of ink" in str(record.exc_info[1])


async def test_nothing_is_stamped_where_no_channel_is_open() -> None:
    calls: list[Milliseconds] = []

    def count(at: Milliseconds) -> str:
        calls.append(at)
        return stamped(at)

    async with open_connected() as (near, far):
        with trio.fail_after(DEADLINE):
            await near.link.close_channel()
            near.link.send_stamped(count)
            far.link.send_stamped(count)
            await near.link.aclose()
            near.link.send_stamped(count)
            await far.link.aclose()
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        link.send_stamped(count)
        await link.make_offer()
        link.send_stamped(count)
    assert calls == []


# ── what can't be read ───────────────────────────────────────────────────────────────────────────


async def send_raw(end: End, kind: int, *messages: bytes) -> None:
    """Run by `Bridge.call`; send bytes as what they are not."""
    assert end.link._loop._pc is not None
    assert end.link._loop._pc.sctp is not None
    channel = end.link._loop._channel
    assert channel is not None
    for message in messages:
        end.link._loop._pc.sctp._data_channel_queue.append((channel, kind, message))
    await end.link._loop._pc.sctp._data_channel_flush()


async def test_a_text_that_is_no_utf_8_is_dropped_and_the_connection_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "imgsync")
    async with open_bridge() as bridge, open_ends(bridge) as ends:
        await connect(*ends)
        for near, far in (ends, ends[::-1]):
            caplog.clear()
            with trio.fail_after(DEADLINE):
                await bridge.call(send_raw, near, TEXT, b"\xff", b"read this", b"half \xe2\x82")
                near.link.send("and this")
                assert (await far.expect(Received)).text == "read this"
                assert (await far.expect(Received)).text == "and this"
                far.link.send("an answer")
                assert (await near.expect(Received)).text == "an answer"
            assert caplog.text.count("dropped a message that can't be read") == 2


async def test_a_channel_that_is_opened_a_second_time_hurts_nobody() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        opening = pack("!BBHLHH", OPEN, 0, 0, 0, 0, 0)
        with trio.fail_after(DEADLINE):
            await bridge.call(send_raw, near, CONTROL, opening)
            near.link.send("still there")
            assert (await far.expect(Received)).text == "still there"
        assert await far.read_rest() == []


# ── what is longer than we have allowed ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("sender", [0, 1], ids=["offerer", "answerer"])
async def test_a_message_beyond_the_size_that_we_announce_ends_the_connection(sender: int) -> None:
    async with open_bridge() as bridge, open_ends(bridge) as ends:
        offer, answer = await describe(*(end.link for end in ends))
        for described in (offer, answer):
            assert f"a=max-message-size:{MAX_MESSAGE_SIZE}\r\n" in described.sdp
        pass_candidates(*ends, offer, answer)
        await both_opened(*ends)
        near, far = ends[sender], ends[1 - sender]
        longest = b"x" * MAX_MESSAGE_SIZE
        with trio.fail_after(DEADLINE):
            await bridge.call(send_raw, near, TEXT, b"a", longest, b"b", longest + b"x", b"c")
            assert (await far.expect(Received)).text == "a"
            assert (await far.expect(Received)).text == longest.decode()
            assert (await far.expect(Received)).text == "b"
            lost = await far.expect(LinkLost)
            assert lost == LinkLost("the other side has sent a message of more than 262144 bytes")
            assert (await near.expect(LinkLost)).by_peer
        assert await far.read_rest() == []


async def test_a_message_without_an_end_is_not_collected_for_ever() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        with trio.fail_after(DEADLINE):
            await bridge.call(send_raw, near, BINARY, b"x" * 100 * MAX_MESSAGE_SIZE)
            await far.expect(LinkLost)
        assert await bridge.call(count_collected, far) <= MAX_MESSAGE_SIZE


async def count_collected(end: End) -> int:
    """Run by `Bridge.call`; bytes of messages that are not whole."""
    assert end.link._loop._pc is not None
    assert end.link._loop._pc.sctp is not None
    streams = end.link._loop._pc.sctp._inbound_streams.values()
    return sum(len(chunk.user_data) for stream in streams for chunk in stream.reassembly)


@pytest.mark.parametrize("first", [1, 2**32 - 300], ids=["numbers", "numbers that begin anew"])
def test_the_longest_message_of_a_stream_is_that_without_a_gap(first: int) -> None:
    def chunk(number: int, flags: int = 0) -> DataChunk:
        found = DataChunk(flags=flags)
        found.tsn, found.user_data = (first + number) % 2**32, b"x" * 1000
        return found

    whole = [chunk(0, FIRST), *map(chunk, range(1, 499)), chunk(499, LAST)]
    assert longest_message(whole) == 500_000
    assert longest_message([*whole[1:], whole[0]]) == 500_000
    assert longest_message(whole[:200] + whole[201:]) == 299_000
    assert longest_message([chunk(number, FIRST | LAST) for number in range(500)]) == 1000
    assert longest_message([chunk(7)]) == 1000


# ── the in-memory link does the same ─────────────────────────────────────────────────────────────


def listen_to(link: MemoryLink) -> list[LinkEvent]:
    """What happens to it, without candidates; grows as it does."""
    events: list[LinkEvent] = []

    def tell(event: LinkEvent) -> None:
        if not isinstance(event, Gathered):
            events.append(event)

    link.listen(tell)
    return events


async def connect_memory(near: MemoryLink, far: MemoryLink) -> None:
    offer = parse_description("offer", await near.make_offer())
    answer = parse_description("answer", await far.make_answer(offer))
    await near.apply_answer(answer)


async def test_a_memory_link_stamps_what_it_sends(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    network = MemoryNetwork()
    async with network.open_link(()) as near, network.open_link(()) as far:
        events = listen_to(far)
        near.send_stamped(fail)
        await connect_memory(near, far)
        before = now_ms()
        near.send_stamped(fail)
        near.send_stamped(stamped)
        await near.close_channel()
        near.send_stamped(fail)
        opened, received, closed = events
    assert (opened, closed) == (Opened(), ChannelClosed())
    assert isinstance(received, Received)
    assert before <= json.loads(received.text)["t"] <= received.at
    assert caplog.text.count("ValueError: out of ink") == 1


async def test_a_memory_link_that_is_closed_says_so_and_one_that_is_cut_does_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network = MemoryNetwork()
    async with network.open_link(()) as stayer:
        events = listen_to(stayer)
        async with network.open_link(()) as leaver:
            await connect_memory(leaver, stayer)
        _, lost = events
        assert isinstance(lost, LinkLost)
        assert lost.by_peer
    async with network.open_link(()) as near, network.open_link(()) as far:
        told = [listen_to(end) for end in (near, far)]
        await connect_memory(near, far)
        near.break_off()
        for events in told:
            _, lost = events
            assert isinstance(lost, LinkLost)
            assert not lost.by_peer
