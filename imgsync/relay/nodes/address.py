"""Where Redis is, as its users write it: redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]."""

import ssl
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.environment import trusted_context
from imgsync.net.hosts import with_port

PORT = 6379

_FORMS = "redis://HOST:PORT/DATABASE, rediss:// with TLS, or unix:///PATH?db=DATABASE"

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Of an authority other than those of the system, and of a certificate that Redis asks for."""


@attrs.frozen
class Address:
    """One server.

    :param path: of a Unix socket, in place of host and port; empty where there is none.
    :param tls: what its certificate is checked with; None without TLS.
    """

    host: str = ""
    port: int = PORT
    path: str = ""
    database: int = 0
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        """For people; nothing secret."""
        return self.path or with_port(self.host, self.port)


def read_address(url: str, password: str | None = None) -> Address:
    """Take a URL apart. Raises InputError; it repeats no URL, as a password may stand in it.

    :param password: goes before one that stands in the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, True, True)) if parts.query else {}
    except ValueError:
        raise InputError(f"the URL of Redis can't be read; write it as {_FORMS}") from None
    is_unix = parts.scheme == "unix"
    if parts.scheme not in ("redis", "rediss", "unix") or port == 0 or parts.fragment:
        raise InputError(f"the URL of Redis has another form than {_FORMS}")
    if not (parts.path if is_unix else parts.hostname):
        raise InputError(f"the URL of Redis doesn't say where it is; write it as {_FORMS}")
    known = {"db", *(_FILES if parts.scheme == "rediss" else ())}
    if unknown := sorted(options.keys() - known):
        raise InputError(
            f"the URL of Redis has {unknown[0]!r} behind its '?'; what may stand there is"
            f" {', '.join(sorted(known))}"
        )
    return Address(
        host="" if is_unix else unquote(parts.hostname or ""),
        port=port or PORT,
        path=unquote(parts.path) if is_unix else "",
        database=_read_database(options.get("db", "" if is_unix else parts.path.strip("/"))),
        username=unquote(parts.username) if parts.username else None,
        password=password or (unquote(parts.password) if parts.password else None),
        tls=_make_context(options) if parts.scheme == "rediss" else None,
    )


def _read_database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise InputError(f"databases of Redis have numbers, so that {text!r} is none; leave it out")
    return int(text or 0)


def _make_context(files: Mapping[str, str]) -> ssl.SSLContext:
    """Checks the name of the host, too, which coredis' own does not."""
    if not files.keys() & set(_FILES):
        return trusted_context(for_http=False)
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"))
        if "ssl_certfile" in files:
            context.load_cert_chain(files["ssl_certfile"], files.get("ssl_keyfile"))
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        raise InputError(f"a file that the URL of Redis names can't be used: {exc}") from exc
    return context
