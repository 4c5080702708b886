"""What both languages must agree on is written once."""

import ast
import re
from pathlib import Path

import pytest

import imgsync
from imgsync.core.protocol.obstacles import Obstacle
from imgsync.core.protocol.signalling import ErrorCode
from tests.both_languages.numbers import TARGET, described, make
from tests.both_languages.replay import Replay
from tests.test_layers import SCRIPTS_ROOT, code_of

ROOT = Path(imgsync.__file__).parent
SCRIPTS = [path for path in sorted((ROOT / "web" / "js").rglob("*.js")) if path != TARGET]
MODULES = [path for path in sorted(ROOT.rglob("*.py")) if path.name != "numbers.py"]


def test_the_numbers_of_the_pages_are_those_of_the_python_peers() -> None:
    again = "python -m tests.both_languages.numbers"
    assert TARGET.read_text(encoding="utf-8") == make(), (
        f"numbers.js is stale; make it with {again}"
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_number_of_its_own_under_a_shared_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not set(re.findall(r"\b(?:const|let|var) (\w+)", text)) & described().keys()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_list_of_error_codes_of_its_own(path: Path) -> None:
    words = re.findall(r"""["'`](\w+)["'`]""", code_of(path.relative_to(SCRIPTS_ROOT).as_posix()))
    # One of them is a word for what is in the way to a relay, too.
    obstacles = {obstacle.value for obstacle in Obstacle}
    assert not set(words) & {code.value for code in ErrorCode} - obstacles


def test_the_same_errors_may_pass(replay: Replay) -> None:
    codes = [code.value for code in ErrorCode]
    assert replay.run("passing", codes) == [code.may_pass for code in ErrorCode]
    # What a page finds by itself is, in Python, SignallingLost and ConnectTimeout.
    found = ["no_relay", "relay_lost", "timeout", "nonsense"]
    assert replay.run("passing", found) == [True, True, True, False]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_has_a_number_of_its_own_under_a_shared_name(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assigned = {
        target.id
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    assert not assigned & described().keys()
