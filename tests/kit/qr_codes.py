"""QR codes, read by a program that has no part in making them: zbarimg, of Debian's zbar-tools."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from itertools import chain

from PIL import Image

from tests.kit.foreign import require

SCALE = 4
"""Pixels of a module."""

_HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def read_code(png: bytes) -> str:
    """What the one code of a picture says."""
    program = shutil.which("zbarimg")
    require(program, "zbarimg is not installed: apt-get install zbar-tools")
    command = (str(program), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "png:-")
    found = subprocess.run(command, input=png, capture_output=True, timeout=20, check=False)
    lines = found.stdout.decode().splitlines()
    assert len(lines) == 1, (lines, found.stderr)
    return lines[0]


def read_halves(lines: Sequence[str], drawn: int) -> str:
    """What a terminal shows in which each line has two rows of modules.

    :param drawn: the grey of what is drawn, 0 to 255; what is not has the other end's.
    """
    rows = [[_HALVES[mark] for mark in line] for line in lines]
    levels = [
        [drawn if pair[half] else 255 - drawn for pair in row] for row in rows for half in (0, 1)
    ]
    return read_code(_paint(levels))


def read_fields(lines: Sequence[str], is_dark: Callable[[str], bool]) -> str:
    """What one shows in which each module is two characters wide."""
    levels = [
        [0 if is_dark(line[at : at + 2]) else 255 for at in range(0, len(line), 2)]
        for line in lines
    ]
    return read_code(_paint(levels))


def _paint(levels: Sequence[Sequence[int]]) -> bytes:
    width = len(levels[0])
    assert all(len(row) == width for row in levels)
    picture = Image.frombytes("L", (width, len(levels)), bytes(chain.from_iterable(levels)))
    stream = io.BytesIO()
    picture.resize((SCALE * width, SCALE * len(levels))).save(stream, "PNG")
    return stream.getvalue()
