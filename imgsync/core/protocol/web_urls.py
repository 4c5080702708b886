"""Which URLs an image can be fetched from. `web/js/core/protocol/urls.js` has the same rule.

A URL comes from a manifest or from the other side, and what fetches may do anything with what is
none: take it for a file, or as relative to what it knows, or fall over it. So this comes first.
"""

import ipaddress
import re
from urllib.parse import urlsplit

# urlsplit passes over white space and control characters, and no message can hold a surrogate.
_URL = re.compile(r"(?i:https?)://[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")

# What no browser takes for a host: the URL standard's forbidden code points, without those that
# urlsplit has taken for something else. `%` also begins the zone of an IPv6 address, which means
# something on one machine alone.
_NO_HOST = re.compile(r"[ <>^|%]")

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(:[0-9]*)?")

# A host whose last label is one of these is an IPv4 address, in any spelling, or no host.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def is_web_url(value: str) -> bool:
    """Whether it is absolute, of http or https, and names a host and no impossible port."""
    try:
        parts = urlsplit(value)
        # The port is only looked at, and found to be none, when it is asked for.
        is_sound = bool(_URL.fullmatch(value) and parts.hostname and parts.port != 0)
        # To a browser a backslash is a slash, and the host ends there; to others it does not.
        return is_sound and "\\" not in parts.netloc and _is_host(parts.netloc)
    except ValueError:
        return False


def _is_host(netloc: str) -> bool:
    """Whether a host stands there, behind who is to log in. Raises ValueError for some others."""
    found = _HOST_AND_PORT.fullmatch(netloc.rpartition("@")[2])
    if found is None or _NO_HOST.search(found[1]):
        return False
    if found[1].startswith("["):
        ipaddress.IPv6Address(found[1][1:-1])
        return True
    labels = found[1].removesuffix(".").split(".")
    return not _NUMBER.fullmatch(labels[-1]) or _is_ipv4(labels)


def _is_ipv4(labels: list[str]) -> bool:
    """As the URL standard has it: one to four numbers, the last for all bytes that are left."""
    if len(labels) > 4 or not all(map(_NUMBER.fullmatch, labels)):
        return False
    *first, last = (_read_number(label.lower()) for label in labels)
    return all(number < 256 for number in first) and last < 256 ** (5 - len(labels))


def _read_number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)
