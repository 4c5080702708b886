"""Images of each kind, as real encoders write them, and what only looks like one."""

from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.images.kinds import CONTENT_TYPES, SNIFF_SIZE, sniff_image

LAW = settings(deadline=None, derandomize=True)

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR42mM8ISfHwMDAwMDw/4ScHAATpAMJ9OmW+QAA"
    "AABJRU5ErkJggg=="
)
JPG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////"
    "////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAA"
    "AAAAAAAAAAD/2gAIAQEAAD8AN//Z"
)
GIF87 = b64decode("R0lGODdhAgACAIEAAMwAAMwzMwAA/wAAACwAAAAAAgACAAAIBwADABAQICAAOw==")
GIF89 = b64decode(
    "R0lGODlhAQABAIEAAAAAAP///wAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAAAQABAAAIBAABBAQA"
    "IfkEAQoAAQAsAAAAAAEAAQCB////AAAAAAAAAAAACAQAAQQEADs="
)
WEBP = b64decode("UklGRjAAAABXRUJQVlA4ICQAAABwAQCdASoCAAIADMDOJaACsAFAAAD+3N5umgbiXztWx9dgAAA=")
WEBP_LOSSLESS = b64decode("UklGRiYAAABXRUJQVlA4TBkAAAAvAUAAAA8wHoP8j//5Dx4oBBAABU1E/+MAAA==")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'

IMAGES = {
    "a.png": PNG,
    "b.jpg": JPG,
    "c.gif": GIF87,
    "d.gif": GIF89,
    "e.webp": WEBP,
    "f.webp": WEBP_LOSSLESS,
    "g.svg": SVG,
}

DOCTYPE = (
    b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"'
    b' "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"'
)
SUBSET = b' [\n\t<!ENTITY ns_svg "http://www.w3.org/2000/svg">\n]'

SVG_PROLOGS = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf",
    "white space": b" \r\n\t",
    "an XML declaration": b'<?xml version="1.0" encoding="UTF-8"?>\n',
    "a comment": b"<!-- Generator: a drawing program, <html> -->",
    "many comments": b"<!-- --><!---->" * 50,
    "a stylesheet": b'<?xml-stylesheet href="a.css"?>',
    "a document type": DOCTYPE + b">",
    "a document type with entities": DOCTYPE + SUBSET + b">\n",
    "all of it": b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n" + DOCTYPE + b">\n<!-- b -->\n",
}

NO_IMAGES = {
    "nothing": b"",
    "white space": b" \n",
    "prose": b"This is no image, and <svg> does not make it one.",
    "a page": b"<!DOCTYPE html><html><body>Please log in.</body></html>",
    "a page with an icon": b"<!DOCTYPE html>\n<html><body><svg viewBox='0 0 1 1'/></body></html>",
    "a page that begins with a comment": b"<!-- <svg> --><html><svg/></html>",
    "other XML": b"<?xml version='1.0'?><note>see the <svg/> below</note>",
    "an element whose name begins alike": b"<svgz/>",
    "an SVG that is only announced": b"<?xml version='1.0'?><!-- <svg> -->",
    "a comment without an end": b"<!-- <svg/>",
    "a BMP": b"BM\x1e\x00\x00\x00\x00\x00\x00\x00\x1a\x00",
    "a PDF": b"%PDF-1.7\n",
    "a WAVE": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "a RIFF without a kind": b"RIFF\x24\x00\x00\x00",
    "a PNG that was transferred as text": PNG.replace(b"\r\n", b"\n"),
    "a PNG without its first byte": PNG[1:],
    "half a signature": PNG[:7],
    "a GIF of another year": b"GIF90a\x01\x00",
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_told_by_its_beginning(name: str) -> None:
    kind = sniff_image(IMAGES[name][:SNIFF_SIZE])
    assert kind == name.rpartition(".")[2]
    assert kind in CONTENT_TYPES


@pytest.mark.parametrize("prolog", SVG_PROLOGS.values(), ids=SVG_PROLOGS)
@pytest.mark.parametrize("root", [SVG, b"<svg:svg xmlns:svg='...'>", b"<svg\n>", b"<svg>"])
def test_an_svg_may_have_a_prolog(prolog: bytes, root: bytes) -> None:
    assert sniff_image(prolog + root) == "svg"


@pytest.mark.parametrize("head", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_is_not_taken_for_one(head: bytes) -> None:
    assert sniff_image(head) is None


def test_only_the_beginning_decides() -> None:
    assert sniff_image(b" " * (SNIFF_SIZE - 5) + b"<svg/>") == "svg"
    assert sniff_image(b" " * SNIFF_SIZE + b"<svg/>") is None


def test_a_prolog_made_to_be_slow_is_not() -> None:
    # A pattern that tries every way to read this would not end.
    for part in (b"<!---->", b"<??>", b"<!DOCTYPE svg [ ]>", b" "):
        assert sniff_image(part * 1000 + b"<html>") is None


@LAW
@given(st.binary(max_size=64) | st.text().map(str.encode))
def test_any_bytes_have_a_known_kind_or_none(head: bytes) -> None:
    assert sniff_image(head) in (None, *CONTENT_TYPES)


@LAW
@given(st.sampled_from(sorted(IMAGES)), st.binary(max_size=32))
def test_what_follows_the_beginning_is_of_no_consequence(name: str, rest: bytes) -> None:
    assert sniff_image(IMAGES[name] + rest) == sniff_image(IMAGES[name])
