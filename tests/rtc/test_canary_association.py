"""What we rely on in aiortc for how an association starts; see `test_canary`."""

import ast
import asyncio
import inspect
import textwrap
from collections import deque

from aiortc import RTCDataChannel, RTCPeerConnection, RTCSctpTransport, rtcsctptransport
from aiortc.rtcsctptransport import Chunk, CookieEchoChunk, DataChunk, InitChunk

from tests.kit.canaries import Check, awaited, calls_in, equals, takes

STATE: dict[str, Check] = {
    "_init": awaited(takes()),
    "_data_channel_flush": awaited(takes()),
    "_receive_chunk": awaited(takes("chunk")),
    "_send_chunk": awaited(takes("chunk")),
    "_transmit": awaited(takes()),
    "_set_state": takes("state"),
    "_t1_expired": takes(),
    "_t3_expired": takes(),
    "_t3_cancel": takes(),
    "_flight_size_decrease": takes("chunk"),
    "_get_extensions": takes("params"),
    "_set_extensions": takes("params"),
    "_get_timestamp": lambda value: isinstance(value(), int),
    "_hmac_key": lambda value: isinstance(value, bytes),
    "_advertised_rwnd": equals(1 << 20),
    "_association_state": equals(RTCSctpTransport.State.CLOSED),
    "_data_channel_queue": lambda value: isinstance(value, deque) and len(value) == 1,
    "_sent_queue": equals(deque()),
    "_inbound_streams_count": equals(0),
    "_inbound_streams_max": equals(65535),
    "_outbound_streams_count": equals(65535),
    "_last_received_tsn": equals(None),
    "_reconfig_response_seq": equals(0),
    "_local_port": equals(5000),
    "_remote_port": equals(None),
    "_local_tsn": lambda value: 0 <= value < 2**32,
    "_local_verification_tag": lambda value: 0 <= value < 2**32,
    "_remote_verification_tag": equals(0),
    "_rto": equals(3.0),
    "_t1_failures": equals(0),
    "_t3_handle": equals(None),
}
"""What ours uses of a new association with a channel that is to be opened, and its shape."""


def source_of(name: str) -> str:
    return inspect.getsource(getattr(RTCSctpTransport, name))


def calls(name: str) -> list[str]:
    return calls_in(ast.parse(textwrap.dedent(source_of(name))))


def test_the_stock_association_has_what_ours_uses() -> None:
    async def check() -> None:
        pc = RTCPeerConnection()
        pc.createDataChannel("any")
        wrong = [name for name, is_right in STATE.items() if not is_right(getattr(pc.sctp, name))]
        assert wrong == []
        await pc.close()

    asyncio.run(check())


def test_the_state_is_told_by_one_method_and_asked_by_one_attribute() -> None:
    everything = inspect.getsource(rtcsctptransport)
    assert everything.count("self._association_state = ") == 2  # and where it begins
    assert "if self._association_state != self.State.ESTABLISHED:" in source_of(
        "_data_channel_flush"
    )


def test_nothing_is_waited_for_where_messages_are_made_to_chunks() -> None:
    # For its time the state says what is not so yet, and nobody else may have a turn.
    def waits(name: str) -> set[str]:
        tree = ast.parse(textwrap.dedent(source_of(name)))
        return {
            ast.unparse(node.value.func)
            for node in ast.walk(tree)
            if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        }

    assert waits("_data_channel_flush") == {"self._send", "self._transmit_reconfig"}
    assert waits("_send") == {"self._transmit"}
    assert waits("_transmit") == {"self._send_chunk"}
    assert waits("_transmit_reconfig") == {"self._send_reconfig_param"}


def test_a_cookie_echo_goes_by_the_method_for_chunks_and_again_by_the_timer() -> None:
    receive = source_of("_receive_chunk")
    assert "await self._send_chunk(echo)\n" in receive
    assert receive.index("await self._send_chunk(echo)") < receive.index("self._t1_start(echo)")
    assert "self._send_chunk" in calls("_t1_expired")
    assert "self._t1_failures > SCTP_MAX_INIT_RETRANS" in source_of("_t1_expired")
    for timer in ("_t1_start", "_t1_expired"):
        assert "call_later(self._rto, self._t1_expired)" in source_of(timer)
    assert issubclass(CookieEchoChunk, Chunk)
    # Whatever has the bytes of chunks is sent as one.
    assert "data = bytes(chunk)" in inspect.getsource(rtcsctptransport.serialize_packet)


def test_a_state_cookie_is_a_stamp_and_its_hash_and_has_nothing_of_the_other_side() -> None:
    receive = source_of("_receive_chunk")
    assert 'cookie = pack("!L", self._get_timestamp())' in receive
    assert 'cookie += hmac.new(self._hmac_key, cookie, "sha1").digest()' in receive
    assert rtcsctptransport.COOKIE_LENGTH == 24


def test_the_stock_association_begins_anew_with_each_init() -> None:
    # When this fails, aiortc may do by itself what ours does instead.
    receive = source_of("_receive_chunk")
    begin = receive.index("elif isinstance(chunk, InitChunk):")
    taken = receive[begin : receive.index("init_ack = InitAckChunk()")]
    for name in ("last_received_tsn", "reconfig_response_seq", "remote_verification_tag"):
        assert f"self._{name} = " in taken
    assert "init_ack.initial_tsn = self._local_tsn" in receive
    assert {"initiate_tag", "advertised_rwnd", "initial_tsn", "params"} <= set(vars(InitChunk()))


def test_a_chunk_that_is_on_its_way_has_what_ours_changes() -> None:
    assert {"_retransmit", "_sent_count"} <= set(DataChunk.__annotations__)
    assert "schunk._sent_count == 1" in source_of("_receive_sack_chunk")


def test_a_channel_is_opened_by_one_method_and_its_ack_opens_no_open_one() -> None:
    assert takes("self", "state")(RTCDataChannel._setReadyState)
    receive = source_of("_data_channel_receive")
    assert 'if channel.readyState == "connecting":' in receive
    assert takes("self", "channel")(RTCSctpTransport._data_channel_open)
    assert "self.__transport._data_channel_open(self)" in inspect.getsource(RTCDataChannel)


def test_the_association_of_a_connection_begins_in_the_turn_in_which_dtls_is_done() -> None:
    # What comes right behind the last words of DTLS finds who takes it.
    connect = inspect.getsource(RTCPeerConnection._RTCPeerConnection__connect)  # type: ignore[attr-defined]
    assert connect.index("await dtlsTransport.start(") < connect.index("await self.__sctp.start(")
