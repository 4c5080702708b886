"""What is known of a refusal, beside its status. `web/js/client/refusals.js` has the same rule."""

import re

from imgsync.images.urls import expiry_of

MAX_REFUSAL = 4096
"""Bytes of an answer that says why it is one; the codes of S3 and its like stand in front."""

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
    expiry = expiry_of(signed_url)
    if expiry is not None and expiry * 1000 <= at:
        minutes = int((at - expiry * 1000) // 60_000)
        ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
        return f"its URL was good until {ago} ago"
    code = _CODE.search(text)
    return "" if code is None else f"its host says {code[1]}"
