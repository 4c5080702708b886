"""Manifests are read, and refused, as the evaluator's command does it; CSV can be read again."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_EXTRA, MAX_URLS
from imgsync.images.series import read_manifest
from tests.both_languages.replay import Replay


def pair(image: object, signed: object) -> str:
    return json.dumps(
        [{"imageUrl": "http://h/0", "signedUrl": "http://h/0"}] * 2
        + [{"imageUrl": image, "signedUrl": signed}]
    )


GOOD = "https://h/a.png"


def long_url(size: int, letter: str = "x") -> str:
    """One that makes the two, with GOOD, so many bytes, or a few less."""
    around = len(json.dumps({"imageUrl": GOOD, "signedUrl": GOOD}, separators=(",", ":")))
    return GOOD + letter * ((size - around) // len(json.dumps(letter)[1:-1]))


def with_extra(**extra: object) -> str:
    """A manifest whose second image has these members."""
    images = [{"imageUrl": f"http://h/{n}", "signedUrl": f"http://h/{n}?s"} for n in range(2)]
    images[1] |= extra  # type: ignore[arg-type]
    return json.dumps(images)


def nested(times: int) -> object:
    return [nested(times - 1)] if times else []


def long_text(size: int, letter: str = "x") -> str:
    """One that makes the extra columns so many bytes, or a few less."""
    return letter * ((size - len('{"note":""}')) // len(json.dumps(letter)[1:-1]))


MANIFESTS = {
    "json": [
        with_extra(condition="A", block=1, last=True, note=None, more={"a": [1.5, {}]}, x=""),
        with_extra(Condition="a", condition="b", imageindex=5, IMAGEURL="c", signed_url="d"),
        with_extra(**{"": 1, " ": 2, "\t\r\n": 3, "\u00a0": 4, "a\nb": 5, " c ": 6}),
        with_extra(**{"__proto__": 1, "constructor": 2, "2": 3, "1": 4}),
        '[{"imageUrl": "http://h/0", "name": "a"}, "http://h/1"]',
        '[{"imageUrl": "http://h/0", "x": 1, "x": 2}]',
        *[
            f'[{{"imageUrl": "http://h/0", "x": {number}}}]'
            for number in ("1.0", "-0", "1e2", "1e-7", "9007199254740991", "9007199254740993")
        ],
        *[
            f'[{{"imageUrl": "http://h/0", "x": {number}}}]'
            for number in ("-12345678901234567890", "1e400", "[1e300]", "NaN", "Infinity", "1e16")
        ],
        *[with_extra(x=value) for value in ("\ud800", {"\udfff": 1}, ["\ud83d"], "\U0001f600")],
        with_extra(**{"\ud800": 1}),
        *[with_extra(x=nested(times)) for times in (14, 15, 16, 17)],
        *[with_extra(note=long_text(size)) for size in (MAX_EXTRA, MAX_EXTRA + 1)],
        *[with_extra(note=long_text(size, "\u00e4")) for size in (MAX_EXTRA, MAX_EXTRA + 6)],
        "[]",
        "{}",
        "[1]",
        "[null]",
        '["http://h/0", "http://h/1?a=b"]',
        '["http://h/0", 1]',
        '["http://h/0", "no"]',
        '["http://h/0", {"imageUrl": "http://h/1"}]',
        '["http://h/0", {"imageUrl": "http://h/1", "signedUrl": "http://h/2"}]',
        '[{"imageUrl": "http://h/0", "signedUrl": null}, {"imageUrl": "http://h/"}]',
        '[{"imageUrl": "http://h/0", "signedUrl": 0}]',
        '[{"signedUrl": "http://h/0"}]',
        '[{"imageUrl": 5}]',
        "[[]]",
        '[{"imageUrl": 1}',
        pair(GOOD, GOOD),
        pair(GOOD, None),
        pair(None, GOOD),
        pair("HTTP://H/x", "https://h"),
        *[
            pair(GOOD, bad)
            for bad in ("", "ftp://h/x", "http:/h/x", "//h/x", "http://", "http:///x")
        ],
        *[
            pair(GOOD, bad)
            for bad in ("http://h:0/", "http://h:99999/", "http://h:x/", "http://[h/")
        ],
        *[
            pair(GOOD, bad)
            for bad in ("http://h/\n", " http://h/", "http://h/\u0085", "http://h/\ud800")
        ],
        pair("http://h:/x", "http://u:p@h:80/x?y#z"),
        pair("http://h/\u00e4 b", "http://[::1]:8/"),
        pair(["http://h/"], GOOD),
        *[
            pair(bad, GOOD)
            for bad in ("http://a b/x", "http://h\\x", "http://h:\\", "http://h<x/", "http://h|/")
        ],
        *[pair(GOOD, long_url(size)) for size in (MAX_URLS - 1, MAX_URLS, MAX_URLS + 1)],
        *[pair(GOOD, long_url(size, "ä")) for size in (MAX_URLS, MAX_URLS + 6)],
    ],
    "csv": [
        "http://h/0\n",
        "\ufeff http://h/0\t\r\n\r\nhttps://h/1?x=a,b\rhttp://h/2#c",
        "http://h/0\nno\n",
        "http://h/0\nhttp://h/1,http://h/2",
        "imageUrl\nhttp://h/0\nhttp://h/1\n",
        "imageUrl,signedUrl\nhttp://h/0,\nhttp://h/1,\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1\nhttp://h/2,\n",
        "http://h/0\nhttp://h/1\n",
        "imageUrl,signedUrl\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1\n",
        "\ufeffsignedUrl,other,imageUrl\r\nhttp://h/0,,http://h/1\r\n\r\nhttp://h/2,x,http://h/3",
        'imageUrl,signedUrl\n"http://h/0,1","http://h/""q"""\n',
        "imageUrl,signedUrl\nhttp://h/0\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1,more\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1\nhttp://h/0,nothing\n",
        'imageUrl,signedUrl\n"http://h/0\n",http://h/1\n',
        'imageUrl,signedUrl\n"http://h/0"x,http://h/1\n',
        'imageUrl,signedUrl\r\nhttp://h/0,"http://h/1\r\n',
        'imageUrl,signedUrl\nhttp://h/0,http://h/"1"\n',
        "",
        "\n\r\n",
        "a,b\nhttp://h/0,http://h/1\n",
        ",imageUrl,signedUrl,\n0,http://h/0,http://h/1,\n1,http://h/2,http://h/3,x\n",
        "imageUrl,condition,Block, note\nhttp://h/0,A,1, x \nhttp://h/1,,\nhttp://h/2\n",
        "note,imageUrl,signedUrl,note\na,http://h/0,http://h/1,b\n",
        "a  b,imageUrl,c,c,a  b\n1,http://h/0,2,3,4\n",
        '"a\nb",imageUrl,"a\nb"\n1,http://h/0,2\n',
        "note,imageUrl,Note\na,http://h/0,b\n",
        "2,imageUrl,1,__proto__\na,http://h/0,b,c\n",
        f"note,imageUrl\n{'x' * 65_530},http://h/0\n",
        "signedUrl\nhttp://h/0\n",
        *[
            f"{head}\n{row}\n"
            for head, row in [
                ("imageUrl;signedUrl", "http://h/0;http://h/1"),
                ('"imageUrl";"signedUrl"', '"http://h/0";"http://h/1"'),
                ("imageUrl\tsignedUrl", "http://h/0\thttp://h/1"),
                ("name|Image URL|signed_url", "a|http://h/0|http://h/1"),
                ("signedUrl;imageUrl;", "http://h/0;http://h/1"),
                ("sep=,\nimageUrl,signedUrl", "http://h/0,http://h/1"),
                ("SEP=;\r\nimageUrl;signedUrl", "http://h/0;http://h/1"),
                ('"sep=\t"\nimageUrl\tsignedUrl', "http://h/0\thttp://h/1"),
                ("sep=,,\nimageUrl,signedUrl", "http://h/0,http://h/1"),
                *[
                    (f"{odd},signedUrl", "http://h/0,http://h/1")
                    for odd in ("imageURL", "ImageUrl")
                ],
                *[
                    (f"{odd},signedUrl", "http://h/0,http://h/1")
                    for odd in (" imageUrl", "image_url")
                ],
                *[
                    (f"imageUrl,{odd}", "http://h/0,http://h/1")
                    for odd in ("signedurl ", "Signed URL")
                ],
                ('imageUrl,"signed\nUrl"', "http://h/0,http://h/1"),
                ("imageUrl,signedUrl,imageUrl", "http://h/0,http://h/1,http://h/2"),
                ("imageUrl,signedUrl,ImageURL", "http://h/0,http://h/1,http://h/2"),
                ("imageUrl,signedUrl,a;b", "http://h/0,http://h/1,c;d"),
            ]
        ],
        *[
            f"note,imageUrl,signedUrl\n{rows}\n"
            for rows in [
                '"5 inch,http://h/0,http://h/1\n6",http://h/2,http://h/3\n7,http://h/4,http://h/5',
                '"two\nlines",http://h/0,http://h/1\na,http://h/2,http://h/3',
                'a,http://h/0,http://h/1\n5" wide,http://h/2,http://h/3\n6" high,http://h/4,http://h/5',
                'a, "http://h/0,1",http://h/1',
                "a,http://h/0,http://h/1?a=1,2",
                "a,http://h/0,http://h/1,,,",
                "a,http://h/0,http://h/1,,x,",
                '"a""b",http://h/0,http://h/1',
                '"""",http://h/0,http://h/1',
                '"a"b"",http://h/0,http://h/1',
                'a"",http://h/0,http://h/1',
                f"{'x' * 131_072},http://h/0,http://h/1\n{'x' * 131_073},http://h/2,http://h/3",
                "a,http://h/0,http://h/1\nb,http://h/0,http://h/1",
                "a,http://h/0,http://h/1\nb,http://h/2,http://h/1",
                "a,http://h/2,http://h/0\nb,http://h/0,http://h/1\nc,http://h/0,http://h/2",
                "a,http://h/0#1,http://h/1\nb,http://h/0#2,http://h/2",
                *[
                    f"a,{GOOD},{GOOD}?{one}\nb,http://h/1,http://h/1\nc,{GOOD},{GOOD}?{other}"
                    for one, other in [
                        ("expires=1&signature=a", "expires=2&signature=b"),
                        ("X-Amz-Date=1&X-Amz-Signature=a", "X-Amz-Date=2&X-Amz-Signature=b"),
                        ("sv=1&se=1&sig=a", "sv=1&se=2&sig=b"),
                        ("versionId=1&X-Amz-Signature=a", "versionId=2&X-Amz-Signature=b"),
                        ("page=1", "page=2"),
                    ]
                ],
                *[f"a,http://h/0,{url}" for url in ("http://u@h/", "http://u:p@h/", "http://@h/")],
                *[f"a,http://h/0,{url}" for url in ("http://h/@", "http://h?@", "http://h#u@h")],
                "a,https://u:p@h/0,http://h/0",
            ]
        ],
    ],
}


def test_manifests_are_read_as_the_evaluators_command_reads_them(
    replay: Replay, tmp_path: Path
) -> None:
    for kind, texts in MANIFESTS.items():
        found = replay.run("manifests", texts)
        for number, (text, read) in enumerate(zip(texts, found, strict=True)):
            file = tmp_path / f"{number}.{kind}"
            file.write_text(text, encoding="utf-8", newline="")
            expected = read_or_complain(file)
            assert (plain(read) if isinstance(read, str) else read) == expected, text


def count_from_0(found: re.Match[str]) -> str:
    return re.sub(r"\d+", lambda number: str(int(number[0]) - 1), found[0])


def plain(sentence: str) -> str:
    """Without what each JSON parser says in its own words, and without what makes it a sentence."""
    said = sentence[0].lower() + sentence[1:].removesuffix(".")
    # The console counts for people, from 1, and calls a manifest a list of images.
    said = re.sub(r"^images? (\d+)( and \d+)? of the list M", count_from_0, said)
    said = said.replace("the list M", "M").replace("the manifest M", "M")
    return said.partition(" JSON:")[0]


def read_or_complain(file: Path) -> list[dict[str, Any]] | str:
    """What the command reads, or what it says, of a manifest called M."""
    try:
        images = read_manifest(file)
    except InputError as exc:
        return plain(str(exc).replace(repr(str(file)), "M"))
    return [
        {"imageUrl": one.image_url, "signedUrl": one.signed_url}
        | ({"extra": one.extra} if one.extra else {})
        for one in images
    ]


def test_what_is_no_manifest_is_told_of_with_its_place(replay: Replay) -> None:
    unclosed = 'imageUrl,signedUrl\nhttp://h/0,http://h/1\n"http://h/0,http://h/1\n'
    huge = json.dumps([{"imageUrl": GOOD, "signedUrl": GOOD + "?" + "x" * 70_000}])
    no_columns = [
        "http://h/0,http://h/1",
        "http://h/0\thttp://h/1",
        "No",
    ]
    found = replay.run("manifests", ["a,b", unclosed, huge, *no_columns])
    assert found[3:] == [found[0]] * len(no_columns)
    assert found[0] == (
        "The list M is neither JSON, nor CSV with the columns imageUrl and signedUrl, nor a web"
        " address on each line: its first line does not name imageUrl."
    )
    assert found[1] == "Line 3 of the list M is not CSV: a quotation mark is not closed."
    assert found[2].startswith("Image 1 of the list M has URLs of 70")


def test_csv_is_written_as_python_writes_it_and_read_as_it_was_written(replay: Replay) -> None:
    rows = [["a", 'b"c', "d,e"], ["line\nbreak", "1.5", ""], ["\r", '"', "x"]]
    [(text, read)] = replay.run("csv", [rows])
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    assert text == file.getvalue()
    assert read == rows
