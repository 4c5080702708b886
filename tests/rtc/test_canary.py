"""What we rely on in aioice that it promises to nobody, and whose private names we touch.

When one of these fails after an upgrade, read the library's new source beside `imgsync/rtc/ice.py`,
`imgsync/rtc/association.py`, `imgsync/rtc/transports.py` or `imgsync/net/websocket.py` before
anything else.

For aiortc see `test_canary_aiortc` and `test_canary_turn`, for trio-websocket `net/test_canary`.
"""

import ast
import asyncio
import inspect
import socket
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from aioice import ice, stun

import imgsync
from imgsync.rtc import ice as our_ice
from tests.kit.canaries import (
    LOOPBACK,
    Check,
    awaited,
    calls_in,
    equals,
    methods_in,
    methods_of,
    our_class,
    parse,
    self_attributes,
    takes,
)

PACKAGE = Path(imgsync.__file__).parent
RECEIVE_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF)
FOREIGN = {"aiortc", "aioice", "anyio", "trio_websocket", "wsproto", "h11", "pyee", "OpenSSL"}


# ── which private names are touched, and where ───────────────────────────────────────────────────


def defined_in(tree: ast.Module) -> set[str]:
    """Names of attributes that the classes of a file have of their own."""
    names = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                names.add(node.attr)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def private_touches(tree: ast.Module) -> Iterator[str]:
    """Private names used on an object whose class is not in the same file."""
    ours = defined_in(tree) | {"_exit"}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if is_private(name) and name not in ours:
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.name for alias in names if is_private(alias.name))
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr"), args=[_, ast.Constant(name), *_]
            ):
                if isinstance(name, str) and is_private(name):
                    yield name


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def foreign_subclasses(tree: ast.Module) -> Iterator[str]:
    """Classes of a file that inherit from a class of a foreign library."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {(a.asname or a.name).split(".")[0]: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {alias.asname or alias.name: node.module or "" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                root = ast.unparse(base).split(".")[0].split("[")[0]
                if modules.get(root, "").split(".")[0] in FOREIGN:
                    yield node.name


def test_private_names_of_others_are_used_in_these_places_only() -> None:
    found = {
        str(path.relative_to(PACKAGE)): touches
        for path in PACKAGE.rglob("*.py")
        if (touches := set(private_touches(parse(path))))
    }
    assert found == {
        "net/websocket.py": {
            *("_reader_task", "_wsproto", "_abort_web_socket", "_close_reason", "_recv_channel"),
            *("_send_channel", "_stream_lock"),
        },
        "rtc/association.py": {
            *("_association_state", "_set_state", "_init", "_receive_chunk", "_send_chunk"),
            *("_data_channel_flush", "_data_channel_open", "_data_channel_queue"),
            *("_setReadyState", "_sent_queue"),
            *("_local_port", "_remote_port", "_local_verification_tag", "_local_tsn", "_hmac_key"),
            *("_remote_verification_tag", "_last_received_tsn", "_reconfig_response_seq"),
            *("_inbound_streams_count", "_inbound_streams_max", "_outbound_streams_count"),
            *("_advertised_rwnd", "_ssthresh", "_get_extensions", "_set_extensions"),
            *("_get_timestamp", "_rto", "_t1_expired", "_t1_failures", "_t3_cancel"),
            *("_t3_expired", "_t3_handle", "_transmit", "_retransmit", "_sent_count"),
            *("_flight_size_decrease", "_send_data"),
        },
        "rtc/consent.py": {"_nominated", "_query_consent_task"},
        "rtc/bundling.py": {
            *("_send_sack", "_send_chunk", "_sack_needed", "_sack_misordered"),
            *("_sack_duplicates", "_last_received_tsn", "_advertised_rwnd"),
        },
        "rtc/ice.py": {"_connection", "_nominated"},
        "rtc/packets.py": {
            *("_association_state", "_set_state", "_receive_chunk", "_send_chunk", "_transmit"),
            "_transmit_reconfig",
            "_reconfig_queue",
            "_reconfig_request",
            *("_outbound_queue", "_book_size", "_local_tsn", "_ssl", "_write_ssl", "_send"),
        },
        "rtc/recovery.py": {
            *("_t3_start", "_t3_restart", "_t3_cancel", "_t3_expired", "_t3_handle"),
            *("_rto", "_update_rto", "_fast_recovery_exit", "_last_sacked_tsn"),
            *("_sent_queue", "_outbound_queue", "_send_chunk", "_receive_sack_chunk"),
            *("_in_flight", "_misses", "_sent_count"),
            *("_t1_start", "_t1_chunk", "_t1_failures", "_receive_chunk"),
        },
        "rtc/transports.py": {
            *("_receive", "_set_state", "_ssl", "_validate_peer_identity"),
            *("_RTCDtlsTransport__local_certificate", "_create_ssl_context"),
            *("_remote_max_message_size", "_receive_sack_chunk"),
            *("_receive_data_chunk", "_get_inbound_stream", "_abort"),
            *("_outbound_queue", "_sent_queue", "_data_channel_queue", "_flight_size"),
            *("_flight_size_increase", "_flight_size_decrease", "_transmit"),
        },
    }


def test_three_classes_alone_inherit_from_foreign_ones() -> None:
    found = {
        str(path.relative_to(PACKAGE)): classes
        for path in PACKAGE.rglob("*.py")
        if (classes := set(foreign_subclasses(parse(path))))
    }
    assert found == {"rtc/ice.py": {"Connection", "Socket", "Allocation"}}


# ── aioice: the class that ours takes the place of ───────────────────────────────────────────────


INHERITED: dict[str, Check] = {
    "query_consent": awaited(takes()),
    "_pair_remote_candidate": takes("remote_candidate"),
    "_unfreeze_initial": takes(),
    "_check_periodic": takes(),
    "_protocols": equals([]),
    "_local_candidates": equals([]),
    "_local_candidates_start": equals(False),
    "_local_candidates_end": equals(False),
    "_remote_candidates": equals([]),
    "_check_list": equals([]),
    "_check_list_state": lambda value: isinstance(value, asyncio.Queue),
    "_early_checks": lambda value: isinstance(value, deque),
    "_early_checks_done": equals(False),
    "_query_consent_task": equals(None),
    "_closing": equals(False),
    "_queue": lambda value: isinstance(value, asyncio.Queue),
    "_valid_username": takes("username"),
    "local_password": lambda value: isinstance(value, str),
}
"""What our class uses of the stock one, and the shape it has there at the start."""

OVERRIDDEN = {
    "gather_candidates",
    "connect",
    "close",
    "build_request",
    "request_received",
    "check_incoming",
    "check_complete",
    "_add_remote_candidate",
    "sort_check_list",
    "_check_list_maybe_fail",
    "_prune_components",
}


@pytest.mark.parametrize("name", INHERITED)
def test_the_stock_connection_has_what_ours_uses(name: str) -> None:
    stock = ice.Connection(ice_controlling=True)
    assert INHERITED[name](getattr(stock, name))


@pytest.mark.parametrize("name", sorted(OVERRIDDEN))
def test_the_stock_connection_has_what_ours_overrides(name: str) -> None:
    stock, ours = getattr(ice.Connection, name), getattr(our_ice.Connection, name)
    assert inspect.signature(stock) == inspect.signature(ours)
    assert inspect.iscoroutinefunction(stock) == inspect.iscoroutinefunction(ours)


def test_the_list_of_what_ours_uses_is_complete_and_its_own_names_hide_nothing() -> None:
    ours = our_class("Connection")
    methods = methods_of(ours)
    own = (self_attributes(methods["__init__"]) | set(methods)) - OVERRIDDEN - {"__init__"}
    assert self_attributes(ours) - own - OVERRIDDEN == set(INHERITED)
    stock = ice.Connection(ice_controlling=True)
    assert set(methods) >= OVERRIDDEN
    assert own.isdisjoint(dir(stock))


def callers_of(call: str) -> set[str]:
    """Methods of the stock connection with a call of this text, up to its bracket."""
    methods = methods_of(parse_stock())
    return {name for name, method in methods.items() if call in calls_in(method)}


def parse_stock() -> ast.ClassDef:
    tree = ast.parse(inspect.getsource(ice.Connection))
    assert isinstance(tree.body[0], ast.ClassDef)
    return tree.body[0]


def test_the_stock_connect_does_what_ours_does_in_its_place() -> None:
    calls = calls_in(methods_of(parse_stock())["connect"])
    assert [call for call in calls if call.startswith(("self.", "asyncio."))] == [
        "self._pair_remote_candidate",
        "self.sort_check_list",
        "self._unfreeze_initial",
        "self.check_incoming",
        "self._early_checks.clear",
        "self._check_periodic",
        "asyncio.sleep",
        "self._check_list_state.get",
        "asyncio.create_task",
        "self.query_consent",
    ]


def test_the_stock_gathering_does_what_ours_does_in_its_place() -> None:
    calls = calls_in(methods_of(parse_stock())["gather_candidates"])
    assert [call for call in calls if "log" not in call] == [
        "get_host_addresses",
        "self.get_component_candidates",
        "asyncio.gather",
    ]


@pytest.mark.parametrize(
    ("call", "callers"),
    [
        # Overridden to do nothing: each may only decide that nothing more can come.
        ("self._prune_components", {"_end_remote_candidates"}),
        ("self._check_list_maybe_fail", {"check_complete", "_end_remote_candidates"}),
        ("self._end_remote_candidates", {"add_remote_candidate"}),
        # Overridden to wake the checks: whoever adds a pair has to call it.
        ("self._check_list.append", {"_pair_remote_candidate", "check_incoming"}),
        ("self._pair_remote_candidate", {"connect", "_add_remote_candidate"}),
        (
            "self.sort_check_list",
            {"connect", "_add_remote_candidate", "check_incoming", "switch_role"},
        ),
        # What ends our connect.
        (
            "self._check_list_state.put_nowait",
            {"close", "_check_list_maybe_complete", "_check_list_maybe_fail"},
        ),
        # What ours does the pacing of.
        ("self._check_periodic", {"connect"}),
        # What ours keeps of each check, and when it may send it again.
        ("self.build_request", {"check_start", "query_consent"}),
        ("self.check_incoming", {"connect", "request_received"}),
        # What ours holds back until the other side is known, and what it may not answer before.
        ("self._early_checks.append", {"request_received"}),
        ("self.respond_error", {"request_received"}),
        # Each end of a check of ours.
        ("self.check_complete", {"check_start", "check_incoming"}),
        # What only fills the list of candidates that aiortc sees; none is paired for being there.
        ("self._local_candidates.clear", {"close"}),
    ],
)
def test_the_stock_connection_calls_it_where_we_believe(call: str, callers: set[str]) -> None:
    assert callers_of(call) == callers


def test_the_host_addresses_come_from_a_function_of_the_module() -> None:
    assert takes("use_ipv4", "use_ipv6")(ice.get_host_addresses)
    addresses = ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    assert all(isinstance(address, str) for address in addresses)


def test_a_server_reflexive_candidate_is_asked_for_with_a_socket_and_a_server() -> None:
    assert awaited(takes("protocol", "stun_server"))(ice.server_reflexive_candidate)


# ── aioice: what it does ─────────────────────────────────────────────────────────────────────────


async def make_stock_pair() -> tuple[ice.Connection, ice.Connection]:
    """Two stock connections on loopback that know each other's candidates."""
    pair = (ice.Connection(ice_controlling=True), ice.Connection(ice_controlling=False))
    for near, far in (pair, pair[::-1]):
        await near.gather_candidates()
        far.remote_username, far.remote_password = near.local_username, near.local_password
        for candidate in near.local_candidates:
            await far.add_remote_candidate(candidate)
        await far.add_remote_candidate(None)
    return pair


@pytest.mark.usefixtures("loopback_hosts")
def test_the_stock_connect_sits_out_the_interval_that_ours_keeps_between_checks() -> None:
    async def measure() -> float:
        pair = await make_stock_pair()
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.gather(*(connection.connect() for connection in pair))
        duration = loop.time() - before
        await asyncio.gather(*(connection.close() for connection in pair))
        return duration

    async def measure_often() -> list[float]:
        return [await measure() for _ in range(5)]

    fastest = min(asyncio.run(measure_often()))
    assert fastest >= our_ice.CHECK_INTERVAL * 0.95


@pytest.mark.usefixtures("loopback_hosts")
def test_a_periodic_check_starts_one_pair_and_a_waiting_one_before_a_frozen_one() -> None:
    async def check() -> None:
        first, second = await make_stock_pair()
        third = ice.Connection(ice_controlling=False)
        await third.gather_candidates()
        near = ice.Connection(ice_controlling=True)
        await near.gather_candidates()
        near.remote_username, near.remote_password = "nobody", "x" * 22
        assert near._check_periodic(), "candidates may still come"
        for far in (second, third):
            await near.add_remote_candidate(far.local_candidates[0])
        frozen, waiting = near._check_list
        assert frozen.state is frozen.State.FROZEN
        waiting.state = waiting.State.WAITING
        assert near._check_periodic()
        assert (frozen.task, waiting.task is None) == (None, False)
        waiting.state = waiting.State.IN_PROGRESS
        assert near._check_periodic()
        assert frozen.task is not None
        near._check_list_done = True
        waiting.state = waiting.State.WAITING
        assert not near._check_periodic()
        await asyncio.gather(*(c.close() for c in (first, second, third, near)))

    asyncio.run(check())


def test_a_socket_hands_on_what_comes_in_by_one_method_and_knows_whom_it_is_for() -> None:
    assert takes("self", "data", "addr")(ice.StunProtocol.datagram_received)
    methods = methods_in(ast.parse(inspect.getsource(ice.StunProtocol)))
    assert "receiver" in self_attributes(methods["__init__"])
    assert "self.receiver.data_received" in calls_in(methods["datagram_received"])


def test_what_no_answer_has_named_yet_may_be_anybody() -> None:
    connection = ice.Connection(ice_controlling=True)
    assert connection._valid_username(f"{connection.local_username}:anybody")
    assert not connection._valid_username("")
    connection.remote_username = "somebody"
    assert connection._valid_username(f"{connection.local_username}:somebody")
    assert not connection._valid_username(f"{connection.local_username}:anybody")
    assert not stun.Message(stun.Method.BINDING, stun.Class.REQUEST).check_message_integrity(b"x")


def test_sockets_are_opened_on_the_given_addresses_alone_as_the_stock_ones_are() -> None:
    async def check() -> None:
        addresses = ["198.51.100.1", "127.0.0.1", "127.0.0.2"]
        ours = our_ice.Connection(attrs.evolve(LOOPBACK, addresses=addresses), ice_controlling=True)
        await ours.gather_candidates()
        stock = ice.Connection(ice_controlling=True)
        expected = await stock.get_component_candidates(1, addresses)
        assert [candidate.host for candidate in expected] == addresses[1:]
        for candidate in expected:
            candidate.port = 1
        found = [protocol.local_candidate for protocol in ours._protocols]
        assert found == ours.local_candidates
        for candidate in found:
            candidate.port = 1
        sizes = {
            protocol.transport.get_extra_info("socket").getsockopt(*RECEIVE_BUFFER)
            for connection in (ours, stock)
            for protocol in connection._protocols
        }
        assert len(sizes) == 1
        assert [one.to_sdp() for one in found] == [one.to_sdp() for one in expected]
        await asyncio.gather(ours.close(), stock.close())

    asyncio.run(check())


@pytest.mark.usefixtures("loopback_hosts")
def test_closing_ends_a_connect_that_waits() -> None:
    async def check() -> None:
        connection, other = await make_stock_pair()
        await other.close()
        connecting = asyncio.create_task(connection.connect())
        await asyncio.sleep(0)
        await connection.close()
        with pytest.raises(ConnectionError):
            await connecting
        await connection.close()

    asyncio.run(check())


def test_the_states_and_the_result_that_we_name_exist() -> None:
    assert {state.name for state in ice.CandidatePair.State} == {
        *("FROZEN", "WAITING", "IN_PROGRESS", "SUCCEEDED", "FAILED"),
    }
    assert ice.ICE_COMPLETED != ice.ICE_FAILED
    assert "task" in self_attributes(ast.parse(inspect.getsource(ice.CandidatePair)))


# ── consent ──────────────────────────────────────────────────────────────────────────────────────


def test_the_stock_connection_asks_for_consent_as_ours_does_in_its_place() -> None:
    assert calls_in(methods_of(parse_stock())["query_consent"]) == [
        "asyncio.sleep",
        "random.random",
        "self._nominated.values",
        "self.build_request",
        "pair.protocol.request",
        "self.remote_password.encode",
        "self.__log_info",
        "self.close",
    ]
    source = inspect.getsource(ice.Connection.query_consent)
    # When this fails, aioice may send a question again by itself.
    assert "retransmissions=0," in source
    assert "self._query_consent_task = None" in source
    assert takes("self", "request", "addr", "integrity_key", "retransmissions")(
        ice.StunProtocol.request
    )
    assert (stun.RETRY_RTO, ice.Connection(ice_controlling=True).remote_password) == (0.5, None)
