"""What may be said of a URL where people or files see it; `web/js/core/protocol/urls.js` has the
same rule. An `imageUrl` names an image, and still people put into it what gives access to it."""

import re

_BEGIN = r"^((?:[^/\\:?#]+:)?[/\\]{2,})"

_USER_INFO = re.compile(_BEGIN + r"[^/]*@")

# What is left of one whose password has a character that ends it: no port looks like that.
_HALF_USER_INFO = re.compile(_BEGIN + r"[^/\\\[\]]*:(?![0-9]*(?:/|\Z)).*", re.DOTALL)


def public_url(url: str) -> str:
    """It without query, fragment, user and password, which may be secrets."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return _HALF_USER_INFO.sub(r"\1", _USER_INFO.sub(r"\1", bare))
