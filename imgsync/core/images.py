"""Which kind of image some bytes are, told by their beginning and never by their name."""

SNIFF_SIZE = 4096
"""Bytes that decide; an SVG may begin with a long comment."""

CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}


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
    text = head[:SNIFF_SIZE].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") and b"<svg" in text:
        return "svg"
    return None
