"""The channel of pictures, beside that of the talk on one connection, over aiortc."""

from threading import get_ident

import pytest
import trio

from imgsync.core.handshake.inputs import LinkLost, Opened
from imgsync.core.protocol.numbers import CHANNEL_LABEL, DATA_LABEL, LARGE_CHUNK, MAX_BUFFERED
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import (
    CarriedEvent,
    DataDrained,
    DataReceived,
    LinkEvent,
    Received,
    Shared,
    Unshared,
)
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    End,
    answer_foreign,
    make_foreign,
    offer_to_foreign,
    open_connected,
)

Event = LinkEvent | CarriedEvent


async def expect(end: End, *kinds: type[Event]) -> Event:
    """The next event of one of these kinds; others are passed over."""
    with trio.fail_after(DEADLINE):
        while not isinstance(event := await end._next_event(), kinds):
            pass
    return event


async def test_it_is_opened_once_and_is_open_on_both_sides_without_a_new_offer() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        near.link.share()
        await expect(near, Shared)
        await expect(far, Shared)
        near.link.send_data(b"\0\1")
        far.link.send_data("text")
        came = await expect(far, DataReceived)
        assert isinstance(came, DataReceived)
        assert came.message == b"\0\1"
        came = await expect(near, DataReceived)
        assert isinstance(came, DataReceived)
        assert came.message == "text"
        near.link.send("of the talk")
        received = await expect(far, Received, Shared)
        assert isinstance(received, Received)
        assert received.text == "of the talk"


async def test_what_is_said_on_it_before_it_is_open_arrives_in_order() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        for number in range(20):
            near.link.send_data(f"{number}")
        for number in range(20):
            came = await expect(far, DataReceived)
            assert isinstance(came, DataReceived)
            assert came.message == f"{number}"


async def test_who_answers_does_not_open_it_in_place_of_who_has_the_pictures() -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await offer_to_foreign(bridge, foreign, link)
        await end.expect(Opened)

        async def create() -> None:
            foreign.create_channel(DATA_LABEL)

        with trio.fail_after(DEADLINE):
            await bridge.call(create)
            await bridge.call(foreign.send, ["noise"])
            link.share()
            await expect(end, Shared)
            await bridge.call(foreign.pc.close)
            await end.expect(LinkLost)


async def test_one_that_comes_first_or_twice_does_no_harm() -> None:
    labels = [DATA_LABEL, CHANNEL_LABEL, DATA_LABEL, DATA_LABEL]
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_foreign)
        end = End(link)
        await answer_foreign(bridge, foreign, link, labels)
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
            await bridge.call(foreign.send, ["first", "talk", "second", "third"])
            told = [await end._next_event() for _ in range(3)]
            kinds = {type(one) for one in told}
            assert kinds == {Shared, DataReceived, Received}
            [data] = [one for one in told if isinstance(one, DataReceived)]
            assert data.message == "second"
            assert await end.read_rest() == []
            await bridge.call(foreign.pc.close)


async def test_its_end_is_told_as_its_own_and_the_talk_goes_on() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        channel = near.link._loop.pictures._channel
        assert channel is not None

        async def close() -> None:
            channel.close()

        await near.link._bridge.call(close)
        for end in (near, far):
            assert isinstance(await expect(end, Unshared, LinkLost), Unshared)
        near.link.send_data(b"nowhere")
        near.link.send("of the talk")
        received = await expect(far, Received, LinkLost)
        assert isinstance(received, Received)


async def test_that_nothing_waits_is_told_once_all_is_handed_on() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        for _ in range(10):
            near.link.send_data(bytes(LARGE_CHUNK))
        await expect(near, DataDrained)
        channel = near.link._loop.pictures._channel
        assert channel is not None
        assert channel.bufferedAmount == 0
        for _ in range(10):
            await expect(far, DataReceived)


async def test_the_link_is_drained_when_all_was_sent_and_not_when_sctp_has_begun_with_it() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        channel = near.link._loop.pictures._channel
        assert channel is not None
        unsent: list[int] = []

        def look(event: CarriedEvent) -> None:
            if isinstance(event, DataDrained):
                unsent.append(len(channel.transport._outbound_queue))

        near.link.carry(look)
        for _ in range(10):
            near.link.send_data(bytes(LARGE_CHUNK))
        for _ in range(10):
            await expect(far, DataReceived)
    assert set(unsent) == {0}


async def test_pictures_do_not_count_as_what_the_talk_has_waiting() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        outgoing = near.link._loop.outgoing
        most = 0
        for _ in range(40):
            near.link.send_data(bytes(LARGE_CHUNK))
        for _ in range(40):
            await expect(far, DataReceived)
            most = max(most, near.link.waiting)
        assert most == 0
        beside = outgoing._beside
        assert beside is not None
        near.link.send("of the talk")
        await expect(far, Received)
        while near.link.waiting > 0 or beside.bytes > 0:
            near.link.send_stamped(lambda at: "")
            await expect(far, Received)


@pytest.mark.parametrize("is_data", [True, False])
async def test_who_takes_nothing_is_given_up_for_what_waits_on_both_channels(
    is_data: bool,
) -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        sctp = far.link._loop._pc.sctp  # type: ignore[union-attr]
        assert sctp is not None

        async def say_nothing() -> None:
            """In the place of an acknowledgement."""

        sctp._send_sack = say_nothing  # type: ignore[method-assign]
        for _ in range(MAX_BUFFERED // LARGE_CHUNK + 10):
            if is_data:
                near.link.send_data(bytes(LARGE_CHUNK))
            else:
                near.link.send("x" * LARGE_CHUNK)
        if is_data:
            near.link.send("what is said next")
        lost = await expect(near, LinkLost)
        assert isinstance(lost, LinkLost)
        assert "takes nothing" in lost.why


async def test_what_fails_where_it_is_heard_ends_neither_channel() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(near, Shared)
        far.link.carry(_fail)
        near.link.send_data("one")
        near.link.send("of the talk")
        await expect(far, Received)
        far.link.carry(far._events.put)
        near.link.send_data("two")
        came = await expect(far, DataReceived, LinkLost, Unshared)
        assert isinstance(came, DataReceived)


def _fail(event: CarriedEvent) -> None:
    raise ValueError("as a fault of ours")


async def test_it_is_heard_in_the_thread_that_answers_it_without_a_hop() -> None:
    async with open_connected() as (near, far):
        near.link.share()
        await expect(far, Shared)
        threads: set[int] = set()

        def answer(event: CarriedEvent) -> None:
            if isinstance(event, DataReceived):
                threads.add(get_ident())
                far.link.send_data("first")
                far.link.send_data("second")

        far.link.carry(answer)
        near.link.send_data("question")
        for expected in ("first", "second"):
            came = await expect(near, DataReceived)
            assert isinstance(came, DataReceived)
            assert came.message == expected
        assert get_ident() not in threads
        assert len(threads) == 1
