"""The relay's command line, and the settings that it stands for."""

import argparse
import ipaddress
import logging
import re
import sys
from collections.abc import Callable

from imgsync.commands.common import positive_seconds
from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.net.limits import NetLimits
from imgsync.relay.admission import ANY_ORIGIN
from imgsync.relay.settings import Settings
from imgsync.relay.tokens import read_secret, token_reader
from imgsync.relay.turn import IceOffer

try:
    import resource
except ImportError:  # Windows grants files without being asked
    resource = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

NO_STUN = "none"

SPARE_STREAMS = 256
"""TCP connections beside the WebSockets: scrapes, health checks, and those that hear that the
relay is full."""

SPARE_FILES = 64
"""Descriptors for everything that is no connection."""

MIN_MESSAGE, MAX_MESSAGE = 1024, 512 * 1024
"""What can be chosen: a description with its candidates has to go through, and no file."""

_HTTP_URL = re.compile(r"https?://[^/\s]+\S*")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+")
_DEFAULTS = Settings()


def make_parser(prog: str) -> argparse.ArgumentParser:
    """All options of the command."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Pass on the WebRTC handshake between evaluators and clients.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8765, help="port; 0 takes a free one (%(default)s)"
    )
    parser.add_argument("--tls-cert", metavar="F", help="PEM file; read again on SIGHUP")
    parser.add_argument("--tls-key", metavar="F", help="PEM file with the key of the certificate")
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="of stderr (%(default)s)"
    )
    parser.add_argument(
        "--grace",
        type=positive_seconds,
        default=_DEFAULTS.grace,
        metavar="SECONDS",
        help="how long a session waits for a side that has lost the relay (%(default)g)",
    )
    _add_access(parser)
    _add_ice(parser)
    _add_limits(parser)
    return parser


def check(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options that don't go together, as a usage error."""
    if (options.tls_cert is None) != (options.tls_key is None):
        parser.error("--tls-cert and --tls-key go together")
    if bool(options.turn) != (options.turn_secret_file is not None):
        parser.error("--turn and --turn-secret-file go together")
    if options.end_at_expiry and options.auth_secret_file is None:
        parser.error("--end-at-expiry needs --auth-secret-file: without it there are no tokens")
    if options.outbox_size < 2 * options.max_message:
        parser.error(
            f"--outbox-size {options.outbox_size} is too small for --max-message"
            f" {options.max_message}; make it twice as large or more"
        )


def settings_of(options: argparse.Namespace) -> Settings:
    """What the options stand for. Raises InputError and MissingExtra."""
    read_token = None
    if options.auth_secret_file is not None:
        read_token = token_reader(read_secret(options.auth_secret_file))
    # As long as the TURN server's operator has made it.
    secret = read_secret(options.turn_secret_file, 1) if options.turn else b""
    stun = options.stun or [DEFAULT_STUN]
    max_connections, max_streams = _fit_files(options.max_connections)
    return Settings(
        read_token=read_token,
        end_at_expiry=options.end_at_expiry,
        ice=IceOffer([url for url in stun if url != NO_STUN], options.turn, secret),
        recording_url=options.recording_url,
        origins=options.allow_origin,
        proxies=options.forwarded_by,
        grace=options.grace,
        register_deadline=options.register_deadline,
        max_connections=max_connections,
        max_sockets_per_user=options.max_sockets_per_user,
        rate_limit=options.rate_limit,
        connect_rate=options.connect_rate,
        net=NetLimits(
            max_head=options.max_head,
            head_deadline=options.head_deadline,
            max_message=options.max_message,
            outbox_size=options.outbox_size,
            write_deadline=options.write_deadline,
            max_streams=max_streams,
            max_streams_per_address=options.max_per_address,
        ),
    )


def _add_access(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who may connect")
    identity = group.add_mutually_exclusive_group()
    identity.add_argument(
        "--auth-secret-file",
        metavar="F",
        help="ask every peer for a token that was made with this secret; see 'imgsync token'",
    )
    identity.add_argument(
        "--no-auth",
        action="store_true",
        help="listen on other addresses than loopback although anybody can register",
    )
    group.add_argument(
        "--end-at-expiry",
        action="store_true",
        help="end a session when a side's token expires and it has not registered with a newer one;"
        " else sessions outlive their tokens",
    )
    group.add_argument(
        "--allow-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="O",
        help="pages from here may connect, besides those from the relay's own host;"
        f" '{ANY_ORIGIN}' for all (repeatable)",
    )
    group.add_argument(
        "--forwarded-by",
        type=_address,
        action="append",
        default=[],
        metavar="ADDR",
        help="address of a reverse proxy whose X-Forwarded-For is believed (repeatable)",
    )


def _add_ice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what peers are told to use")
    group.add_argument(
        "--stun",
        type=_stun_url,
        action="append",
        metavar="URL",
        help=f"STUN server ({DEFAULT_STUN}); '{NO_STUN}' for none (repeatable)",
    )
    group.add_argument(
        "--turn",
        type=_turn_url,
        action="append",
        default=[],
        metavar="URL",
        help="TURN server, such as turn:turn.example.org:3478 (repeatable)",
    )
    group.add_argument(
        "--turn-secret-file",
        metavar="F",
        help="the secret that it shares with us (coturn: use-auth-secret, static-auth-secret)",
    )
    group.add_argument(
        "--recording-url",
        type=_http_url,
        metavar="URL",
        help="where the client page posts what it records; without it, participants save it",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")

    def add(
        flag: str, kind: Callable[[str], float], default: float, metavar: str, what: str
    ) -> None:
        text = f"{what} (%(default)g)"
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=text)

    net, count = _DEFAULTS.net, _count
    add("--max-connections", count, _DEFAULTS.max_connections, "N", "WebSockets at a time")
    what = "TCP connections of one address, if it is no proxy's"
    add("--max-per-address", count, net.max_streams_per_address, "N", what)
    add("--max-sockets-per-user", count, _DEFAULTS.max_sockets_per_user, "N", "of them for one")
    what = "WebSockets a second from one address, twenty times as many at once; 0 for no limit"
    add("--connect-rate", _rate, _DEFAULTS.connect_rate, "PER_S", what)
    what = "messages a second of one WebSocket, twenty times as many at once; 0 for no limit"
    add("--rate-limit", _rate, _DEFAULTS.rate_limit, "PER_S", what)
    what = "characters of one message"
    add("--max-message", _message_size, net.max_message, "N", what)
    what = "bytes that may wait for a peer to read them"
    add("--outbox-size", count, net.outbox_size, "N", what)
    what = "for a peer to read what waits for it"
    add("--write-deadline", positive_seconds, net.write_deadline, "SECONDS", what)
    what = "from the WebSocket to its register"
    add("--register-deadline", positive_seconds, _DEFAULTS.register_deadline, "SECONDS", what)
    add("--max-head", count, net.max_head, "BYTES", "of an HTTP head")
    add("--head-deadline", positive_seconds, net.head_deadline, "SECONDS", "for an HTTP head")


def _fit_files(wanted: int) -> tuple[int, int]:
    """As many WebSockets, and TCP connections in all, as the system grants files when asked."""
    streams = wanted + SPARE_STREAMS
    if sys.platform == "win32" or resource is None:
        return wanted, streams
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = streams + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted, streams
    limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit == needed:
        return wanted, streams
    streams = max(2, limit - SPARE_FILES)
    fitting = max(1, streams - SPARE_STREAMS)
    log.warning(
        "the system allows %d open files, which is enough for %d connections and not for %d;"
        " raise its limit (ulimit -n, LimitNOFILE=)",
        limit,
        fitting,
        wanted,
    )
    return fitting, streams


# ── argparse types ───────────────────────────────────────────────────────────────────────────────


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value < 2**31:
        raise ValueError
    return value


def _message_size(text: str) -> int:
    value = int(text)
    if not MIN_MESSAGE <= value <= MAX_MESSAGE:
        raise argparse.ArgumentTypeError(f"{text} is not between {MIN_MESSAGE} and {MAX_MESSAGE}")
    return value


def _origin(text: str) -> str:
    origin = text.lower().rstrip("/")
    if origin not in (ANY_ORIGIN, "null") and not _ORIGIN.fullmatch(origin):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no origin; write it as browsers do: https://lab.example.org"
        )
    return origin


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address") from None


def _stun_url(text: str) -> str:
    if text != NO_STUN and not text.startswith(("stun:", "stuns:")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no STUN server; write it as stun:HOST:PORT, or {NO_STUN}"
        )
    return text


def _turn_url(text: str) -> str:
    if not text.startswith(("turn:", "turns:")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no TURN server; write it as turn:HOST:PORT or turns:HOST:PORT"
        )
    return text


def _http_url(text: str) -> str:
    if not _HTTP_URL.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address to post to; write it as https://HOST/PATH"
        )
    return text


_rate.__name__ = "number"
_count.__name__ = "whole number"
