"""Which kind of picture some bytes are, by their beginning and never by their name.

Signatures: W3C PNG 3, section 5.2; ITU T.81, B.1.1.3; GIF89a, section 17; RFC 9649; AV1 Image File
Format, section 6; and of what browsers can't show, so that a person is told what it is.
"""

import re

import attrs

from imgsync.core.protocol.numbers import OTHER_SIGNATURES, PICTURE_KINDS


@attrs.frozen
class Kind:
    """A kind of picture that browsers show.

    :param name: a short word, which files are saved with.
    :param suffixes: how the names of its files end, without the point, in small letters.
    """

    name: str
    media_type: str
    suffixes: tuple[str, ...]


KINDS = tuple(Kind(*kind) for kind in PICTURE_KINDS)
PNG, JPG, GIF, WEBP, AVIF, BMP, SVG = KINDS

SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)

# Of what has one at its very beginning.
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPG,
    b"GIF87a": GIF,
    b"GIF89a": GIF,
}


_OTHER_SIGNATURES = [
    (at, text.encode("latin-1"), media_type) for at, text, media_type in OTHER_SIGNATURES
]

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})

# Of headers that follow that of the file: OS/2 1, Windows 3 to 5, and OS/2 2 in its two lengths.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

UTF_16 = {b"\xff\xfe": "little", b"\xfe\xff": "big", b"<\0": "little", b"\0<": "big"}
"""How a text in UTF-16 begins; without its mark it is one if it begins with `<`."""

UTF_8_MARK = b"\xef\xbb\xbf"

_XML = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*<")


def sniff(head: bytes) -> Kind | None:
    """The kind of what begins like this, or None. PICTURE_HEAD bytes are enough.

    Of XML the element decides that may come later: it is taken for an SVG here.
    """
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if _brands(head) & {b"avif", b"avis"}:
        return AVIF
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return BMP
    return SVG if head[:2] in UTF_16 or _XML.match(head) else None


def media_type_of(head: bytes) -> str | None:
    """What it is that begins like this and is no picture that browsers show; None if unknown."""
    brands = _brands(head)
    if b"crx " in brands:
        return "image/x-canon-cr3"
    if brands:
        return "image/heic" if brands & _HEIF_BRANDS else "video/mp4"
    for at, signature, media_type in _OTHER_SIGNATURES:
        if head.startswith(signature, at):
            return media_type
    return None


def _brands(head: bytes) -> set[bytes]:
    """Of a file of the ISO base media format (ISO/IEC 14496-12, section 4.3)."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    # Behind the first one stands its version.
    return {head[at : at + 4] for at in (8, *range(16, end - 3, 4))}
