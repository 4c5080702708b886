"""The relay's command line, and the settings that it stands for."""

import argparse
import ipaddress
import logging
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from imgsync.commands.common import positive_seconds
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.ice import IceKind, check_account, parse_ice_url, quote_ice_url
from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.limits import NetLimits
from imgsync.relay.admission import ANY_ORIGIN
from imgsync.relay.own_texts import NAMES, OwnTexts, read_own_texts
from imgsync.relay.pages import load_pages
from imgsync.relay.settings import DEFAULT_PREFIX, Settings, Shared
from imgsync.relay.tokens import read_secret, sign_claims, token_reader
from imgsync.relay.turn import CREDENTIAL_LIFE, IceOffer, read_ice_servers

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
"""Descriptors for everything that is no connection, and for those that are turned away."""

MIN_FILES = 64
"""With fewer, a relay has a handful of connections, if it comes as far as to listen."""

_RAISE_LIMIT = "raise its limit (ulimit -n, LimitNOFILE=)"

MIN_LIFE, MAX_LIFE = 60, 365 * 24 * 3600
"""Seconds for which TURN accounts are good. Those that live for seconds would end with each step of
a clock, and with each pause of a network; those of a year are as good as fixed ones."""

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
    _add_nodes(parser)
    _add_limits(parser)
    return parser


def check(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options that don't go together, as a usage error."""
    if (options.tls_cert is None) != (options.tls_key is None):
        parser.error("--tls-cert and --tls-key go together")
    _check_turn(options, parser)
    if options.redis is None and options.redis_password_file is not None:
        parser.error("--redis-password-file needs --redis")
    if options.end_at_expiry and options.auth_secret_file is None:
        parser.error("--end-at-expiry needs --auth-secret-file: without it there are no tokens")
    if options.outbox_size < 2 * options.max_message:
        parser.error(
            f"--outbox-size {options.outbox_size} is too small for --max-message"
            f" {options.max_message}; make it twice as large or more"
        )


def _check_turn(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    has_secret = options.turn_secret_file is not None
    account = (options.turn_user, options.turn_credential_file)
    if has_secret and account != (None, None):
        parser.error(
            "--turn-secret-file makes accounts, and --turn-user with --turn-credential-file names"
            " a fixed one: give one of the two, and servers of the other kind in --ice-servers-file"
        )
    if (account[0] is None) != (account[1] is None):
        parser.error("--turn-user and --turn-credential-file go together")
    if bool(options.turn) != (has_secret or account[0] is not None):
        parser.error(
            "--turn and --turn-secret-file go together, or --turn, --turn-user and"
            " --turn-credential-file"
        )
    if options.turn_ttl is not None and not has_secret:
        parser.error("--turn-ttl needs --turn-secret-file: only what is made with it expires")


def settings_of(options: argparse.Namespace) -> Settings:
    """What the options stand for. Raises InputError and MissingExtra."""
    read_token = sign = None
    if options.auth_secret_file is not None:
        secret = read_secret(options.auth_secret_file)
        read_token, sign = token_reader(secret), partial(sign_claims, secret)
    max_connections, max_streams = _fit_files(options.max_connections)
    return Settings(
        read_token=read_token,
        sign_claims=sign,
        end_at_expiry=options.end_at_expiry,
        ice=ice_offer_of(options),
        recording_url=options.recording_url,
        texts=_texts_of(options),
        shared=_shared_of(options),
        origins=options.allow_origin,
        proxies=options.forwarded_by,
        grace=options.grace,
        register_deadline=options.register_deadline,
        max_connections=max_connections,
        max_sockets_per_user=options.max_sockets_per_user,
        rate_limit=options.rate_limit,
        address_rate=options.address_rate,
        connect_rate=options.connect_rate,
        net=NetLimits(
            max_head=options.max_head,
            head_deadline=options.head_deadline,
            max_message=options.max_message,
            outbox_size=options.outbox_size,
            outbox_total=options.outbox_total,
            write_deadline=options.write_deadline,
            max_streams=max_streams,
            max_streams_per_address=options.max_per_address,
        ),
    )


def _texts_of(options: argparse.Namespace) -> OwnTexts:
    if options.texts is None:
        return {}
    return read_own_texts(Path(options.texts), load_pages().languages)


def _shared_of(options: argparse.Namespace) -> Shared | None:
    if options.redis is None:
        return None
    password = None
    if options.redis_password_file is not None:
        secret = read_secret(options.redis_password_file, 1)
        password = _text_of(secret, options.redis_password_file)
    return Shared(options.redis, options.redis_prefix, password)


def ice_offer_of(options: argparse.Namespace) -> IceOffer:
    """The ICE servers that the options name, with what stands in files. Raises InputError."""
    # Secrets are as long as the TURN server's operator has made them.
    secret = b""
    if options.turn_secret_file is not None:
        secret = read_secret(options.turn_secret_file, 1)
    account = None
    if options.turn_credential_file is not None:
        credential = read_secret(options.turn_credential_file, 1)
        account = (options.turn_user, _text_of(credential, options.turn_credential_file))
    others: Sequence[IceServer] = ()
    if options.ice_servers_file is not None:
        others = read_ice_servers(options.ice_servers_file)
    stun = options.stun or ([] if any(map(_is_stun, others)) else [DEFAULT_STUN])
    offer = IceOffer(
        [url for url in stun if url != NO_STUN],
        options.turn,
        secret,
        options.turn_ttl or CREDENTIAL_LIFE,
        account,
        others,
    )
    for left_out in offer.left_out():
        log.warning("no session asks %s: %s", left_out.url, left_out.why)
    return offer


def has_ice_files(options: argparse.Namespace) -> bool:
    """Whether `ice_offer_of` may find something else the next time."""
    files = (options.turn_secret_file, options.turn_credential_file, options.ice_servers_file)
    return any(file is not None for file in files)


def _text_of(credential: bytes, path: str) -> str:
    try:
        return credential.decode()
    except UnicodeDecodeError:
        raise InputError(f"the credential in {path!r} is not text in UTF-8") from None


def _is_stun(server: IceServer) -> bool:
    return any(parse_ice_url(url).kind is IceKind.STUN for url in server.each_url)


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
        help="the secret that it shares with us (coturn: use-auth-secret, static-auth-secret);"
        " read again on SIGHUP, as are the next files",
    )
    group.add_argument(
        "--turn-ttl",
        type=_life,
        metavar="SECONDS",
        help="how long the accounts are good that are made with this secret; who is registered is"
        f" told new ones before half of it is over ({CREDENTIAL_LIFE:g}, a week)",
    )
    group.add_argument(
        "--turn-user",
        type=_turn_user,
        metavar="NAME",
        help="a fixed user name for all --turn, instead of such a secret",
    )
    group.add_argument("--turn-credential-file", metavar="F", help="with its credential")
    group.add_argument(
        "--ice-servers-file",
        metavar="F",
        help="further servers, each with its own account, as hosted services hand them out: JSON,"
        " a list of {urls, username, credential}",
    )
    group.add_argument(
        "--recording-url",
        type=_http_url,
        metavar="URL",
        help="where the client page posts what it records; without it, participants save it",
    )
    group.add_argument(
        "--texts",
        metavar="DIR",
        help="what the study says itself to participants: a file for each language, as de.json, of"
        f" {', '.join(NAMES)}",
    )


def _add_nodes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("several nodes of one relay")
    group.add_argument(
        "--redis",
        metavar="URL",
        help="share sessions with other nodes through this Redis: redis://HOST:PORT/DB, or rediss://"
        " with TLS; without it, the relay is alone",
    )
    group.add_argument(
        "--redis-prefix",
        default=DEFAULT_PREFIX,
        metavar="NAME",
        help="before all keys; nodes of one relay have the same (%(default)s)",
    )
    group.add_argument(
        "--redis-password-file", metavar="F", help="with the password, which the URL then has not"
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
    what = (
        "messages of up to 2 KiB a second of one WebSocket, twenty times as many at once; 0 for no"
        " limit"
    )
    add("--rate-limit", _rate, _DEFAULTS.rate_limit, "PER_S", what)
    what = "the same of all of one address together, forty times as many at once; 0 for no limit"
    add("--address-rate", _rate, _DEFAULTS.address_rate, "PER_S", what)
    what = "characters of one message"
    add("--max-message", _message_size, net.max_message, "N", what)
    what = "bytes that may wait for a peer to read them"
    add("--outbox-size", count, net.outbox_size, "N", what)
    what = "bytes of memory that may wait for all peers together, half messages of theirs included"
    add("--outbox-total", count, net.outbox_total, "N", what)
    what = "for a peer to read what waits for it"
    add("--write-deadline", positive_seconds, net.write_deadline, "SECONDS", what)
    what = "from the WebSocket to its register"
    add("--register-deadline", positive_seconds, _DEFAULTS.register_deadline, "SECONDS", what)
    add("--max-head", count, net.max_head, "BYTES", "of an HTTP head")
    add("--head-deadline", positive_seconds, net.head_deadline, "SECONDS", "for an HTTP head")


def share_files(limit: int, wanted: int) -> tuple[int, int]:
    """How many WebSockets, and TCP connections in all, so many open files are enough for.

    Where they are few, everything has fewer: three quarters are for what is no connection, as long
    as that is no more than SPARE_FILES, and of the connections a quarter is for what is no
    WebSocket. Raises InputError.

    :param wanted: WebSockets.
    """
    if limit < MIN_FILES:
        raise InputError(
            f"the system allows {limit} open files, and a relay needs {MIN_FILES} or more;"
            f" {_RAISE_LIMIT}"
        )
    streams = limit - min(SPARE_FILES, limit * 3 // 4)
    fitting = min(wanted, streams - min(SPARE_STREAMS, streams // 4))
    return fitting, min(streams, fitting + SPARE_STREAMS)


def _fit_files(wanted: int) -> tuple[int, int]:
    """As many WebSockets, and TCP connections in all, as the system grants files when asked.

    Raises InputError.
    """
    needed = wanted + SPARE_STREAMS + SPARE_FILES
    if sys.platform == "win32" or resource is None:
        return share_files(needed, wanted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = needed
    if soft != resource.RLIM_INFINITY and soft < needed:
        limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    fitting, streams = share_files(limit, wanted)
    if fitting < wanted:
        log.warning(
            "the system allows %d open files, which is enough for %d connections and not for %d;"
            f" {_RAISE_LIMIT}",
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
    how = f"write it as stun:HOST:PORT, or {NO_STUN}"
    return text if text == NO_STUN else _ice_url(text, "STUN", ("stun:", "stuns:"), how)


def _turn_url(text: str) -> str:
    how = "write it as turn:HOST:PORT or turns:HOST:PORT"
    return _ice_url(text, "TURN", ("turn:", "turns:"), how)


def _ice_url(text: str, kind: str, schemes: tuple[str, ...], how: str) -> str:
    if not text.lower().startswith(schemes):
        raise argparse.ArgumentTypeError(f"{quote_ice_url(text)} is no {kind} server; {how}")
    try:
        parse_ice_url(text)
    except InputError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None
    return text


def _turn_user(text: str) -> str:
    try:
        check_account(text, "a credential")
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"no TURN server is asked with it: {exc}") from None
    return text


def _life(text: str) -> float:
    value = float(text)
    if not MIN_LIFE <= value <= MAX_LIFE:
        raise argparse.ArgumentTypeError(
            f"{text} is not between {MIN_LIFE}, as clocks differ, and {MAX_LIFE}, a year"
        )
    return value


def _http_url(text: str) -> str:
    if not _HTTP_URL.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address to post to; write it as https://HOST/PATH"
        )
    return text


_rate.__name__ = "number"
_life.__name__ = "number"
_count.__name__ = "whole number"
