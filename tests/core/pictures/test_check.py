"""Whole pictures of every kind are taken, with whatever follows; cut and damaged ones are not."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.pictures.check import PictureCheck, Verdict, check_picture
from imgsync.core.pictures.kinds import AVIF, KINDS, PNG, SUFFIXES, SVG
from imgsync.core.protocol.numbers import DECODE, NOT_AN_IMAGE, TRUNCATED
from tests.kit.pictures import IDAT, IEND, IHDR, chunk, encode, make_all, png_of

PICTURES = make_all()
every_picture = pytest.mark.parametrize("name", PICTURES)

LAW = settings(deadline=None, derandomize=True, max_examples=40)

OPENED = b"<svg xmlns='http://www.w3.org/2000/svg'>"
CLOSED = OPENED + b"</svg>"


def reason_of(data: bytes) -> str | None:
    return check_picture(data).reason


@every_picture
def test_a_whole_picture_is_taken_in_parts_of_any_size(name: str) -> None:
    data = PICTURES[name]
    kind = next(kind for kind in KINDS if kind.name == name.rpartition(" ")[2])
    assert check_picture(data) == Verdict(kind, None)
    for size in (1, 2, 3, 1000, 4096):
        check = PictureCheck()
        if len(data) > 5000 * size:
            continue
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        assert [check.feed(part) for part in parts] == [None] * len(parts)
        assert check.end() == Verdict(kind, None)


def end_of(svg: bytes) -> int:
    """Up to the last byte of its root; what stands behind that belongs to no picture."""
    for code in ("utf-8", "utf-16-le", "utf-16-be"):
        for last in ("</svg >", "</a:svg>"):
            at = svg.rfind(last.encode(code))
            if at >= 0:
                return at + len(last.encode(code)) - len(">".encode(code))
    raise AssertionError


@every_picture
def test_a_picture_that_is_cut_anywhere_is_not_taken(name: str) -> None:
    data = PICTURES[name]
    end = end_of(data) if name.endswith("svg") else len(data)
    places = {*range(min(end, 150)), *range(0, end, 1 + end // 150), *range(end - 40, end)}
    verdicts = {cut: check_picture(data[:cut]) for cut in places}
    assert all(verdict.reason is not None for verdict in verdicts.values())
    reasons = {verdict.reason for cut, verdict in verdicts.items() if cut >= 64}
    assert reasons <= {TRUNCATED}


@every_picture
@pytest.mark.parametrize("tail", [b"\0", b"\r\n", b"\xff\xd9", b"more than that" * 900])
def test_what_follows_the_end_is_of_no_consequence_but_in_an_svg(name: str, tail: bytes) -> None:
    reason = reason_of(PICTURES[name] + tail)
    is_space = tail == b"\r\n" and "wide" not in name
    assert reason is None or (name.endswith("svg") and not is_space)


@given(st.integers(0), st.integers(0, 7))
@LAW
def test_a_flipped_bit_of_a_png_is_told(place: int, bit: int) -> None:
    data = bytearray(PICTURES["plain png"])
    data[place % len(data)] ^= 1 << bit
    assert reason_of(bytes(data)) is not None


def test_what_is_never_seen_of_a_png_may_be_damaged() -> None:
    for kind in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
        assert reason_of(png_of(IHDR, chunk(kind, b"a\0b")[:-1] + b"?", IDAT, IEND)) is None
    for kind in (b"gAMA", b"iCCP", b"tRNS", b"acTL", b"teXt"):
        assert reason_of(png_of(IHDR, chunk(kind, b"a\0b")[:-1] + b"?", IDAT, IEND)) == DECODE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png_of(IHDR, IEND), DECODE),
        (png_of(IHDR, chunk(b"IDAT", b""), IEND), DECODE),
        (png_of(IDAT, IHDR, IEND), DECODE),
        (png_of(IHDR, IHDR, IDAT, IEND), DECODE),
        (png_of(chunk(b"IHDR", bytes(13)), IDAT, IEND), DECODE),
        (png_of(IHDR, b"\xff\xff\xff\xffIDAT"), DECODE),
        (png_of(IHDR, b"\x7f\xff\xff\xffIDAT"), TRUNCATED),
        (b"\xff\xd8\xff\xd9", DECODE),
        (b"\xff\xd8" + encode("JPEG"), DECODE),
        (b"\xff\xd8\xff\xe0\0\1\xff\xd9", DECODE),
        (b"\xff\xd8\xff\xda\0\2\xff\xd9", DECODE),
        (b"\xff\xd8\xff\xc0\0\3\x08\xff\xda\0\2 \xff\0 \xff\xd0 \xff\xff\xd9", None),
        (b"\xff\xd8\xff\xc0\0\3\x0c\xff\xda\0\2 \xff\xd9", DECODE),
        (b"\xff\xd8\xff\xc0\0\3\x08\xff\xda\0\2 \xff\x02\xff\xd9", DECODE),
        (b"GIF89a" + bytes(7) + b";", DECODE),
        (b"GIF89a" + bytes(7) + b"!\xfe\1a\0," + bytes(9) + b"\2\1a\0\0\0;", None),
        (b"GIF89a" + bytes(7) + b"?", DECODE),
        (b"RIFF\x04\0\0\0WEBP", DECODE),
        (b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f" + bytes(9), None),
        (b"RIFF\x16\0\0\0WEBPVP8L\x0b\0\0\0\x2f" + bytes(9), DECODE),
        (b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2e" + bytes(9), DECODE),
        (b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x2f" + bytes(9), DECODE),
        (b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\2mdat", DECODE),
        (b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\x0cmeta\0\0\0\0", DECODE),
        (b"\0\0\0\x10ftypavif\0\0\0\0", TRUNCATED),
        (b"<svg/>", DECODE),
        (b"<svg", TRUNCATED),
        (b"<?xml", TRUNCATED),
        (OPENED, TRUNCATED),
        (OPENED + b"<g></svg>", DECODE),
        (OPENED + b"<g></g></svg\n>\n<!-- a --><?b?>", None),
        (CLOSED + b"<svg/>", DECODE),
        (b"\n" + CLOSED, None),
        (b"\n<?xml version='1.0'?>" + CLOSED, DECODE),
        (b"<!DOCTYPE svg [<!ATTLIST svg xmlns CDATA #FIXED 'a'>]><svg></svg>", None),
        (OPENED + b"<a b='>' c=\"'\"/><![CDATA[</svg><]]>]]</svg>", None),
        (OPENED + b"<g>" * 6000, DECODE),
        (b"", NOT_AN_IMAGE),
        (b" " * 5000 + CLOSED, NOT_AN_IMAGE),
        (b"<!-- a long page -->" + b" " * 9000 + b"<html/>", NOT_AN_IMAGE),
        (b"\xff\x0a" + bytes(99), "type_image/jxl"),
        (bytes(128) + b"DICM" + bytes(99), "type_application/dicom"),
        (b"\x1f\x8b\x08" + bytes(99), "type_application/gzip"),
    ],
)
def test_the_reason_is_what_is_wrong(data: bytes, reason: str | None) -> None:
    assert reason_of(data) == reason


def test_a_reason_is_told_as_soon_as_it_is_known() -> None:
    damaged = bytearray(encode("PNG") + bytes(9000))
    damaged[40] ^= 1
    check = PictureCheck()
    told = [check.feed(bytes(damaged[at : at + 512])) for at in range(0, len(damaged), 512)]
    assert told[-1] == DECODE
    assert all(later or not earlier for earlier, later in pairwise(told))
    assert PictureCheck().feed(b"<html>" + bytes(5000)) == NOT_AN_IMAGE


def test_an_svg_is_certain_only_once_its_root_is_there() -> None:
    assert check_picture(b"<!-- <svg> -->").kind is None
    assert check_picture(b"<svg ").kind is SVG
    assert check_picture(b"<html>").kind is None


def test_nothing_of_a_large_picture_is_kept() -> None:
    pixels = chunk(b"IDAT", bytes(1 << 22))
    data = png_of(IHDR, *[pixels] * 4, IEND)
    parts = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    check = PictureCheck()
    tracemalloc.start()
    for part in parts:
        check.feed(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert check.end() == Verdict(PNG, None)
    assert peak < 1 << 18


def test_a_sequence_of_avif_is_whole_with_its_frames() -> None:
    data = PICTURES["animated avif"]
    assert data[8:12] == b"avis"
    assert check_picture(data) == Verdict(AVIF, None)


def test_browsers_names_of_files_are_known() -> None:
    assert {"png", "jpg", "jpeg", "jfif", "gif", "webp", "avif", "bmp", "svg"} <= SUFFIXES


@given(st.sampled_from([name for name in PICTURES if len(PICTURES[name]) < 3000]), st.data())
@LAW
def test_no_bytes_are_too_much_for_it(name: str, chosen: st.DataObject) -> None:
    data = bytearray(PICTURES[name])
    for place in chosen.draw(st.lists(st.integers(0, len(data) - 1), max_size=9)):
        data[place] = chosen.draw(st.integers(0, 255))
    verdict = check_picture(bytes(data))
    assert verdict.reason is None or verdict.reason.isprintable()
