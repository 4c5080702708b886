"""Boxes of the ISO base media format (ISO/IEC 14496-12), and what they say of a picture's size.

How large it is is never worth a refusal: what can't be read is (0, 0), which is no size.
"""

from collections.abc import Iterator

from imgsync.core.pictures.reading import Malformed

Size = tuple[int, int]

_UNKNOWN = (0, 0)


class Numbers:
    """Of a box, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> int:
        """The next one, of so many bytes. Raises Malformed."""
        self._at += size
        if self._at > len(self._data):
            raise Malformed
        return int.from_bytes(self._data[self._at - size : self._at], "big")


def boxes_in(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes inside of one: their kinds, and what they hold. It stops at what is none."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def size_of_item(meta: bytes) -> Size:
    """Of the picture that a `meta` box calls the primary one, as it is turned for being seen.

    ISO/IEC 14496-12, section 8.11; 23008-12, sections 6.5.3 (ispe), 6.5.10 (irot) and 9.3 (ipma).
    """
    found = dict(boxes_in(meta[4:]))
    properties = dict(boxes_in(found.get(b"iprp", b"")))
    known = list(boxes_in(properties.get(b"ipco", b"")))
    try:
        item = _primary_item(Numbers(found.get(b"pitm", b"")))
        places = _properties_of(item, Numbers(properties.get(b"ipma", b"")))
        of_item = dict(known[place - 1] for place in places if 0 < place <= len(known))
        extents = Numbers(of_item.get(b"ispe", b""))
        extents.take(4)
        width, height = extents.take(4), extents.take(4)
    except Malformed:
        return _UNKNOWN
    quarters = of_item.get(b"irot", b"\0")[:1]
    return (height, width) if quarters and quarters[0] & 1 else (width, height)


def _primary_item(box: Numbers) -> int:
    version = box.take(1)
    box.take(3)
    return box.take(4 if version else 2)


def _properties_of(item: int, box: Numbers) -> list[int]:
    """Their places among all that there are, from 1. Raises Malformed."""
    version = box.take(1)
    is_wide = bool(box.take(3) & 1)
    for _ in range(box.take(4)):
        is_it = box.take(4 if version else 2) == item
        # The first bit says whether who does not know it may show the picture all the same.
        places = [
            box.take(2) & 0x7FFF if is_wide else box.take(1) & 0x7F for _ in range(box.take(1))
        ]
        if is_it:
            return places
    raise Malformed


def size_of_track(moov: bytes) -> Size:
    """Of the first track that has one, in a `moov` box: section 8.3.2, its last two fields."""
    for kind, track in boxes_in(moov):
        if kind != b"trak":
            continue
        header = dict(boxes_in(track)).get(b"tkhd", b"")
        # Whole pixels, and parts of one in as many bits again.
        width, height = (int.from_bytes(header[at : at + 2], "big") for at in (-8, -4))
        if width and height and len(header) >= 8:
            return width, height
    return _UNKNOWN
