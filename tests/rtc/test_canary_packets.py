"""What we rely on in aiortc and aioice for the size of packets, and for IPv6; see `test_canary`."""

import ast
import asyncio
import inspect
import textwrap
from typing import Any, cast

from aioice import ice, stun, turn
from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCSctpTransport, rtcsctptransport
from aiortc.rtcsctptransport import DataChunk, HeartbeatAckChunk, HeartbeatChunk, parse_packet

from imgsync.rtc import ice as our_ice
from tests.kit.canaries import awaited, calls_in, takes


def calls(function: object) -> list[str]:
    return calls_in(ast.parse(textwrap.dedent(inspect.getsource(cast(Any, function)))))


def test_the_stock_association_has_what_ours_uses_and_overrides() -> None:
    async def check() -> None:
        pc = RTCPeerConnection()
        pc.createDataChannel("any")
        sctp = pc.sctp
        assert sctp is not None
        assert takes("state")(sctp._set_state)
        assert awaited(takes("chunk"))(sctp._receive_chunk)
        assert awaited(takes("chunk"))(sctp._send_chunk)
        assert awaited(takes())(sctp._transmit)
        assert awaited(takes())(sctp._transmit_reconfig)
        assert awaited(takes())(sctp.transport._write_ssl)
        assert awaited(takes("data"))(sctp.transport.transport._send)
        assert sctp._association_state is RTCSctpTransport.State.CLOSED
        assert len(sctp._outbound_queue) == 0
        assert 0 <= sctp._local_tsn < 2**32
        await pc.close()

    asyncio.run(check())


def test_what_is_to_be_sent_is_numbered_in_a_row_and_transmitted_at_once() -> None:
    source = inspect.getsource(RTCSctpTransport._send)
    assert calls(RTCSctpTransport._send)[-1] == "self._transmit"
    for line in ("chunk.tsn = self._local_tsn", "self._outbound_queue.append(chunk)"):
        assert source.count(line) == 1
    assert source.count("chunk._book_size = len(chunk.user_data)") == 1
    # Once one message is begun with and cut into chunks, the next waits until all of it was sent.
    flush = inspect.getsource(RTCSctpTransport._data_channel_flush)
    assert "while self._data_channel_queue and not self._outbound_queue:" in flush
    # At most so much goes at once, and each chunk that begins within it.
    transmit = inspect.getsource(RTCSctpTransport._transmit)
    assert "burst_size = 4 * USERDATA_MAX_LENGTH" in transmit
    assert "while self._outbound_queue and self._flight_size < cwnd:" in transmit
    assert rtcsctptransport.SCTP_MAX_BURST == 4
    # Numbers of what is not sent yet are known to nobody else but a request to reset streams, which
    # is made when no message waits.
    everything = inspect.getsource(rtcsctptransport)
    assert everything.count("self._local_tsn = ") == 2
    assert everything.count("last_tsn=tsn_minus_one(self._local_tsn)") == 1


def test_heartbeats_are_answered_with_what_is_in_them_and_their_answers_are_of_no_use() -> None:
    source = inspect.getsource(RTCSctpTransport._receive_chunk)
    assert "heartbeat_ack.params = chunk.params" in source
    assert "HeartbeatAckChunk)" not in source
    probe = HeartbeatChunk()
    probe.params = [(1, b"x" * 1168)]
    packet = rtcsctptransport.serialize_packet(5000, 5000, 7, probe)
    assert len(packet) == 1188
    [read] = parse_packet(packet)[3]
    assert cast(Any, read).params == probe.params
    assert HeartbeatAckChunk.type == 5


def test_a_packet_of_data_is_acknowledged_once_and_what_was_not_is_with_the_next() -> None:
    source = inspect.getsource(RTCSctpTransport._handle_data)
    assert source.rstrip().endswith("if self._sack_needed:\n            await self._send_sack()")
    assert awaited(takes("self"))(RTCSctpTransport._send_sack)
    everything = inspect.getsource(rtcsctptransport)
    assert everything.count("self._send_sack()") == 1
    assert everything.count("self._sack_needed = False") == 2  # at first, and in _send_sack
    for line in ("self._sack_duplicates.append(tsn)", "self._sack_misordered.add(tsn)"):
        assert line in inspect.getsource(RTCSctpTransport._mark_received)


def test_what_comes_in_waits_in_one_queue_and_no_packet_is_longer_than_ours_allow() -> None:
    assert calls(ice.Connection.data_received) == ["self._queue.put_nowait"]
    assert "self._queue.get" in calls(ice.Connection.recvfrom)
    assert "self._ssl.recv(1500)" in inspect.getsource(RTCDtlsTransport._recv_next)


def test_a_chunk_of_data_can_be_copied_with_what_aiortc_has_put_on_it() -> None:
    assert "__slots__" not in vars(DataChunk)
    assert {"_book_size", "_in_flight", "_retransmit"} <= set(DataChunk.__annotations__)


def test_the_stock_dtls_sends_what_openssl_has_as_one_datagram() -> None:
    assert calls(RTCDtlsTransport._write_ssl) == [
        "self._ssl.bio_read",
        "self.transport._send",
        "len",  # counted, for nobody here
    ]


def test_a_turn_client_asks_by_a_method_that_can_be_wrapped_and_knows_no_family() -> None:
    asked = calls(turn.TurnClientMixin.connect)
    assert asked.count("self.request_with_retry") == 1
    assert awaited(takes("self", "request"))(turn.TurnClientMixin.request_with_retry)
    stock = {entry[0] for entry in stun.ATTRIBUTES}
    assert 0x0017 not in stock
    request = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
    request.attributes[our_ice._REQUESTED_FAMILY] = our_ice._IPV6_FAMILY
    # Type 0x0017, 4 bytes: family 2, and three that are reserved (RFC 8656, section 18.6).
    assert bytes(request)[20:28] == bytes.fromhex("0017000402000000")
    assert stun.parse_message(bytes(request)).attributes == request.attributes
