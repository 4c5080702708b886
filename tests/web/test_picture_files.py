"""Files that the console reads as pictures, in Node: what it learns and refuses."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from imgsync.core.pictures.inspection import Inspection
from imgsync.core.protocol.numbers import MAX_IMAGE
from tests.kit.pictures import make_all
from tests.kit.rules import Rules, open_rules

READ = """
const made = ({ name, text, size, broken }) => {
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  const arrayBuffer = async () => {
    if (broken) throw new DOMException("", broken);
    return bytes.buffer;
  };
  return { name, size: size ?? bytes.length, arrayBuffer, slice: () => ({ arrayBuffer }) };
};
const gathered = { name: "", folders: ["b 10", "b 9"], gone: ["lost.png"], ...given };
const told = [];
const goOn = (done, count) => told.push([done, count]) < (given.most ?? Infinity);
const sorted = await m.readPictures({ ...gathered, files: given.files.map(made) }, goOn);
return [sorted && sorted.taken.map(({ name, facts }) => [name, facts]), sorted?.leftOut, told];
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


def read(rules: Rules, files: list[dict[str, Any]], **others: object) -> Any:
    given = json.dumps({"files": files, **others})
    body = f"return (async () => {{ const given = {given}; {READ} }})();"
    return rules.run("console/picture_files.js", body)


def file(name: str, data: bytes, **others: object) -> dict[str, Any]:
    return {"name": name, "text": b64encode(data).decode(), **others}


def test_a_picture_is_known_as_a_folder_of_the_command_knows_it(rules: Rules) -> None:
    found: dict[str, object] = {}
    files = []
    for place, data in enumerate(make_all().values()):
        inspection = Inspection()
        inspection.feed(data)
        kind = inspection.end().kind
        assert kind is not None
        name = f"{place}.{kind.suffixes[0]}"
        facts = attrs.asdict(inspection.facts)
        found[name] = {"contentType": facts.pop("content_type"), **facts}
        files.append(file(name, data))
    taken, left_out, _ = read(rules, [*reversed(files)], folders=[], gone=[])
    assert dict(taken) == found
    assert [name for name, _ in taken] == list(found)
    assert left_out == []


def test_what_can_not_be_taken_is_named_and_a_large_file_is_not_even_read(rules: Rules) -> None:
    [png, other, *_] = [data for name, data in make_all().items() if "png" in name.lower()]
    files = [
        file("twice.png", png),
        file("twice.png", other),
        file("same.png", png),
        file("same.png", png),
        file("large.png", b"", size=MAX_IMAGE + 1, broken="Error"),
        file("busy.png", png, broken="NotReadableError"),
        file("away.png", png, broken="NotFoundError"),
        file("empty.png", b""),
        file("Thumbs.db", b"x"),
    ]
    taken, left_out, told = read(rules, files)
    assert [name for name, _ in taken] == ["same.png", "twice.png"]
    assert [(one["name"], one["why"]) for one in left_out] == [
        ("away.png", "can\u2019t be read"),
        ("busy.png", "can\u2019t be read, or has just changed"),
        ("empty.png", "no picture, whatever its name says"),
        ("large.png", "larger than clients take (64 MiB)"),
        ("twice.png", "there is another picture of this name among them"),
        ("lost.png", "can\u2019t be opened"),
        ("b 9", "a folder inside of the folder"),
        ("b 10", "a folder inside of the folder"),
    ]
    assert all(one["todo"].endswith(".") for one in left_out)
    assert told[-1] == [8, 8]


def test_nothing_more_is_read_once_it_is_not_wanted(rules: Rules) -> None:
    [png, *_] = make_all().values()
    files = [file(f"{number}.png", png) for number in range(50)]
    taken, _, told = read(rules, files, most=10)
    assert taken is None
    assert max(done for done, _ in told) < 12
