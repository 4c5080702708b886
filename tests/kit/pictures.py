"""Pictures of every kind: as an encoder writes them, and made by hand."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Mapping
from zlib import compress, crc32

from PIL import Image

SVG = (
    '<?xml version="1.0"?>\n<!-- a > b --><?look here?>\n'
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://h/svg11.dtd" [\n'
    '\t<!ENTITY a "b > c"> <!-- it\'s ] --> <?no ]>?>\n]>\n'
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height=\'30\'>\n'
    "<title>2 > 1, \u00e4 \u773c</title><g id='\"'><path d='M0 0'/><br></br >"
    "<![CDATA[</svg> ]] ]>]]>&a;<!-- </svg> --></g>\n</svg >\n<!-- over --><?a?>\n"
)


def _picture(angle: int = 0) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((40, 30))
    return Image.merge("RGB", [gradient, gradient.rotate(90 + angle), gradient.rotate(180)])


def encode(form: str, **options: object) -> bytes:
    """A picture of 40 x 30 points, as Pillow writes it."""
    made = io.BytesIO()
    _picture().save(made, form, **options)
    return made.getvalue()


def _exif_with_thumbnail() -> bytes:
    """A segment that holds a whole JPEG, with an end of its own."""
    return b"Exif\0\0" + b"II*\0\x08\0\0\0" + bytes(14) + encode("JPEG", quality=20)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def png_of(*chunks: bytes) -> bytes:
    """A PNG of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


IHDR = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
IDAT = chunk(b"IDAT", compress(b"\0ab\0cd"))
IEND = chunk(b"IEND", b"")


def _os2_bmp() -> bytes:
    pixels = bytes(2 * 8)
    header = struct.pack("<IHHHH", 12, 2, 2, 1, 24)
    return b"BM" + struct.pack("<IHHI", 26 + len(pixels), 0, 0, 26) + header + pixels


@functools.cache
def make_all() -> Mapping[str, bytes]:
    """Whole pictures, by what they are, and then by their kind's name."""
    more = {"save_all": True, "append_images": [_picture(20), _picture(40)]}
    jpeg, bmp = encode("JPEG"), encode("BMP")
    return {
        "plain png": encode("PNG"),
        "small png": png_of(IHDR, chunk(b"tEXt", b"Title\0a"), IDAT, IEND),
        "animated png": encode("PNG", **more),
        "plain jpg": jpeg,
        "progressive jpg": encode("JPEG", progressive=True),
        "restarting jpg": encode("JPEG", restart_marker_rows=1),
        "thumbnail jpg": encode("JPEG", exif=_exif_with_thumbnail()),
        "filled jpg": jpeg.replace(b"\xff\xdb", b"\xff\xff\xff\xff\xdb", 1),
        "plain gif": encode("GIF"),
        "animated gif": encode("GIF", **more),
        "plain webp": encode("WEBP"),
        "lossless webp": encode("WEBP", lossless=True),
        "described webp": encode("WEBP", exif=b"Exif\0\0odd"),
        "animated webp": encode("WEBP", **more),
        "plain avif": encode("AVIF"),
        "animated avif": encode("AVIF", **more),
        "plain bmp": bmp,
        "unsized bmp": bmp[:2] + bytes(4) + bmp[6:],
        "os2 bmp": _os2_bmp(),
        "plain svg": SVG.encode(),
        "marked svg": b"\xef\xbb\xbf" + SVG.encode(),
        "wide svg": SVG.encode("utf-16"),
        "wide unmarked svg": SVG.encode("utf-16-be"),
        "late svg": b"<!-- " + b"." * 5000 + b" -->" + SVG.partition("\n")[2].encode(),
        "prefixed svg": b"<a:svg xmlns:a='http://www.w3.org/2000/svg'><a:g/></a:svg>",
    }


def exif_of(orientation: int, order: str = "<") -> bytes:
    """What follows the word `Exif`, with an entry before the one that is meant."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x010F, 3, 1, 7), (0x0112, 3, 1, orientation)]
    packed = b"".join(struct.pack(f"{order}HHIHxx", *entry) for entry in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + packed + bytes(4)


def _svg(attributes: str) -> bytes:
    return f"<svg xmlns='http://www.w3.org/2000/svg' {attributes}></svg>".encode()


def _screened_gif(width: int, height: int) -> bytes:
    """A GIF89a of 40 x 30 points whose screen is said to be that large."""
    data = encode("GIF")
    return b"GIF89a" + struct.pack("<HH", width, height) + data[10:]


def make_sized() -> dict[str, bytes]:
    """Pictures whose size does not stand where it stands mostly, by name."""
    exifs = {f"turned {n} jpg": exif_of(n) for n in range(10)}
    exifs |= {"turned big jpg": exif_of(6, ">")}
    jpegs = {name: encode("JPEG", exif=b"Exif\0\0" + exif) for name, exif in exifs.items()}
    svgs = {
        "percent": "width='100%' height='100%' viewBox='0 0 64 48'",
        "unsized": "",
        "box": "viewBox=' -1.5,2 64 , 48.4'",
        "across": "width='30' viewBox='0 0 64 48'",
        "high": "height='24px' viewBox='0 0 64 48'",
        "units": "width='1in' height='25.4MM'",
        "points": "width='72pt' height='+6pc'",
        "relative": "width='10em' height='1e1'",
        "huge": "width='1e999' height='10'",
        "small": "width='.4' height='.5'",
        "odd": "width='1.' height='toString'",
    }
    return {
        **jpegs,
        "described jpg": encode("JPEG", exif=b"Exif\0\0" + exif_of(8), comment=b"a"),
        "odd exif jpg": encode("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "small gif": _screened_gif(20, 10),
        "mixed gif": _screened_gif(80, 10),
        "unsized gif": _screened_gif(0, 0),
        "turned webp": encode("WEBP", exif=b"Exif\0\0" + exif_of(6)),
        "turned png": encode("PNG", exif=exif_of(6)),
        "late png": png_of(IHDR, IDAT, chunk(b"eXIf", exif_of(6)), IEND),
        "damaged png": png_of(IHDR, chunk(b"eXIf", exif_of(6))[:-1] + b"?", IDAT, IEND),
        "turned avif": encode("AVIF", exif=b"Exif\0\0" + exif_of(6)),
        **{f"{name} svg": _svg(attributes) for name, attributes in svgs.items()},
    }
