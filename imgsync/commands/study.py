"""`imgsync study`: check a study before anybody sees it, and print what editors check it by."""

import argparse
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import trio

from imgsync.commands.common import run_command, set_up_logging
from imgsync.commands.output import print_line
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import USUAL_REFRESH
from imgsync.core.protocol.trials import Trial
from imgsync.core.study.sizes import asks_size, length_of, needs_calibration
from imgsync.core.study.study import SHUFFLED, Plan
from imgsync.images.manifest import BadManifest, read_plan_of
from imgsync.images.series import read_series

_NOTHING = Trial()

_DISTANCE = 600
"""Millimetres from which most people see a screen before them."""

_FRAME = 1000 / USUAL_REFRESH
"""Milliseconds of a refresh of most screens."""


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync study") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.WARNING)

    async def check() -> int:
        # Abandoned on Ctrl-C: the file may be a pipe into which nobody writes.
        read = partial(_check, Path(options.file), as_json=options.json)
        is_right, lines = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
        for line in lines:
            print_line(line)
        return 0 if is_right else 1

    async def schema() -> int:
        print_line(files("imgsync").joinpath("study.schema.json").read_text("utf-8").rstrip("\n"))
        return 0

    return run_command(check if options.deed == "check" else schema, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Check a study before anybody sees it.")
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    check = deeds.add_parser(
        "check",
        help="tell what is in a study, or all that is wrong in it",
        description="Tell what is in a study: how much, in which order, for how long, and which"
        " answers; or all that is wrong in it, and where. The pictures beside it are read.",
    )
    check.add_argument("file", metavar="FILE", help="a .json or .csv file")
    check.add_argument("--json", action="store_true", help="one JSON object for programs")
    deeds.add_parser(
        "schema",
        help="print the JSON Schema of a study, for editors",
        description="Print the JSON Schema of a study, by which editors help to write one.",
    )
    return parser


def _check(path: Path, *, as_json: bool) -> tuple[bool, list[str]]:
    """Whether all is right, and what to print."""
    try:
        plan = read_plan_of(path)
        read_series(path, plan)
    except InputError as exc:
        located = exc.faults if isinstance(exc, BadManifest) else ()
        faults: list[dict[str, Any]] = [attrs.asdict(fault) for fault in located]
        faults = faults or [{"line": None, "column": None, "what": str(exc)}]
        if as_json:
            return False, [json.dumps({"faults": faults})]
        told = [f"{path}:{one.line}:{one.column}: {one.what}" for one in located]
        return False, told or [str(exc)]
    summary = summarize(plan, path.stem)
    return True, [json.dumps({"faults": [], **summary})] if as_json else describe(summary)


def summarize(plan: Plan, name: str) -> dict[str, Any]:
    """What is in a study, as `--json` has it.

    :param name: for one that has none.
    """
    trials = [entry.trial or _NOTHING for entry in plan.entries]
    responds = [trial.respond for trial in trials if trial.respond is not None]
    blocks = dict.fromkeys(entry.block for entry in plan.entries if entry.block is not None)
    exposures = Counter((trial.show_for, trial.frames) for trial in trials)
    del exposures[None, None]
    texts = sum(trial.text is not None for trial in trials)
    added = len(plan.arranged(None)) - len(trials)
    return {
        "name": plan.name or name,
        "images": len(trials) - texts,
        "texts": texts + added,
        "files": sum(entry.is_file for entry in plan.entries),
        "blocks": list(blocks),
        "order": plan.order,
        "seed": plan.seed,
        "exposures": [
            {"showFor": show_for, "frames": frames, "entries": count}
            for (show_for, frames), count in exposures.items()
        ],
        "keys": list(dict.fromkeys(key for respond in responds for key in respond.keys)),
        "taps": any(respond.taps for respond in responds),
        "answered": len(responds),
        "sizes": [
            {"sizeMm": size_mm, "sizeDeg": size_deg, "scale": scale, "entries": count}
            for (size_mm, size_deg, scale), count in _sizes(trials).items()
        ],
        "needsCalibration": any(map(needs_calibration, trials)),
        "needsDistance": any(trial.size_deg is not None for trial in trials),
    }


def _sizes(trials: Iterable[Trial]) -> Counter[tuple[float | None, float | None, str | None]]:
    """How often each is asked."""
    asked = filter(asks_size, trials)
    return Counter((one.size_mm, one.size_deg, one.scale and one.scale.value) for one in asked)


def describe(summary: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = [
        f"{summary['name']}: {_count(summary['images'], 'image')},"
        f" {_count(summary['texts'], 'text')}; {summary['files']} of the images beside it"
    ]
    blocks = ", ".join(map(str, summary["blocks"]))
    lines.append(f"order: {_describe_order(summary)}" + (f"; blocks: {blocks}" if blocks else ""))
    lines += [f"exposure: {_describe_exposure(**one)}" for one in summary["exposures"]]
    asked = [*summary["keys"], *(["taps"] if summary["taps"] else [])]
    if asked:
        lines.append(f"answers: {' '.join(asked)}, to {summary['answered']} of them")
    lines += [f"size: {_describe_size(**one)}" for one in summary["sizes"]]
    if summary["needsCalibration"]:
        distance = ", and the distance to it," if summary["needsDistance"] else ""
        lines.append(
            f"the client's screen{distance} has to be measured before: add &size="
            f"{'distance' if distance else 'screen'} to the link of its page"
        )
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _describe_order(summary: dict[str, Any]) -> str:
    if summary["order"] != SHUFFLED:
        return "as it stands"
    seed = summary["seed"]
    within = "shuffled within blocks" if summary["blocks"] else "shuffled"
    return f"{within}, by {'a new seed each time' if seed is None else f'the seed {seed}'}"


def _describe_size(
    *, sizeMm: float | None, sizeDeg: float | None, scale: str | None, entries: int
) -> str:
    if scale is not None:
        return f"{scale}, one pixel on each of the screen, for {entries} of them"
    if sizeMm is not None:
        return f"{sizeMm:g} mm, for {entries} of them"
    length = length_of(sizeDeg or 0, _DISTANCE)
    at_60 = f"{length:.0f} mm seen from {_DISTANCE / 10:g} cm"
    return f"{sizeDeg:g}°, which is {at_60}, for {entries} of them"


def _describe_exposure(*, showFor: float | None, frames: int | None, entries: int) -> str:
    if frames is not None:
        asked, at_60 = f"{_count(frames, 'frame')}", f"{frames * _FRAME:.1f} ms"
    else:
        asked, at_60 = f"{showFor:g} ms", f"{(showFor or 0) / _FRAME:.2f} frames"
    line = f"{asked}, which is {at_60} at {USUAL_REFRESH:g} Hz, for {entries} of them"
    if showFor is not None and showFor < _FRAME:
        line += "; shorter than a frame there: such a screen shows it for one"
    return line
