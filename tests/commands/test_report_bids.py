"""The data set of BIDS that `imgsync report` writes: its tables, and what the validator says."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from imgsync.commands.report.bids import MAX_LABEL, Dataset, make_dataset
from imgsync.commands.report.bids_columns import EVENT_COLUMNS, ROW_COLUMNS
from imgsync.commands.report.main import main, write_files
from imgsync.commands.report.rows import Row
from imgsync.commands.report.sides import Sides
from imgsync.commands.report.summary import report_sessions
from imgsync.commands.report.table import fields
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.trials import Trial
from imgsync.journal.events import Study
from imgsync.journal.reader import read_journal
from tests.kit.records import EPOCH, World
from tests.kit.study_records import extra_of, show_trial, study_session

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"

#: What only who publishes a data set can know.
YOURS = {
    *("Authors", "TOO_FEW_AUTHORS"),
    *("License", "HEDVersion", "SourceDatasets"),
    *("Instructions", "TaskDescription", "CogAtlasID", "CogPOID"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"),
}


def dataset_of(folder: Path, *worlds: World) -> Dataset:
    sides = Sides()
    for world in worlds:
        for path in world.write(folder):
            sides.add_record(read_journal(path))
    return make_dataset(report_sessions(sides))


def events_of(dataset: Dataset, name: str = "") -> list[dict[str, str]]:
    [text] = [text for path, text in dataset.files.items() if path.endswith(f"{name}_events.tsv")]
    return list(csv.DictReader(io.StringIO(text), dialect="excel-tab", quoting=csv.QUOTE_NONE))


def sidecar_of(dataset: Dataset) -> dict[str, dict[str, str]]:
    [text] = [text for path, text in dataset.files.items() if path.endswith("_events.json")]
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def check_rows(text: str) -> int:
    """All rows, of which the validator reads the first 1,000 alone unless it is told to."""
    assert text.endswith("\n")
    heads, *rows = (line.split("\t") for line in text[:-1].split("\n"))
    assert len(set(heads)) == len(heads)
    last = 0.0
    for row in rows:
        assert len(row) == len(heads)
        assert all(cell and cell == cell.strip() and cell.isprintable() for cell in row), row
        onset, duration = float(row[0]), row[1]
        assert onset >= last
        assert duration == "n/a" or float(duration) >= 0
        last = onset
    return len(rows)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def test_events_are_seconds_from_the_first_image_of_the_session(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, study_session(30))
    rows = events_of(dataset)
    assert [row["onset"] for row in rows[:2]] == ["0", "2.0002"]  # its clock gains 100 ppm
    assert float(rows[0]["duration"]) == pytest.approx(0.1, abs=1e-4)
    assert [row["trial_type"] for row in rows[:3]] == ["left", "right", "both eyes"]
    assert [row["response_time"] for row in rows[8:11]] == ["0.426", "n/a", "0.4325"]
    assert {row["stim_file"] for row in rows} == {"n/a"}
    first = rows[0]
    assert (first["frames_up"], first["score"], first["note"]) == ("6", "2.5", "moved the head")
    assert (first["id"], rows[1]["contrast"]) == ("t0", repr(1 / 7))
    assert first["sent_at"] == f"{EPOCH + 1_000:.2f}"
    about = sidecar_of(dataset)["onset"]["Description"]
    assert "the client's clock, by which 0 is 2027-01-15 09:00:01.040 UTC" in about


def test_where_a_clock_was_set_onsets_are_of_the_evaluators(tmp_path: Path) -> None:
    world = World(steps=[(EPOCH + 6_000, -250_000.0)])
    world.begin()
    for number in range(20):
        world.probe(EPOCH + 100 + 1_000 * number)
    for index in range(6):
        show_trial(world, index, EPOCH + 1_000 + 2_000 * index)
    dataset = dataset_of(tmp_path, world)
    for number, row in enumerate(events_of(dataset)):
        assert float(row["onset"]) == pytest.approx(2 * number, abs=0.02)
    assert "evaluator's clock" in sidecar_of(dataset)["onset"]["Description"]


def test_what_was_not_shown_has_no_row_and_is_counted(tmp_path: Path) -> None:
    world = World()
    world.begin()
    world.probe(EPOCH + 100)
    for index, stage in enumerate([StageKind.SHOWN, StageKind.FAILED, StageKind.SHOWN]):
        world.show(index, EPOCH + 1_000 + 1_000 * index, outcome=stage)
    dataset = dataset_of(tmp_path, world)
    rows = events_of(dataset)
    assert [row["image_index"] for row in rows] == ["0", "2"]
    assert [row["trial_type"] for row in rows] == ["image", "image"]
    assert [row["duration"] for row in rows] == ["n/a", "n/a"]
    assert dataset.warnings == [
        "1 image has no row in the BIDS data set, as it was not shown, or nobody knows when"
    ]


def test_a_text_is_told_from_an_image(tmp_path: Path) -> None:
    world = World()
    world.begin()
    show_trial(world, 0, EPOCH + 1_000, Trial(text="Ready?"))
    world.evaluator = [
        (at, re.sub(b'"condition":"left",', b"", line)) for at, line in world.evaluator
    ]
    assert [row["trial_type"] for row in events_of(dataset_of(tmp_path, world))] == ["text"]


# ── columns ──────────────────────────────────────────────────────────────────────────────────────


def test_each_column_of_the_report_has_its_description() -> None:
    assert list(ROW_COLUMNS) == fields(Row)


def test_each_column_is_described_and_numbers_have_their_unit(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, study_session(3))
    heads = list(events_of(dataset)[0])
    sidecar = sidecar_of(dataset)
    assert heads == [*EVENT_COLUMNS, *ROW_COLUMNS, *extra_of(0)]
    assert set(sidecar) - set(heads) == {"StimulusPresentation", "TaskName"}
    assert all(sidecar[name]["Description"].endswith((".", "UTC.")) for name in heads)
    assert sidecar["onset"]["Units"] == sidecar["response_time"]["Units"] == "s"
    assert sidecar["reaction_time"]["Units"] == "ms"
    assert sidecar["StimulusPresentation"]["OperatingSystem"] == "Windows"


def test_columns_of_a_manifest_are_none_of_those_of_bids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {"onset": "x", "HED": "y", "Sample": 1, "a\tb": "c\nd\r\n", "empty": " "}
    monkeypatch.setattr("tests.kit.study_records.extra_of", lambda index: odd)
    [row] = events_of(dataset_of(tmp_path, study_session(1)))
    extra = {name: row[name] for name in list(row)[len(EVENT_COLUMNS) + len(ROW_COLUMNS) :]}
    assert extra == {
        **{"manifest.onset": "x", "manifest.HED": "y", "manifest.Sample": "1"},
        **{"a b": "c d", "empty": "n/a"},
    }


# ── labels ───────────────────────────────────────────────────────────────────────────────────────


def paths_of(dataset: Dataset) -> list[str]:
    return [path for path in dataset.files if path.endswith(".tsv") and "/" in path]


def test_labels_have_letters_and_digits_only_and_are_told_apart(tmp_path: Path) -> None:
    ids = ["a-b", "A_B", "\u00e4", "a-b", "x" * 128]
    worlds = [
        study_session(1, session=f"s{number}", client=client) for number, client in enumerate(ids)
    ]
    dataset = dataset_of(tmp_path, *worlds)
    labels = ["ab", "ABx2", "unknown", "ab", "x" * MAX_LABEL]
    runs = [1, 1, 1, 2, 1]
    assert paths_of(dataset) == [
        f"sub-{label}/beh/sub-{label}_task-Acheatnight_run-{run}_events.tsv"
        for label, run in zip(labels, runs, strict=True)
    ]
    assert dataset.warnings == [
        "the client 'A_B' is called ABx2 in the BIDS data set, as another one is called AB there"
    ]
    people = dataset.files["participants.tsv"].splitlines()
    assert people[:4] == [
        "participant_id\tclient_id",
        "sub-ab\ta-b",
        "sub-ABx2\tA_B",
        "sub-unknown\t\u00e4",
    ]


def test_studies_of_one_label_are_told_apart(tmp_path: Path) -> None:
    worlds = [study_session(1, session="one"), study_session(1, session="two")]
    end = EPOCH + 64
    worlds[1].by_evaluator(end, Study("two", "ache, at night!", "given", None, 1))
    dataset = dataset_of(tmp_path, *worlds)
    assert [re.findall("task-([^_]+)", path)[0] for path in paths_of(dataset)] == [
        *("Acheatnight", "acheatnightx2")
    ]
    assert dataset.warnings[0].startswith("the study 'ache, at night!' is called acheatnightx2")
    name = json.loads(dataset.files["dataset_description.json"])["Name"]
    assert name == "Ache at night, ache, at night!"


# ── the whole ────────────────────────────────────────────────────────────────────────────────────


def issues_of(folder: Path) -> Counter[str]:
    """How often the validator finds each, by its most exact name."""
    words = [str(VALIDATOR), str(folder), "--max-rows", "-1", "--format", "json"]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    found = json.loads(done.stdout)["issues"]["issues"]
    return Counter(issue.get("subCode") or issue["code"] for issue in found)


def test_the_validator_finds_no_fault_with_all_of_its_rows(tmp_path: Path) -> None:
    worlds = [
        study_session(1_010, session="s1", client="patient-7"),
        study_session(3, session="s2", client="patient-8"),
    ]
    dataset = dataset_of(tmp_path, *worlds)
    assert [check_rows(dataset.files[path]) for path in paths_of(dataset)] == [1_010, 3]
    folder = tmp_path / "bids"
    write_files(folder, dataset.files)
    assert set(issues_of(folder)) <= YOURS
    # It would find one, behind the first 1,000 as well.
    long = folder / paths_of(dataset)[0]
    rows = long.read_text(encoding="utf-8").splitlines(keepends=True)
    long.write_text("".join([*rows[:-1], f"soon{rows[-1]}"]), encoding="utf-8")
    assert "onset" in issues_of(folder)


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs = study_session(1).write(tmp_path)
    words = [*map(str, logs), "--out", str(tmp_path / "out"), "--bids", str(tmp_path)]
    assert main(words) == 1
    assert "name a new or an empty folder with --bids" in capfd.readouterr().err
    assert not (tmp_path / "README.md").exists()
    assert not (tmp_path / "out" / "report.csv").exists()
