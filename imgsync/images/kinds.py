"""Which kind of image some bytes are, by their beginning and never by their name."""

import re

SNIFF_SIZE = 4096
"""Bytes that decide; an SVG may begin with a long comment."""

CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}

# The prolog of https://www.w3.org/TR/xml/#sec-prolog-dtd, then the root; a page that holds an SVG
# is none. Each part is final once it has matched, or some input would be tried in endless ways.
_SVG = re.compile(
    rb"""
    (?: \xef\xbb\xbf )?
    (?> \s+ | <\?.*?\?> | <!--.*?--> | <!DOCTYPE\s+ (?:svg:)?svg\b [^>\[]* (?: \[.*?\]\s* )? > )*+
    < (?:svg:)?svg [\s/>]
    """,
    re.DOTALL | re.VERBOSE,
)


def sniff_image(head: bytes) -> str | None:
    """The kind ("png", "jpg", "gif", "webp" or "svg") of what begins like this, or None.

    Signatures: W3C PNG 3, section 5.2; ITU T.81, B.1.1.3; GIF89a, section 17; RFC 9649.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return "svg" if _SVG.match(head[:SNIFF_SIZE]) else None
