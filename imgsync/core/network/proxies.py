"""Which proxy, if any, is on the way to a server: the rules that curl and requests share.

- HTTPS_PROXY is for https and wss, HTTP_PROXY for http and ws, ALL_PROXY for all that has none of
  its own. TURN over TCP is a tunnel in any case, so HTTPS_PROXY is good for both of its kinds, and
  HTTP_PROXY for the plain one where there is no other.
- The variable in lower case goes first, also where it is empty, which means none. A web server
  that runs CGI puts a visitor's `Proxy:` header into HTTP_PROXY, which is not heeded there.
- NO_PROXY names what is asked directly: names with all below them, addresses, networks, `*` for
  any text, each with a port or without. Loopback and link-local addresses and this machine's own
  are asked directly in any case, as no proxy could reach them, or should see what is asked there.

A value that can't be used is an error only where it would be used.
"""

import ipaddress
import re
from collections.abc import Mapping

import attrs

from imgsync.core.protocol.errors import InputError

_TLS, _PLAIN, _ALL = "https_proxy", "http_proxy", "all_proxy"

_VARIABLES = {
    "http": (_PLAIN, _ALL),
    "ws": (_PLAIN, _ALL),
    "https": (_TLS, _ALL),
    "wss": (_TLS, _ALL),
    "turn": (_TLS, _PLAIN, _ALL),
    "turns": (_TLS, _ALL),
}

_EXCEPTIONS = "no_proxy"

_CGI = "REQUEST_METHOD"

_PORTS = {"http": 80, "https": 443}

_SHOWN = 80
"""Characters of a value that are repeated."""

_PROXY = re.compile(  # without its scheme
    # The last @ before any path: people forget to write the one in a password as %40.
    r"(?:(?P<user>[^/?#:]*)(?::(?P<password>[^/?#]*))?@)?"
    r"(?P<host>\[[^\[\]]+\]|[^\[\]:/?#@\s]+)"
    # None is left behind: a password with a / in it would end up there.
    r"(?::(?P<port>[^/?#@]*))?(?:[/?#][^@]*)?",
    re.DOTALL,
)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@attrs.frozen
class Destination:
    """Where a connection is to go.

    :param scheme: of http, https, ws, wss, turn (over TCP) and turns.
    :param host: a name, or an address without brackets.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return _with_port(self.host, self.port)


@attrs.frozen
class Proxy:
    """A proxy, as it is told of: without who we are to it.

    :param tls: whether it is spoken to by TLS (https://).
    :param host: a name, or an address without brackets.
    :param username: decoded; None where the proxy is to take anybody.
    :param variable: the one that names it.
    """

    tls: bool
    host: str
    port: int
    variable: str
    username: str | None = attrs.field(default=None, repr=False)
    password: str = attrs.field(default="", repr=False)

    @property
    def url(self) -> str:
        """Without user name and password."""
        return f"http{'s' if self.tls else ''}://{_with_port(self.host, self.port)}"

    def __str__(self) -> str:
        return f"{self.url} ({self.variable})"


def find_proxy(
    environ: Mapping[str, str], destination: Destination, *, is_own: bool = False
) -> Proxy | None:
    """The proxy on the way there. Raises InputError for a value that is none of a proxy.

    :param is_own: whether the host is an address of this machine.
    """
    named = _named(environ, destination.scheme)
    if named is None or is_own or is_never_proxied(destination.host):
        return None
    if any(_covers(entry, destination) for entry in _exceptions(environ)):
        return None
    return parse_proxy(*named)


def named_proxies(environ: Mapping[str, str]) -> list[str]:
    """The variables that name one, whatever they say."""
    found = (_lookup(environ, name) for name in (_TLS, _PLAIN, _ALL))
    return [variable for variable, value in found if value]


def odd_exceptions(environ: Mapping[str, str]) -> list[str]:
    """What NO_PROXY has that excepts nothing, because it can't be read."""
    return [entry for entry in _exceptions(environ) if _read_exception(entry) is None]


def parse_proxy(variable: str, value: str) -> Proxy:
    """Raises InputError, which never repeats a password."""
    scheme, has_scheme, rest = value.partition("://")
    found = _PROXY.fullmatch(rest if has_scheme else value)
    scheme = scheme.lower() if has_scheme else "http"
    if re.fullmatch(r"socks[0-9a-z]*", scheme):
        raise InputError(
            f"{variable} names a {scheme} proxy, which imgsync can't use; name one that speaks"
            " HTTP, or except what is to be asked directly with NO_PROXY"
        )
    # It may hold a password wherever there is an @.
    shown = "" if "@" in value else f" {value[:_SHOWN]!r}"
    form = "as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT (%2F for a / in a password)"
    if found is None or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise InputError(f"the value{shown} of {variable} is no proxy; write one {form}")
    if scheme not in _PORTS:
        raise InputError(f"{variable} names a proxy of the unknown kind {scheme}:; write it {form}")
    port = found["port"] or str(_PORTS[scheme])
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise InputError(
            f"the value{shown} of {variable} has no port from 1 to 65535 behind its host;"
            f" write it {form}"
        )
    host = _read_host(found["host"])
    if host is None:
        raise InputError(f"the value{shown} of {variable} names no host; write it {form}")
    user = found["user"]
    return Proxy(
        tls=scheme == "https",
        host=host,
        port=int(port),
        variable=variable,
        username=None if user is None else _unquote(user),
        password=_unquote(found["password"] or ""),
    )


def is_never_proxied(host: str) -> bool:
    """Whether a host is this machine by its name or address, or one of the same cable."""
    address = as_address(host)
    return is_loopback(host) or (address is not None and address.is_link_local)


def is_loopback(host: str) -> bool:
    """Whether this machine is called so on each machine."""
    address = as_address(host)
    if address is None:
        name = host.lower().removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def as_address(host: str) -> _Address | None:
    """The address that a host is; None for a name. An IPv4 address is never mapped into IPv6."""
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


# ── variables ────────────────────────────────────────────────────────────────────────────────────


def _lookup(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable that counts, and its value without the space around it; "" for none."""
    if name in environ:
        return name, environ[name].strip()
    if name == _PLAIN and _CGI in environ:
        return name, ""
    return name.upper(), environ.get(name.upper(), "").strip()


def _named(environ: Mapping[str, str], scheme: str) -> tuple[str, str] | None:
    found = (_lookup(environ, name) for name in _VARIABLES[scheme])
    return next(((variable, value) for variable, value in found if value), None)


def _exceptions(environ: Mapping[str, str]) -> list[str]:
    _, value = _lookup(environ, _EXCEPTIONS)
    return [entry for entry in re.split(r"[,;\s]+", value) if entry]


# ── what NO_PROXY says ───────────────────────────────────────────────────────────────────────────

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@attrs.frozen
class _Exception:
    """Either a network or a pattern of names; and a port, or any."""

    network: _Network | None
    pattern: str | None
    port: int | None


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WITH_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_BRACKETS = re.compile(r"\[([^\[\]]*)\](/[0-9]+)?")
_NAME = re.compile(r"[^\[\]:/@\\]+")


def _read_exception(entry: str) -> _Exception | None:
    """What an entry excepts; None where it can't be read."""
    entry = _SCHEME.sub("", entry, count=1).rstrip("/")
    if (network := _as_network(entry)) is not None:
        return _Exception(network, None, None)
    found = _WITH_PORT.fullmatch(entry)
    if found is None:
        return None
    port = None if found["port"] is None else int(found["port"])
    if (network := _as_network(found["host"])) is not None:
        return _Exception(network, None, port)
    if not _NAME.fullmatch(found["host"]):
        return None
    return _Exception(None, found["host"], port)


def _as_network(text: str) -> _Network | None:
    """An address alone, or with the bits that count; an IPv6 one in brackets or without."""
    if (found := _BRACKETS.fullmatch(text)) is not None:
        text = "".join(found.groups(""))
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network


def _covers(entry: str, destination: Destination) -> bool:
    exception = _read_exception(entry)
    if exception is None or exception.port not in (None, destination.port):
        return False
    if exception.network is not None:
        address = as_address(destination.host)
        return address is not None and address in exception.network
    assert exception.pattern is not None
    return _matches(exception.pattern, destination.host)


def _matches(pattern: str, host: str) -> bool:
    """A name covers all below it, with a leading dot or without; `*` stands for any text."""
    host, pattern = _fold(host), _fold(pattern)
    if "*" in pattern:
        return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), host))
    name = pattern.removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _fold(name: str) -> str:
    """As names are compared."""
    name = name.lower().removesuffix(".")
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name


# ── texts ────────────────────────────────────────────────────────────────────────────────────────


def _read_host(text: str) -> str | None:
    """A host without its brackets; None where it is none."""
    if text.startswith("["):
        address = as_address(text)
        return None if address is None else str(address)
    try:
        text.encode("idna")  # what looks a name up does the same, and lets its UnicodeError through
    except UnicodeError:
        return None
    return text if re.fullmatch(r"[^\x00-\x20\x7f<>^|%\\]+", text) else None


def _unquote(text: str) -> str:
    """With what %XX stands for."""
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
    return raw.decode(errors="replace")


def _with_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
