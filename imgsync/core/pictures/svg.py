"""SVG: whether it is one, and whether each element that is opened is closed again.

It is read as XML 1.0, without its meaning: browsers show no SVG of which this much is not so. What
is read are bytes of ASCII, among others that stand for letters: UTF-8 and older sets of characters
as they are, and UTF-16 as `narrow` makes it.
"""

import math
import re
from collections.abc import Generator
from typing import Any

from imgsync.core.pictures.reading import (
    Format,
    Found,
    Malformed,
    NoPicture,
    Past,
    Rest,
    Sized,
    Step,
    Take,
    Until,
)

_NAMESPACE = b"http://www.w3.org/2000/svg"

_MAX_DEPTH = 5000
"""Elements inside of each other; Chromium takes no more."""

_MAX_NAME = 256
"""Bytes of a name that are looked at."""

_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_OPEN = re.compile(rb"<")
_CLOSE = re.compile(rb">")
_NAME_END = re.compile(rb"[ \t\r\n/>]")
_TARGET_END = re.compile(rb"[ \t\r\n?]")
_TAG_PART = re.compile(rb"[/>\"'<]")
_ROOT_PART = re.compile(rb"[/>\"'<=]")
_DECLARATION_PART = re.compile(rb"[>\[\"']")
_SUBSET_PART = re.compile(rb"[\]\"'<]")
_NUMBER = rb"(?:[0-9]*\.)?[0-9]+(?:[eE][+-]?[0-9]+)?"
_LENGTH = re.compile(rb"[ \t\r\n]*\+?(" + _NUMBER + rb")([a-zA-Z]*)[ \t\r\n]*")
_GAP = rb"(?:[ \t\r\n]+|[ \t\r\n]*,[ \t\r\n]*)"
_BOX = re.compile(
    rb"[ \t\r\n]*"
    + (rb"[+-]?" + _NUMBER + _GAP) * 2
    + (rb"\+?(" + _NUMBER + rb")" + _GAP + rb"\+?(" + _NUMBER + rb")")
    + rb"[ \t\r\n]*"
)

_UNITS = {
    b"": 1,
    b"px": 1,
    b"in": 96,
    b"cm": 96 / 2.54,
    b"mm": 96 / 25.4,
    b"q": 96 / 101.6,
    b"pt": 96 / 72,
    b"pc": 16,
}
"""In pixels; CSS Values 4, section 6.2. Others depend on where it is shown."""

_MAX_SIDE = 2**31

_IN_QUOTES = {b'"': re.compile(rb'["<]'), b"'": re.compile(rb"['<]")}


def read_svg() -> Format:
    """The root element, and what little may follow it. Raises NoPicture, too."""
    root, has_declarations = yield from _find_root()
    yield Found()
    attributes: dict[bytes, bytes] = {}
    is_empty = yield from _read_tag(root[-1:], attributes)
    if not has_declarations:
        _check_namespace(root[:-1], attributes)
    yield Sized(*_size_of(attributes))
    names = [] if is_empty else [root[:-1]]
    while names:
        yield Until(_OPEN)
        first = yield Take(1)
        if first == b"/":
            closed = yield Until(_CLOSE, _MAX_NAME)
            if closed[:-1].rstrip() != names.pop()[:_MAX_NAME]:
                raise Malformed
        elif first == b"?":
            yield from _read_instruction()
        elif first == b"!":
            yield from _read_declaration_inside()
        else:
            name = first + (yield Until(_NAME_END, _MAX_NAME))
            if not (yield from _read_tag(name[-1:], None)):
                names.append(name[:-1])
                if len(names) > _MAX_DEPTH:
                    raise Malformed
    while True:
        if (yield Rest(_NO_SPACE)) != b"<":
            raise Malformed
        if (yield Take(1)) == b"?":
            yield from _read_instruction()
        elif (yield Take(2)) == b"--":
            yield Past(b"-->")
        else:
            raise Malformed


def _find_root() -> Generator[Step, Any, tuple[bytes, bool]]:
    """Its name, with the byte behind it, and whether something was declared that concerns it.

    What may stand before it: XML 1.0, section 2.8.
    """
    has_declarations = False
    may_begin = True
    while True:
        start = yield Until(_NO_SPACE, 1)
        if start[-1:] != b"<":
            raise NoPicture
        may_begin = may_begin and start == b"<"
        first = yield Take(1)
        if first == b"?":
            yield from _read_instruction(may_begin)
        elif first == b"!":
            has_declarations |= yield from _read_prolog_declaration()
        else:
            name = first + (yield Until(_NAME_END, _MAX_NAME))
            if name[:-1].rpartition(b":")[2] != b"svg":
                raise NoPicture
            return name, has_declarations
        may_begin = False


def _read_instruction(may_begin: bool = False) -> Format:
    """One to a program; that which begins with `xml` says how all is written, and comes first."""
    target = yield Until(_TARGET_END, _MAX_NAME)
    if target[:-1].lower() == b"xml" and not may_begin:
        raise Malformed
    if target[-1:] != b"?" or (yield Take(1)) != b">":
        yield Past(b"?>")


def _read_prolog_declaration() -> Generator[Step, Any, bool]:
    """A comment, or the type of the document; whether that declares something here."""
    start = yield Take(2)
    if start == b"--":
        yield Past(b"-->")
        return False
    if start + (yield Take(5)) != b"DOCTYPE":
        raise NoPicture
    has_declarations = False
    while (part := (yield Until(_DECLARATION_PART))) != b">":
        if part != b"[":
            yield Past(part)
            continue
        has_declarations = True
        while (inner := (yield Until(_SUBSET_PART))) != b"]":
            if inner != b"<":
                yield Past(inner)
                continue
            kind = yield Take(1)
            if kind == b"?":
                yield Past(b"?>")
            elif kind == b"!" and (yield Take(1)) == b"-":
                yield Past(b"-->")
    return has_declarations


def _read_tag(ended_by: bytes, attributes: dict[bytes, bytes] | None) -> Generator[Step, Any, bool]:
    """The rest of a tag behind its name and one byte more; whether it closes what it opens.

    Attributes are put down where that is asked.
    """
    # Most tags have many attributes that nobody asks for.
    parts, keep = (_TAG_PART, 0) if attributes is None else (_ROOT_PART, _MAX_NAME)
    part, name = ended_by, b""
    while True:
        if part == b">":
            return False
        if part == b"/":
            if (yield Take(1)) != b">":
                raise Malformed
            return True
        if part == b"<":
            raise Malformed
        if part in _IN_QUOTES:
            value = yield Until(_IN_QUOTES[part], keep)
            if value.endswith(b"<"):
                raise Malformed
            if attributes is not None:
                attributes[name] = value[:-1]
        text = yield Until(parts, keep)
        part = text[-1:]
        if part == b"=":
            name = text[:-1].strip()


def _check_namespace(root: bytes, attributes: dict[bytes, bytes]) -> None:
    """Without it, browsers show nothing."""
    prefix = root.rpartition(b":")[0]
    namespace = attributes.get(b"xmlns:" + prefix if prefix else b"xmlns", b"")
    if namespace != _NAMESPACE:
        raise Malformed


def _size_of(attributes: dict[bytes, bytes]) -> tuple[int, int]:
    """As large as it says that it is, or else its view box is; (0, 0) where neither is to be had.

    What a style sheet makes of it is not looked at.
    """
    width, height = _length(attributes, b"width"), _length(attributes, b"height")
    box = _BOX.fullmatch(attributes.get(b"viewBox", b""))
    across, down = (float(box[1]), float(box[2])) if box else (0.0, 0.0)
    if across > 0 and down > 0:
        if not (width or height):
            width, height = across, down
        # One side alone is the other one's measure.
        width, height = width or height * across / down, height or width * down / across
    sides = [math.floor(side + 0.5) if side < _MAX_SIDE else 0 for side in (width, height)]
    return sides[0], sides[1]


def _length(attributes: dict[bytes, bytes], name: bytes) -> float:
    found = _LENGTH.fullmatch(attributes.get(name, b""))
    factor = None if found is None else _UNITS.get(found[2].lower())
    return 0.0 if found is None or factor is None else float(found[1]) * factor


def _read_declaration_inside() -> Format:
    """A comment, or text that is no markup."""
    start = yield Take(2)
    if start == b"--":
        yield Past(b"-->")
    elif start == b"[C" and (yield Take(5)) == b"DATA[":
        yield Past(b"]]>")
    else:
        raise Malformed


class Narrow:
    """UTF-16 as bytes of ASCII; what ASCII does not have is a letter."""

    _LETTER = 0x80

    def __init__(self, order: str) -> None:
        self._low = 0 if order == "little" else 1
        self._tail = b""

    def __call__(self, data: bytes) -> bytes:
        """The next bytes of it."""
        data = self._tail + data
        whole = len(data) & ~1
        self._tail = data[whole:]
        low, high = data[self._low : whole : 2], data[1 - self._low : whole : 2]
        if not any(high):
            return low
        pairs = zip(low, high, strict=True)
        return bytes(self._LETTER if upper else lower for lower, upper in pairs)
