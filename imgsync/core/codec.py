"""Text to messages and back: strict about shapes, deaf to unknown fields, one error class.

Nothing is coerced: a number is no string, `true` is no number, NaN is no JSON. Whatever comes in,
the outcome is a message or a WireError (NegotiationError for what stands inside `signal`), whose
text names the field and never repeats its value: it might be a token.
"""

import enum
import json
import math
import re
from collections.abc import Callable
from json import JSONDecoder
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from imgsync.core.errors import MessageTooLarge, NegotiationError, WireError
from imgsync.core.messages import (
    Ack,
    Answer,
    CandidateSignal,
    ChannelMessage,
    EndSession,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    Image,
    Milliseconds,
    Offer,
    Presence,
    RawJson,
    Ready,
    Register,
    Registered,
    RequestOffer,
    SendSignal,
    SessionEndedEvent,
    SessionStarted,
    Signal,
    StartSession,
    ToRelay,
    UserId,
)

MAX_FRAME = 64 * 1024
"""Bytes of one signalling frame. A browser's data-channel SDP is about 1 kB; with a hundred
candidates inside it is 12 kB."""

MAX_CHANNEL_MESSAGE = 64 * 1024
"""Bytes of one message on the data channel, as the protocol says."""

MAX_ID = 128

T = TypeVar("T")

_TO_RELAY = {cls.EVENT: cls for cls in (Register, StartSession, SendSignal, EndSession)}
_FROM_RELAY = {
    cls.EVENT: cls
    for cls in (
        Registered,
        SessionStarted,
        ForwardedSignal,
        Presence,
        SessionEndedEvent,
        ErrorEvent,
    )
}
_SIGNALS = {cls.TYPE: cls for cls in (Offer, Answer, RequestOffer)}
_TYPED_CHANNEL_MESSAGES = {cls.TYPE: cls for cls in (Ready, Ack)}


# ── primitives ───────────────────────────────────────────────────────────────────────────────────


def _strict(kind: type, name: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {name}")
        return value

    return structure


def _identifier(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise TypeError("expected a string")
    if not 1 <= len(value) <= MAX_ID:
        raise ValueError(f"expected 1 to {MAX_ID} characters")
    if not value.isprintable():
        raise ValueError("expected printable characters only")
    return value


def _is_user_id(kind: object) -> bool:
    return kind is UserId


def _number(value: Any, _: Any) -> Milliseconds:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    raise TypeError("expected a number")


def _strings(value: Any, _: Any) -> str | tuple[str, ...]:
    if type(value) is str:
        return value
    if type(value) is list and all(type(item) is str for item in value):
        return tuple(value)
    raise TypeError("expected a string or a list of strings")


def _enum_member(value: Any, kind: type[enum.Enum]) -> enum.Enum:
    if type(value) is str:
        for member in kind:
            if member.value == value:
                return member
    raise ValueError(f"expected one of {', '.join(str(member.value) for member in kind)}")


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _literal(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"expected {' or '.join(map(repr, get_args(kind)))}")
    return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


# ── objects ──────────────────────────────────────────────────────────────────────────────────────


def _overrides(cls: type) -> dict[str, Any]:
    """Wire names; what is optional and absent is left out rather than sent as null."""
    return {
        field.name: override(rename=_camel(field.name), omit_if_default=field.default is None)
        for field in attrs.fields(cls)
    }


def _make_converter() -> Converter:
    converter = Converter()

    def structure_factory(cls: type) -> Callable[[Any, Any], Any]:
        structure: Any = make_dict_structure_fn(cls, converter, **_overrides(cls))

        def from_object(value: Any, kind: Any) -> Any:
            if type(value) is not dict:
                raise TypeError("expected an object")
            return structure(value, kind)

        return from_object

    converter.register_structure_hook_factory(attrs.has, structure_factory)
    converter.register_unstructure_hook_factory(
        attrs.has, lambda cls: make_dict_unstructure_fn(cls, converter, **_overrides(cls))
    )
    converter.register_structure_hook(str, _strict(str, "a string"))
    converter.register_structure_hook(int, _strict(int, "a whole number"))
    converter.register_structure_hook(RawJson, lambda value, _: RawJson(value))
    converter.register_structure_hook_func(_is_user_id, _identifier)
    converter.register_structure_hook_func(lambda kind: kind == Milliseconds, _number)
    converter.register_structure_hook_func(lambda kind: kind == str | tuple[str, ...], _strings)
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, enum.EnumMeta), _enum_member
    )
    return converter


_CONVERTER = _make_converter()


def _describe(exc: BaseException, _: type | None) -> str:
    match exc:
        case KeyError():
            return "missing"
        case TypeError() | ValueError():
            return str(exc)
        case _:
            return "not allowed here"


def _structure(value: Any, cls: type[T], root: str) -> T:
    """Raise ValueError with every problem and its place, under the names of the wire."""
    try:
        return _CONVERTER.structure(value, cls)
    except BaseValidationError as exc:
        problems = transform_error(exc, path=root, format_exception=_describe)
    except TypeError as exc:
        problems = [f"{exc} @ {root}"]
    raise ValueError("; ".join(_wire_path(problem) for problem in problems))


def _wire_path(problem: str) -> str:
    what, _, path = problem.rpartition(" @ ")
    return f"{'.'.join(_camel(part) for part in path.split('.'))}: {what}"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = JSONDecoder(parse_constant=_no_constant)
_WHITESPACE = re.compile(r"[ \t\n\r]*")


def _parse_object(text: str | bytes, limit: int) -> dict[str, Any]:
    if isinstance(text, bytes):
        raise ValueError("expected a text message, got a binary one")
    if len(text) > limit:
        raise ValueError(f"longer than {limit} characters")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:  # also integers of thousands of digits, which Python refuses to convert
        raise ValueError("not JSON") from None
    if type(value) is not dict:
        raise ValueError("expected a JSON object")
    return value


def _skip(text: str, at: int) -> int:
    match = _WHITESPACE.match(text, at)
    assert match is not None  # it matches the empty string, too
    return match.end()


def _member_at(text: str, start: int, wanted: str) -> tuple[int, int]:
    """Where the value of a member of the object at `start` begins and ends, in valid JSON.

    The last one counts where a key stands twice, as it does for the parser.
    """
    span = (start, start)
    at = _skip(text, _skip(text, start) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        begin = _skip(text, _skip(text, at) + 1)
        _, at = _DECODER.raw_decode(text, begin)
        if key == wanted:
            span = (begin, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return span


def _raw_signal(text: str) -> RawJson:
    data, _ = _member_at(text, 0, "data")
    begin, end = _member_at(text, data, "signal")
    return RawJson(text[begin:end])


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


# ── signalling ───────────────────────────────────────────────────────────────────────────────────


def decode_to_relay(text: str | bytes) -> ToRelay:
    """What a peer sent to the relay. Raises WireError."""
    message: ToRelay = _decode_event(text, _TO_RELAY)
    return message


def decode_from_relay(text: str | bytes) -> FromRelay:
    """What the relay sent to a peer. Raises WireError."""
    message: FromRelay = _decode_event(text, _FROM_RELAY)
    return message


def _decode_event(text: str | bytes, vocabulary: dict[str, type[Any]]) -> Any:
    event: str | None = None
    try:
        frame = _parse_object(text, MAX_FRAME)
        event = frame.get("event")
        if type(event) is not str:
            event = None
            raise ValueError("event: expected the name of an event, a string")
        cls = vocabulary.get(event)
        if cls is None:
            event = event[:MAX_ID]
            known = ", ".join(vocabulary)
            raise WireError(ErrorCode.UNKNOWN_EVENT, f"unknown event; known are {known}", event)
        data = frame.get("data")
        if cls in (SendSignal, ForwardedSignal) and type(data) is dict and "signal" in data:
            assert isinstance(text, str)
            data["signal"] = _raw_signal(text)
        return _structure(data, cls, "data")
    except ValueError as exc:
        raise WireError(ErrorCode.BAD_MESSAGE, str(exc), event) from None


def encode_event(message: ToRelay | FromRelay) -> str:
    """One signalling frame. What stands in `signal` is spliced in as it came."""
    data = _CONVERTER.unstructure(message)
    signal = data.pop("signal", None)
    text = _dumps({"event": message.EVENT, "data": data})
    return text if signal is None else f'{text[:-2]},"signal":{signal}}}}}'


# ── inside `signal` ──────────────────────────────────────────────────────────────────────────────


def decode_signal(raw: RawJson) -> Signal | None:
    """What a peer says in the handshake; None for a type that is not ours to know.

    Raises NegotiationError.
    """
    try:
        value = _DECODER.decode(raw)
        if value is None:
            return CandidateSignal(candidate=None)
        if type(value) is not dict:
            raise ValueError("expected an object")
        if "type" not in value:
            if "candidate" not in value:
                raise ValueError("neither a type nor a candidate")
            candidate = _structure(value, CandidateSignal, "signal")
            text = (candidate.candidate or "").removeprefix("a=").removeprefix("candidate:")
            return attrs.evolve(candidate, candidate=text.strip() or None)
        cls = _SIGNALS.get(value["type"]) if type(value["type"]) is str else None
        return None if cls is None else _structure(value, cls, "signal")  # type: ignore[return-value]
    except (ValueError, RecursionError) as exc:
        raise NegotiationError(f"the other side sent an unreadable signal: {exc}") from None


def encode_signal(signal: Signal) -> RawJson:
    """The value of `signal`."""
    value = _CONVERTER.unstructure(signal)
    if isinstance(signal, CandidateSignal):
        text = f"candidate:{signal.candidate}" if signal.candidate else ""
        return RawJson(_dumps({**value, "candidate": text}))
    return RawJson(_dumps({"type": signal.TYPE, **value}))


# ── data channel ─────────────────────────────────────────────────────────────────────────────────


def decode_channel(text: str | bytes) -> ChannelMessage | None:
    """A message on the data channel; None for a type that we do not speak. Raises WireError."""
    try:
        value = _parse_object(text, MAX_CHANNEL_MESSAGE)
        if "type" in value:
            kind = value["type"]
            cls = _TYPED_CHANNEL_MESSAGES.get(kind) if type(kind) is str else None
            return None if cls is None else _structure(value, cls, "message")  # type: ignore[return-value]
        return _structure(value, Image, "message")
    except ValueError as exc:
        raise WireError(ErrorCode.BAD_MESSAGE, str(exc)) from None


def encode_channel(message: ChannelMessage) -> str:
    """A message on the data channel. Raises MessageTooLarge."""
    value = _CONVERTER.unstructure(message)
    kind = getattr(message, "TYPE", None)
    text = _dumps(value if kind is None else {"type": kind, **value})
    if len(text) > MAX_CHANNEL_MESSAGE:
        raise MessageTooLarge(
            f"a message of {len(text)} bytes does not fit into the channel's"
            f" {MAX_CHANNEL_MESSAGE}; shorten the image's URLs"
        )
    return text
