"""What we rely on in aiortc for what is sent again; see `test_canary`."""

import ast
import asyncio
import inspect
import textwrap
from typing import Any, cast

from aiortc import RTCPeerConnection, RTCSctpTransport, rtcsctptransport
from aiortc.rtcsctptransport import SCTP_TSN_MODULO, DataChunk, SackChunk
from aiortc.utils import uint32_gt

from imgsync.rtc.recovery import _MISSES
from tests.kit.canaries import awaited, calls_in, takes


def source_of(function: object) -> str:
    return textwrap.dedent(inspect.getsource(cast(Any, function)))


def test_the_stock_association_has_what_ours_uses_and_overrides() -> None:
    async def check() -> None:
        pc = RTCPeerConnection()
        pc.createDataChannel("any")
        sctp = pc.sctp
        assert sctp is not None
        for timer in (sctp._t3_start, sctp._t3_restart, sctp._t3_cancel, sctp._t3_expired):
            assert takes()(timer)
        assert takes("R")(sctp._update_rto)
        assert takes("chunk")(sctp._t1_start)
        assert awaited(takes("chunk"))(sctp._receive_chunk)
        assert (sctp._t1_chunk, sctp._t1_failures) == (None, 0)
        assert awaited(takes("chunk"))(sctp._send_chunk)
        assert awaited(takes("chunk"))(sctp._receive_sack_chunk)
        assert (sctp._t3_handle, sctp._fast_recovery_exit) == (None, None)
        assert sctp._rto == rtcsctptransport.SCTP_RTO_INITIAL
        assert 0 <= sctp._last_sacked_tsn < SCTP_TSN_MODULO
        assert (len(sctp._sent_queue), len(sctp._outbound_queue)) == (0, 0)
        await pc.close()

    asyncio.run(check())


def test_the_timer_is_started_stopped_and_looked_for_by_these_names_alone() -> None:
    everything = inspect.getsource(rtcsctptransport)
    made = [line.strip() for line in everything.splitlines() if "_t3_expired" in line]
    # In the methods that are replaced, and where it is defined.
    assert len(made) == 3
    for method in (RTCSctpTransport._t3_start, RTCSctpTransport._t3_restart):
        assert "call_later(self._rto, self._t3_expired)" in source_of(method)
    # It takes any handle that it finds for a timer that runs.
    transmit = source_of(RTCSctpTransport._transmit)
    assert transmit.count("if not self._t3_handle:") == 2
    expired = source_of(RTCSctpTransport._t3_expired)
    assert expired.index("self._t3_handle = None") < expired.index("_retransmit = True")
    assert "_rto" not in expired  # it does not wait longer the second time
    assert "self._t3_cancel" in calls_in(ast.parse(source_of(RTCSctpTransport._set_state)))


def test_a_round_trip_is_measured_on_what_was_sent_once_alone() -> None:
    receive = source_of(RTCSctpTransport._receive_sack_chunk)
    assert "if done == 1 and schunk._sent_count == 1:" in receive
    assert receive.count("self._update_rto(") == 1
    assert "self._rto = max(SCTP_RTO_MIN" in source_of(RTCSctpTransport._update_rto)


def test_what_begins_an_association_is_asked_with_a_timer_and_forgotten_when_answered() -> None:
    start, cancel = source_of(RTCSctpTransport._t1_start), source_of(RTCSctpTransport._t1_cancel)
    assert start.index("self._t1_chunk = chunk") < start.index("self._t1_failures = 0")
    assert "self._t1_chunk = None" in cancel
    assert "self._t1_failures += 1" in source_of(RTCSctpTransport._t1_expired)
    for method in (RTCSctpTransport._init, RTCSctpTransport._receive_chunk):
        body = source_of(method)
        assert body.index("await self._send_chunk(") < body.index("self._t1_start(")


def test_a_chunk_is_lost_with_the_third_report_of_what_is_behind_it() -> None:
    receive = source_of(RTCSctpTransport._receive_sack_chunk)
    assert f"if schunk._misses == {_MISSES}:" in receive
    assert {"_in_flight", "_misses", "_sent_count"} <= set(DataChunk.__annotations__)
    # What is reported behind a gap is in flight no more, as is what waits to be sent again.
    acked = receive[receive.index("schunk._acked = True") :]
    assert "self._flight_size_decrease(schunk)" in acked[: acked.index("# strike")]
    assert "self._flight_size_decrease(chunk)" in source_of(RTCSctpTransport._t3_expired)
    sack = SackChunk()
    assert (sack.gaps, sack.duplicates, sack.cumulative_tsn) == ([], [], 0)
    assert uint32_gt(0, SCTP_TSN_MODULO - 1)


def test_what_came_twice_is_acknowledged_at_once_with_its_number() -> None:
    assert "self._sack_duplicates.append(tsn)" in source_of(RTCSctpTransport._mark_received)
    assert "sack.duplicates = self._sack_duplicates[:]" in source_of(RTCSctpTransport._send_sack)
