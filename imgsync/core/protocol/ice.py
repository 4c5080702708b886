"""URLs of STUN and TURN servers, as all peers read them, and which of them a session asks.

A URL counts if Chromium and Firefox both take it, as `new RTCPeerConnection` throws for a whole
list that has one which it does not take: RFC 7064 and RFC 7065 without `stuns`, and of hosts and
ports what URLs of the web may have. `web/js/core/protocol/ice.js` has the same rules.

Which servers are asked is one choice: sessions in both languages obey it, the relay warns of what
it leaves out, and the doctor examines it. Each server costs a socket here and a port over there,
and browsers warn of lists that are longer.
"""

import enum
import ipaddress
import re
from collections.abc import Iterable, Iterator

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import (
    BLOCKED_PORTS,
    MAX_HOST_NAME,
    MAX_TURN_SERVERS,
    MAX_TURN_USERNAME,
)
from imgsync.core.protocol.signalling import IceServer

_SCHEME = re.compile(r"(stuns?|turns?):(.*)", re.IGNORECASE | re.DOTALL | re.ASCII)
_LITERAL = re.compile(r"\[([0-9A-Fa-f:.]*)\](?::(.*))?", re.DOTALL)
_NAME = re.compile(r"[0-9A-Za-z_-]{1,63}(\.[0-9A-Za-z_-]{1,63})*\.?")
_NUMERIC_END = re.compile(r"(.*\.)?([0-9]+|0[Xx][0-9A-Fa-f]*)\.?")
_PORT = re.compile(r"[0-9]{1,5}")
_QUOTED = 100
"""Characters of a URL that is told of."""

_DEFAULT_PORT, _DEFAULT_TLS_PORT = 3478, 5349


class IceKind(enum.Enum):
    """What a server does for us, and over what we talk to it; the best way comes first."""

    STUN = "STUN"
    TURN_UDP = "TURN over UDP"
    TURN_TCP = "TURN over TCP"
    TURN_TLS = "TURN over TLS"
    TURN_DTLS = "TURN over DTLS"


_TURN_KINDS = {
    ("turn", "udp"): IceKind.TURN_UDP,
    ("turn", "tcp"): IceKind.TURN_TCP,
    ("turns", "tcp"): IceKind.TURN_TLS,
    ("turns", "udp"): IceKind.TURN_DTLS,
}
_ASKED = (IceKind.TURN_UDP, IceKind.TURN_TCP, IceKind.TURN_TLS)
_SPARE = (IceKind.TURN_TLS, IceKind.TURN_UDP, IceKind.TURN_TCP)
"""Once there is one of each kind: if the first server is down, another one that is reached through
any firewall is worth most."""


# ── one URL ──────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class IceUrl:
    """A server's URL in parts; as text it is the URL with all of them.

    :param host: a name or an address, which has no brackets where it is one of IPv6.
    """

    kind: IceKind
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.kind is IceKind.STUN:
            return f"stun:{host}:{self.port}"
        [(scheme, transport)] = [way for way, kind in _TURN_KINDS.items() if kind is self.kind]
        return f"{scheme}:{host}:{self.port}?transport={transport}"


def parse_ice_url(text: str) -> IceUrl:
    """The parts of a server's URL. Raises InputError, which names it and says what is right."""
    try:
        return _parse(text)
    except ValueError as exc:
        raise InputError(f"{quote_ice_url(text)} is no ICE server: {exc}") from None


def quote_ice_url(text: str) -> str:
    """A URL as it may be told of: short, printable, and without what may be a password."""
    quoted = repr(re.sub(r":.*@", ":***@", text, count=1, flags=re.DOTALL))
    return quoted if len(quoted) <= _QUOTED else f"{quoted[:_QUOTED]}..."


def _parse(text: str) -> IceUrl:
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise ValueError("write it as stun:HOST:PORT, turn:HOST:PORT or turns:HOST:PORT")
    scheme, rest = match[1].lower(), match[2]
    if scheme == "stuns":
        raise ValueError("Firefox refuses stuns, and no peer asks it; write it as stun:HOST:PORT")
    if rest.startswith("/"):
        raise ValueError(f"no slash stands in it; write it as {scheme}:HOST:PORT")
    if "@" in rest:
        raise ValueError("user name and credential are given beside it, and not in it")
    address, mark, query = rest.partition("?")
    kind = _kind_of(scheme, query if mark else None)
    host, port = _split(scheme, address)
    if port is not None:
        return IceUrl(kind, host, _port(port))
    return IceUrl(kind, host, _DEFAULT_TLS_PORT if scheme == "turns" else _DEFAULT_PORT)


def _kind_of(scheme: str, query: str | None) -> IceKind:
    if scheme == "stun":
        if query is not None:
            raise ValueError("nothing stands behind the port of a STUN server")
        return IceKind.STUN
    if query is None:
        query = "transport=tcp" if scheme == "turns" else "transport=udp"
    if query not in ("transport=udp", "transport=tcp"):
        raise ValueError(
            "behind its port may stand ?transport=udp or ?transport=tcp, in small letters, and"
            " nothing else; TLS is written as turns:HOST:PORT"
        )
    return _TURN_KINDS[scheme, query.removeprefix("transport=")]


def _split(scheme: str, address: str) -> tuple[str, str | None]:
    if literal := _LITERAL.fullmatch(address):
        try:
            ipaddress.IPv6Address(literal[1])
        except ValueError:
            raise ValueError("what stands in the brackets is no IPv6 address") from None
        return literal[1], literal[2]
    host, colon, port = address.partition(":")
    if "[" in address or ":" in port:
        raise ValueError(
            f"an IPv6 address stands in brackets, and the port behind them: {scheme}:[2001:db8::1]:"
            f"{_DEFAULT_PORT}"
        )
    if not host:
        raise ValueError(f"it names no host; write it as {scheme}:HOST:PORT")
    _check_host(host)
    return host, port if colon else None


def _check_host(host: str) -> None:
    if _NAME.fullmatch(host) is None or len(host) > MAX_HOST_NAME:
        raise ValueError(
            "its host is neither a name (letters of ASCII, digits, hyphens, points) nor an address"
        )
    if _NUMERIC_END.fullmatch(host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError("its host is no IPv4 address: four numbers up to 255") from None


def _port(text: str) -> int:
    number = int(text) if _PORT.fullmatch(text) else 0
    if not 0 < number < 2**16:
        raise ValueError("its port is no number from 1 to 65535")
    if number in BLOCKED_PORTS:
        raise ValueError("browsers refuse its port, which belongs to another protocol; take 3478")
    return number


# ── the choice ───────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class ChosenServer:
    """One server that is asked, and with which account where it is a TURN server."""

    url: IceUrl
    username: str | None = None
    credential: str | None = attrs.field(default=None, repr=False)

    @property
    def as_entry(self) -> IceServer:
        """As for `RTCPeerConnection`."""
        return IceServer(str(self.url), self.username, self.credential)


@attrs.frozen
class LeftOut:
    """A server that is named and not asked.

    :param url: as it may be told of.
    :param is_wrong: whether it can't be asked at all; else others are asked in its place.
    """

    url: str
    why: str
    is_wrong: bool


@attrs.frozen
class IceChoice:
    """What a session makes of the servers that its relay names.

    :param stun: the first; a second one would tell us the same.
    :param turn: the best way to talk to them first: UDP, TCP, TLS.
    """

    stun: ChosenServer | None
    turn: tuple[ChosenServer, ...]
    left_out: tuple[LeftOut, ...]


def choose_ice(servers: Iterable[IceServer]) -> IceChoice:
    """One STUN server, and of TURN servers one of each kind before a second one of any."""
    left_out: list[LeftOut] = []
    found: dict[IceKind, list[ChosenServer]] = {kind: [] for kind in IceKind}
    for server in _each(servers, left_out):
        if server not in found[server.url.kind]:
            found[server.url.kind].append(server)
    stuns, dtls = found[IceKind.STUN], found[IceKind.TURN_DTLS]
    turn = _each_kind_first(found)[:MAX_TURN_SERVERS]
    turn = [server for kind in _ASKED for server in found[kind] if server in turn]
    why = "no peer speaks DTLS to TURN servers; name it without ?transport=udp for TLS"
    left_out += [LeftOut(str(server.url), why, is_wrong=True) for server in dtls]
    why = "of STUN servers one is asked"
    left_out += [LeftOut(str(server.url), why, is_wrong=False) for server in stuns[1:]]
    why = f"of TURN servers {MAX_TURN_SERVERS} are asked"
    left_out += [
        LeftOut(str(server.url), why, is_wrong=False)
        for kind in _ASKED
        for server in found[kind]
        if server not in turn
    ]
    return IceChoice(stuns[0] if stuns else None, tuple(turn), tuple(left_out))


def _each(servers: Iterable[IceServer], left_out: list[LeftOut]) -> Iterator[ChosenServer]:
    for entry in servers:
        for text in entry.each_url:
            try:
                url = _parse(text)
                if url.kind is IceKind.STUN:
                    yield ChosenServer(url)
                else:
                    check_account(entry.username, entry.credential)
                    yield ChosenServer(url, entry.username, entry.credential)
            except ValueError as exc:
                left_out.append(LeftOut(quote_ice_url(text), str(exc), is_wrong=True))


def check_account(username: str | None, credential: str | None) -> None:
    """Browsers throw without one. Raises ValueError."""
    if not username or not credential:
        raise ValueError("a TURN server needs a user name and a credential")
    if len(username.encode()) > MAX_TURN_USERNAME:
        raise ValueError(f"its user name has more than {MAX_TURN_USERNAME} bytes")


def _each_kind_first(found: dict[IceKind, list[ChosenServer]]) -> list[ChosenServer]:
    order = [server for kind in _ASKED for server in found[kind][:1]]
    most = max(len(found[kind]) for kind in _ASKED)
    for place in range(1, most):
        order += [server for kind in _SPARE for server in found[kind][place : place + 1]]
    return order
