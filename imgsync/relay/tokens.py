"""Identity by JSON Web Tokens: HS256 and nothing else. Needs the extra `relay` (PyJWT).

PyJWT checks the signature. The claims are read as strictly as a message: PyJWT would take "1" and
true for times, and a clock that is ahead for a reason to refuse. A claim that is not ours is
ignored, and no error repeats anything of a token. PyJWT is loaded where it is used, because most
relays that run on loopback never read a token.
"""

import logging
import math
import os
import shlex
import stat
import time
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import attrs

from imgsync.core.codec.codec import MAX_REGISTER
from imgsync.core.codec.strict import parse_json, structure, unstructure
from imgsync.core.protocol.errors import InputError, Unauthorized
from imgsync.core.protocol.signalling import Group, Name, Role, UserId
from imgsync.core.relay.identity import Claims, ReadToken
from imgsync.distribution import missing_extra

log = logging.getLogger(__name__)

ALGORITHM = "HS256"

MIN_SECRET = 32
"""Bytes: as many as the hash has, which RFC 7518, section 3.2, asks for."""

MAX_SECRET = 16 * 1024
"""Bytes. What is longer is some other file."""

MAX_TOKEN = MAX_REGISTER - 1024
"""Characters: the rest of a `register` is for who it is, its name and its features."""

LEEWAY = 60.0
"""Seconds by which the clock of who makes tokens may be ahead of ours, for `nbf` alone. RFC 7519
allows as much for `exp`; but when a token ends is what its maker has promised, and where our clock
is ahead there is nothing to repair but the clock."""

_NEW_SECRET = "openssl rand -hex 32"


@attrs.frozen
class _Payload:
    """The claims that we read; times are NumericDates of RFC 7519, in seconds."""

    sub: UserId
    role: Role
    exp: int | float
    nbf: int | float = 0
    name: Name | None = None
    group: Group | None = None
    clients: tuple[UserId, ...] | None = None
    invites: int | float | None = None


_NARROWING = ("group", "clients")
"""Claims that grant less than there is without them, so that null may not pass for that."""


# ── the secret ───────────────────────────────────────────────────────────────────────────────────


def read_secret(path: str | Path, min_size: int = MIN_SECRET) -> bytes:
    """The secret in a file, without the end of its line.

    Raises InputError for a file that can't be read or is too short or too long for a secret.

    :param min_size: bytes.
    """
    shown = repr(str(path))
    try:
        with Path(path).open("rb") as stream:
            secret = stream.read(MAX_SECRET + 1).rstrip(b"\r\n")
            is_exposed = _is_exposed(stream)
    except FileNotFoundError as exc:
        target = shlex.quote(str(path))
        raise InputError(
            f"there is no secret file {shown}; make one that only you can read with:"
            f" (umask 077; {_NEW_SECRET} > {target})"
        ) from exc
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(f"can't read the secret file {shown}: {why}; name another one") from exc
    _check_secret(secret, min_size, shown)
    if is_exposed:
        log.warning("every user of this machine can read %s; protect it with chmod 600", shown)
    return secret


def _is_exposed(stream: BinaryIO) -> bool:
    return os.name == "posix" and bool(os.fstat(stream.fileno()).st_mode & stat.S_IROTH)


def _check_secret(secret: bytes, min_size: int, shown: str) -> None:
    if not secret:
        raise InputError(
            f"the secret file {shown} is empty; put into it what this prints: {_NEW_SECRET}"
        )
    if len(secret) < min_size:
        raise InputError(
            f"the secret in {shown} has {len(secret)} bytes and needs {min_size} or more;"
            f" use what this prints: {_NEW_SECRET}"
        )
    if len(secret) > MAX_SECRET:
        raise InputError(
            f"the secret file {shown} is longer than {MAX_SECRET} bytes; is it the right file?"
        )


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────


def token_reader(secret: bytes) -> ReadToken:
    """What tells the claims of the tokens that were made with this secret.

    Raises InputError for a secret that PyJWT does not take, and MissingExtra.
    """
    jwt = _load_jwt()
    _sign({}, secret)  # a secret that won't do is told now, not to each peer
    jws = jwt.PyJWS([ALGORITHM])

    def read_token(token: str) -> Claims:
        # From None: the text of what PyJWT and Python raise may hold parts of the token.
        try:
            payload: bytes = jws.decode(token, secret, [ALGORITHM])
        except jwt.InvalidSignatureError:
            raise Unauthorized(
                "the token was not made with this relay's secret; ask for one that was"
            ) from None
        except jwt.InvalidAlgorithmError:
            raise Unauthorized(
                f"the token is not signed with {ALGORITHM}; ask for one that is"
            ) from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthorized(
                "the token is no JSON Web Token; check that all of it was copied, and nothing else"
            ) from None
        return _read_claims(payload)

    return read_token


def _read_claims(payload: bytes) -> Claims:
    try:
        value = parse_json(payload.decode())
        claims = structure(value, _Payload, "claims")
        for name in _NARROWING:
            if value.get(name, "") is None:
                raise ValueError(f"claims.{name}: null says nothing; leave it out for no limit")
    except ValueError as exc:
        # Of this text, only that of a UnicodeDecodeError would tell of what stands there.
        why = "not UTF-8" if isinstance(exc, UnicodeDecodeError) else exc
        raise Unauthorized(f"the token's claims can't be used ({why}); ask for a new one") from None
    # The wall clock itself: the relay may have started before the clock was set.
    now = time.time()
    if claims.exp <= now:
        raise Unauthorized("the token has expired; ask for a new one")
    if claims.nbf > now + LEEWAY:
        raise Unauthorized("the token is not valid yet; wait, or check the clock of its issuer")
    clients = None if claims.clients is None else frozenset(claims.clients)
    return Claims(
        claims.sub, claims.role, claims.name, claims.group, clients, claims.exp, claims.invites
    )


def mint_token(secret: bytes, claims: Claims, ttl_seconds: float) -> str:
    """A token that says this for so long. Raises what `sign_claims` does."""
    expires_at = math.ceil(time.time() + ttl_seconds)
    return sign_claims(secret, attrs.evolve(claims, expires_at=expires_at))


def sign_claims(secret: bytes, claims: Claims) -> str:
    """A token that says this until it expires.

    Raises InputError for what no peer could register with and for a secret that PyJWT does not
    take, and MissingExtra.
    """
    clients = None if claims.clients is None else tuple(sorted(claims.clients))
    said = _Payload(
        claims.user_id,
        claims.role,
        claims.expires_at,
        name=claims.name,
        group=claims.group,
        clients=clients,
        invites=claims.invites,
    )
    payload = unstructure(said)
    try:
        structure(payload, _Payload, "claims")
    except ValueError as exc:
        raise InputError(f"no token can say this ({exc}); choose another value") from None
    token = _sign({**payload, "iat": int(time.time())}, secret)
    if len(token) > MAX_TOKEN:
        raise InputError(
            f"a token that says this has {len(token)} characters, and a relay takes {MAX_TOKEN};"
            " name fewer clients, or let the evaluator see a group"
        )
    return token


def _sign(payload: dict[str, Any], secret: bytes) -> str:
    jwt = _load_jwt()
    try:
        token: str = jwt.encode(payload, secret, ALGORITHM)
    except jwt.InvalidKeyError as exc:
        raise InputError(
            f"the secret is a public key or a certificate; use what this prints: {_NEW_SECRET}"
        ) from exc
    return token


def _load_jwt() -> ModuleType:
    try:
        import jwt
    except ImportError as exc:
        raise missing_extra("tokens are made and read with PyJWT", "relay") from exc
    return jwt
