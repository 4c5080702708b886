"""What `imgsync study` prints of a study, and of what is wrong in it."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imgsync.commands.study import main
from tests.images.test_kinds import PNG

ENTRIES = [
    {"imageUrl": "a.png", "showFor": 200, "respond": "f j ends", "block": 1},
    {"text": "+", "frames": 1, "block": "two"},
    {"imageUrl": "http://h/b.png", "showFor": 10, "block": "two"},
]


def a_study(folder: Path, **said: object) -> str:
    (folder / "a.png").write_bytes(PNG)
    file = folder / "faces.json"
    file.write_text(json.dumps({"entries": ENTRIES, **said}), encoding="utf-8")
    return str(file)


def test_a_study_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_study(tmp_path, name="Faces", order="shuffled", end="Bye.")
    assert main(["check", file]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Faces: 2 images, 2 texts; 1 of the images beside it",
        "order: shuffled within blocks, by a new seed each time; blocks: 1, two",
        "exposure: 200 ms, which is 12.00 frames at 60 Hz, for 1 of them",
        "exposure: 1 frame, which is 16.7 ms at 60 Hz, for 1 of them",
        "exposure: 10 ms, which is 0.60 frames at 60 Hz, for 1 of them; shorter than a frame there:"
        " such a screen shows it for one",
        "answers: f j, to 1 of them",
    ]
    assert main(["check", "--json", file]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["faults"], told["name"], told["blocks"]) == ([], "Faces", [1, "two"])
    assert told["exposures"][0] == {"showFor": 200.0, "frames": None, "entries": 1}


def test_sizes_are_summed_up_with_what_has_to_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes: tuple[dict[str, object], ...] = (
        {"sizeMm": 52.5},
        {"sizeMm": 52.5},
        {"scale": "1:1"},
        {},
        {"sizeDeg": 10},
    )
    entries = [{"imageUrl": "http://h/b.png", **size} for size in sizes]
    screen = (
        "the client's screen has to be measured before: add &size=screen to the link of its page"
    )
    for count, told in (
        (2, ["size: 52.5 mm, for 2 of them", screen]),
        (3, ["size: 1:1, one pixel on each of the screen, for 1 of them"]),
        (5, ["size: 10\N{DEGREE SIGN}, which is 105 mm seen from 60 cm, for 1 of them"]),
    ):
        file = a_study(tmp_path, entries=entries[:count])
        assert main(["check", file]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert set(told) <= set(lines)
    assert lines[-1] == screen.replace("screen has", "screen, and the distance to it, has").replace(
        "=screen", "=distance"
    )
    assert main(["check", "--json", file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["needsCalibration"], found["needsDistance"]) == (True, True)
    assert found["sizes"][1] == {"sizeMm": None, "sizeDeg": None, "scale": "1:1", "entries": 1}
    file = a_study(tmp_path, entries=entries[2:4])
    assert main(["check", file]) == 0
    assert "measured" not in capsys.readouterr().out


def test_all_that_is_wrong_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("imageUrl,showFor,respond\na.png,x,ends\n\nb.png,,F5\n", encoding="utf-8")
    assert main(["check", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    begins = [line.removeprefix(f"{file}:").partition(" has ")[0] for line in lines]
    assert begins[:2] == [
        "2:showFor: image 0",
        "2:respond: image 0 asks in respond for no answer; name keys, or taps, or leave it out",
    ]
    assert lines[2].startswith(f'{file}:4:respond: image 1 asks for the key "F5"')
    assert main(["check", "--json", str(file)]) == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert [(fault["line"], fault["column"]) for fault in faults] == [
        (2, "showFor"),
        (2, "respond"),
        (4, "respond"),
    ]


def test_a_study_is_read_once_and_may_come_through_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform == "win32":
        pytest.skip("there are no named pipes")
    pipe = tmp_path / "faces.json"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        written = pool.submit(pipe.write_text, json.dumps({"entries": ENTRIES[1:]}))
        assert main(["check", str(pipe)]) == 0
        written.result()
    assert capsys.readouterr().out.startswith("faces: 1 image, 1 text;")


def test_what_is_no_json_is_told_with_its_place_and_a_missing_file_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.json"
    file.write_text('[{"text": "a"}\n{]', encoding="utf-8")
    assert main(["check", str(file)]) == 1
    assert capsys.readouterr().out.startswith(f"{file}:2:1: is not JSON: ")
    assert main(["check", str(tmp_path / "nothing")]) == 1
    assert "there is no file" in capsys.readouterr().out


def test_a_study_is_wrong_where_a_picture_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_study(tmp_path)
    (tmp_path / "a.png").unlink()
    assert main(["check", file]) == 1
    assert "there is no such file" in capsys.readouterr().out


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A study of imgsync"
