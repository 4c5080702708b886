"""Entry points, their help, and what they say to a wrong usage."""

from __future__ import annotations

import argparse
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from imgsync import __version__
from imgsync.commands.evaluator.main import picture_size
from tests.kit.command_lines import imgsync
from tests.kit.forks import run_fork_to_end
from tests.kit.processes import STRICT, run_to_end, run_together

COMMANDS = ("demo", "relay", "evaluator", "client")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The console script, as installers make it of what the project declares."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["imgsync"].partition(":")
    path = tmp_path / "imgsync"
    path.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    return path


async def test_each_way_to_start_a_command_knows_its_help_and_its_name(script: Path) -> None:
    lines = {
        "imgsync --help": (str(script), "--help"),
        "imgsync --version": (str(script), "--version"),
        "imgsync relay --help": (str(script), "relay", "--help"),
        "python -m imgsync --help": ("-m", "imgsync", "--help"),
        "python -m imgsync --version": ("-m", "imgsync", "--version"),
    }
    for name in ("demo", "evaluator", "client"):
        lines[f"python -m imgsync {name} --help"] = ("-m", "imgsync", name, "--help")
    for name in ("relay", "evaluator", "client"):
        lines[f"python -m imgsync.{name} --help"] = ("-m", f"imgsync.{name}", "--help")
    outcomes = await run_together(
        {
            line: partial(run_to_end, line, sys.executable, *words, env=STRICT)
            for line, words in lines.items()
        }
    )

    for line, outcome in outcomes.items():
        assert outcome.code == 0, line
        assert outcome.errors == [], line
        if line.endswith("--version"):
            assert outcome.lines == [f"imgsync {__version__}"]
        else:
            # However it is started, as a part of `imgsync` it has that name.
            prog = line.removesuffix(" --help").replace("python -m imgsync", "imgsync")
            prog = prog.replace("imgsync.", "python -m imgsync.")
            assert outcome.lines[0].startswith(f"usage: {prog} [-h]"), line
    overview = "\n".join(outcomes["imgsync --help"].lines)
    assert all(f"  {name} " in overview for name in COMMANDS)


def test_a_limit_that_is_none_is_told_with_what_one_is() -> None:
    for text in ("0", "-1", "65", "soon", "nan", "inf", "1e400"):
        with pytest.raises(argparse.ArgumentTypeError, match="above 0, and 64 at most"):
            picture_size(text)
    assert [picture_size(text) for text in ("64", "0.5")] == [64 << 20, 1 << 19]


async def test_wrong_usage_is_told_with_the_name_of_the_command_and_exit_code_2() -> None:
    lines = [
        "",
        "nonsense",
        "relay --port seven",
        "client --relay ws://127.0.0.1:9/ws",
        "client --relay ws://127.0.0.1:9/ws --user C --ever 3",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --every 0 .",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --every soon .",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --limit 0 .",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --limit 65 .",
        "evaluator --relay ws://127.0.0.1:9/ws --user E --client C --pictures http .",
        "demo one two",
        "demo --pictures http",
    ]
    outcomes = await run_together(
        {
            line: partial(run_fork_to_end, line, *imgsync(*line.split()), env=STRICT)
            for line in lines
        }
    )

    for line, outcome in outcomes.items():
        command = line.split()[0] if line.startswith(COMMANDS) else ""
        prog = f"imgsync {command}".strip()
        assert outcome.code == 2, line
        assert outcome.lines == [], line
        assert outcome.errors[0].startswith(f"usage: {prog} ["), line
        assert outcome.errors[-1].startswith(f"{prog}: error: "), line
        assert "Traceback" not in "\n".join(outcome.errors), line
