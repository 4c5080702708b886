"""What is lost on a thin stream comes at once all the same, and nothing is sent without need.

Two associations of aiortc's on a wire that loses what a test says; time passes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import aiortc.rtcsctptransport
import pytest
import trio
from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import SCTP_RTO_INITIAL, Chunk, DataChunk, SackChunk

from imgsync.core.channel.recovery import LEAST_PROBE, LEAST_RTO
from imgsync.rtc import ice as our_ice
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.recovery import Retransmission
from imgsync.seams import Received
from tests.kit.sctp_sides import ONE_WAY, Side, connect_sides, run_at_once
from tests.rtc.test_link import DEADLINE, connect, open_ends

MESSAGE = 300
"""Bytes; nothing else that goes over a link by itself is of this size."""

SOON = 2 * (LEAST_PROBE + 4 * ONE_WAY)


class Losses:
    """Of what is sent from `begin` on: the packets that are lost, by their place among those of
    their sender with such a chunk in them."""

    def __init__(self, kind: type[Chunk], *places: int) -> None:
        self._kind, self._places = kind, places
        self._seen: dict[Side, int] = {}
        self.has_begun = False

    def __call__(self, sender: Side, chunks: list[Chunk]) -> bool:
        if not self.has_begun or not any(isinstance(one, self._kind) for one in chunks):
            return False
        place = self._seen[sender] = self._seen.get(sender, -1) + 1
        return place in self._places


def run_with(losses: Losses, scenario: Callable[[Side, Side], Awaitable[None]]) -> None:
    async def main() -> None:
        near, far = await connect_sides(losses, Retransmission)
        for number in range(8):  # what is measured settles
            near.say(f"before {number}")
            await asyncio.sleep(0.1)
        losses.has_begun = True
        await scenario(near, far)
        await asyncio.gather(near.sctp.stop(), far.sctp.stop())

    run_at_once(main)


@pytest.mark.parametrize("kind", [DataChunk, SackChunk])
@pytest.mark.parametrize("places", [(0,), (0, 1), (0, 1, 2)])
def test_a_lost_message_or_its_acknowledgement_is_made_up_for_in_a_moment(
    kind: type[Chunk], places: tuple[int, ...]
) -> None:
    async def scenario(near: Side, far: Side) -> None:
        begin = asyncio.get_running_loop().time()
        window, limit = near.sctp._cwnd, near.sctp._ssthresh
        near.say("lost")
        await asyncio.sleep(0.9)
        [at] = [at - begin for at, text in far.came if text == "lost"]
        assert at < SOON * 2 ** len(places)
        # Once each time that nothing came, and not once more; no congestion is made of it.
        assert len(near.sent_since(begin, DataChunk)) == 1 + len(places)
        assert (near.sctp._cwnd, near.sctp._ssthresh) == (window, limit)
        assert near.sctp._flight_size == 0

    run_with(Losses(kind, *places), scenario)


def test_the_first_message_of_all_is_waited_for_no_longer_than_others() -> None:
    """The channel's opening, with nothing acknowledged before."""
    losses = Losses(DataChunk, 0)
    losses.has_begun = True

    async def main() -> None:
        near, far = await connect_sides(losses, Retransmission)
        [opened, again, *_] = [at for at, _ in near.sent_since(0, DataChunk)]
        assert again - opened < 4 * LEAST_PROBE
        assert far.channel is not None

    run_at_once(main)


def test_an_association_that_begins_is_asked_for_as_long_as_by_stock_aiortc() -> None:
    timeouts = []

    def adapt_and_watch(sctp: RTCSctpTransport) -> None:
        Retransmission(sctp)
        start = sctp._t1_start

        def start_and_note(chunk: Chunk) -> None:
            start(chunk)
            timeouts.append(sctp._rto)

        sctp._t1_start = start_and_note  # type: ignore[method-assign]

    async def main() -> None:
        await connect_sides(Losses(DataChunk), adapt_and_watch)

    run_at_once(main)
    assert len(timeouts) >= 3
    assert set(timeouts) == {SCTP_RTO_INITIAL}


def test_the_first_of_two_messages_is_made_up_for_when_the_second_has_come() -> None:
    async def scenario(near: Side, far: Side) -> None:
        begin = asyncio.get_running_loop().time()
        near.say("one")
        near.say("two")
        await asyncio.sleep(0.9)
        times = {text: at - begin for at, text in far.came}
        assert times["one"] == times["two"] == pytest.approx(3 * ONE_WAY)
        assert len(near.sent_since(begin, DataChunk)) == 3

    run_with(Losses(DataChunk, 0), scenario)


def test_both_of_two_messages_that_are_lost_come_in_a_moment() -> None:
    async def scenario(near: Side, far: Side) -> None:
        begin = asyncio.get_running_loop().time()
        near.say("one")
        near.say("two")
        await asyncio.sleep(0.9)
        assert [text for at, text in far.came if at > begin] == ["one", "two"]
        assert far.came[-1][0] - begin < SOON + 4 * ONE_WAY
        assert len(near.sent_since(begin, DataChunk)) == 4

    run_with(Losses(DataChunk, 0, 1), scenario)


def test_nothing_is_sent_twice_where_nothing_is_lost() -> None:
    async def scenario(near: Side, far: Side) -> None:
        begin = asyncio.get_running_loop().time()
        for number in range(20):
            near.say(f"{number}" * (5_000 if number % 5 == 0 else 1))
            await asyncio.sleep(0.11 * (number % 3))
        await asyncio.sleep(5)
        sent = [one for _, one in near.sent_since(begin, DataChunk)]
        assert len({one.tsn for one in sent if isinstance(one, DataChunk)}) == len(sent)
        assert len(far.came) == 8 + 20

    run_with(Losses(DataChunk), scenario)


def test_a_path_that_is_gone_is_tried_ever_less_often_and_heard_of_when_it_is_back() -> None:
    gone = range(12)

    async def scenario(near: Side, far: Side) -> None:
        begin = asyncio.get_running_loop().time()
        near.say("still here")
        await asyncio.sleep(60)
        times = [at for at, _ in near.sent_since(begin, DataChunk)]
        assert len(times) == len(gone) + 1
        pauses = [after - before for before, after in pairwise(times)]
        timeouts = pauses[next(n for n, pause in enumerate(pauses) if pause >= LEAST_RTO - 1e-6) :]
        assert all(after > before - 1e-6 for before, after in pairwise(timeouts))
        at, text = far.came[-1]
        assert text == "still here"
        assert at == pytest.approx(times[-1] + ONE_WAY)
        # Who is measured again is waited for as before.
        again = asyncio.get_running_loop().time()
        for number in range(8):
            near.say(f"after {number}")
            await asyncio.sleep(0.1)
        assert len(near.sent_since(again, DataChunk)) == 8

    run_with(Losses(DataChunk, *gone), scenario)


async def test_a_link_makes_up_for_what_is_lost_and_takes_it_for_no_congestion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send, lost = our_ice.Socket.send_data, list[int]()

    async def send_or_lose(self: our_ice.Socket, data: bytes, addr: tuple[str, int]) -> None:
        if not lost and MESSAGE < len(data) < MESSAGE + 100:
            lost.append(len(data))
        else:
            await send(self, data, addr)

    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        near.link.send("before")
        await far.expect(Received)
        assert near.link._loop._pc is not None
        sctp = near.link._loop._pc.sctp
        assert sctp is not None
        before = (sctp._cwnd, sctp._ssthresh)
        monkeypatch.setattr(our_ice.Socket, "send_data", send_or_lose)
        near.link.send("x" * MESSAGE)
        with trio.fail_after(DEADLINE):
            assert (await far.expect(Received)).text == "x" * MESSAGE
        assert len(lost) == 1
        assert (sctp._cwnd, sctp._ssthresh) == before


def test_other_users_of_aiortc_in_the_same_process_keep_its_constants() -> None:
    async def scenario(near: Side, far: Side) -> None:
        assert near.sctp._rto < 1

    run_with(Losses(DataChunk), scenario)
    assert aiortc.rtcsctptransport.SCTP_RTO_MIN == 1

    async def main() -> None:
        near, _ = await connect_sides(Losses(DataChunk), lambda sctp: None)
        assert near.sctp._rto == 1

    run_at_once(main)


def test_a_closed_association_sends_nothing_more() -> None:
    async def scenario(near: Side, far: Side) -> None:
        near.say("lost")
        await asyncio.sleep(ONE_WAY)
        begin = asyncio.get_running_loop().time()
        await near.sctp.stop()
        await asyncio.sleep(5)
        assert near.sent_since(begin, DataChunk) == []

    run_with(Losses(DataChunk, 0), scenario)
