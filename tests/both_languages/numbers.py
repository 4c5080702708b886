"""The pages' numbers.js, made of `core.protocol.numbers`: `python -m tests.both_languages.numbers`.

Beside the numbers it has the words of the vocabulary: why the relay closes a WebSocket, which of
its errors may pass, and so on.
"""

import ast
import inspect
import json
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise
from pathlib import Path

from imgsync.core.handshake.causes import Cause
from imgsync.core.protocol import numbers
from imgsync.core.protocol.channel import OnsetTiming, PointerKind, ResponseKind, StageKind
from imgsync.core.protocol.obstacles import Obstacle
from imgsync.core.protocol.signalling import (
    CloseCode,
    Door,
    EndReason,
    ErrorCode,
    PresenceState,
    Role,
)
from imgsync.core.protocol.states import SessionState
from imgsync.core.protocol.trials import Scale

TARGET = Path(numbers.__file__).parents[2] / "web" / "js" / "core" / "protocol" / "numbers.js"

HEAD = """\
/**
 * What all peers must agree on, or both of our languages decide by. It is made of
 * core/protocol/numbers.py: change it there. Times are in seconds where nothing else is said.
 */
"""

#: Vocabularies, by the name of the list of their words.
WORDS: dict[str, type[Enum]] = {
    "ROLES": Role,
    "PRESENCE_STATES": PresenceState,
    "DOORS": Door,
    "ERROR_CODES": ErrorCode,
    "END_REASONS": EndReason,
    "SESSION_STATES": SessionState,
    "STAGES": StageKind,
    "TIMINGS": OnsetTiming,
    "RESPONSE_KINDS": ResponseKind,
    "POINTERS": PointerKind,
    "SCALES": Scale,
}


def described() -> dict[str, str]:
    """The text that stands below each number, by name, in the order of the module."""
    body = ast.parse(inspect.getsource(numbers)).body
    found = {}
    for statement, following in pairwise(body):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            [name] = targets
            assert isinstance(name, ast.Name)
            assert isinstance(following, ast.Expr), f"{name.id} says nothing of itself"
            assert isinstance(following.value, ast.Constant)
            found[name.id] = str(following.value.value)
    return found


def comment(text: str) -> str:
    lines = text.splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


def literal(value: object) -> str:
    """As JavaScript has it; whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    return json.dumps(value)


def list_of(words: Iterable[str]) -> str:
    """One to a line, where they are many."""
    found = [json.dumps(word) for word in words]
    line = f"[{', '.join(found)}]"
    return line if len(line) < 80 else "[\n" + "".join(f"  {word},\n" for word in found) + "]"


def make() -> str:
    """The whole module."""
    parts = [HEAD]
    for name, text in described().items():
        parts.append(f"\n{comment(text)}export const {name} = {literal(getattr(numbers, name))};\n")
    codes = "".join(f"  {code.name}: {code.value},\n" for code in CloseCode)
    parts.append(f"\n{comment(inspect.getdoc(CloseCode) or '')}")
    parts.append(f"export const CloseCode = {{\n{codes}}};\n")
    causes = "".join(f"  {cause.name}: {json.dumps(cause.value)},\n" for cause in Cause)
    parts.append(f"\n{comment(inspect.getdoc(Cause) or '')}")
    parts.append(f"export const Cause = {{\n{causes}}};\n")
    for name, words in WORDS.items():
        parts.append(f"\n{comment(inspect.getdoc(words) or '')}")
        parts.append(f"export const {name} = {list_of(member.value for member in words)};\n")
    passing = list_of(code.value for code in ErrorCode if code.may_pass)
    parts.append(f"\n{comment(inspect.getdoc(ErrorCode.may_pass) or '')}")
    parts.append(f"export const PASSING_ERRORS = {passing};\n")
    taken = list_of(code.value for code in ErrorCode if code.is_taken)
    parts.append(f"\n{comment(inspect.getdoc(ErrorCode.is_taken) or '')}")
    parts.append(f"export const TAKEN_ERRORS = {taken};\n")
    outages = list_of(code.value for code in ErrorCode if code.is_outage)
    parts.append(f"\n{comment(inspect.getdoc(ErrorCode.is_outage) or '')}")
    parts.append(f"export const OUTAGE_ERRORS = {outages};\n")
    passing = list_of(one.value for one in Obstacle if one.may_pass)
    parts.append(f"\n{comment(inspect.getdoc(Obstacle.may_pass) or '')}")
    parts.append(f"export const PASSING_OBSTACLES = {passing};\n")
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(make(), encoding="utf-8")
