"""Which kind of image some bytes are, by their beginning and never by their name."""

from imgsync.core.pictures.check import check_picture
from imgsync.core.pictures.kinds import KINDS
from imgsync.core.protocol.numbers import PICTURE_HEAD

SNIFF_SIZE = PICTURE_HEAD
"""Bytes that decide, unless an SVG begins with a longer comment."""

CONTENT_TYPES = {kind.name: kind.media_type for kind in KINDS}


def sniff_image(head: bytes) -> str | None:
    """The name of the kind of what begins like this, such as "png"; None for what is none."""
    kind = check_picture(head).kind
    return None if kind is None else kind.name
