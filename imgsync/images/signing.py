"""URLs that are good until a time and can't be altered: HMAC-SHA256 over path and expiry."""

import hashlib
import hmac
import re
from urllib.parse import parse_qs, urlencode

_TIME = re.compile(r"[0-9]{1,12}")


def sign_path(key: bytes, path: str, expires: int) -> str:
    """The query that makes a path good until `expires`, in seconds since the Unix epoch."""
    return urlencode({"expires": expires, "signature": _signature(key, path, str(expires))})


def is_signed(key: bytes, path: str, query: str, now: float) -> bool:
    """Whether this query makes this path good now (seconds since the Unix epoch)."""
    match parse_qs(query):
        case {"expires": [expires], "signature": [signature]} if _TIME.fullmatch(expires):
            genuine = _signature(key, path, expires)
            return hmac.compare_digest(genuine.encode(), signature.encode()) and now < int(expires)
        case _:
            return False


def _signature(key: bytes, path: str, expires: str) -> str:
    # The line break keeps the two apart: an expiry can't hold one.
    return hmac.new(key, f"{expires}\n{path}".encode(), hashlib.sha256).hexdigest()
