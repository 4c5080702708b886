"""Messages on `image-data` to text and back: as strict as those of the talk.

What can't be read is a value and no error, as it has to be answered where it asks for something.
"""

from typing import Any

from imgsync.core.codec.strict import dump_json, parse_object, structure, unstructure
from imgsync.core.protocol.numbers import MAX_DATA_TEXT
from imgsync.core.protocol.pictures import (
    Got,
    Head,
    Refused,
    Stop,
    ToReceiver,
    ToSender,
    Unreadable,
    Want,
    WantId,
    unpack_chunk,
)

_TO_SENDER: dict[str, type[Any]] = {cls.TYPE: cls for cls in (Want, Got, Stop)}
_TO_RECEIVER: dict[str, type[Any]] = {cls.TYPE: cls for cls in (Head, Refused)}


def encode_data(message: Want | Got | Stop | Head | Refused) -> str:
    """A message on `image-data`, but a chunk."""
    return dump_json({"type": message.TYPE, **unstructure(message)})


def decode_wants(message: str | bytes) -> ToSender | Unreadable:
    """What a client says to who has the pictures."""
    if isinstance(message, bytes):
        return Unreadable("expected a text message, got a binary one")
    return _decode(message, _TO_SENDER)  # type: ignore[no-any-return]


def decode_heads(message: str | bytes) -> ToReceiver | Unreadable:
    """What an evaluator says to who wants pictures."""
    if isinstance(message, bytes):
        return unpack_chunk(message)
    return _decode(message, _TO_RECEIVER)  # type: ignore[no-any-return]


def _decode(text: str, vocabulary: dict[str, type[Any]]) -> Any:
    value: dict[str, Any] = {}
    try:
        value = parse_object(text, MAX_DATA_TEXT)
        kind = value.get("type")
        if type(kind) is not str or kind not in vocabulary:
            raise ValueError(f"type: expected one of {', '.join(vocabulary)}")
        return structure(value, vocabulary[kind], "message")
    except ValueError as exc:
        return Unreadable(str(exc), _id_of_want(value))


def _id_of_want(value: dict[str, Any]) -> int | None:
    if value.get("type") != Want.TYPE:
        return None
    try:
        return structure(value.get("id"), WantId, "id")
    except ValueError:
        return None
