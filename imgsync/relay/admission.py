"""Who gets as far as a WebSocket: from which page, from which address, and while there is room."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

import attrs

from imgsync.core.protocol.signalling import CloseCode
from imgsync.core.relay.limits import ConnectLimit, MessageLimit, MessageLimits
from imgsync.net.http import Request, Response, refuse
from imgsync.net.server import is_loopback

ANY_ORIGIN = "*"

NOT_LOCAL = "Metrics are for this machine alone: ask there at localhost, and not through a proxy."

_FROM_ELSEWHERE = ("forwarded", "via", "x-real-ip", "origin")
"""What a proxy says of whom it asks for, and a browser of the page that asks."""

_OWN_SITES = ("none", "same-origin")
"""What a browser says (Sec-Fetch-Site) of who asks: a person, or a page of the relay's own."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

#: Some proxies write a port behind the address.
_HOP = re.compile(r"\[([^\[\]]*)\](?::\d+)?|([\d.]+):\d+")


@attrs.frozen
class Refusal:
    """Why somebody is turned away.

    :param label: what it is counted as.
    """

    code: CloseCode
    why: str
    label: str


class Admission:
    """Decides who is let in.

    :param origins: pages from elsewhere that may connect; `*` for all.
    :param asks_for_tokens: if not, the host that a page comes from has to be an address or
        `localhost`, unless it is named: any name on the web could be made to mean this machine
        (DNS rebinding), and its pages would count as our own.
    :param proxies: addresses of reverse proxies whose word for an address is believed.
    :param connect_rate: connections per second from one address.
    :param max_connections: WebSockets at a time.
    :param messages: what may be said through them.
    """

    def __init__(
        self,
        *,
        origins: Collection[str],
        asks_for_tokens: bool,
        proxies: Collection[str],
        connect_rate: float,
        max_connections: int,
        messages: MessageLimits,
    ) -> None:
        self._origins = frozenset(origins)
        self._pages = frozenset(filter(None, map(_page_of, origins)))
        self._trusts_names = asks_for_tokens
        self._proxies = frozenset(filter(None, map(_address_in, proxies)))
        self._connects = ConnectLimit(connect_rate)
        self._max_connections = max_connections
        self._messages = messages

    def refuse_upgrade(self, request: Request) -> Response | None:
        """The answer to a page that may not connect, by the Origin that its browser tells of."""
        origin = request.headers.get("origin")
        if origin is None or self.admits(origin, request):
            return None
        return refuse(403, "Pages of this origin may not connect; see --allow-origin.")

    def admits(self, origin: str, request: Request) -> bool:
        """Whether a page of this origin may connect to the host that a request is for."""
        if ANY_ORIGIN in self._origins or origin in self._origins:
            return True
        page = _page_of(origin)
        if page is None:
            return False
        return page in self._pages or (_is_of_host(page, request) and self._is_ours(page[1]))

    def greet(self, request: Request) -> bytes:
        """One word for a page, which can't see why its WebSocket is refused, and so asks.

        A browser names the origin of a page that is of elsewhere by itself.
        """
        named = parse_qs(request.query).get("origin", [])[:1]
        origin = named[0] if named else request.headers.get("origin")
        is_welcome = origin is None or self.admits(origin, request)
        return b"ok\n" if is_welcome else b"origin\n"

    def advise(self, request: Request) -> str:
        """What is to be done to let in a page whose origin is refused."""
        origin = request.headers.get("origin", "")
        page = _page_of(origin)
        if page is None and origin != "null":
            return "what it says is the origin of no page"
        allow = f"--allow-origin {origin} lets it in"
        if page is not None and _is_of_host(page, request):
            return (
                "without tokens, pages of localhost and of addresses alone are the relay's own;"
                f" {allow}, and so does --auth-secret-file"
            )
        host = request.headers.get("host", "")
        return (
            f"it is not of the host that it asks for ({host}); {allow}. If the two are one, the"
            " proxy in front of the relay has to pass on the header Host"
        )

    def is_proxy(self, address: str) -> bool:
        """Whether an address stands for many people: it is a proxy's, or this machine's own."""
        return address in self._proxies or is_loopback(address)

    def limit_of(self, address: str) -> MessageLimit:
        """What may be said through a new socket of this address, beside its others."""
        return self._messages.of(None if self.is_proxy(address) else address)

    def _is_ours(self, host: str) -> bool:
        return self._trusts_names or host == "localhost" or _address_in(host) is not None

    def address_of(self, request: Request) -> str:
        """Where a request comes from: before the proxies that are believed.

        What a proxy passes on that is no address is not believed; then it is the proxy's own.
        """
        address = request.remote
        hops = request.headers.get("x-forwarded-for", "").split(",")
        while hops and _address_in(address) in self._proxies:
            hop = hops.pop().strip()
            if not hop:
                continue
            before = _address_in(hop)
            if before is None:
                break
            address = before
        return address

    def admit(self, address: str, connections: int, now: float) -> Refusal | None:
        """Count one more connection; why there is no place for it, or None.

        :param connections: how many there are.
        :param now: seconds on a clock that only goes forward.
        """
        if not self._connects.take(address, now):
            why = "too many connections from this address; wait a few seconds"
            return Refusal(CloseCode.RATE_LIMITED, why, "address_rate")
        if connections >= self._max_connections:
            return Refusal(CloseCode.RELAY_FULL, "the relay is full; try again later", "full")
        return None


def is_local(request: Request) -> bool:
    """Whether a program of this machine asks for itself, or a person who sits before it.

    The address that it comes from says less than that: a proxy may stand here, and a page in a
    browser here may be of any site, whose name it can make mean this machine (DNS rebinding). So it
    also has to ask under a name that nobody else can have. A proxy that asks as a program would is
    one.
    """
    headers = request.headers
    host = _page_of(f"http://{headers.get('host', '')}")
    return (
        is_loopback(request.remote)
        and host is not None
        and _is_loopback_host(host[1])
        and headers.get("sec-fetch-site", "none") in _OWN_SITES
        and not any(name in _FROM_ELSEWHERE or name.startswith("x-forwarded") for name in headers)
    )


def _is_loopback_host(host: str) -> bool:
    address = _address_in(host)
    return host == "localhost" or (address is not None and is_loopback(address))


def _page_of(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a web page's origin; None for what is none, such as `null`."""
    try:
        page = urlsplit(origin)
        default = _DEFAULT_PORTS[page.scheme]
        port = page.port or default
    except (ValueError, KeyError):
        return None
    return (page.scheme, page.hostname, port) if page.hostname else None


def _is_of_host(page: tuple[str, str, int], request: Request) -> bool:
    # The scheme is the page's own: a proxy may have ended its TLS.
    return page == _page_of(f"{page[0]}://{request.headers.get('host', '')}")


def _address_in(hop: str) -> str | None:
    """The IP address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`."""
    match = _HOP.fullmatch(hop)
    try:
        parsed = ipaddress.ip_address(match[1] or match[2] if match else hop)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    # Without its zone, which may be any text.
    return str(parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed)))
