"""A manifest or a study on this disk: read, and refused with the place of all that is wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.naming import first_conflict
from imgsync.core.protocol.web_urls import is_web_url
from imgsync.core.study.entries import NAMES, Fault
from imgsync.core.study.places import Path as Route
from imgsync.core.study.places import doubled_in, place_of
from imgsync.core.study.study import Plan, read_plan
from imgsync.images.csv_text import BadCsv, line_of_row, odd_columns, odd_first_line, parse_csv


@attrs.frozen
class Located:
    """What is wrong in a file, and where.

    :param line: from 1.
    :param column: from 1; for CSV the name of the column.
    """

    line: int
    column: int | str
    what: str


class BadManifest(InputError):
    """Something in a manifest is wrong.

    :ivar faults: all of it, up to MAX_FAULTS; empty for what concerns no place in it.
    """

    def __init__(self, message: str, faults: tuple[Located, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


@attrs.frozen
class _Document:
    """What a file holds, and how to find the line and the column of what is in it."""

    content: Any
    locate: Callable[[Route], tuple[int, int | str]]


def read_plan_of(path: Path) -> Plan:
    """What a manifest or a study says. Raises BadManifest, and InputError for no file of these."""
    match path.suffix.lower():
        case ".json":
            document = _json_document(path, _read_text(path))
        case ".csv":
            text = _read_text(path)
            document = _line_document(text) or _csv_document(path, text)
        case _ if not path.exists():
            raise InputError(f"there is no file {str(path)!r}")
        case _:
            raise InputError(
                f"{str(path)!r} is neither a folder nor a .json or .csv manifest;"
                " put the image into a folder and name that"
            )
    if document.content == []:
        raise InputError(f"the manifest {str(path)!r} names no images")
    plan = read_plan(document.content)
    if isinstance(plan, list):
        raise _refusal(path, plan, document)
    _check_names(path, plan)
    return plan


def _refusal(path: Path, faults: list[Fault], document: _Document) -> BadManifest:
    located = []
    for fault in faults:
        line, column = document.locate(fault.path)
        located.append(Located(line, column, f"{_subject(fault.path)}{fault.what}"))
    [first, *others] = located
    subject = _subject(faults[0].path).removesuffix(" ")
    whose = f"{subject} of the" if subject else "the"
    more = f", and {len(others)} more; imgsync study check tells them all" if others else ""
    return BadManifest(
        f"{whose} manifest {str(path)!r} {faults[0].what}"
        f" (line {first.line}, column {first.column}{more})",
        tuple(located),
    )


def _subject(path: Route) -> str:
    places = [step for step in path if isinstance(step, int)]
    return f"image {places[0]} " if places else ""


def _check_names(path: Path, plan: Plan) -> None:
    """What one `imageUrl` names is one image: who has it may take it for any other of that name."""
    entries = plan.entries
    named = [place for place, entry in enumerate(entries) if entry.image_url is not None]
    urls = [(entries[place].image_url or "", entries[place].signed_url) for place in named]
    conflict = first_conflict(urls)
    if conflict is not None:
        raise BadManifest(
            f"images {named[conflict[0]]} and {named[conflict[1]]} of the manifest {str(path)!r}"
            " have one imageUrl, and their signedUrls differ in more than the signature; give each"
            " image an imageUrl of its own"
        )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise InputError(f"can't read the manifest {str(path)!r}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"the manifest {str(path)!r} is not UTF-8; save it as UTF-8") from exc


def _line_document(text: str) -> _Document | None:
    """A URL on each line; None where the first is none."""
    lines = [line.strip(" \t") for line in re.split(r"\r\n|\r|\n", text)]
    numbers = [number for number, line in enumerate(lines, 1) if line]
    entries = [line for line in lines if line]
    # Two URLs side by side are CSV that does not name its columns.
    is_list = bool(entries) and is_web_url(entries[0])
    if not is_list or re.search(r"[,;\t]\"?https?:", entries[0], re.I):
        return None
    return _Document(entries, lambda route: (numbers[int(route[0])], 1))


def _csv_document(path: Path, text: str) -> _Document:
    try:
        odd = odd_first_line(text, NAMES)
        head, *rows = [[]] if odd else parse_csv(text) or [["imageUrl"]]
    except BadCsv as exc:
        raise InputError(
            f"line {exc.line} of the manifest {str(path)!r} is not CSV: {exc.why}"
        ) from None
    if odd := odd or odd_columns(head, NAMES):
        raise InputError(f"the manifest {str(path)!r} {odd}")
    if "imageUrl" not in head and "text" not in head:
        raise InputError(
            f"the manifest {str(path)!r} is neither JSON, nor CSV with the columns imageUrl and"
            " signedUrl, nor a web address on each line: its first line does not name imageUrl"
        )

    def locate(route: Route) -> tuple[int, int | str]:
        return line_of_row(text, int(route[0]) + 1), [*route[1:], 1][0]

    return _Document([dict(zip(head, row, strict=False)) for row in rows], locate)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is none of its values")


def _json_document(path: Path, text: str) -> _Document:
    try:
        content = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as exc:
        fault = Located(exc.lineno, exc.colno, f"is not JSON: {exc.msg}")
        raise BadManifest(f"the manifest {str(path)!r} is not JSON: {exc}", (fault,)) from None
    except (ValueError, RecursionError) as exc:
        raise InputError(f"the manifest {str(path)!r} is not JSON: {exc}") from None
    if not isinstance(content, list | dict):
        raise InputError(
            f"the manifest {str(path)!r} is not a list of images, nor a study with entries"
        )
    document = _Document(content, lambda route: place_of(route, text))
    doubled = doubled_in(text)
    if doubled is not None:
        what = f'has the member "{doubled[-1]}" twice; leave one of them out'
        raise _refusal(path, [Fault(doubled, what)], document)
    return document
