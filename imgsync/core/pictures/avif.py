"""AVIF: boxes of the ISO base media format (ISO/IEC 14496-12), and whether all is there that they
point to."""

from imgsync.core.pictures.boxes import Numbers, boxes_in, size_of_item, size_of_track
from imgsync.core.pictures.reading import Format, Malformed, Sized, Skip, Take

_MAX_META = 1024 * 1024
"""Bytes that are looked at of what says where the parts of a picture are; most are some hundred."""

_IN_FILE = 0
"""How the place of a part is meant that is none of the same box; section 8.11.3."""


def read_avif() -> Format:
    """Boxes, up to the last byte of the picture; of a sequence, up to its index and frames."""
    at = 0
    end: int | None = None
    seen: set[bytes] = set()
    while True:
        header = yield Take(8)
        size, kind, taken = int.from_bytes(header[:4], "big"), header[4:], 8
        if size == 1:
            size, taken = int.from_bytes((yield Take(8)), "big"), 16
        if size < taken and size != 0:
            raise Malformed
        if kind == b"ftyp" and size >= taken + 4:
            seen.add((yield Take(4)))
            taken += 4
        is_sequence = b"avis" in seen
        if kind == b"meta" and taken < size <= _MAX_META:
            meta = yield Take(size - taken)
            yield Sized(*size_of_item(meta))
            end = end if is_sequence else _end_of_parts(meta)
        elif kind == b"moov" and taken < size <= _MAX_META and is_sequence:
            yield Sized(*size_of_track((yield Take(size - taken))))
        elif size == 0:
            # It goes on to the end of the file, wherever that is.
            yield Skip(max(0, (end or 0) - at - taken))
            break
        elif end is not None:
            yield Skip(min(size, max(taken, end - at)) - taken)
        else:
            yield Skip(size - taken)
        at += size
        seen.add(kind)
        if at >= end if end is not None else {b"moov" if is_sequence else b"meta", b"mdat"} <= seen:
            break


def _end_of_parts(meta: bytes) -> int:
    """Where the last part ends, in bytes from the beginning of the file. Raises Malformed."""
    for kind, box in boxes_in(meta[4:]):  # behind version and flags
        if kind == b"iloc":
            return _end_of_places(Numbers(box))
    raise Malformed


def _end_of_places(box: Numbers) -> int:
    version = box.take(1)
    box.take(3)
    sizes = box.take(2)
    of_offset, of_length, of_base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    of_index = sizes & 15 if version else 0
    of_count = 2 if version < 2 else 4
    end = 0
    for _ in range(box.take(of_count)):
        box.take(of_count)
        method = box.take(2) & 15 if version else _IN_FILE
        box.take(2)
        base = box.take(of_base)
        for _ in range(box.take(2)):
            box.take(of_index)
            offset, length = box.take(of_offset), box.take(of_length)
            if method == _IN_FILE:
                end = max(end, base + offset + length)
    return end
