"""The shipped pictures: drawn again byte for byte, sound, and what their docstrings say."""

import functools
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest

import imgsync.samples
from imgsync.images.folder import list_images
from imgsync.images.kinds import sniff_image
from imgsync.samples import draw

SHIPPED = Path(imgsync.samples.__file__).parent
PNGS = [name for name in draw.PICTURES if name.endswith(".png")]
SVGS = [name for name in draw.PICTURES if name.endswith(".svg")]

GRAY, RGB = 0, 2
SAMPLES_PER_PIXEL = {GRAY: 1, RGB: 3}

XML_NAMESPACE = "{http://www.w3.org/2000/svg}"


@attrs.frozen
class Png:
    """A decoded PNG of 8 bits: rows of gray levels, or of red, green and blue."""

    width: int
    colour_type: int
    rows: list[bytes]


def read_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and body of each chunk, its length and checksum verified."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", content, at + 8 + size) == (zlib.crc32(kind + body),)
        chunks.append((kind, body))
        at += 12 + size
    assert at == len(content)
    return chunks


def decode_png(content: bytes) -> Png:
    """Decode by hand what we write: https://www.w3.org/TR/png-3/, filters "none" and "up" alone."""
    (first, header), *middle, (last, nothing) = read_chunks(content)
    assert (first, last, nothing) == (b"IHDR", b"IEND", b"")
    assert all(kind == b"IDAT" for kind, _ in middle)
    width, height, *rest = struct.unpack(">IIBBBBB", header)
    depth, colour_type, *methods = rest
    assert (depth, methods) == (8, [0, 0, 0])
    stride = width * SAMPLES_PER_PIXEL[colour_type]
    inflate = zlib.decompressobj()
    lines = inflate.decompress(b"".join(body for _, body in middle))
    assert inflate.eof
    assert not inflate.unused_data
    assert len(lines) == height * (1 + stride)
    rows, above = [], bytes(stride)
    for start in range(0, len(lines), 1 + stride):
        line = lines[start + 1 : start + 1 + stride]
        if lines[start] == 2:
            line = bytes((a + b) & 0xFF for a, b in zip(line, above, strict=True))
        else:
            assert lines[start] == 0
        rows.append(line)
        above = line
    return Png(width, colour_type, rows)


@functools.cache
def shipped(name: str) -> Png:
    return decode_png((SHIPPED / name).read_bytes())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every picture drawn anew; takes seconds."""
    folder = tmp_path_factory.mktemp("samples") / "deeper" / "new"
    draw.main([str(folder)])
    return folder


def test_the_pictures_that_are_shipped_are_those_that_are_drawn(drawn: Path) -> None:
    images = list_images(SHIPPED)
    assert list(images) == list(list_images(drawn)) == list(draw.PICTURES)
    assert [int(name.partition("-")[0]) for name in images] == list(range(1, len(images) + 1))
    beside = {path.name for path in SHIPPED.iterdir() if path.is_file()} - set(images)
    assert beside == {"__init__.py", "draw.py"}
    assert {path.name for path in drawn.iterdir()} == set(draw.PICTURES)


@pytest.mark.parametrize("name", draw.PICTURES)
def test_drawing_gives_the_shipped_picture_byte_for_byte(drawn: Path, name: str) -> None:
    new, old = (drawn / name).read_bytes(), (SHIPPED / name).read_bytes()
    if name in PNGS and "zlib-ng" in zlib.ZLIB_RUNTIME_VERSION:
        # It packs the same pixels in other bytes.
        assert decode_png(new) == decode_png(old)
    else:
        assert new == old


@pytest.mark.parametrize("name", draw.PICTURES)
def test_every_picture_is_what_its_suffix_says(name: str) -> None:
    assert sniff_image((SHIPPED / name).read_bytes()) == name.rpartition(".")[2]


@pytest.mark.parametrize("name", PNGS)
def test_every_png_is_sound_and_of_the_size_that_is_promised(name: str) -> None:
    png = shipped(name)
    assert (png.width, len(png.rows)) == (draw.SIZE, draw.SIZE)
    assert png.colour_type == (RGB if "checkerboard" in name else GRAY)


@pytest.mark.parametrize("name", SVGS)
def test_every_svg_is_xml_that_runs_and_loads_nothing(name: str) -> None:
    text = (SHIPPED / name).read_text(encoding="utf-8")
    assert "<!" not in text
    assert "<?" not in text
    assert text.count("http") == 1  # the namespace
    root = ElementTree.fromstring(text)
    assert root.tag == XML_NAMESPACE + "svg"
    assert root.get("width") == root.get("height") == "1000"
    for element in root.iter():
        assert element.tag.removeprefix(XML_NAMESPACE) in {"svg", "g", "rect", "path", "circle"}
        for attribute, value in element.attrib.items():
            assert not attribute.startswith(("on", "{"))
            assert attribute not in ("href", "style", "src")
            assert "url(" not in value


# ── what is in them ──────────────────────────────────────────────────────────────────────────────


def test_the_blank_is_the_mean_gray_alone() -> None:
    assert set(b"".join(shipped("9-blank.png").rows)) == {draw.MEAN}


def test_a_grating_has_the_mean_of_the_blank() -> None:
    rows = shipped("3-grating-vertical.png").rows
    assert len(set(rows)) == 1
    assert sum(rows[0]) == draw.MEAN * draw.SIZE
    assert (min(rows[0]), max(rows[0])) == (draw.MEAN - draw.SWING, draw.MEAN + draw.SWING)


def test_the_gabor_patch_has_faded_before_the_border() -> None:
    rows = shipped("4-grating-gabor.png").rows
    border = {*rows[0], *rows[-1], *(row[0] for row in rows), *(row[-1] for row in rows)}
    assert border == {draw.MEAN}
    assert max(map(max, rows)) >= draw.MEAN + draw.SWING - 1


def test_the_checkerboard_has_as_many_light_as_dark_checks_and_a_red_dot() -> None:
    png = shipped("5-checkerboard.png")
    check = draw.SIZE // 16
    middles = [
        png.rows[y][3 * x : 3 * x + 3]
        for y in range(check // 2, draw.SIZE, check)
        for x in range(check // 2, draw.SIZE, check)
    ]
    assert middles.count(b"\xff\xff\xff") == middles.count(b"\x01\x01\x01") == 16 * 16 // 2
    middle = draw.SIZE // 2
    assert png.rows[middle][3 * middle : 3 * middle + 3] == b"\xff\x00\x00"


def test_the_contrast_falls_from_row_to_row() -> None:
    rows = shipped("7-contrast-steps.png").rows
    darkest = [min(map(min, rows[top : top + 70])) for top in range(11, draw.SIZE - 20, 70)]
    assert darkest == sorted(darkest)
    assert darkest[0] == draw.BLACK
    assert darkest[-1] < draw.WHITE


@pytest.mark.parametrize(
    ("name", "groups", "rings"), [("2-optotype-chart.svg", 11, 55), ("8-amsler-grid.svg", 0, 1)]
)
def test_the_charts_have_all_their_parts(name: str, groups: int, rings: int) -> None:
    root = ElementTree.fromstring((SHIPPED / name).read_text(encoding="utf-8"))
    assert len(root.findall(f"{XML_NAMESPACE}g")) == groups
    assert len(root.findall(f".//{XML_NAMESPACE}path")) == rings
