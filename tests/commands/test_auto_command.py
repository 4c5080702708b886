"""A study that goes on by itself as people run it: two processes, their lines and their records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsync.journal import events as record
from imgsync.journal.reader import Entry, read_journal
from tests.kit.command_lines import HERE, client, evaluator, events, named
from tests.kit.forks import open_fork, run_fork_to_end, shared_relay
from tests.kit.processes import SAMPLES, START_S

PICTURE = "8-amsler-grid.svg"


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


def study_in(folder: Path, *entries: dict[str, object]) -> str:
    shutil.copy(SAMPLES / PICTURE, folder / PICTURE)
    path = folder / "study.json"
    whole = {"name": "grids", "order": "shuffled", "entries": [*entries]}
    path.write_text(json.dumps(whole))
    return str(path)


async def test_a_program_shows_each_image_for_its_time_and_the_study_goes_on(
    relay_url: str, tmp_path: Path
) -> None:
    image = {"imageUrl": PICTURE, "showFor": 100}
    study = study_in(tmp_path, {**image, "condition": "a"}, {**image, "condition": "b"})
    log = tmp_path / "e.jsonl"
    follow = client(relay_url, "auto", *HERE, "--once", "--json", "--exec", "sleep 60")
    options = (*HERE, "--auto", "--seed", "7", "--json", "--log", str(log))
    async with open_fork("client", *follow) as following:
        await following.wait_line(START_S)
        showing = await run_fork_to_end("evaluator", *evaluator(relay_url, "auto", *options, study))
        followed = await following.wait_outcome()
    assert (showing.code, followed.code) == (0, 0), showing.errors + followed.errors
    told = events(showing.lines)
    hidden = [one for one in named("stage", told) if one["stage"] == "hidden"]
    assert [one["reason"] for one in hidden] == ["exposure_over"] * 2
    assert named("not_spoken", told) == []
    written = [one.event for one in read_journal(log) if isinstance(one, Entry)]
    [recorded] = [one for one in written if isinstance(one, record.Study)]
    assert (recorded.name, recorded.order, recorded.seed, recorded.trials) == (
        *("grids", "shuffled", 7),
        2,
    )
    trials = [one.trial for one in written if isinstance(one, record.Sent) and one.copy == 1]
    assert [trial and trial.show_for for trial in trials] == [100, 100]


async def test_a_study_that_would_never_end_is_refused_before_anybody_is_asked(
    relay_url: str, tmp_path: Path
) -> None:
    study = study_in(tmp_path, {"imageUrl": PICTURE}, {"text": "+", "showFor": 100})
    refused = await run_fork_to_end("evaluator", *evaluator(relay_url, "no", "--auto", study))
    assert (refused.code, refused.lines) == (1, [])
    [line] = refused.errors
    assert "these would never end" in line
    assert PICTURE in line
