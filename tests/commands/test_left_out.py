"""What a folder has beside its images is told: by the evaluator, and by the doctor."""

from __future__ import annotations

import io
import json
import sys
from functools import partial
from pathlib import Path

import pytest

from imgsync.commands.doctor.findings import Result
from imgsync.commands.doctor.images import check_images
from imgsync.commands.evaluator import intake
from imgsync.commands.reasons import advice_on
from imgsync.commands.report.words import describe_failure
from tests.kit.command_lines import evaluator
from tests.kit.forks import run_fork_to_end
from tests.kit.pictures import encode
from tests.kit.processes import STRICT, run_together

FOREIGN = {
    "a.tif": b"II*\0",
    "b.tif": b"MM\0*",
    "c.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "notes.txt": b"read me",
    ".hidden": b"",
    "Thumbs.db": b"",
}

TOLD = {
    "image/tiff, which browsers don't show": ["a.tif", "b.tif"],
    "image/heic, which browsers don't show": ["c.heic"],
    "no image": ["notes.txt"],
}


def fill(folder: Path, more: dict[str, bytes]) -> Path:
    for name, data in {"1.png": encode("PNG"), **more}.items():
        (folder / name).write_bytes(data)
    return folder


async def test_the_evaluator_tells_people_and_programs(relay_url: str, tmp_path: Path) -> None:
    command = evaluator(relay_url, "nobody", str(fill(tmp_path, FOREIGN)))
    outcomes = await run_together(
        {
            "prose": partial(run_fork_to_end, "evaluator", *command, env=STRICT),
            "json": partial(run_fork_to_end, "evaluator", *command, "--json", env=STRICT),
        }
    )
    events = [json.loads(line) for line in outcomes["json"].lines]
    assert {one["why"]: one["names"] for one in events if one["event"] == "left_out"} == TOLD
    assert not any("left out" in line for line in outcomes["json"].errors)
    assert [line.partition(": ")[2] for line in outcomes["prose"].errors[:3]] == [
        f"left out ({why}): {', '.join(names)}" for why, names in TOLD.items()
    ]
    # Each kind once, behind them.
    advice = [line.partition(": ")[2] for line in outcomes["prose"].errors[3:5]]
    assert [line.partition(" can't be shown by browsers: ")[0] for line in advice] == [
        "image/tiff",
        "image/heic",
    ]
    assert "export it as JPEG" in advice[1]


async def test_the_doctor_warns_of_it_and_reads_files_to_their_end(tmp_path: Path) -> None:
    url = "ws://127.0.0.1:1/ws"
    findings = await check_images(url, fill(tmp_path, FOREIGN))
    assert [finding.result for finding in findings] == [Result.OK] + 3 * [Result.WARNING]
    assert "a.tif, b.tif" in findings[1].detail
    [finding] = await check_images(url, fill(tmp_path, {"2.png": encode("PNG")[:-1]}))
    assert finding.result is Result.FAILED
    assert "2.png' is cut off" in finding.detail


async def test_the_doctor_advises_by_what_a_file_is(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a.tif": b"II*\0", "notes.txt": b"read me", "Thumbs.db": b""})
    png, jpg = encode("PNG"), encode("JPEG")
    fill(folder, {"scan": png, "2.png.bak": png, "3": jpg, "4.zip": b"PK\3\4", "5.dat": b""})
    (folder / "more").mkdir()
    (folder / "there").symlink_to(folder / "nowhere")
    findings = await check_images("ws://127.0.0.1:1/ws", folder)
    advice = {one.detail: one.advice for one in findings if one.result is Result.WARNING}
    assert {detail.partition(": ")[2]: said for detail, said in advice.items()} == {
        "a.tif": "image/tiff can't be shown by browsers: convert it to PNG, JPEG, WebP or AVIF",
        "5.dat, notes.txt": "nothing to do, unless it was meant as one",
        "2.png.bak, scan": "let its name end in .png, and it is shown",
        "3": "let its name end in .jpg, and it is shown",
        "4.zip": "application/zip can't be shown by browsers: unpack it",
        "more": "what is in a folder inside is not shown: name that folder, or move its images up",
        "there": "it holds nothing to show",
    }
    assert all("left out (" in detail for detail in advice)


async def test_a_folder_without_images_says_what_lies_there(tmp_path: Path) -> None:
    for name, content, why in [
        ("scan", encode("PNG"), "image/png, but its name does not end so"),
        (
            "a.dcm",
            bytes(128) + b"DICM",
            "application/dicom, which browsers don't show (it is DICOM",
        ),
    ]:
        (folder := tmp_path / f"of {name}").mkdir()
        (folder / name).write_bytes(content)
        [finding] = await check_images("ws://127.0.0.1:1/ws", folder)
        assert finding.result is Result.FAILED
        assert f"name another folder; {name!r} is left out: {why}" in finding.detail


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_check_is_told_of_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, slow, told in [
        (Terminal(), 0, True),
        (Terminal(), 1e9, False),
        (io.StringIO(), 0, False),
    ]:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(intake, "SLOW", slow)
        checking = intake.Checking()
        for done in range(1, 4):
            checking.tell(done, 3)
        written = stream.getvalue()
        assert ("2 of 3" in written) is told
        assert written.endswith("\r\x1b[K") is told


def test_every_reason_of_a_picture_has_its_advice() -> None:
    for reason in ("truncated", "decode", "not_an_image", "type_image/tiff", "too_large"):
        assert advice_on(reason)
    assert "image/tiff can't be shown by browsers" in (advice_on("type_image/tiff") or "")
    assert "unpack" in (advice_on("type_application/gzip") or "")


@pytest.mark.parametrize(
    "reason",
    [
        *("truncated", "decode", "not_an_image", "type_image/tiff", "too_large", "bad_url"),
        *("timeout", "unreachable", "fetch", "http_404", "http_500", "superseded", "hidden_tab"),
    ],
)
def test_a_report_says_every_reason_in_words(reason: str) -> None:
    words = describe_failure(reason)
    assert words.endswith(f"({reason})")
    assert len(words) > len(f"({reason})") + 5


def test_a_report_names_the_type_that_came_in_place_of_an_image() -> None:
    assert describe_failure("type_image/tiff").startswith("it is image/tiff")
