"""Which two of the images that are told of are the same one. `web/js/core/protocol/naming.js` has
the same rule.

An image that was fetched ahead is shown where one of the same `imageUrl` is asked for, and its
signature may be another by then, which is in the query. If the signed URL differs before its query,
it is another image, whatever its name says: nobody may be shown a wrong one. A list that says both
at once, with a query that differs in more than a signature, is refused by whoever reads or would
send it: a parameter that is not known to sign may choose another version.
"""

import re
from collections.abc import Iterable

# What signs a URL, or limits it in time, at S3, Google, Azure, CloudFront, Akamai, and here.
_SIGNS = re.compile(
    r"(?i:x-(?:amz|goog|oss|cos|ms)-[^=]*|(?:aws|google|oss)access(?:key)?id|key-pair-id|policy"
    r"|signature|sig|expires|expiry|exp|token|hmac|hdne[at]|hdnts|verify|security-token)(?:=.*)?",
    re.DOTALL,
)

# What else signs at Azure. So short a name may mean anything where its `sig` is not beside it.
_SIGNS_WITH_SIG = re.compile(
    r"(?i:s[evtrpi]|sip|ss|srt|spr|ses|sk(?:oid|tid|[tesv])|saoid|suoid|scid|sdd)(?:=.*)?",
    re.DOTALL,
)

_SIG = re.compile(r"(?i:sig)(?:=.*)?", re.DOTALL)


def image_key(image_url: str, signed_url: str | None) -> str:
    """What an image is known by, whenever it is signed; None for what comes over the connection."""
    return f"{image_url}\n{(signed_url or '').partition('#')[0].partition('?')[0]}"


def name_in_key(key: str) -> str:
    """The `imageUrl` of what is known by this."""
    return key.partition("\n")[0]


def first_conflict(images: Iterable[tuple[str, str | None]]) -> tuple[int, int] | None:
    """The places of the first two that have one name and may be different; None where all is well.

    :param images: the `imageUrl` and the signed URL of each. One that has none is another than one
        of the same name that has one.
    """
    first: dict[str, tuple[int, str | None]] = {}
    for place, (image_url, signed_url) in enumerate(images):
        unsigned = _without_signature(signed_url)
        earlier, known = first.setdefault(image_url, (place, unsigned))
        if known != unsigned:
            return earlier, place
    return None


def newest_url(
    image_url: str, signed_url: str | None, images: Iterable[tuple[str, str | None]]
) -> str | None:
    """The signed URL that an image has by now; the one that it has where none of these is the same.

    :param images: the `imageUrl` and the signed URL of each; of several the last one counts.
    """
    newest, unsigned = signed_url, _without_signature(signed_url)
    for other, other_url in images:
        if other == image_url and _without_signature(other_url) == unsigned:
            newest = other_url
    return newest


def _without_signature(signed_url: str | None) -> str | None:
    if signed_url is None:
        return None
    address, _, query = signed_url.partition("#")[0].partition("?")
    parts = [part for part in query.split("&") if not _SIGNS.fullmatch(part)]
    if any(_SIG.fullmatch(part) for part in query.split("&")):
        parts = [part for part in parts if not _SIGNS_WITH_SIG.fullmatch(part)]
    return "&".join([address, *parts])
