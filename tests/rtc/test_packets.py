"""Paths that drop large packets: what is sent gets through, and what does not is told."""

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
import trio
from aiortc.rtcsctptransport import SCTP_MAX_PACKET_LENGTH, DataChunk

from imgsync.core.handshake.packets import LARGEST, SIZES, SMALLEST, WAITS, PathMeasured
from imgsync.core.handshake.sdp import parse_description
from imgsync.rtc import ice as our_ice
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.packets import split_flight, split_unsent
from imgsync.seams import Received
from tests.rtc.test_link import (
    DEADLINE,
    End,
    both_opened,
    connect,
    open_ends,
    pass_candidates,
)

UDP_AND_IPV4 = 28


@contextmanager
def narrow_path(monkeypatch: pytest.MonkeyPatch, mtu: int) -> Iterator[list[int]]:
    """All sockets of this process drop what is larger; yields the sizes of what they sent."""
    sizes: list[int] = []
    send = our_ice.Socket.send_data

    async def send_or_drop(self: our_ice.Socket, data: bytes, addr: tuple[str, int]) -> None:
        sizes.append(len(data) + UDP_AND_IPV4)
        if sizes[-1] <= mtu:
            await send(self, data, addr)

    with monkeypatch.context() as patch:
        patch.setattr(our_ice.Socket, "send_data", send_or_drop)
        yield sizes


async def exchange(near: End, far: End, text: str) -> None:
    near.link.send(text)
    assert (await far.expect(Received)).text == text


@pytest.mark.parametrize("mtu", [500, 600, 1000, 1264])
async def test_messages_of_any_size_get_through_a_path_that_drops_large_packets(
    monkeypatch: pytest.MonkeyPatch, mtu: int
) -> None:
    with narrow_path(monkeypatch, mtu) as sizes, trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
            await connect(offerer, answerer)
            for size in (100, 2_000, 60_000):
                await exchange(offerer, answerer, "x" * size)
                await exchange(answerer, offerer, "y" * size)
    # Nothing but probes was lost, and none of those was sent twice before the first time was over.
    assert len([size for size in sizes if size > mtu]) <= 2 * (len(SIZES) + 1)


async def test_an_offerer_that_begins_with_dtls_connects_too() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            offer = parse_description("offer", await offerer.link.make_offer(leads=True))
            assert "a=setup:active\r\n" in offer.sdp
            answer = parse_description("answer", await answerer.link.make_answer(offer))
            assert "a=setup:passive\r\n" in answer.sdp
            await offerer.link.apply_answer(answer)
            pass_candidates(offerer, answerer, offer, answer)
            await both_opened(offerer, answerer)
            await exchange(offerer, answerer, "there")


@pytest.mark.parametrize(("mtu", "largest", "lost"), [(600, 500, 600), (1000, 900, 1000)])
async def test_both_sides_are_told_what_gets_through_a_narrow_path(
    monkeypatch: pytest.MonkeyPatch, mtu: int, largest: int, lost: int
) -> None:
    with narrow_path(monkeypatch, mtu), trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
            await connect(offerer, answerer)
            with trio.move_on_after(sum(WAITS) + 1):
                await offerer.expect(Received)
            await answerer.read_rest()
    assert offerer.measured == answerer.measured == PathMeasured(largest, lost)


async def test_on_a_wide_path_messages_go_in_the_largest_packets_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with narrow_path(monkeypatch, 65_535) as sizes, trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
            await connect(offerer, answerer)
            await exchange(offerer, answerer, "there")
            await exchange(answerer, offerer, "and back")
            while None in (offerer.measured, answerer.measured):
                await exchange(offerer, answerer, "once more")
                await exchange(answerer, offerer, "and back")
            assert offerer.measured == answerer.measured == PathMeasured(LARGEST)
            sizes.clear()
            await exchange(offerer, answerer, "x" * 11_000)
    assert len([size for size in sizes if size > 1_200]) == 9  # and the rest


def make_chunks(*texts: bytes, tsn: int) -> list[DataChunk]:
    """Of one message each, in the shape that aiortc gives them."""
    chunks = []
    for place, text in enumerate(texts):
        chunk: Any = DataChunk(flags=3)
        chunk.tsn = (tsn + place) % 2**32
        chunk.user_data, chunk.stream_seq = text, place
        chunk._book_size = len(text)
        chunks.append(chunk)
    return chunks


class Association:
    """What of one is looked at."""

    def __init__(self, chunks: list[DataChunk]) -> None:
        self._outbound_queue = chunks
        self._local_tsn = (chunks[-1].tsn + 1) % 2**32


def split(association: Any, limit: int, room: float = math.inf) -> None:
    split_unsent(association, limit, room)


@pytest.mark.parametrize("tsn", [1, 2**32 - 3])
def test_what_was_not_sent_yet_is_split_and_numbered_without_a_gap(tsn: int) -> None:
    association = Association(make_chunks(b"ab", b"cdefghijk", b"l", tsn=tsn))
    split(association, 4)
    queue = association._outbound_queue
    assert [chunk.user_data for chunk in queue] == [b"ab", b"cdef", b"ghij", b"k", b"l"]
    assert [chunk.flags for chunk in queue] == [3, 2, 0, 1, 3]
    assert [chunk.stream_seq for chunk in queue] == [0, 1, 1, 1, 2]
    assert all(len(chunk.user_data) == chunk._book_size for chunk in queue)
    numbers = [*(chunk.tsn for chunk in queue), association._local_tsn]
    assert numbers[0] == tsn
    assert all((after - before) % 2**32 == 1 for before, after in pairwise(numbers))


def test_the_parts_of_a_message_that_is_half_sent_stay_parts() -> None:
    [chunk] = make_chunks(b"abcdef", tsn=7)
    for flags, parts in ((0, [0, 0]), (1, [0, 1]), (2, [2, 0])):
        chunk.flags = flags
        association = Association([chunk])
        split(association, 3)
        assert [one.flags for one in association._outbound_queue] == parts


@pytest.mark.parametrize("room", [1, 3, 4])
def test_what_is_sent_later_is_not_split_yet_and_gets_new_numbers(room: int) -> None:
    association = Association(make_chunks(b"abcd", b"efgh", b"ijkl", tsn=9))
    split(association, 2, room)
    queue = association._outbound_queue
    assert [chunk.user_data for chunk in queue] == [b"ab", b"cd", b"efgh", b"ijkl"]
    assert [chunk.tsn for chunk in queue] == [9, 10, 11, 12]
    assert association._local_tsn == 13
    split(association, 2, room + 4)
    assert [chunk.user_data for chunk in queue] == [b"ab", b"cd", b"ef", b"gh", b"ijkl"]


def test_what_is_small_enough_stays_as_it_is() -> None:
    chunks = make_chunks(b"ab", b"c", tsn=5)
    association = Association(chunks)
    split(association, 2)
    assert association._outbound_queue is chunks
    assert association._local_tsn == 7


async def test_datagrams_that_wait_are_taken_in_order_in_one_turn_of_the_loop() -> None:
    def take(count: int) -> tuple[list[tuple[bytes, int]], int]:
        """How many came of how many turns, and what."""

        async def run() -> tuple[list[tuple[bytes, int]], int]:
            settings = our_ice.IceSettings((), lambda event: None)
            connection = our_ice.Connection(settings, ice_controlling=True)
            ours = await our_ice._open_socket(connection, "127.0.0.1")
            assert ours is not None
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
                theirs.bind(("127.0.0.1", 0))
                connection._paths.add((ours, theirs.getsockname()))
                for number in range(count):
                    theirs.sendto(bytes([20, number]), ours.transport.get_extra_info("sockname"))
                turns = 0
                while connection._queue.qsize() < count:
                    turns += 1
                    await asyncio.sleep(0)
            came = [connection._queue.get_nowait() for _ in range(count)]
            await ours.close()
            return [one for one in came if one is not None], turns

        return asyncio.run(run())

    came, turns = await trio.to_thread.run_sync(take, 40)
    assert came == [(bytes([20, number]), 1) for number in range(40)]
    # The loop is asked twice before it has looked at its sockets for the first time.
    assert turns <= 2 + math.ceil(40 / our_ice.MAX_BATCH)


def record(size: int) -> bytes:
    return bytes(11) + (size - 13).to_bytes(2, "big") + bytes(size - 13)


@pytest.mark.parametrize(
    ("records", "datagrams"),
    [
        ((), []),
        ((13,), [13]),
        ((200, 200), [400]),
        ((200, 201), [200, 201]),
        ((121, 135, 256, 33, 136, 73, 25), [256, 289, 234]),
        ((1225,), [1225]),
        ((300, 1225, 61), [300, 1225, 61]),
    ],
)
def test_a_flight_goes_out_in_small_datagrams_of_whole_records(
    records: tuple[int, ...], datagrams: list[int]
) -> None:
    flight = b"".join(map(record, records))
    found = split_flight(flight)
    assert [len(datagram) for datagram in found] == datagrams
    assert b"".join(found) == flight


def test_what_is_cut_off_is_passed_on() -> None:
    assert split_flight(record(300)[:20]) == [record(300)[:20]]
    assert split_flight(b"\x16") == [b"\x16"]


def test_no_size_of_ours_is_above_the_packets_of_aiortc() -> None:
    assert SMALLEST < LARGEST == SIZES[-1] == SCTP_MAX_PACKET_LENGTH // 4 * 4
