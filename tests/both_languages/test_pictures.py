"""What a picture is, and whether it is whole, is found out alike, whatever comes."""

from __future__ import annotations

from base64 import b64encode

import attrs

from imgsync.core.pictures.answers import refusal_of
from imgsync.core.pictures.facts import Facts
from imgsync.core.pictures.inspection import Inspection
from imgsync.core.pictures.names import is_named_as_picture, is_of_system, natural_key
from tests.both_languages.replay import Replay, dice_of
from tests.kit.pictures import make_all, make_sized

OPENED = b"<svg xmlns='http://www.w3.org/2000/svg'>"

FOREIGN = [
    *(b"", b" ", b"\n<", b"prose", b"<html><svg/></html>", b"<!DOCTYPE html><p>"),
    *(b"II*\0....", b"MM\0*", b"\xff\x0a", b"%PDF-1.7", b"PK\3\4", b"\x1f\x8b\x08", b"8BPS"),
    *(b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cjP  \r\n\x87\n", b"\0\0\1\0\1\0"),
    *(bytes(128) + b"DICM", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    *(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", b"\0\0\0\x14ftypisom\0\0\0\0mp41"),
    *(b"BM", b"BM" + bytes(12) + b"\x28\0\0\0", b"BMW", b"RIFF\x24\0\0\0WAVEfmt "),
    *(b"RIFF\4\0\0\0WEBP", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xd8", b"GIF89a"),
    *(b"\xef\xbb\xbf", b"\xfe\xff", b"<?xml?><note/>", b"<!-- <svg/> -", b"<svgz/>"),
    *(b"<svg/>", b"<svg xmlns='x'/>", b"<svg a='&a;'/>", b"<svg", OPENED + b"<g>" * 5001),
    *(b" <?xml version='1.0'?>" + OPENED, b"<?a?><?XML?>" + OPENED, OPENED + b"<?a??>?><?xml?>"),
    *(OPENED + b"</svg> more", OPENED + b"</svg><!-- -->", OPENED + b"</svg><?a b?> \n", b"<?"),
    *(OPENED + b"</svg><a/>", OPENED + b"</svg>\0", b"<!DOCTYPE svg [<!A 'x]>'>]><svg/>"),
    *(OPENED + b"<a></b></svg>", OPENED + b"<a b='<'/></svg>"),
]

Input = tuple[int, int, int | None, int, str, int]
"""Which file, how much of it, a byte to be changed and how, what follows, and the size of parts."""


def judge(files: list[bytes], given: Input) -> list[object]:
    file, cut, at, bits, tail, size = given
    data = bytearray(files[file][:cut] + tail.encode("latin-1"))
    if at is not None:
        data[at] ^= bits
    check = Inspection()
    told = [check.feed(bytes(data[start : start + size])) for start in range(0, len(data), size)]
    verdict = check.end()
    first = next((place for place, known in enumerate(told) if known is not None), -1)
    facts = None if verdict.kind is None else told_of(check.facts)
    return [verdict.kind and verdict.kind.name, verdict.reason, first, facts]


def told_of(facts: Facts) -> dict[str, object]:
    found = attrs.asdict(facts)
    return {"contentType": found.pop("content_type"), **found}


def inputs_for(files: list[bytes], runs: int) -> list[Input]:
    found: list[Input] = []
    for file, data in enumerate(files):
        found += [(file, len(data), None, 0, tail, 1 << 20) for tail in ("", "\0", "more", "\xff")]
        found += [(file, len(data), None, 0, "", size) for size in (1, 7) if len(data) < 3000]
        for _, dice in dice_of(f"picture {file}", runs if data else 0):
            size = dice.choice([13, 1000, 1 << 20])
            # The head of most is where structures are.
            reach = dice.choice([len(data), min(len(data), 200)])
            at, bits = dice.randrange(reach), 1 << dice.randrange(8)
            found.append((file, dice.randrange(reach), None, 0, "", size))
            found.append((file, len(data), at, bits, "", size))
            found.append((file, len(data), at, dice.randrange(256), "\r\n", size))
            found.append((file, reach, None, 0, dice.randbytes(20).decode("latin-1"), size))
    return found


def test_pictures_are_judged_alike(replay: Replay) -> None:
    files = [*make_all().values(), *make_sized().values(), *FOREIGN]
    inputs = inputs_for(files, 15)
    expected = [judge(files, given) for given in inputs]
    start = [b64encode(data).decode() for data in files]
    replay.compare("pictures", inputs, expected, "pictures", files=start)
    reasons = {reason for _, reason, _, _ in expected}
    assert {None, "truncated", "decode", "not_an_image", "type_image/heic"} <= reasons


STEMS = [
    *("", "a", "A", "b", "img1", "img01", "img10", "img2", "IMG2", "2", "10", "010", "1.5", "a.b"),
    *(
        "ä",
        "Ä",
        "ss",
        "ß",
        "İ",
        "i",
        "ΟΔΟΣ",
        "οδος",
        "é",
        "e\u0301",
        "\uffee",
        "\U0001f600",
        "\uff11",
    ),
    *("thumbs", "Thumbs", "desktop", "icon\r", "__MACOSX", "__pycache__", "._a", ".", "..", "a\nb"),
    *("9" * 40, "1" + "0" * 40, "img 2 of 10", "img 2 of 9", "-1", "a-1", " ", "~"),
]
SUFFIXES = ["", ".png", ".PNG", ".Jpg", ".tif", ".db", ".ini", ".py", ".", ".png.", ".svg ", "png"]


def test_a_folder_is_the_same_series_alike(replay: Replay) -> None:
    names = [stem + suffix for stem in STEMS for suffix in SUFFIXES]
    inputs = [names]
    for _, dice in dice_of("folder", 30):
        some = dice.sample(names, 40)
        letters = ["".join(dice.choices("aAbB019.", k=6)) for _ in range(40)]
        inputs += [some, sorted(letters), letters]
    expected = [
        [
            sorted(given, key=natural_key),
            [[is_of_system(name), is_named_as_picture(name)] for name in given],
        ]
        for given in inputs
    ]
    replay.compare("folders", inputs, expected, "folders")
    assert sorted(["b.png", "10.png", "A2.png", "a10.png", "2.png"], key=natural_key) == [
        *("2.png", "10.png", "A2.png", "a10.png", "b.png")
    ]


RANGES = [
    *(None, "", "bytes 0-9/10", "bytes 0-8/10", "bytes 1-9/10", "bytes 0-9/*", "bytes */10"),
    *("items 0-9/10", "bytes 0-9/10 ", "bytes 00-09/010", "bytes 0-9/11", "bytes -9/10"),
]


def test_answers_are_judged_alike(replay: Replay) -> None:
    statuses = [*range(100, 110), *range(199, 230), *range(299, 310), 404, 416, 500, 599, 600]
    inputs = [(status, text) for status in statuses for text in RANGES]
    expected = [refusal_of(status, text) for status, text in inputs]
    replay.compare("answers", inputs, expected, "answers")
    taken = {status for (status, _), refusal in zip(inputs, expected, strict=True) if not refusal}
    assert {200, 202, 203, 206} < taken
    assert not taken & {204, 205, 304, 404}
