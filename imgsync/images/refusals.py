"""What is known of a refusal, beside its status. `web/js/client/refusals.js` has the same rule."""

import re
from datetime import UTC, datetime

MAX_REFUSAL = 4096
"""Bytes of an answer that says why it is one; the codes of S3 and its like stand in front."""

_WHOLE = re.compile(r"[0-9]{1,12}")

# The basic and the extended form of ISO 8601, in UTC.
_STAMP = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[.][0-9]+)?Z"
)

_CODE = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")


def describe_refusal(status: int, signed_url: str, text: str, at: float) -> str:
    """Why a host refuses an image, as far as its URL or its answer tells; may be empty.

    :param text: of the answer.
    :param at: now, ms since the epoch.
    """
    if not 400 <= status < 500:
        return ""
    if status == 407:
        return "the proxy wants a password"
    expiry = _expiry_of(signed_url)
    if expiry is not None and expiry * 1000 <= at:
        minutes = int((at - expiry * 1000) // 60_000)
        ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
        return f"its URL was good until {ago} ago"
    code = _CODE.search(text)
    return "" if code is None else f"its host says {code[1]}"


def _expiry_of(url: str) -> float | None:
    """Until when a signed URL is good, in seconds since the epoch, as far as its query says.

    So do ours, CloudFront's and the older ones of S3 and Google (`Expires`), the newer ones of both
    (`X-Amz-...`, `X-Goog-...`), and Azure's (`se`).
    """
    query = url.partition("#")[0].partition("?")[2]
    pairs = (pair.partition("=") for pair in query.split("&"))
    found = {name.lower(): re.sub("%3[aA]", ":", value) for name, _, value in pairs}
    if _WHOLE.fullmatch(found.get("expires", "")):
        return float(found["expires"])
    for prefix in ("x-amz-", "x-goog-"):
        begin = _read_stamp(found.get(f"{prefix}date", ""))
        seconds = found.get(f"{prefix}expires", "")
        if begin is not None and _WHOLE.fullmatch(seconds):
            return begin + float(seconds)
    return _read_stamp(found.get("se", ""))


def _read_stamp(stamp: str) -> float | None:
    parts = _STAMP.fullmatch(stamp)
    if parts is None or int(parts[1]) <= 99:
        return None
    try:
        year, month, day, hour, minute, second = map(int, parts.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
