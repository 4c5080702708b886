"""How large the classes and functions of a folder are, in Python and in JavaScript."""

import ast
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.kit.foreign import PEERS, require

Function = ast.FunctionDef | ast.AsyncFunctionDef

SCRIPT = Path(__file__).with_suffix(".mjs")


@attrs.frozen
class Size:
    """Of one class or function."""

    place: str
    """The path of its file, from the folder that was measured, and the line where it begins."""
    name: str
    lines: int
    """From its first to its last, without what stands above it."""
    attributes: int | None
    """That an object of it has; None for a function."""
    is_excepted: bool = False
    """A plain value, a Protocol, an Enum: as long as what it describes."""


def measure_python(folder: Path) -> list[Size]:
    return [
        size
        for path in sorted(folder.rglob("*.py"))
        for size in _sizes_in(path.relative_to(folder).as_posix(), path.read_text("utf-8"))
    ]


def _sizes_in(file: str, source: str) -> Iterator[Size]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef | Function):
            continue
        assert node.end_lineno is not None
        place, lines = f"{file}:{node.lineno}", node.end_lineno - node.lineno + 1
        if isinstance(node, ast.ClassDef):
            yield Size(place, node.name, lines, len(attributes_of(node)), is_excepted(node))
        else:
            yield Size(place, node.name, lines, None)


def attributes_of(cls: ast.ClassDef) -> set[str]:
    """Those that a method assigns, and the fields that the class declares."""
    fields = {
        statement.target.id
        for statement in cls.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        if "ClassVar" not in ast.unparse(statement.annotation)
    }
    return fields.union(*(_assigned_in(method) for method in _methods(cls)))


def _methods(cls: ast.ClassDef) -> list[Function]:
    return [statement for statement in cls.body if isinstance(statement, Function)]


def _assigned_in(method: Function) -> set[str]:
    """The attributes of its first argument that a method assigns, in whatever way."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    return {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name) and arguments and node.value.id == arguments[0].arg
    }


def is_excepted(cls: ast.ClassDef) -> bool:
    """Whether it only describes something: a Protocol, an Enum, or an attrs class without methods
    but properties and the like."""
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in cls.bases}
    if bases & {"Protocol", "Enum", "IntEnum", "StrEnum", "Flag"}:
        return True
    made_by = {ast.unparse(one).partition("(")[0].rpartition(".")[2] for one in cls.decorator_list}
    return bool(made_by & {"frozen", "define"}) and all(map(_only_describes, _methods(cls)))


def _only_describes(method: Function) -> bool:
    """Whether it is a property, a constructor, a check of a field, or what an operator calls."""
    is_called_by_name = not method.decorator_list and not method.name.startswith("__")
    return not is_called_by_name and not _assigned_in(method)


def measure_scripts(folder: Path) -> list[Size]:
    """Those of JavaScript, as the TypeScript compiler reads it; nothing there is excepted."""
    node = shutil.which("node")
    require(node, "node is not installed")
    compiler = PEERS / "node_modules" / "typescript"
    require(compiler.is_dir(), f"typescript is not installed: npm install in {PEERS.name}/")
    command = (str(node), str(SCRIPT), str(compiler), str(folder))
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [Size(**size) for size in json.loads(found.stdout)]
