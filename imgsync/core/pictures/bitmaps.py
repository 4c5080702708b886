"""PNG, JPEG, GIF, WebP and BMP: whether they are built soundly, up to their end, and how large they
are."""

from zlib import crc32

from imgsync.core.pictures.exif import is_turned
from imgsync.core.pictures.reading import Format, Malformed, Marker, Sized, Skip, Sum, Take

# ── PNG: W3C PNG 3, section 5 ────────────────────────────────────────────────────────────────────

_MAX_CHUNK = 2**31 - 1

_NEVER_SEEN = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME"})
"""Chunks that change nothing of what is seen: it is shown rightly, whatever they hold."""

_MAX_EXIF = 65535
"""Bytes that are looked at of what says how a picture is to be held; a JPEG takes no more."""


def read_png() -> Format:
    """Chunks with their sums, from the header to the end."""
    yield Skip(8)
    header = yield Take(8)
    if header != b"\0\0\0\x0dIHDR":
        raise Malformed
    fields = yield Take(13)
    yield from _check_sum(crc32(b"IHDR" + fields))
    if not (any(fields[:4]) and any(fields[4:8])):
        raise Malformed  # no width, or no height
    width, height = int.from_bytes(fields[:4], "big"), int.from_bytes(fields[4:8], "big")
    yield Sized(width, height)
    has_pixels = False
    while True:
        header = yield Take(8)
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        if size > _MAX_CHUNK or not kind.isalpha() or kind == b"IHDR":
            raise Malformed
        if kind in _NEVER_SEEN:
            yield Skip(size + 4)
            continue
        if kind == b"eXIf" and not has_pixels and size <= _MAX_EXIF:
            exif = yield Take(size)
            yield from _check_sum(crc32(kind + exif))
            yield Sized(height, width) if is_turned(exif) else Sized(width, height)
            continue
        yield from _check_sum((yield Sum(size, crc32(kind))))
        if kind == b"IEND":
            break
        has_pixels = has_pixels or (kind == b"IDAT" and size > 0)
    if not has_pixels:
        raise Malformed


def _check_sum(crc: int) -> Format:
    if int.from_bytes((yield Take(4)), "big") != crc:
        raise Malformed


# ── JPEG: ITU T.81, annex B ──────────────────────────────────────────────────────────────────────

_EOI, _SOS, _TEM, _APP1 = 0xD9, 0xDA, 0x01, 0xE1

_EXIF = b"Exif\0\0"

_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB})

# Reserved, a second beginning, and what belongs to hierarchical pictures and to extensions.
_UNKNOWN = frozenset(
    {*range(0x02, 0xC0), *range(0xC5, 0xC9), *range(0xCD, 0xD0), 0xD8, 0xDE, 0xDF}
    | {*range(0xF0, 0xFE)}
)


def read_jpeg() -> Format:
    """Segments and scans, up to the end of the first picture: thumbnails are inside of segments,
    and other pictures, or a film, behind it."""
    yield Skip(2)
    has_frame = has_scan = is_on_side = False
    width = height = 0
    while True:
        marker = yield Marker()
        if marker == _EOI:
            break
        if marker == _TEM:
            continue
        if marker in _UNKNOWN or (marker == _SOS and not has_frame):
            raise Malformed
        left = int.from_bytes((yield Take(2)), "big") - 2
        if left < 0:
            raise Malformed
        if marker in _FRAMES and left > 0:
            fields = yield Take(min(left, 5))
            # Browsers show no more than 8 bits of a colour; scanners and DICOM also write 12.
            if fields[0] != 8:
                raise Malformed
            height, width = (int.from_bytes(fields[at : at + 2], "big") for at in (1, 3))
            left -= len(fields)
            has_frame = True
        elif marker == _APP1:
            start = yield Take(min(left, len(_EXIF)))
            left -= len(start)
            if start == _EXIF:
                is_on_side = is_turned((yield Take(left)))
                left = 0
        elif marker == _SOS and not has_scan:
            yield Sized(height, width) if is_on_side else Sized(width, height)
            has_scan = True
        yield Skip(left)
    if not has_scan:
        raise Malformed


# ── GIF: GIF89a, sections 17 to 27 ───────────────────────────────────────────────────────────────

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def read_gif() -> Format:
    """Blocks, up to the trailer."""
    screen = yield Take(13)
    yield Skip(_size_of_colours(screen[10]))
    has_image = False
    while True:
        block = (yield Take(1))[0]
        if block == _EXTENSION:
            yield Skip(1)
            yield from _skip_parts()
        elif block == _IMAGE:
            header = yield Take(9)
            if not has_image:
                # The screen that some write is too small; browsers then make it larger.
                sides = (
                    max(_little(screen, at, at + 2), _little(header, at - 2, at)) for at in (6, 8)
                )
                yield Sized(*sides)
            yield Skip(_size_of_colours(header[8]) + 1)
            yield from _skip_parts()
            has_image = True
        elif block == _TRAILER:
            break
        elif block != 0:  # some write an end of parts too many
            raise Malformed
    if not has_image:
        raise Malformed


def _size_of_colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_parts() -> Format:
    while size := (yield Take(1))[0]:
        yield Skip(size)


# ── WebP: RFC 9649, section 2 ────────────────────────────────────────────────────────────────────

_STARTS = {b"VP8 ": (3, b"\x9d\x01\x2a"), b"VP8L": (0, b"\x2f")}
"""Where in the data something always stands: RFC 6386, section 9.1; RFC 9649, section 3.4."""

_START = 10
"""Bytes of a chunk that say how large it is, too."""


def read_webp() -> Format:
    """Chunks, up to the size that stands at the beginning."""
    header = yield Take(12)
    left = int.from_bytes(header[4:8], "little") - 4
    has_image = is_sized = False
    while left >= 8:
        header = yield Take(8)
        left -= 8
        size, kind = int.from_bytes(header[4:], "little"), header[:4]
        if size > left:
            raise Malformed
        # An odd one is followed by a byte more, which some leave out at the very end.
        whole = min(size + (size & 1), left)
        start = yield Take(min(size, _START))
        at, wanted = _STARTS.get(kind, (0, b""))
        if start[at : at + len(wanted)] != wanted:
            raise Malformed
        if kind in _WEBP_SIZES and not is_sized:
            # What is inside of a canvas may be smaller.
            yield Sized(*_WEBP_SIZES[kind](start))
            is_sized = True
        yield Skip(whole - len(start))
        left -= whole
        has_image = has_image or kind in (*_STARTS, b"ANMF")
    if not has_image:
        raise Malformed
    yield Skip(left)


def _size_of_lossy(start: bytes) -> tuple[int, int]:
    return _little(start, 6, 8) & 0x3FFF, _little(start, 8, 10) & 0x3FFF


def _size_of_lossless(start: bytes) -> tuple[int, int]:
    bits = _little(start, 1, 5)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _size_of_canvas(start: bytes) -> tuple[int, int]:
    return _little(start, 4, 7) + 1, _little(start, 7, 10) + 1


_WEBP_SIZES = {b"VP8 ": _size_of_lossy, b"VP8L": _size_of_lossless, b"VP8X": _size_of_canvas}


def _little(data: bytes, at: int, end: int) -> int:
    return int.from_bytes(data[at:end], "little")


# ── BMP: as Windows and OS/2 write it ────────────────────────────────────────────────────────────

_FILE_HEADER, _OS2_HEADER = 14, 12
_RGB, _FIELDS, _ALPHA_FIELDS = 0, 3, 6


def read_bmp() -> Format:
    """The rows of pixels, counted: the size of the file that stands in it is wrong in many."""
    header = yield Take(_FILE_HEADER + 4)
    start = int.from_bytes(header[10:14], "little")
    size = int.from_bytes(header[14:18], "little")
    fields = yield Take(size - 4)
    width, height, planes, bits, compression, packed = _bmp_fields(fields, size)
    if width <= 0 or height == 0 or planes != 1 or not 0 < bits <= 32:
        raise Malformed
    yield Sized(width, abs(height))
    if compression in (_RGB, _FIELDS, _ALPHA_FIELDS):
        packed = (width * bits + 31) // 32 * 4 * abs(height)
    end = max(start, _FILE_HEADER + size) + packed
    yield Skip(end - _FILE_HEADER - size)


def _bmp_fields(fields: bytes, size: int) -> tuple[int, int, int, int, int, int]:
    """Width, height, planes, bits of a pixel, compression and the size of what is compressed."""
    if size == _OS2_HEADER:
        width, height, planes, bits = (
            int.from_bytes(fields[at : at + 2], "little") for at in range(0, 8, 2)
        )
        return width, height, planes, bits, _RGB, 0
    width, height = (int.from_bytes(fields[at : at + 4], "little", signed=True) for at in (0, 4))
    planes, bits = (int.from_bytes(fields[at : at + 2], "little") for at in (8, 10))
    # Those of OS/2 may be too short for these, which then are 0.
    compression, packed = (int.from_bytes(fields[at : at + 4], "little") for at in (12, 16))
    return width, height, planes, bits, compression, packed
