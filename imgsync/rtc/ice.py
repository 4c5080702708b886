"""ICE as sessions need it: trickled, woken at once, on the addresses that were asked for.

Everything private to aioice 0.13 that we touch is touched in this file, and what is private to
aiortc 1.16 here and in `transports.py`; the canary test fails when one of these names goes.
`Connection` takes the place of aioice's class of that name in aiortc, and changes six things:

- gathering ends with the host candidates, in milliseconds; what STUN and TURN servers say later is
  reported as it comes, and one that never answers costs nothing. A server-reflexive candidate has
  no socket of its own in aioice, so it only has to be told to the other side; a relayed one has,
  and is paired with what the other side has told so far;
- `connect` keeps the 20 ms between checks, but returns when a pair is nominated and not at the end
  of a tick, and starts on a new candidate when it comes. It never gives up by itself: the other
  side's checks may still arrive (RFC 8863), and each attempt has a deadline anyway;
- a check that the other side's NAT or TURN server did not let pass is sent again when the other
  side's own check shows that the way is free, and not half a second later;
- an offer may be answered by several windows of a user, and only one of them wins. Checks that come
  before the answer wait for it, unanswered, because a peer whose check was answered may start DTLS
  (RFC 8445, section 12.1); then those of the answer's user name fragment alone are answered. DTLS
  gets what comes on paths that passed a check, and nothing else;
- addresses can be chosen, and loopback is used where the machine has nothing else; or no address
  of ours is used and told at all, but relayed ones;
- IPv6 is asked for as IPv4 is: server-reflexive candidates of sockets of both families, and one
  relayed address of IPv6 beside those of IPv4, which TURN servers give if they are asked for
  nothing else. All addresses that a server's name has are tried.

Other users of aiortc in the same process keep the stock class.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiortc.rtcicetransport
import attrs
from aioice import Candidate, TransportPolicy, ice, stun, turn
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCPeerConnection, RTCSctpTransport
from aiortc.rtcicetransport import candidate_from_aioice
from aiortc.sdp import candidate_to_sdp

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import Fruitless, Gathered
from imgsync.core.network.proxies import Proxy
from imgsync.core.protocol.addresses import is_of_one_host
from imgsync.core.protocol.errors import ImgsyncError
from imgsync.distribution import version_of
from imgsync.rtc.names import first_answer, is_ipv6, plain_address, resolve
from imgsync.rtc.servers import StunServer, TurnServer
from imgsync.rtc.tcp import connect_tcp, proxy_to
from imgsync.seams import ServerFailed

log = logging.getLogger(__name__)

GATHERING_DEADLINE = 5.0
"""Seconds that STUN and TURN servers have; meanwhile everything else goes on."""

RELEASE_DEADLINE = 1.0
"""Seconds for a TURN server to confirm that it has let go of our address; stock waits for 63."""

BINDING_REFRESH = 240
"""Seconds after which a TURN channel is bound anew. A server forgets within 300 whom it may let
pass (RFC 8656, section 9); stock binds anew after 500, which only some servers put up with."""

CHECK_INTERVAL = 0.02
"""Seconds between checks, as stock aioice; RFC 8445, section 14.2, asks for at least 5 ms."""

UNAUTHORIZED = 401
"""What a TURN server answers to credentials that it does not take (RFC 8489, section 9.2.4)."""

MAX_PHRASE = 200
"""Characters of what a server gives as its reason."""

_KNOWN = {"aiortc": "1.16", "aioice": "0.13"}
_UNCHECKED = (ice.CandidatePair.State.WAITING, ice.CandidatePair.State.FROZEN)

_LAST_STUN_BYTE = 3
"""What a packet of STUN begins with is at most this, and no packet of DTLS is (RFC 7983)."""

_NO_ADDRESS, _NO_IPV6_ADDRESS = ("0.0.0.0", 9), ("::", 9)
"""Says that there is none to tell (RFC 8839, sections 4.1 and 5.1)."""

_PORT_TAKEN = 437
"""What a TURN server answers where it still has an allocation for the port that we ask from: of a
connection that nobody has ended, for up to ten minutes (RFC 8656, section 7.3)."""

_OTHER_PORTS = 3
"""That are asked from then; the system chooses each (RFC 8656, section 7.4)."""

_FAMILY_UNSUPPORTED = 440
"""What a TURN server answers that has no address of a family to give (RFC 8656, section 15)."""

_REQUESTED_FAMILY = "REQUESTED-ADDRESS-FAMILY"
_IPV6_FAMILY = 0x02000000
"""RFC 8656, section 18.6."""

_IPV6_RANK = 256
"""Relayed addresses of IPv6 come after those of IPv4, which every peer is sooner able to reach."""

_ALL_LOOPBACK = ("127.0.0.1", "::1")

MAX_BATCH = 16
"""Datagrams that are taken from one socket in one turn of the loop; everything else waits."""

_MAX_DATAGRAM = 1 << 16


@attrs.frozen
class IceSettings:
    """How one peer connection gathers.

    :param addresses: the only local addresses to use; empty for all but loopback.
    :param tell: told, on the loop thread, each candidate after the host ones and each server that
        gave none; then that there will be no more, and that it is of no use without any.
    :param turn: in order of preference.
    :param relay_only: use and tell relayed candidates only, so that the other side does not learn
        our addresses. The description still has one candidate, which stands in for those to come
        and has to be taken out.
    """

    addresses: Sequence[str]
    tell: Callable[[Gathered | ServerFailed | Fruitless], None]
    stun: StunServer | None = None
    turn: Sequence[TurnServer] = ()
    relay_only: bool = False


_settings: ContextVar[IceSettings | None] = ContextVar("ice_settings", default=None)


@contextlib.contextmanager
def trickling(settings: IceSettings) -> Iterator[None]:
    """Transports that aiortc makes inside this block, in this task, trickle."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


class Connection(ice.Connection):
    """An ICE connection that trickles and does not dawdle."""

    def __init__(self, settings: IceSettings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self._trickle_task: asyncio.Task[None] | None = None
        #: Set when there may be something new to check.
        self._news = asyncio.Event()
        #: The last request of each pair that was not sent a second time out of turn.
        self._resendable: dict[ice.CandidatePair, stun.Message] = {}
        #: A socket of ours and an address: a check between the two has passed, of either side.
        self._paths: set[tuple[ice.StunProtocol, tuple[str, int]]] = set()

    async def gather_candidates(self) -> None:
        """Gather host candidates; the rest goes on in the background and is reported."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        if self._settings.relay_only:
            # aiortc does not start before there is a candidate, and it never looks again.
            self._local_candidates.append(_describe(_NO_ADDRESS, "host", None))
        else:
            for address in list(self._settings.addresses) or _host_addresses():
                if (protocol := await _open_socket(self, address)) is not None:
                    self._protocols.append(protocol)
                    self._local_candidates.append(protocol.local_candidate)
        self._local_candidates_end = True
        servers = Servers(self, self._settings, self._protocols)
        self._trickle_task = asyncio.create_task(servers.ask_all())

    def _add_remote_candidate(self, remote_candidate: Candidate, network_host: str) -> None:
        """Use a candidate of theirs; what an mDNS name means, anybody near may have said."""
        if is_of_one_host(network_host):
            super()._add_remote_candidate(remote_candidate, network_host)
        else:
            log.info("%s is passed over: %s is no host", remote_candidate.host, network_host)

    @property
    def has_sockets(self) -> bool:
        """Whether there is anything that it could be reached by."""
        return bool(self._protocols)

    def add_relayed(self, sock: ice.StunProtocol) -> None:
        """Use a relayed address, with what the other side has told so far."""
        self._protocols.append(sock)
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()

    async def connect(self) -> None:
        """Check pairs until one is nominated. Raises ConnectionError when closed before."""
        for candidate in self._remote_candidates:
            self._pair_remote_candidate(candidate)
        self.sort_check_list()
        self._unfreeze_initial()
        self._early_checks_done = True
        for check in self._early_checks:
            self.request_received(*check)
        self._early_checks.clear()

        pacing = asyncio.create_task(self._pace_checks())
        try:
            result = await self._check_list_state.get()
        finally:
            pacing.cancel()
        for pair in self._check_list:
            if pair.task is not None:
                pair.task.cancel()
        # It can be closed in the moment between its completion and our turn.
        if result != ice.ICE_COMPLETED or self._closing:
            raise ConnectionError("closed before a pair of candidates worked")
        self._query_consent_task = asyncio.create_task(self.query_consent())

    async def _pace_checks(self) -> None:
        """Start one check after the other, the interval apart; look at new pairs as they come."""
        while True:
            self._news.clear()
            starts_one = any(pair.state in _UNCHECKED for pair in self._check_list)
            self._check_periodic()
            if starts_one:
                await asyncio.sleep(CHECK_INTERVAL)
            else:
                await self._news.wait()

    def build_request(self, pair: ice.CandidatePair, nominate: bool) -> stun.Message:
        """Build a check, and keep it for `check_incoming`."""
        request = self._resendable[pair] = super().build_request(pair, nominate)
        return request

    def request_received(
        self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol
    ) -> None:
        """Answer the other side's check; one that comes before we know the other side waits."""
        can_tell_whose = self._early_checks_done
        is_for_us = self._valid_username(message.attributes.get("USERNAME", ""))
        key = self.local_password.encode()
        if can_tell_whose or not is_for_us or not message.check_message_integrity(key):
            super().request_received(message, addr, protocol)
        else:
            self._early_checks.append((message, addr, protocol))

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol
    ) -> None:
        """Handle the other side's check; if ours of the same pair is on its way, send it again.

        It may have come too early to be let pass. RFC 8445, section 7.3.1.4, has a new check for
        this; the same one again will do, and an answer to either sending counts.
        """
        for pair in self._check_list:
            if pair.protocol is protocol and pair.remote_addr == addr:
                request = self._resendable.pop(pair, None)
                if request is not None and pair.state is ice.CandidatePair.State.IN_PROGRESS:
                    protocol.send_stun(request, addr)
                break
        self._paths.add((protocol, addr))
        super().check_incoming(message, addr, protocol)

    def check_complete(self, pair: ice.CandidatePair) -> None:
        """Our own check of this pair has come to an end."""
        if pair.state is ice.CandidatePair.State.SUCCEEDED:
            self._paths.add((pair.protocol, pair.remote_addr))
        super().check_complete(pair)

    @property
    def has_more(self) -> bool:
        """Whether something has come in that nobody has taken."""
        return not self._queue.empty()

    def is_path(self, protocol: ice.StunProtocol, addr: tuple[str, int]) -> bool:
        """Whether a check has passed between this socket and this address."""
        return (protocol, addr) in self._paths

    def sort_check_list(self) -> None:
        """Called whenever pairs were added."""
        super().sort_check_list()
        self._news.set()

    def _check_list_maybe_fail(self) -> None:
        """Go on waiting for checks of the other side (RFC 8863)."""

    def _prune_components(self) -> None:
        """Keep the one component: stock drops it where no candidate came before their end."""

    async def close(self) -> None:
        """Close it; what still gathers is cancelled, and relayed addresses are given back."""
        self._closing = True
        if self._trickle_task is not None:
            self._trickle_task.cancel()
            await asyncio.wait([self._trickle_task])
        for protocol in self._protocols:
            if isinstance(protocol.transport, Allocation):
                protocol.transport.close()  # all at once; stock waits for one after the other
        await super().close()


class Socket(ice.StunProtocol):
    """One socket of ours, or a relayed address. It lets pass what comes from the other side alone.

    aioice takes all that is no STUN for the other side's, whoever sent it, and a second ClientHello
    ends the DTLS handshake that is under way.
    """

    receiver: Connection

    def __init__(self, receiver: Connection, sock: socket.socket | None = None) -> None:
        super().__init__(receiver)
        #: Ours, where more than one datagram can be taken from it at once; None of a relayed
        #: address, and where it is the loop that reads.
        self._sock = sock

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """A packet came in, and maybe more behind it; to wait for each takes longer than it."""
        assert isinstance(data, bytes)
        self._take(data, addr)
        if self._sock is None:
            return
        for _ in range(MAX_BATCH - 1):
            try:
                data, addr = self._sock.recvfrom(_MAX_DATAGRAM)
            except OSError:  # there are no more; what else it may be is found by the loop
                return
            self._take(data, addr)

    def _take(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if data[:1] <= bytes([_LAST_STUN_BYTE]):
            super().datagram_received(data, addr)
        # Of an IPv6 address, asyncio gives four parts.
        elif self.receiver.is_path(self, addr[:2]):
            self.receiver.data_received(data, self.local_candidate.component)


async def _open_socket(connection: Connection, address: str) -> Socket | None:
    """A socket on one of our addresses, and its candidate; None on one that can't be used."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, 0))
        own = sock if isinstance(loop, asyncio.SelectorEventLoop) else None
        _, protocol = await loop.create_datagram_endpoint(
            lambda: Socket(connection, own), sock=sock
        )
    except OSError as exc:
        sock.close()
        log.info("no socket could be opened on %s: %s", address, exc)
        return None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, turn.UDP_SOCKET_BUFFER_SIZE)
    protocol.local_candidate = _describe(sock.getsockname()[:2], "host", None)
    return protocol


class Servers:
    """Asks STUN and TURN servers for candidates of one connection, and tells them as they come.

    :param hosts: its sockets on addresses of this machine.
    """

    def __init__(
        self, connection: Connection, settings: IceSettings, hosts: Sequence[ice.StunProtocol]
    ) -> None:
        self._owner = connection
        self._settings = settings
        self._hosts = list(hosts)
        #: Those that a candidate is from; what else they are asked for may fail.
        self._served: set[StunServer | TurnServer] = set()
        self._relays_ipv6 = False
        #: Held while a server is asked for a relayed address of IPv6: one is enough.
        self._asking_ipv6 = asyncio.Lock()

    async def ask_all(self) -> None:
        """Report the candidates that servers give as they come, then the end of candidates."""
        async with asyncio.TaskGroup() as queries:
            if self._settings.stun is not None and self._hosts:
                ask = partial(self._query_stun, self._settings.stun)
                queries.create_task(self.bounded(self._settings.stun, ask))
            for rank, server in enumerate(self._settings.turn):
                ask = partial(self._query_turn, server, rank)
                queries.create_task(self.bounded(server, ask))
        self._settings.tell(Gathered(None))
        if not self._owner.has_sockets:
            self._settings.tell(Fruitless())

    async def bounded(
        self, server: StunServer | TurnServer, ask: Callable[[], Awaitable[None]]
    ) -> None:
        """Ask a server, and tell if nothing comes of it."""
        code: int | None = None
        is_turn = isinstance(server, TurnServer)
        cause = Cause.TURN_FAILED if is_turn else Cause.STUN_FAILED
        try:
            async with asyncio.timeout(GATHERING_DEADLINE):
                await ask()
            return
        except (TimeoutError, stun.TransactionTimeout):
            why = "it did not answer in time"
            cause = Cause.TURN_SILENT if is_turn else Cause.STUN_SILENT
        except stun.TransactionFailed as exc:
            code, why = exc.response.attributes.get("ERROR-CODE", (None, "it refused"))
            cause = Cause.TURN_UNAUTHORIZED if is_turn and code == UNAUTHORIZED else cause
        except ImgsyncError as exc:  # of a proxy, or of what the environment says
            why = str(exc)
        except ssl.SSLCertVerificationError as exc:
            why, cause = f"{type(exc).__name__} {exc}", Cause.TURN_UNTRUSTED
        except Exception as exc:  # what a server may answer is not ours to foresee
            # Not its repr: that of a UnicodeError can have the whole credential in it.
            why = f"{type(exc).__name__} {exc}"
        if server in self._served:
            return
        words = "".join(filter(str.isprintable, why))
        self._settings.tell(ServerFailed(str(server), code, words[:MAX_PHRASE], cause))

    async def _query_stun(self, server: StunServer) -> None:
        """Ask from each socket, at what addresses of its family the server has."""
        addresses = await resolve(server.host)
        asked = [
            asyncio.create_task(self._ask_stun(server, sock, reachable))
            for sock in self._hosts
            if (reachable := [one for one in addresses if is_ipv6(one) == _has_ipv6(sock)])
        ]
        if not asked:
            raise OSError("it has no address of a family that this machine has one of")
        try:
            await asyncio.wait(asked)
        finally:
            for task in asked:
                task.cancel()
        if server not in self._served:
            asked[0].result()

    async def _ask_stun(
        self, server: StunServer, sock: ice.StunProtocol, addresses: Sequence[str]
    ) -> None:
        asks = [partial(_ask_address, sock, (address, server.port)) for address in addresses]
        mapped = _checked(await first_answer(asks, lambda _: None))
        base = sock.local_candidate
        self._report(server, _describe(mapped, "srflx", (base.host, base.port), base=base.host))

    async def _query_turn(self, server: TurnServer, rank: int) -> None:
        """Ask for what it gives by itself, and for an address of IPv6 where there is none yet."""
        refusal: stun.TransactionFailed | None = None
        try:
            await self._add_relayed(server, rank)
        except stun.TransactionFailed as exc:
            if exc.response.error_code != _FAMILY_UNSUPPORTED:
                raise
            refusal = exc
        async with self._asking_ipv6:
            if not self._relays_ipv6:
                try:
                    await self._add_relayed(server, rank + _IPV6_RANK, ipv6=True)
                except stun.TransactionFailed as exc:
                    raise refusal or exc from None

    async def _add_relayed(self, server: TurnServer, rank: int, *, ipv6: bool = False) -> None:
        allocation, sock = await _allocate(server, self._owner, ipv6=ipv6)
        relayed, related = allocation.relayed_address, allocation.mapped_address
        if ipv6 and not is_ipv6(relayed[0]):
            allocation.close()  # it passes over what it does not know
            return
        if self._settings.relay_only:
            related = _NO_IPV6_ADDRESS if is_ipv6(relayed[0]) else _NO_ADDRESS
        sock.local_candidate = _describe(relayed, "relay", related, server.transport, rank)
        self._relays_ipv6 |= _has_ipv6(sock)
        self._owner.add_relayed(sock)
        self._report(server, sock.local_candidate)

    def _report(self, server: StunServer | TurnServer, candidate: Candidate) -> None:
        self._served.add(server)
        self._settings.tell(Gathered(candidate_to_sdp(candidate_from_aioice(candidate))))


def _has_ipv6(sock: ice.StunProtocol) -> bool:
    return is_ipv6(sock.local_candidate.host)


async def _ask_address(sock: ice.StunProtocol, address: tuple[str, int]) -> tuple[str, int]:
    """As what a STUN server there sees this socket."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    response, _ = await sock.request(request, address)
    mapped: tuple[str, int] = response.attributes["XOR-MAPPED-ADDRESS"]
    return mapped


class _ImpossibleAddress(OSError):
    """No host can have it."""


def _checked(address: tuple[str, int]) -> tuple[str, int]:
    """An address of ours as a server has it. Raises _ImpossibleAddress."""
    if address[1] == 0 or not is_of_one_host(address[0]):
        raise _ImpossibleAddress("it names an address for us that no host can have")
    return address


def connection_of(sctp: RTCSctpTransport) -> Connection:
    """What its packets go over."""
    connection = sctp.transport.transport._connection
    assert isinstance(connection, Connection)
    return connection


def path_of(pc: RTCPeerConnection) -> tuple[str, str] | None:
    """The types of the two candidates in use, ours and theirs; None before there are any."""
    if pc.sctp is None:
        return None
    pair = connection_of(pc.sctp)._nominated.get(1)
    return None if pair is None else (pair.local_candidate.type, pair.remote_candidate.type)


class Allocation(turn.TurnTransport):
    """A relayed address as aioice's transport, given back within a deadline."""

    def __init__(self, client: turn.TurnClientProtocol) -> None:
        super().__init__(client)
        self._client = client

    @property
    def relayed_address(self) -> tuple[str, int]:
        """The address at which the server receives for us."""
        assert self._client.relayed_address is not None
        return self._client.relayed_address

    @property
    def mapped_address(self) -> tuple[str, int]:
        """Our own address as the server sees it."""
        assert self._client.mapped_address is not None
        return self._client.mapped_address

    async def allocate(self, protocol: ice.StunProtocol, *, ipv6: bool) -> None:
        """Get the address; from now on what it receives goes to the protocol.

        :param ipv6: of that family, and not the one that the server gives by itself.
        """
        try:
            if ipv6:
                _request_ipv6(self._client)
            await self._connect(protocol)
        except BaseException:
            self._client.transport.abort()
            raise

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(RELEASE_DEADLINE):
                await self._client.delete()
        except TimeoutError:
            log.info("a TURN server did not confirm the end of our allocation")
        finally:
            # Not closed alone: TCP would wait for the server to take what is queued.
            self._client.transport.abort()
        await super()._close()  # cancels what waits to be sent; nothing is left to be deleted


def _request_ipv6(client: turn.TurnClientProtocol) -> None:
    """Have the client ask for a relayed address of IPv6."""
    request = client.request_with_retry

    async def request_ipv6(message: stun.Message) -> tuple[stun.Message, tuple[str, int]]:
        if message.message_method is stun.Method.ALLOCATE:
            message.attributes[_REQUESTED_FAMILY] = _IPV6_FAMILY
        return await request(message)

    client.request_with_retry = request_ipv6  # type: ignore[method-assign,assignment]


async def _allocate(
    server: TurnServer, connection: Connection, *, ipv6: bool
) -> tuple[Allocation, Socket]:
    """An address that the server relays for us, and what receives there."""
    proxy = proxy_to(server)
    tries = [
        partial(_allocate_at, server, (address, server.port), proxy, connection, ipv6=ipv6)
        for address in ([server.host] if proxy else await resolve(server.host))
    ]
    anew = [partial(_from_a_free_port, ask) for ask in tries]
    return await first_answer(anew, lambda unused: unused[0].close())


async def _from_a_free_port(
    ask: Callable[[], Awaitable[tuple[Allocation, Socket]]],
) -> tuple[Allocation, Socket]:
    for _ in range(_OTHER_PORTS):
        try:
            return await ask()
        except stun.TransactionFailed as exc:
            if exc.response.error_code != _PORT_TAKEN:
                raise
        except _ImpossibleAddress:
            # Seen of coturn, once in thousands of allocations that come and go; why, is not known.
            continue
    return await ask()


async def _allocate_at(
    server: TurnServer,
    address: tuple[str, int],
    proxy: Proxy | None,
    connection: Connection,
    *,
    ipv6: bool,
) -> tuple[Allocation, Socket]:
    loop = asyncio.get_running_loop()
    account = (server.username, server.credential)
    options = (address, *account, turn.DEFAULT_ALLOCATION_LIFETIME, BINDING_REFRESH)
    client: turn.TurnClientProtocol
    if server.transport == "udp":
        _, client = await loop.create_datagram_endpoint(
            lambda: turn.TurnClientUdpProtocol(*options), remote_addr=address
        )
    else:
        client = turn.TurnClientTcpProtocol(*options)
        await connect_tcp(server, address, proxy, client)
    allocation, sock = Allocation(client), Socket(connection)
    await allocation.allocate(sock, ipv6=ipv6)
    try:
        _checked(allocation.relayed_address)
    except _ImpossibleAddress:
        allocation.close()
        raise
    return allocation, sock


def _describe(
    address: tuple[str, int],
    kind: str,
    related: tuple[str, int] | None,
    transport: str = "udp",
    rank: int = 0,
    base: str | None = None,
) -> Candidate:
    """One of an address of ours.

    :param base: the address that it is sent from, if not its own.
    """
    host = plain_address(address[0])
    return Candidate(
        foundation=candidate_foundation(kind, transport, base or host),
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind, 65535 - rank),
        host=host,
        port=address[1],
        type=kind,
        related_address=related and related[0],
        related_port=related and related[1],
    )


def _make_connection(**options: Any) -> ice.Connection:
    settings = _settings.get()
    if settings is None:
        return ice.Connection(**options)
    if settings.relay_only:
        options["transport_policy"] = TransportPolicy.RELAY
    return Connection(settings, **options)


def _host_addresses() -> list[str]:
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True) or [*_ALL_LOOPBACK]


def _install() -> None:
    """Take the place of aioice's class in aiortc. Raises ImportError for versions unknown."""
    for name, known in _KNOWN.items():
        found = version_of(name)
        if not found.startswith(f"{known}."):
            raise ImportError(
                f"imgsync works with {name} {known}, and {found} is installed;"
                f" run: pip install '{name}=={known}.*'"
            )
    aiortc.rtcicetransport.Connection = _make_connection  # type: ignore[attr-defined,assignment]
    family = (0x0017, _REQUESTED_FAMILY, stun.pack_unsigned, stun.unpack_unsigned)
    stun.ATTRIBUTES_BY_TYPE[family[0]] = stun.ATTRIBUTES_BY_NAME[family[1]] = family


_install()
