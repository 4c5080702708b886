"""The public names of `imgsync` with their signatures, as text: `python -m tests.public_api`.

What stands in `tests/public_api.txt` is what programs of others rely on. To change it is to change
them; a change that is meant is written there with this command.
"""

import ast
import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import attrs

import imgsync
import imgsync.testing

MADE_BY_CALLERS = (imgsync.ImageRef, imgsync.testing.MemoryNetwork)

LIST = Path(__file__).with_name("public_api.txt")


def describe() -> str:
    """A line for each name, and for each member of a class behind it."""
    places = [(f"imgsync.{name}", getattr(imgsync, name)) for name in imgsync.__all__]
    places.append(("imgsync.testing.MemoryNetwork", imgsync.testing.MemoryNetwork))
    return "".join(f"{line}\n" for name, value in places for line in _lines_of(name, value))


def _lines_of(name: str, value: object) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{name}{_signature_of(value)}"
    elif issubclass(value, enum.Enum):
        yield f"{name}: {', '.join(repr(member.value) for member in value)}"
        yield from _members_of(name, value)
    else:
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"{name}({bases})" if bases else name
        # What `open_...` makes is made by nobody else, so that how it is made does not count.
        if value in MADE_BY_CALLERS or (issubclass(value, Exception) and "__init__" in vars(value)):
            yield f"{name}.__init__{_signature_of(value.__init__)}"
        if fields := _fields_of(value):
            yield f"{name}: {', '.join(fields)}"
        yield from _members_of(name, value)


def _fields_of(value: type) -> list[str]:
    """Those of an attrs class, or what another one sets when it is made."""
    if attrs.has(value):
        names = [field.name for field in attrs.fields(value)]
    else:
        tree = ast.parse(inspect.getsource(value))
        names = sorted(
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) == "self"
        )
    return [name for name in names if not name.startswith("_")]


def _members_of(name: str, value: type) -> Iterator[str]:
    for member, content in sorted(vars(value).items()):
        if member.startswith("_") or isinstance(content, enum.Enum | types.MemberDescriptorType):
            continue
        if callable(content):
            yield f"{name}.{member}{_signature_of(content)}"
        elif isinstance(content, property):
            yield f"{name}.{member}: {_plain(_signature_of(content.fget))}"


def _signature_of(value: object) -> str:
    assert callable(value)
    return _plain(str(inspect.signature(value)))


def _plain(text: str) -> str:
    """Without where a type lives, which is nobody's business."""
    named = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", text)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", named).replace("'", "")


if __name__ == "__main__":
    sys.stdout.write(describe())
