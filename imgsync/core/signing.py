"""URLs that are good until a time and can't be altered: HMAC-SHA256 over path and expiry."""

import hashlib
import hmac
from urllib.parse import parse_qs, urlencode


def sign_path(key: bytes, path: str, expires: int) -> str:
    """The query that makes a path good until `expires`, in seconds since the Unix epoch."""
    return urlencode({"expires": expires, "signature": _signature(key, path, str(expires))})


def is_signed(key: bytes, path: str, query: str, now: float) -> bool:
    """Whether this query makes this path good now (seconds since the Unix epoch)."""
    values = parse_qs(query)
    expires = values.get("expires", [""])[-1]
    signature = values.get("signature", [""])[-1]
    if not (expires.isdecimal() and expires.isascii() and len(expires) <= 12):
        return False
    genuine = hmac.compare_digest(_signature(key, path, expires).encode(), signature.encode())
    return genuine and now < int(expires)


def _signature(key: bytes, path: str, expires: str) -> str:
    # The line break keeps the two apart: neither can hold one.
    return hmac.new(key, f"{expires}\n{path}".encode(), hashlib.sha256).hexdigest()
