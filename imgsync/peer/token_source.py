"""Where a peer has its token from: a text, or whatever is asked anew at each registration.

An error names the place and never repeats what stands there.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from imgsync.core.protocol.errors import InputError

TokenSource = str | Callable[[], str] | None
"""A function is called on Trio's thread at each registration, so it must not block. It raises
InputError, OSError or UnicodeError where there is no token to be had at this moment."""

MAX_TOKEN = 16 * 1024
"""Characters in a file. What is longer is some other file; a token has a few hundred."""


def token_file(path: str | Path) -> Callable[[], str]:
    """A source that reads a file each time, so that a new token can be put there."""
    return partial(_read_file, Path(path))


def read_token(source: TokenSource) -> str | None:
    """The token to register with, without white space around it. Raises InputError."""
    if source is None:
        return None
    try:
        token = (source if isinstance(source, str) else source()).strip()
    except (OSError, UnicodeError) as exc:
        raise InputError(f"can't get the token: {_why(exc)}") from None
    if not token:
        raise InputError("the token is empty; give one, or none at all")
    return token


def _read_file(path: Path) -> str:
    shown = repr(str(path))
    try:
        with path.open("rb") as stream:
            token = stream.read(MAX_TOKEN + 1).decode()
    except (OSError, ValueError) as exc:  # ValueError: no UTF-8, or a NUL in the path
        # From None: a UnicodeDecodeError holds what could not be read.
        raise InputError(
            f"can't read the token file {shown}: {_why(exc)}; check --token-file"
        ) from None
    if len(token) > MAX_TOKEN:
        raise InputError(f"the token file {shown} is longer than any token; check --token-file")
    if not token.strip():
        raise InputError(f"the token file {shown} is empty; put a token into it")
    return token


def _why(exc: Exception) -> object:
    match exc:
        case OSError():
            return exc.strerror or type(exc).__name__
        case UnicodeError():
            return "it is not UTF-8 text"
        case _:
            return exc
