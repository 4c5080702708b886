"""Events to lines and back."""

from typing import Any, get_args

import attrs

from imgsync.core.codec.strict import dump_json, parse_json, structure, unstructure
from imgsync.core.protocol.numbers import SCHEMA
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.journal.events import Event, Header

MAX_LINE = 512 * 1024
"""Bytes, line break included. The longest that a peer writes has one URL, which came in a channel
message: at most 64 Ki characters, each of which JSON in ASCII writes with up to six."""

_CLASSES: dict[str, type[Any]] = {cls.EVENT: cls for cls in get_args(Event)}


@attrs.frozen
class _Stamp:
    """What every line has."""

    event: str
    at: Milliseconds


def encode_line(event: Event, at: Milliseconds) -> bytes:
    """One whole line. Raises ValueError for a number that JSON does not have."""
    return dump_json({"event": event.EVENT, "at": at, **unstructure(event)}).encode() + b"\n"


def decode_line(line: bytes) -> tuple[Milliseconds, Event]:
    """When, and what. Raises ValueError, whose text says what is wrong with the line."""
    if len(line) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE} bytes")
    try:
        members = parse_json(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    stamp = structure(members, _Stamp, "line")
    cls = _CLASSES.get(stamp.event)
    if cls is None:
        raise ValueError("of an unknown event")
    if cls is Header and type(members.get("schema")) is int and members["schema"] > SCHEMA:
        raise NewerSchema(members["schema"])
    event: Event = structure(members, cls, stamp.event)
    return stamp.at, event


class NewerSchema(ValueError):
    """A header says that what follows is of a later version."""

    def __init__(self, schema: int) -> None:
        super().__init__(f"of schema {str(schema)[:20]}, of which this imgsync knows {SCHEMA}")
