"""Where in a text of JSON each value stands: `web/js/core/study/places.js` finds the same."""

import json
import re

Path = tuple[str | int, ...]
"""What leads to a value: names of members, and places in lists."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_BREAK = re.compile(r"\r\n|\r|\n")


def places_in(text: str) -> tuple[dict[Path, int], list[Path]]:
    """Where each value begins, by what leads to it, and which stand there more than once.

    :param text: JSON, known to be right. Of two members of one name the last one counts.
    """
    found: dict[Path, int] = {}
    doubled: list[Path] = []
    path: list[str | int | None] = []
    for token in _TOKEN.finditer(text):
        word = token[0]
        is_name = bool(path) and path[-1] is None
        if word in "}]":
            path.pop()
        elif word == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif is_name:
            path[-1] = json.loads(word)
        elif word != ":":
            leading = tuple(step for step in path if step is not None)
            if leading in found:
                doubled.append(leading)
            found[leading] = token.start()
            if word in "{[":
                path.append(None if word == "{" else 0)
    return found, doubled


def doubled_in(text: str) -> Path | None:
    """What leads to the first member that an object has twice; None where there is none."""
    return next(iter(places_in(text)[1]), None)


def place_of(path: Path, text: str) -> tuple[int, int]:
    """The line and the column of a value, from 1; of what has it where the value is missing."""
    found, _ = places_in(text)
    while path and path not in found:
        path = path[:-1]
    before = text[: found.get(path, 0)]
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1
