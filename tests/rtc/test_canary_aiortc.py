"""What we rely on in aiortc that it promises to nobody, and which versions are taken.

See `test_canary` for what to do when one of these fails.
"""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiortc.rtcdtlstransport
import aiortc.rtcicetransport
import aiortc.rtcsctptransport
import pytest
from aioice import ice
from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceServer,
    RTCPeerConnection,
    RTCSctpTransport,
)
from aiortc.rtcicetransport import RTCIceGatherer, candidate_from_aioice, parse_stun_turn_uri
from aiortc.rtcsctptransport import DataChunk
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from OpenSSL import SSL

import imgsync
from imgsync.core.protocol.numbers import MAX_MESSAGE_SIZE
from imgsync.rtc import ice as our_ice
from imgsync.rtc.transports import CIPHERS
from tests.kit.canaries import (
    LOOPBACK,
    STUN_SERVER,
    awaited,
    calls_in,
    make_ice_connection,
    methods_in,
    takes,
)

PACKAGE = Path(imgsync.__file__).parent


def test_aiortc_makes_its_ice_connections_by_a_name_of_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, object]] = []

    def make(**options: Any) -> ice.Connection:
        made.append(options)
        return ice.Connection(**options)

    monkeypatch.setattr(aiortc.rtcicetransport, "Connection", make)
    RTCIceGatherer([RTCIceServer(f"stun:{STUN_SERVER[0]}:{STUN_SERVER[1]}")])
    assert len(made) == 1
    assert made[0]["stun_server"] == STUN_SERVER
    assert made[0]["ice_controlling"] is False
    # That it is made there and nowhere else is what lets a block of code decide which kind.
    source = inspect.getsource(aiortc.rtcicetransport)
    assert calls_in(ast.parse(source)).count("Connection") == 1


def test_other_users_of_aiortc_in_the_same_process_keep_the_stock_class() -> None:
    async def check() -> None:
        with our_ice.trickling(LOOPBACK):
            ours = await make_ice_connection()
        theirs = await make_ice_connection()
        assert (type(ours), type(theirs)) == (our_ice.Connection, ice.Connection)

    async def check_at_the_same_time() -> None:
        inside = asyncio.Event()
        done = asyncio.Event()

        async def stay_inside() -> None:
            with our_ice.trickling(LOOPBACK):
                inside.set()
                await done.wait()

        staying = asyncio.create_task(stay_inside())
        await inside.wait()
        assert type(await make_ice_connection()) is ice.Connection
        done.set()
        await staying

    asyncio.run(check())
    asyncio.run(check_at_the_same_time())
    assert type(ice.Connection(ice_controlling=True)) is ice.Connection


@pytest.mark.usefixtures("loopback_hosts")
def test_candidates_and_their_end_are_lines_of_the_local_description() -> None:
    async def describe() -> list[str]:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.createDataChannel("any")
        await pc.setLocalDescription(await pc.createOffer())
        lines: list[str] = pc.localDescription.sdp.splitlines()
        await pc.close()
        return lines

    lines = asyncio.run(describe())
    assert sum(line.startswith("a=candidate:") for line in lines) == 1
    assert lines.count("a=end-of-candidates") == 1


def test_sctp_hands_each_message_whole_to_one_method_that_can_be_replaced() -> None:
    assert awaited(takes("self", "stream_id", "pp_id", "data"))(RTCSctpTransport._receive)
    source = ast.parse(inspect.getsource(aiortc.rtcsctptransport))
    calls = calls_in(source)
    assert calls.count("self._data_channel_receive") == 1
    assert "self._data_channel_receive" in calls_in(methods_in(source)["_receive"])
    assert calls.count("self._receive") == 2


def test_sctp_collects_messages_where_we_look_for_them() -> None:
    assert awaited(takes("self", "chunk"))(RTCSctpTransport._receive_data_chunk)
    assert awaited(takes("self"))(RTCSctpTransport._abort)
    source = ast.parse(inspect.getsource(aiortc.rtcsctptransport))
    assert calls_in(source).count("self._receive_data_chunk") == 1
    assert "inbound_stream.add_chunk" in calls_in(methods_in(source)["_receive_data_chunk"])
    assert RTCSctpTransport.getCapabilities().maxMessageSize == MAX_MESSAGE_SIZE

    async def check() -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.createDataChannel("any")
        assert pc.sctp is not None
        assert pc.sctp._get_inbound_stream(0).reassembly == []
        await pc.close()

    asyncio.run(check())


def test_sctp_keeps_what_is_unsent_where_we_look_for_it() -> None:
    assert awaited(takes("self", "chunk"))(RTCSctpTransport._receive_sack_chunk)
    source = ast.parse(inspect.getsource(aiortc.rtcsctptransport))
    assert calls_in(source).count("self._receive_sack_chunk") == 1

    async def check() -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.createDataChannel("any")
        sctp = pc.sctp
        assert sctp is not None
        queues = (sctp._outbound_queue, sctp._sent_queue, sctp._data_channel_queue)
        assert [len(queue) for queue in queues] == [0, 0, 1]
        assert (sctp._flight_size, sctp._remote_max_message_size) == (0, 65536)
        await pc.close()

    asyncio.run(check())


def test_all_that_is_in_flight_is_counted_by_two_methods_that_can_be_replaced() -> None:
    assert takes("self", "chunk")(RTCSctpTransport._flight_size_increase)
    assert takes("self", "chunk")(RTCSctpTransport._flight_size_decrease)
    source = inspect.getsource(aiortc.rtcsctptransport)
    assert len(re.findall(r"\b_flight_size [-+]?= ", source)) == 3  # and where it begins, at 0
    assert DataChunk().stream_id == 0


def test_an_sctp_association_that_is_set_to_closed_ends_its_timers() -> None:
    assert takes("self", "state")(RTCSctpTransport._set_state)
    source = ast.parse(inspect.getsource(aiortc.rtcsctptransport))
    calls = calls_in(methods_in(source)["_set_state"])
    assert {f"self._{timer}_cancel" for timer in ("t1", "t2", "t3", "reconfig_timer")} <= set(calls)
    assert isinstance(RTCSctpTransport.State.CLOSED, RTCSctpTransport.State)


def test_the_shutdown_of_dtls_is_that_of_an_openssl_connection() -> None:
    async def check() -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.createDataChannel("any")
        assert pc.sctp is not None
        assert pc.sctp.transport._ssl is None
        assert (pc.sctp.transport.state, pc.sctp.state) == ("new", "new")
        await pc.close()

    asyncio.run(check())
    start = methods_in(ast.parse(inspect.getsource(aiortc.rtcdtlstransport)))["start"]
    assert "SSL.Connection" in calls_in(start)
    assert takes("self")(SSL.Connection.get_shutdown)


def test_dtls_takes_its_context_from_the_one_certificate_of_its_connection() -> None:
    async def check() -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.createDataChannel("any")
        other = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        other.createDataChannel("any")
        certificates = []
        for one in (pc, other):
            assert one.sctp is not None
            certificates.append(one.sctp.transport._RTCDtlsTransport__local_certificate)  # type: ignore[attr-defined]
            await one.close()
        assert certificates[0] is not certificates[1]

    asyncio.run(check())
    assert takes("self", "srtp_profiles")(RTCCertificate._create_ssl_context)
    source = ast.parse(inspect.getsource(aiortc.rtcdtlstransport))
    assert calls_in(source).count("self.__local_certificate._create_ssl_context") == 1
    assert calls_in(methods_in(source)["_create_ssl_context"]).count("ctx.set_cipher_list") == 1


def test_dtls_offers_no_suites_but_those_of_ecdsa_certificates() -> None:
    # When this fails, aiortc may do by itself what ours adds.
    source = inspect.getsource(RTCCertificate._create_ssl_context)
    assert re.findall(r'b"(ECDHE.*)"', source) == [
        ":".join(name for name in CIPHERS.decode().split(":") if "ECDSA" in name)
    ]


def test_dtls_wants_every_fingerprint_to_fit() -> None:
    assert takes("self", "remoteParameters")(RTCDtlsTransport._validate_peer_identity)
    source = inspect.getsource(RTCDtlsTransport._validate_peer_identity)
    assert "if not fingerprint_supported or fingerprint_valid != fingerprint_supported" in source
    methods = methods_in(ast.parse(inspect.getsource(aiortc.rtcdtlstransport)))
    assert "self._validate_peer_identity" in calls_in(methods["start"])


def test_a_candidate_survives_the_way_into_aiortc_and_back() -> None:
    line = "abc 1 udp 1694498815 203.0.113.7 40000 typ srflx raddr 192.0.2.7 rport 50000"
    parsed = candidate_from_sdp(line)
    assert candidate_to_sdp(parsed) == line
    there = aiortc.rtcicetransport.candidate_to_aioice(parsed)
    assert candidate_to_sdp(candidate_from_aioice(there)) == line


def test_a_stun_url_is_parsed_to_its_scheme_or_refused_with_a_value_error() -> None:
    assert parse_stun_turn_uri("stun:stun.example")["scheme"] == "stun"
    assert parse_stun_turn_uri("turns:turn.example")["scheme"] == "turns"
    for nonsense in ("", "stun", "stun:", "http://stun.example"):
        with pytest.raises(ValueError, match="malformed uri"):
            parse_stun_turn_uri(nonsense)


# ── the version guard ────────────────────────────────────────────────────────────────────────────


def import_with(folder: Path, name: str, version: str) -> subprocess.CompletedProcess[str]:
    """Import the room in a process in which a library says that it has this version."""
    metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return subprocess.run(
        [sys.executable, "-c", "import imgsync.rtc.ice"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(PACKAGE.parent)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "version", "known"), [("aiortc", "1.17.0", "1.16"), ("aioice", "0.130.1", "0.13")]
)
def test_an_unknown_version_is_refused_with_what_to_do(
    tmp_path: Path, name: str, version: str, known: str
) -> None:
    process = import_with(tmp_path, name, version)
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == (
        f"ImportError: imgsync works with {name} {known}, and {version} is installed;"
        f" run: pip install '{name}=={known}.*'"
    )


def test_another_patch_release_of_a_known_version_is_taken(tmp_path: Path) -> None:
    process = import_with(tmp_path, "aioice", "0.13.99")
    assert (process.returncode, process.stderr) == (0, "")
