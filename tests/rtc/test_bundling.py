"""An answer that is given at once takes the acknowledgement along; see also `test_canary`."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any, cast

import pytest
import trio
from aiortc import RTCPeerConnection, RTCSctpTransport
from aiortc.rtcsctptransport import Chunk, DataChunk, SackChunk, parse_packet

from imgsync.rtc.bundling import Bundling
from imgsync.rtc.link import RtcLink
from imgsync.seams import LinkEvent, Received
from tests.kit.canaries import awaited, equals, takes
from tests.kit.processes import wait_until
from tests.rtc.test_link import DEADLINE, End, open_connected


def watch_packets(link: RtcLink) -> list[list[type[Chunk]]]:
    """The chunks of each packet that is sent from now on."""
    pc = link._loop._pc
    assert pc is not None
    assert pc.sctp is not None
    dtls, packets = pc.sctp.transport, list[list[type[Chunk]]]()
    send = dtls._send_data

    async def send_and_note(data: bytes) -> None:
        packets.append([type(chunk) for chunk in parse_packet(data)[3]])
        await send(data)

    dtls._send_data = send_and_note  # type: ignore[method-assign]
    return packets


def answer_at_once(end: End, answer: str) -> list[str]:
    """What it hears, and in which thread it was told when the answer had left."""
    done: list[str] = []

    def hear(event: LinkEvent) -> None:
        if isinstance(event, Received):
            done.append(str(event.text))
            end.link.reply(answer, lambda: done.append(threading.current_thread().name))

    end.link.listen(hear)
    return done


async def test_an_answer_takes_the_acknowledgement_along(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is lost, but on a loaded machine an acknowledgement that is late is taken for that.
    for least in ("LEAST_PROBE", "LEAST_RTO"):
        monkeypatch.setattr(f"imgsync.core.channel.recovery.{least}", DEADLINE)
    async with open_connected() as (near, far):
        with trio.fail_after(DEADLINE):
            near.link.send("behind which nothing of the start is under way")
            await far.expect(Received)
        packets = watch_packets(far.link)
        done = answer_at_once(far, "ack")
        with trio.fail_after(DEADLINE):
            for number in range(20):
                near.link.send(f"image {number}")
                assert (await near.expect(Received)).text == "ack"
    talk = [kinds for kinds in packets if DataChunk in kinds]
    assert talk == [[SackChunk, DataChunk]] * 20
    assert done[::2] == [f"image {number}" for number in range(20)]
    assert set(done[1::2]) == {"imgsync-webrtc"}


async def test_an_answer_that_has_no_room_for_it_goes_alone() -> None:
    async with open_connected() as (near, far):
        packets = watch_packets(far.link)
        answer_at_once(far, "a" * 380)
        with trio.fail_after(DEADLINE):
            near.link.send("image")
            await near.expect(Received)
            await wait_until(lambda: [SackChunk] in packets, "acknowledged")
    assert [DataChunk] in packets
    assert [SackChunk, DataChunk] not in packets


async def test_what_nobody_answers_is_acknowledged_all_the_same() -> None:
    async with open_connected() as (near, far):
        packets = watch_packets(far.link)
        with trio.fail_after(DEADLINE):
            near.link.send("image")
            await far.expect(Received)
            await wait_until(
                lambda: [SackChunk] in packets and not near.link.waiting, "acknowledged"
            )


async def test_then_is_called_once_the_answer_has_left() -> None:
    async with open_connected() as (near, far):
        packets = watch_packets(far.link)
        left: list[int] = []

        def hear(event: LinkEvent) -> None:
            if isinstance(event, Received):
                far.link.reply("ack", lambda: left.append(len(packets)))

        far.link.listen(hear)
        with trio.fail_after(DEADLINE):
            near.link.send("image")
            await near.expect(Received)
            await wait_until(lambda: bool(left), "answered")
        assert DataChunk in packets[left[0] - 1]


class Acknowledging:
    """What of an association acknowledges; `log` has what went out."""

    def __init__(self) -> None:
        self._sack_needed = False
        self._sack_misordered: set[int] = set()
        self._sack_duplicates: list[int] = []
        self.log: list[str] = []

    async def _send_sack(self) -> None:
        self.log.append("sack")
        self._sack_needed = False

    async def _send_chunk(self, chunk: Chunk) -> None:
        raise AssertionError("nothing else is sent")


def acknowledge(*packets: tuple[str, bool]) -> list[str]:
    """What goes out as these come in, of a kind each; and whether another one has come by then."""
    association, more = Acknowledging(), False

    async def take() -> None:
        nonlocal more
        Bundling(cast("Any", association), lambda: more)
        for kind, has_more in packets:
            more = has_more
            association.log.append(kind)
            association._sack_misordered = {7} if kind == "gap" else set()
            association._sack_duplicates = [7] if kind == "twice" else []
            association._sack_needed |= kind != "no data"
            if association._sack_needed:
                await association._send_sack()
            if not has_more:
                await asyncio.sleep(0)

    asyncio.run(take())
    return association.log


def test_two_packets_are_acknowledged_together_where_the_second_has_come_already() -> None:
    first, last = ("data", True), ("data", False)
    assert acknowledge(last, last) == ["data", "sack", "data", "sack"]
    assert acknowledge(first, last, last) == ["data", "data", "sack", "data", "sack"]
    assert acknowledge(first, first, first, last) == ["data", "data", "sack"] * 2
    assert acknowledge(first, first, last) == ["data", "data", "sack", "data", "sack"]
    assert acknowledge(first, ("no data", False)) == ["data", "no data", "sack"]


@pytest.mark.parametrize("kind", ["gap", "twice"])
def test_what_is_missing_or_came_twice_is_told_at_once(kind: str) -> None:
    assert acknowledge(*[(kind, True)] * 3) == [kind, "sack"] * 3


# ── what we rely on ──────────────────────────────────────────────────────────────────────────────


def test_the_stock_association_has_what_bundles() -> None:
    async def check() -> None:
        pc = RTCPeerConnection()
        pc.createDataChannel("any")
        sctp = pc.sctp
        assert sctp is not None
        assert awaited(takes())(sctp._send_sack)
        assert awaited(takes("chunk"))(sctp._send_chunk)
        assert equals(False)(sctp._sack_needed)
        assert len(sctp._sack_misordered) == len(sctp._sack_duplicates) == 0
        assert sctp._advertised_rwnd > 0
        assert hasattr(sctp, "_last_received_tsn")
        await pc.close()

    asyncio.run(check())


def test_an_acknowledgement_is_asked_for_until_one_is_sent_and_is_made_of_this() -> None:
    handle = inspect.getsource(RTCSctpTransport._handle_data)
    assert handle.rstrip().endswith("if self._sack_needed:\n            await self._send_sack()")
    sack = inspect.getsource(RTCSctpTransport._send_sack)
    for line in (
        "sack.cumulative_tsn = self._last_received_tsn",
        "sack.advertised_rwnd = max(0, self._advertised_rwnd)",
        "self._sack_needed = False",
    ):
        assert sack.count(line) == 1
    assert "bytes(chunk)" in inspect.getsource(inspect.getmodule(RTCSctpTransport).serialize_packet)  # type: ignore[union-attr]
