"""Studies are read, shuffled and refused alike in both languages, and as their schema has it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from imgsync.core.pictures.kinds import SUFFIXES
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_KEYS, MAX_SCREEN_TEXT, MAX_SEED
from imgsync.core.study.entries import is_file_name
from imgsync.images.manifest import BadManifest, read_plan_of
from imgsync.images.ref import ImageRef
from imgsync.images.series import read_manifest
from tests.both_languages.replay import Replay

IMAGE = {"imageUrl": "http://h/a.png"}

LONG = "x" * (MAX_SCREEN_TEXT + 1)


def one(**said: object) -> str:
    """A study of one image of which this is said."""
    return json.dumps({"entries": [{**IMAGE, **said}]})


def whole(**said: object) -> str:
    """A study of three images of which this is said as a whole."""
    entries = [{"imageUrl": f"http://h/{n}", "block": n // 2} for n in range(3)]
    return json.dumps({"entries": entries, **said})


def blocks(*named: object) -> str:
    entries = [{**IMAGE, "block": block} for block in named]
    return json.dumps({"order": "shuffled", "entries": entries})


GOOD = [
    one(showFor=200, respond={"keys": ["f", "J", "Space"], "taps": True, "ends": True}),
    *[one(showFor=value) for value in (4, 16.7, 3_600_000, "250", " 250.5 ", None, "")],
    *[one(frames=value) for value in (1, 12.0, 1_000_000, "12")],
    *[one(sizeMm=value) for value in (0.1, 100, 10_000, "52.5", None, "")],
    *[one(sizeDeg=value) for value in (0.1, 8, 160, " 3.5 ")],
    *[one(scale=value) for value in ("1:1", None, "")],
    one(sizeDeg=5, frames=12, sizeMm="", scale=None),
    *[one(respond=value) for value in ("f j", " Enter  taps ", "taps ends", {"keys": ["1"]}, None)],
    one(respond={"keys": [], "taps": True}),
    one(respond={"keys": [chr(ord("a") + n) for n in range(26)]}),
    one(id="x", block="y", condition=3, note={"a": [1]}),
    json.dumps(
        {"entries": [{"text": "One\nline"}, {"text": "\U0001f600 \u00e4", "respond": "taps"}]}
    ),
    json.dumps([IMAGE, {"text": "+", "showFor": 500}, {**IMAGE, "block": 1}]),
    whole(name="Faces", instructions="Press f.", end="Thank you.", **{"$schema": "x"}),
    whole(welcome="Hello.", consent="I take part.", instructions="Press f.", **{"break": "Rest."}),
    whole(order="shuffled", seed=3, end="\u0634\u0643\u0631\u064b\u0627", **{"break": "1\n2"}),
    whole(order="shuffled", seed=MAX_SEED),
    whole(order="shuffled", seed=0.0),
    whole(order="given", name=None, seed=None),
    blocks(1, 1, 2, 2, None, "1", "1"),
]

#: Values that are none of what the member wants.
WRONG: dict[str, list[object]] = {
    "showFor": [0, -1, 3.9, 3_600_001, True, "fast", [], "1e3", "NaN"],
    "frames": [0, 1.5, 1_000_001, "1.5", "-1", {}],
    "sizeMm": [0, -1, 10_001, True, "large", "10 mm", [], {"width": 5}],
    "sizeDeg": [0, 160.5, 180, "8°", {}],
    "scale": [1, "1", "1:2", True, ["1:1"], "1 : 1"],
    "respond": [5, [], "ends", {}, {"taps": False}, {"taps": 1}],
    "key": ["", "Escape", "F5", "Shift", "Left", 1, "\n", "Ab", " ", "space", "Return", "x" * 33],
    "id": [True, [1], {}],
    "text": [1, "a\tb", LONG],
    "entries": [[], {}, None, "a"],
    "order": ["random", 1, ["given"]],
    "seed": [-1, 1.5, MAX_SEED + 1, "1", True],
    "name": [1, "a\nb", "x" * 129],
    "end": [1, "\0", ["a"]],
}

BAD = [
    *[one(showFor=value) for value in WRONG["showFor"]],
    *[one(frames=value) for value in WRONG["frames"]],
    *[one(**{name: value}) for name in ("sizeMm", "sizeDeg", "scale") for value in WRONG[name]],
    one(sizeMm=100, sizeDeg=5),
    one(sizeMm=100, scale="1:1"),
    one(sizeMm=100, sizeDeg=5, scale="1:1"),
    json.dumps({"entries": [{"text": "+", "sizeMm": 10}]}),
    json.dumps({"entries": [{"text": "+", "scale": "1:1"}]}),
    *[one(respond=value) for value in WRONG["respond"]],
    *[one(respond={"keys": [key]}) for key in WRONG["key"]],
    *[one(id=value) for value in WRONG["id"]],
    *[json.dumps({"entries": [{"text": text}]}) for text in WRONG["text"]],
    *[json.dumps({"entries": entries}) for entries in WRONG["entries"]],
    *[whole(order=value) for value in WRONG["order"]],
    *[whole(order="shuffled", seed=value) for value in WRONG["seed"]],
    *[whole(name=value) for value in WRONG["name"]],
    *[
        whole(**{name: value})
        for name in ("welcome", "consent", "instructions", "break", "end")
        for value in WRONG["end"]
    ],
    json.dumps({"break": "Rest.", "entries": [{**IMAGE, "block": 1}, {"text": "a"}, IMAGE]}),
    one(block="a").replace("{", '{"break": "Rest.", ', 1),
    one(showFor=100, frames=6),
    one(respond={"keys": ["f", "F"]}),
    one(respond={"keys": [str(n) for n in range(MAX_KEYS + 1)]}),
    one(respond={"key": ["f"], "keys": ["f"]}),
    one(respond={"keys": "f"}),
    *[one(**{name: 1}) for name in ("showfor", "Frames", "show_for", "RESPOND", "Block")],
    *[one(**{name: 1}) for name in ("size_mm", "sizedeg", "Scale")],
    one(block=[1]),
    one(text="both"),
    json.dumps({"entries": [{"text": "a", "signedUrl": "http://h/"}]}),
    json.dumps({"entries": [{**IMAGE, "id": 1}, {**IMAGE, "id": "1"}, {**IMAGE, "id": 1}]}),
    json.dumps({"entries": [IMAGE, 5, None, {}]}),
    json.dumps({"entries": [{"imageUrl": "a.png", "signedUrl": "http://h/"}]}),
    *[
        json.dumps({"entries": [{"imageUrl": name}]})
        for name in ("../a.png", "/a.png", "a/../b.png", "a\\b.png", "c:a.png", "a.txt", "./a.png")
    ],
    whole(Order="given"),
    whole(order="shuffled", Order="given"),
    whole(author="me"),
    whole(seed=1),
    blocks(1, 2, 1),
    blocks("a", None, "a"),
    json.dumps({"entries": [{**IMAGE, "showFor": n % 3} for n in range(90)]}, indent=1),
    '[\r\n {"imageUrl": "http://h/\\"{[,", "x": "\u00e4\U0001f600", "frames": 0}\r]',
    'imageUrl,frames,respond\n\nhttp://h/0,0,f\n"http://h/1\n",x,f f\n',
    "http://h/0\n\nno\nhttp://h/1",
]


def as_told(image: ImageRef) -> dict[str, Any]:
    """As the console has it; each opening of a study has its own token in the names of texts."""
    trial = image.trial
    said: dict[str, Any] = {}
    if trial is not None:
        respond = trial.respond
        fields = {
            "showFor": trial.show_for,
            "frames": trial.frames,
            "respond": respond
            and {"keys": list(respond.keys), "taps": respond.taps, "ends": respond.ends},
            "text": trial.text,
            "sizeMm": trial.size_mm,
            "sizeDeg": trial.size_deg,
            "scale": trial.scale and trial.scale.value,
        }
        said["trial"] = {name: value for name, value in fields.items() if value is not None}
    if image.extra:
        said["extra"] = dict(image.extra)
    if image.extra.get("id") not in (None, ""):
        said["id"] = image.extra["id"]
    url = re.sub("^texts/[0-9a-f]{8}/", "texts/0000abcd/", image.image_url)
    return {"imageUrl": url, "signedUrl": image.signed_url, **said}


def write(folder: Path, number: int, text: str) -> Path:
    kind = "json" if text[0] in "[{" else "csv"
    file = folder / f"{number}.{kind}"
    file.write_text(text, encoding="utf-8", newline="")
    return file


def test_studies_are_shown_alike(replay: Replay, tmp_path: Path) -> None:
    texts = [*GOOD, *[whole(order="shuffled", seed=seed) for seed in range(20)]]
    texts += [
        f"imageUrl,text,showFor,respond,block,id\nhttp://h/,,250,f j ends,1,\n,+,,,,{MAX_SEED}\n"
    ]
    again = {"token": "0000abcd", "seed": None}
    found = replay.run("studies", [[text, again] for text in texts])
    for number, (text, read) in enumerate(zip(texts, found, strict=True)):
        assert not isinstance(read, str), (text, read)
        file = write(tmp_path, number, text)
        study = read["study"] or {"name": None, "seed": None}
        series = read_manifest(file, seed=study["seed"] if "shuffled" in text else None)
        assert read["images"] == [as_told(image) for image in series], text
        assert (series.study is None) == (read["study"] is None)
        if series.study is not None and "name" in json.loads(text if text[0] == "{" else "{}"):
            assert series.study.name in (study["name"], file.stem)
            assert series.study.entries == study["entries"]


DOUBLED = [
    '{"entries": [{"imageUrl": "http://h/", "frames": 1, "frames": 2}]}',
    '{"entries": [{"text": "a"},\n{"text": "b", "respond": {"keys": ["f"], "keys": ["j"]}}]}',
    '{"name": "a", "entries": [{"text": "a"}], "n\\u0061me": "a"}',
    '[{"imageUrl": "http://h/", "x": [1, {"y": 1, "z": [], "y": 2}]}]',
]
"""Of these no schema hears."""


def test_what_is_wrong_is_told_alike_with_its_line_and_column(
    replay: Replay, tmp_path: Path
) -> None:
    bad = BAD + DOUBLED
    found = replay.run("studies", [[text, None] for text in bad])
    for number, (text, said) in enumerate(zip(bad, found, strict=True)):
        file = write(tmp_path, number, text)
        with pytest.raises(BadManifest) as failure:
            read_plan_of(file)
        here = str(failure.value).replace(f"the manifest {str(file)!r}", "the list M")
        here = re.sub(r"^image (\d+)", lambda found: f"Image {int(found[1]) + 1}", here)
        assert said == here[0].upper() + here[1:] + ".", text
        assert 1 <= len(failure.value.faults) <= 20


def test_the_place_of_a_fault_is_that_of_its_value(tmp_path: Path) -> None:
    text = (
        '{"entries": [\n  "http://h/0",\n  {"imageUrl": "\U0001f600.png", "frames":'
        '\n  0, "showFor": 1}]}'
    )
    with pytest.raises(BadManifest) as failure:
        read_plan_of(write(tmp_path, 0, text))
    assert [(fault.line, fault.column) for fault in failure.value.faults] == [
        (4, 17),
        (4, 17),
        (4, 3),
    ]


def test_what_is_wrong_in_respond_is_placed_where_it_is(tmp_path: Path) -> None:
    text = (
        '{"entries": [\n{"imageUrl": "http://h/", "respond": {\n  "keys": ["f",\n    "F5", "Tab"],'
        '\n  "tap": true}},\n{"text": "a", "respond": {"keys": ["f", "F"]}},'
        '\n{"text": "b", "respond": {}}]}'
    )
    with pytest.raises(BadManifest) as failure:
        read_plan_of(write(tmp_path, 0, text))
    places = [(fault.line, fault.column) for fault in failure.value.faults]
    assert places == [(5, 10), (4, 5), (4, 11), (6, 41), (7, 26)]


def test_an_order_is_the_same_for_a_seed_wherever_it_is_shuffled(
    replay: Replay, tmp_path: Path
) -> None:
    entries: list[dict[str, Any]] = [
        {"imageUrl": f"http://h/{n}", "block": n // 40} for n in range(80)
    ]
    entries[60:60] = [{"text": "Rest."}]
    entries += [{"imageUrl": f"http://h/{n}"} for n in range(80, 90)]
    text = json.dumps({"order": "shuffled", "entries": entries})
    seeds = [0, 1, 2, 0x7FFFFFFF, 0x80000000, MAX_SEED]
    found = replay.run("studies", [[text, {"token": "0000abcd", "seed": seed}] for seed in seeds])
    file = write(tmp_path, 0, text)
    orders = set()
    for seed, read in zip(seeds, found, strict=True):
        shown = [as_told(image) for image in read_manifest(file, seed=seed)]
        assert read["images"] == shown
        numbers = [int(one["imageUrl"].rpartition("/")[2]) for one in shown]
        parts = [numbers[:40], numbers[40:60], numbers[60:61], numbers[61:81], numbers[81:]]
        assert [sorted(part) for part in parts] == [
            [*range(40)],
            [*range(40, 60)],
            [60],
            [*range(60, 80)],
            [*range(80, 90)],
        ]
        orders.add(tuple(numbers))
    assert len(orders) == len(seeds)


def test_texts_in_a_row_that_name_no_block_stay_in_their_order(
    replay: Replay, tmp_path: Path
) -> None:
    pages = [f"Page {number}" for number in range(9)]
    entries = [*({"text": page} for page in pages), {"imageUrl": "http://h/a"}]
    text = json.dumps({"order": "shuffled", "entries": entries})
    [found] = replay.run("studies", [[text, {"token": "0000abcd", "seed": 1}]])
    assert [one["trial"]["text"] for one in found["images"][:9]] == pages
    shown = read_manifest(write(tmp_path, 0, text), seed=1)
    assert [image.trial and image.trial.text for image in shown] == [*pages, None]


def test_a_study_beside_its_pictures_is_known_by_their_names(replay: Replay) -> None:
    study = json.dumps(
        {"name": "S", "entries": [{"text": "+"}, {"imageUrl": "a b.png", "frames": 2}]}
    )
    urls = json.dumps({"entries": [IMAGE]})
    bad = json.dumps({"entries": [{"imageUrl": "a.png", "frames": 0}]})
    plain = '[{"imageUrl": "a.png", "condition": "A"}]'
    found = replay.run("filesNamed", [study, urls, plain, bad])
    assert [entry["imageUrl"] for entry in found[0]["entries"]] == [None, "a b.png"]
    assert (found[0]["study"]["name"], found[1], found[2]["study"]) == ("S", None, None)
    assert found[2]["entries"][0]["extra"] == {"condition": "A"}
    assert "frames" in found[3]
    [refused] = replay.run("studies", [[study, None]])
    assert refused.endswith("lies beside the list; drop the list together with its pictures.")


def test_a_file_beside_a_study_may_end_as_any_picture_that_browsers_show() -> None:
    assert all(is_file_name(f"a/b.{suffix}") for suffix in SUFFIXES)
    assert not any(is_file_name(f"b.{suffix}") for suffix in ("tif", "txt", "ico", "pngx"))


#: What no schema can say, or says in another way: names that are nearly right, what is unlike what,
#: and what of a text counts as a number or as a key.
_BEYOND_SCHEMA = (
    *("call it", "id of entry", "for one key twice", "block that others", "control characters"),
    "no block follows another",
    *("http or https", "printable", "has a signedUrl; leave", "for the key", "no answer"),
    "keys that are",
)


def test_the_schema_says_what_the_checker_says(tmp_path: Path) -> None:
    schema = json.loads(files("imgsync").joinpath("study.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for number, text in enumerate(GOOD):
        content = re.sub(r'"(showFor|frames|sizeMm|sizeDeg)": " ?([0-9.]+) ?"', r'"\1": \2', text)
        errors = [error.message for error in validator.iter_errors(json.loads(content))]
        assert not errors, (number, text)
    for number, text in enumerate(BAD):
        if text[0] not in "[{":
            continue
        with pytest.raises(InputError) as failure:
            read_plan_of(write(tmp_path, number, text))
        is_beyond = any(words in str(failure.value) for words in _BEYOND_SCHEMA)
        assert is_beyond or not validator.is_valid(json.loads(text)), text
