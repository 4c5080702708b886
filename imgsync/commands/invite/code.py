"""The QR code of a link: on a terminal, and as a picture. The home of segno, of the extra `cli`.

A code is dark on light, with four modules of light around it (ISO/IEC 18004, 6.3.8): many readers
take no other. So both colours are said to the terminal, which may have any. One that has none is
taken for dark, as most are, and what is light is drawn.
"""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.distribution import missing_extra
from imgsync.files import input_errors

_QUIET = 4
"""Modules of light on each side."""

_PIXELS = {"svg": 4, "png": 8}
"""For each module: what is sharp when it is printed a hand wide, and on a screen."""

_BLACK_ON_WHITE, _PLAIN = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_WHITE_FIELD, _BLACK_FIELD = "\x1b[48;5;231m", "\x1b[48;5;16m"

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
"""Two modules, one above the other, by which of them are drawn."""


@attrs.frozen
class Style:
    """What a terminal can do.

    :param columns: how wide it is.
    :param has_colours: whether it takes 256 of them.
    :param has_blocks: whether it can draw half a field.
    """

    columns: int
    has_colours: bool
    has_blocks: bool

    @classmethod
    def of(cls, encoding: str | None, columns: int, environ: Mapping[str, str]) -> "Style":
        """By what its stream and the environment say."""
        is_known = environ.get("TERM", "") not in ("", "dumb") or os.name == "nt"
        has_colours = is_known and not environ.get("NO_COLOR")
        return cls(columns, has_colours, _has_blocks(encoding))


def _has_blocks(encoding: str | None) -> bool:
    try:
        "".join(_HALVES.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Code:
    """Of one link. Raises MissingExtra, and InputError for what no code can hold."""

    def __init__(self, link: str) -> None:
        segno = _load_segno()
        try:
            # The least that can be repaired, for the fewest modules: a screen has no stains. Where
            # that leaves room, segno takes more.
            self._code = segno.make_qr(link, error="l")
        except ValueError as exc:
            raise InputError(
                f"no QR code can hold a link of {len(link)} characters; name a shorter --user"
            ) from exc

    def lines(self, style: Style) -> list[str] | None:
        """What to print, each line with the sequences that it takes; None where it is too wide."""
        rows = self._rows()
        width = len(rows) if style.has_blocks else 2 * len(rows)
        if width > style.columns:
            return None
        return _draw_halves(rows, style) if style.has_blocks else _draw_fields(rows, style)

    def save(self, path: Path, kind: str) -> None:
        """Write a picture, which nobody else may read: its link may have a token in it.

        Raises InputError.

        :param kind: svg or png.
        """
        picture = io.BytesIO()
        self._code.save(
            picture, kind=kind, scale=_PIXELS[kind], border=_QUIET, dark="#000", light="#fff"
        )
        errors = input_errors(f"can't write {str(path)!r}", f"name another file with --{kind}")
        with errors, open(path, "wb", opener=_open_private) as stream:
            stream.write(picture.getvalue())

    def _rows(self) -> list[list[bool]]:
        """Which modules are dark, with those around them that are not."""
        side = [False] * _QUIET
        rows = [[*side, *map(bool, row), *side] for row in self._code.matrix]
        rim = [[False] * len(rows[0])] * _QUIET
        return [*rim, *rows, *rim]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _draw_halves(rows: Sequence[Sequence[bool]], style: Style) -> list[str]:
    """Two rows a line."""
    below = [*rows[1::2], *([[False] * len(rows[0])] if len(rows) % 2 else [])]
    begin, end = (_BLACK_ON_WHITE, _PLAIN) if style.has_colours else ("", "")
    # Without colours the light is drawn, and the dark is the terminal's own.
    return [
        begin
        + "".join(
            _HALVES[one == style.has_colours, other == style.has_colours]
            for one, other in zip(upper, lower, strict=True)
        )
        + end
        for upper, lower in zip(rows[::2], below, strict=True)
    ]


def _draw_fields(rows: Sequence[Sequence[bool]], style: Style) -> list[str]:
    """A row a line, of fields that are twice as high as wide."""
    if not style.has_colours:
        return ["".join("  " if is_dark else "##" for is_dark in row) for row in rows]
    fields = [_WHITE_FIELD + "  ", _BLACK_FIELD + "  "]
    return ["".join(fields[is_dark] for is_dark in row) + _PLAIN for row in rows]


def _load_segno() -> ModuleType:
    try:
        import segno
    except ImportError as exc:
        raise missing_extra("QR codes are made with segno", "cli") from exc
    module: Any = segno
    return module  # type: ignore[no-any-return]
