"""What is said of an image beside its URLs, as its condition or its block: names, and a value each.

It goes into the record and from there into the tables, and never to the client. So it has to be the
same to every program that reads it: `web/js/core/protocol/extra.js` has the same rule.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from imgsync.core.protocol.numbers import MAX_EXTRA_DEPTH, MAX_NUMBER

Extra = Annotated[dict[str, Any], "extra"]
"""Values are those of JSON. Their order is kept."""

_NO_TEXT = "is no Unicode text"


def fault_in(value: object, depth: int = 0) -> str | None:
    """Why not every program would read this as it is, as what follows "its value"; None where they
    do."""
    match value:
        case None | bool():
            return None
        case str():
            return None if _is_text(value) else _NO_TEXT
        case int() | float():
            is_exact = abs(value) <= MAX_NUMBER  # not so for NaN and infinity
            return None if is_exact else "is a number beyond 2^53 - 1, or none; write it as a text"
        case list() | dict() if depth >= MAX_EXTRA_DEPTH:
            return f"is nested more than {MAX_EXTRA_DEPTH} times"
        case list():
            return _first_fault(value, depth)
        case dict() if not all(isinstance(name, str) and _is_text(name) for name in value):
            return "has a name that " + _NO_TEXT
        case dict():
            return _first_fault(value.values(), depth)
        case _:
            return f"is of the type {type(value).__name__}, which JSON does not have"


def _first_fault(values: Iterable[object], depth: int) -> str | None:
    faults = (fault_in(value, depth + 1) for value in values)
    return next((fault for fault in faults if fault is not None), None)


def _is_text(text: str) -> bool:
    """Not so with half of a surrogate pair, which JSON can write and UTF-8 can't."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def is_named(name: str) -> bool:
    """Whether a column has a name; spreadsheets and pandas write some that have none."""
    return name.strip(" \t\r\n") != ""


def copy_extra(given: Mapping[str, Any]) -> Extra:
    """A copy that nobody changes. Raises ValueError for what not every program would read alike."""
    for name, value in given.items():
        if not isinstance(name, str) or not is_named(name):
            raise ValueError("an extra column without a name")
        fault = fault_in({name: value}, depth=-1)
        if fault is not None:
            raise ValueError(f'an extra column "{name}" whose value {fault}')
    return {name: _copy(value) for name, value in given.items()}


def _copy(value: Any) -> Any:
    match value:
        case list():
            return [_copy(one) for one in value]
        case dict():
            return {name: _copy(one) for name, one in value.items()}
        case _:
            return value
