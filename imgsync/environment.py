"""What the environment says of the network: which proxy to go through, and whom to trust.

All connections of one program go by the same two answers: to the relay, to TURN servers, and to
the hosts of images.
"""

import logging
import os
import re
import socket
import ssl
from functools import cache
from pathlib import Path

from imgsync.core.network.proxies import (
    Destination,
    Proxy,
    find_proxy,
    named_proxies,
    odd_exceptions,
)
from imgsync.core.protocol.errors import InputError

log = logging.getLogger(__name__)

_FILE, _FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""What OpenSSL looks for in a folder."""


def proxy_towards(destination: Destination) -> Proxy | None:
    """The proxy on the way to a server, if any; nothing is sent. Raises InputError."""
    if not named_proxies(os.environ):
        return None
    for entry in odd_exceptions(os.environ):
        warn_once(f"NO_PROXY has {entry!r}, which is no name, address or network: left out")
    is_own = _is_own_address(destination.host, destination.port)
    return find_proxy(os.environ, destination, is_own=is_own)


def _is_own_address(host: str, port: int) -> bool:
    """Whether it is an address of this machine: the way there begins where it ends."""
    numeric = socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=numeric)
        family, kind, protocol, _, there = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(there)
            return bool(probe.getsockname()[0] == probe.getpeername()[0])
    except (OSError, UnicodeError):  # a name, or an address that there is no way to
        return False


def trusted_context(*, for_http: bool = True) -> ssl.SSLContext:
    """Whose certificates are taken: the system's authorities', or what the two variables name.

    Made once; to read all the authorities takes 20 ms. Raises InputError where a variable names
    what is none.

    :param for_http: False for what is no HTTP: httpx writes into a context that HTTP is what will
        be spoken, which other servers may refuse.
    """
    return _make_context(os.environ.get(_FILE), os.environ.get(_FOLDER), for_http)


@cache
def _make_context(file: str | None, folder: str | None, for_http: bool) -> ssl.SSLContext:
    # OpenSSL reads the variables by itself, and says nothing where they name what is not there.
    context = ssl.create_default_context()
    if file:
        _look_at_file(context, file)
    for path in folder.split(os.pathsep) if folder else ():
        why = _trouble_of_folder(Path(path))
        if why and not file:
            raise InputError(f"{_FOLDER} names {path!r}, {why}; name another folder, or unset it")
        if why:
            warn_once(f"{_FOLDER} names {path!r}, {why}")
    return context


def _look_at_file(context: ssl.SSLContext, file: str) -> None:
    advice = "name a PEM file with the certificates of authorities, or unset it"
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise InputError(f"{_FILE} names {file!r}, which holds no certificate; {advice}") from None
    except (OSError, ValueError) as exc:  # ValueError: a NUL
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(f"{_FILE} names {file!r}, which can't be read ({why}); {advice}") from None


def _trouble_of_folder(folder: Path) -> str:
    """Why OpenSSL would find no certificate there; empty where it may."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError as exc:
        return f"which can't be read ({exc.strerror})"
    has_hash = any(_HASHED.fullmatch(name) for name in names)
    return "" if has_hash else "which holds no certificate by its hash (openssl rehash makes them)"


@cache
def warn_once(text: str) -> None:
    """What is so for all connections, and would be said at each."""
    log.warning("%s", text)
