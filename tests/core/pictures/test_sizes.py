"""The size of a picture is the one that it is seen in, and its facts come in one pass over it."""

import hashlib

import pytest

from imgsync.core.pictures.facts import Facts
from imgsync.core.pictures.inspection import Inspection
from tests.kit.pictures import encode, make_all, make_sized

UPRIGHT, TURNED = (40, 30), (30, 40)

SIZES: dict[str, tuple[int, int] | None] = {
    **dict.fromkeys(make_all(), UPRIGHT),
    "small png": (2, 2),
    "os2 bmp": (2, 2),
    "prefixed svg": None,
    **{f"turned {n} jpg": TURNED if 5 <= n <= 8 else UPRIGHT for n in range(10)},
    "turned big jpg": TURNED,
    "described jpg": TURNED,
    "odd exif jpg": UPRIGHT,
    "small gif": UPRIGHT,
    "mixed gif": (80, 30),
    "unsized gif": UPRIGHT,
    "turned webp": UPRIGHT,
    "turned png": TURNED,
    "turned avif": TURNED,
    "percent svg": (64, 48),
    "unsized svg": None,
    "box svg": (64, 48),
    "across svg": (30, 23),
    "high svg": (32, 24),
    "units svg": (96, 96),
    "points svg": (96, 96),
    "relative svg": None,
    "huge svg": None,
    "small svg": None,
    "odd svg": None,
    "late png": (2, 2),
    "damaged png": (2, 2),
}


def inspect(data: bytes, size: int) -> Facts:
    inspection = Inspection()
    for at in range(0, len(data), size):
        inspection.feed(data[at : at + size])
    inspection.end()
    return inspection.facts


@pytest.mark.parametrize(("name", "data"), [*make_all().items(), *make_sized().items()])
def test_the_facts_of_a_picture_are_the_same_in_parts_of_any_size(name: str, data: bytes) -> None:
    for size in (7, 1000, 1 << 20):
        found = inspect(data, size)
        assert found.sha256 == hashlib.sha256(data).hexdigest()
        assert found.bytes == len(data)
        assert (found.width, found.height) == (SIZES[name] or (None, None))


def test_what_is_inside_of_a_canvas_does_not_count() -> None:
    data = bytearray(encode("WEBP", exif=b"Exif\0\0odd"))
    assert data[12:16] == b"VP8X"
    data[24:27] = (99).to_bytes(3, "little")
    assert inspect(bytes(data), 1000).width == 100


def test_a_bmp_may_stand_on_its_head() -> None:
    data = bytearray(encode("BMP"))
    data[22:26] = (-30).to_bytes(4, "little", signed=True)
    found = inspect(bytes(data), 1000)
    assert (found.width, found.height, found.content_type) == (40, 30, "image/bmp")


def test_there_are_no_facts_of_what_is_no_picture() -> None:
    inspection = Inspection()
    inspection.feed(b"<html>")
    inspection.end()
    with pytest.raises(ValueError, match="no picture"):
        _ = inspection.facts
