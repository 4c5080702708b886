"""Which URLs an image can be fetched from. `web/js/core/protocol/urls.js` has the same rule.

A URL comes from a manifest or from the other side, and what fetches may do anything with what is
none: take it for a file, or as relative to what it knows, or fall over it. So this comes first.
"""

import re
from urllib.parse import urlsplit

# urlsplit passes over white space and control characters, and no message can hold a surrogate.
_URL = re.compile(r"(?i:https?)://[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")

# What no browser takes for a host: the URL standard's forbidden code points, without those that
# urlsplit has taken for something else. `%` also begins the zone of an IPv6 address, which means
# something on one machine alone.
_NO_HOST = re.compile(r"[ <>^|%]")


def is_web_url(value: str) -> bool:
    """Whether it is absolute, of http or https, and names a host and no impossible port."""
    try:
        parts = urlsplit(value)
        # The port is only looked at, and found to be none, when it is asked for.
        is_sound = bool(_URL.fullmatch(value) and parts.hostname and parts.port != 0)
        # To a browser a backslash is a slash, and the host ends there; to others it does not.
        return is_sound and not _NO_HOST.search(parts.hostname or "") and "\\" not in parts.netloc
    except ValueError:
        return False
