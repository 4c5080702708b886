"""Strict JSON to attrs classes and back, with every problem named by its place on the wire.

Nothing is coerced: a number is no string, `true` is no number, `{}` is no empty list, NaN is no
JSON. But a typed language may write a whole number as `1.0`, and null for what is absent. Unknown
fields are ignored, and so is what stands in a field that is marked as unread and is not of its
type. We leave out what is optional and absent. All problems are ValueErrors, whose text never
repeats a value: it might be a token.
"""

import enum
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from json import JSONDecoder
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from imgsync.core.protocol.channel import (
    Coordinate,
    Count,
    Duration,
    Length,
    MediaType,
    Ordinal,
    PingId,
    Positive,
    Reason,
    Sha256,
)
from imgsync.core.protocol.extra import Extra, fault_in
from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import (
    BYTES_PER_CHARACTER,
    MAX_DETAIL,
    MAX_EXPOSURE_FRAMES,
    MAX_FEATURE,
    MAX_FEATURES,
    MAX_ID,
    MAX_KEY,
    MAX_KEYS,
    MAX_MEMBERS,
    MAX_NUMBER,
    MAX_REF,
    MAX_SCREEN_TEXT,
    MAX_SHOW_FOR,
    MAX_SIZE_DEG,
    MAX_SIZE_MM,
)
from imgsync.core.protocol.pictures import WantId
from imgsync.core.protocol.signalling import (
    OR_NULL,
    PEER_REASONS,
    UNREAD,
    Detail,
    EndReason,
    Features,
    Group,
    Milliseconds,
    Name,
    PeerReason,
    RawJson,
    Ref,
    SessionId,
    Url,
    UserId,
)
from imgsync.core.protocol.trials import (
    Frames,
    Keys,
    ScreenText,
    ShowFor,
    SizeDeg,
    SizeMm,
    is_frames,
    is_key,
    is_screen_text,
    is_show_for,
    is_size_deg,
    is_size_mm,
)

T = TypeVar("T")

_SHA256 = re.compile("[0-9a-f]{64}")

# ── values ────────────────────────────────────────────────────────────────────────────────────


def _string(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise TypeError("expected a string")
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write and UTF-8 can't
        raise ValueError("expected Unicode text") from None
    return value


def _printable(value: Any, kind: Any) -> str:
    text = _string(value, kind)
    if not text.isprintable():
        raise ValueError("expected printable characters only")
    return text


def _id(value: Any, kind: Any) -> str:
    if value == "":
        raise ValueError(f"expected 1 to {MAX_ID} characters")
    return _name(value, kind)


def _name(value: Any, kind: Any) -> str:
    return _bounded(value, kind, MAX_ID)


def _ref(value: Any, kind: Any) -> str:
    if value == "":
        raise ValueError(f"expected 1 to {MAX_REF} characters")
    return _bounded(value, kind, MAX_REF)


def _sha256(value: Any, kind: Any) -> str:
    text = _string(value, kind)
    if not _SHA256.fullmatch(text):
        raise ValueError("expected 64 hexadecimal digits, small ones")
    return text


def _detail(value: Any, kind: Any) -> str:
    return _bounded(value, kind, MAX_DETAIL)


def _bounded(value: Any, kind: Any, most: int) -> str:
    text = _printable(value, kind)
    if len(text) > most:
        raise ValueError(f"expected at most {most} characters")
    if not fits(text, most):
        raise ValueError(f"expected at most {most * BYTES_PER_CHARACTER} bytes in UTF-8")
    return text


def _features(value: Any, _: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise TypeError("expected a list")
    if len(value) > MAX_FEATURES:
        raise ValueError(f"expected at most {MAX_FEATURES} names")
    names = tuple(_printable(name, str) for name in value)
    if not all(name and fits(name, MAX_FEATURE) for name in names):
        raise ValueError(f"expected names of 1 to {MAX_FEATURE} characters")
    return names


def _keys(value: Any, _: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise TypeError("expected a list")
    if len(value) > MAX_KEYS:
        raise ValueError(f"expected at most {MAX_KEYS} keys")
    names = tuple(_string(name, str) for name in value)
    if not all(map(is_key, names)):
        raise ValueError(f"expected names of keys of 1 to {MAX_KEY} printable characters")
    return names


def _screen_text(value: Any, kind: Any) -> str:
    text = _string(value, kind)
    if not is_screen_text(text):
        raise ValueError(
            f"expected 1 to {MAX_SCREEN_TEXT} characters, without control characters but line feeds"
        )
    return text


def _extra(value: Any, _: Any) -> Extra:
    if type(value) is not dict:
        raise TypeError("expected an object")
    fault = fault_in(value, depth=-1)
    if fault is not None:
        raise ValueError(f"expected values that every program reads alike; one {fault}")
    return value


def _is_exactly(wanted: object) -> Callable[[object], bool]:
    """For aliases, which cattrs would take for what they stand for."""
    return lambda kind: kind is wanted


def _boolean(value: Any, _: Any) -> bool:
    if type(value) is bool:
        return value
    raise TypeError("expected true or false")


def _whole(value: Any, _: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and abs(value) <= MAX_NUMBER:
        return value
    raise TypeError("expected a whole number")


def _count(value: Any, kind: Any) -> int:
    number = _whole(value, kind)
    if number < 0:
        raise ValueError("expected a number that is not below 0")
    return number


def _ordinal(value: Any, kind: Any) -> int:
    number = _whole(value, kind)
    if number < 1:
        raise ValueError("expected a number that is not below 1")
    return number


def _frames(value: Any, kind: Any) -> int:
    number = _whole(value, kind)
    if not is_frames(number):
        raise ValueError(f"expected a number from 1 to {MAX_EXPOSURE_FRAMES}")
    return number


def _want_id(value: Any, kind: Any) -> int:
    number = _whole(value, kind)
    if not 0 < number < 2**32:
        raise ValueError("expected a number from 1 to 2^32 - 1")
    return number


def _number(value: Any, _: Any) -> Milliseconds:
    if type(value) in (int, float) and abs(value) <= MAX_NUMBER:  # not so for NaN and infinity
        return value  # type: ignore[no-any-return]
    raise TypeError("expected a number")


def _number_or_null(value: Any, kind: Any) -> Milliseconds | None:
    return None if value is None else _number(value, kind)


def _duration(value: Any, kind: Any) -> Milliseconds:
    number = _number(value, kind)
    if number < 0:
        raise ValueError("expected a duration, which is not below 0")
    return number


def _positive(value: Any, kind: Any) -> float:
    number = _number(value, kind)
    if number <= 0:
        raise ValueError("expected a number above 0")
    return number


def _show_for(value: Any, kind: Any) -> Milliseconds:
    number = _number(value, kind)
    if not is_show_for(number):
        raise ValueError(f"expected a duration above 0 and up to {MAX_SHOW_FOR}")
    return number


def _length(value: Any, kind: Any) -> float:
    number = _number(value, kind)
    if number < 0:
        raise ValueError("expected a length, which is not below 0")
    return number


def _size_mm(value: Any, kind: Any) -> float:
    number = _number(value, kind)
    if not is_size_mm(number):
        raise ValueError(f"expected millimetres above 0 and up to {MAX_SIZE_MM}")
    return number


def _size_deg(value: Any, kind: Any) -> float:
    number = _number(value, kind)
    if not is_size_deg(number):
        raise ValueError(f"expected degrees above 0 and up to {MAX_SIZE_DEG}")
    return number


def _ping_id(value: Any, _: Any) -> PingId:
    return _name(value, str) if type(value) is str else _whole(value, int)


def _strings(value: Any, _: Any) -> str | tuple[str, ...]:
    if type(value) is list:
        return tuple(_string(item, str) for item in value)
    return _string(value, str)


def _enum_member(value: Any, kind: Iterable[enum.Enum]) -> enum.Enum:
    if type(value) is str:
        for member in kind:
            if member.value == value:
                return member
    raise ValueError(f"expected one of {', '.join(str(member.value) for member in kind)}")


def _peer_reason(value: Any, _: Any) -> EndReason:
    reason = EndReason.ENDED if value is None else _enum_member(value, PEER_REASONS)
    assert isinstance(reason, EndReason)
    return reason


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


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


def _or_none(converter: Converter) -> Callable[[Any, Any], Any]:
    """For what is marked as unread: None for what is not of its type."""

    def read(value: Any, kind: Any) -> Any:
        try:
            return converter.structure(value, kind)
        except (TypeError, ValueError, BaseValidationError):
            return None

    return read


def _overrides(cls: type, converter: Converter) -> dict[str, Any]:
    """Wire names; what is optional and as it would be without is left out."""
    return {
        field.name: override(
            rename=_camel(field.name),
            omit_if_default=field.default is not attrs.NOTHING,
            struct_hook=_or_none(converter) if field.metadata == UNREAD else None,
        )
        for field in attrs.fields(cls)
    }


#: Each of its own, whatever it stands for.
_ALIASES: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
    (UserId, _id),
    (SessionId, _id),
    (Ref, _ref),
    (Group, _id),
    (Features, _features),
    (Name, _name),
    (Reason, _name),
    (Sha256, _sha256),
    (MediaType, _id),
    (Count, _count),
    (Ordinal, _ordinal),
    (Positive, _positive),
    (Coordinate, _number),
    (Duration, _duration),
    (Length, _length),
    (ShowFor, _show_for),
    (SizeMm, _size_mm),
    (SizeDeg, _size_deg),
    (Frames, _frames),
    (Keys, _keys),
    (ScreenText, _screen_text),
    (Detail, _detail),
    (Extra, _extra),
    (PeerReason, _peer_reason),
    (Url, _printable),
    (WantId, _want_id),
)


def _make_converter() -> Converter:
    converter = Converter()

    def structure_factory(cls: type) -> Callable[[Any, Any], Any]:
        overrides = _overrides(cls, converter)
        from_dict: Any = make_dict_structure_fn(cls, converter, **overrides)
        fields = attrs.fields(cls)
        optional = {_camel(one.name) for one in fields if one.default is not attrs.NOTHING}
        or_null = dict.fromkeys(_camel(one.name) for one in fields if one.metadata == OR_NULL)

        def from_object(value: Any, kind: Any) -> Any:
            if type(value) is not dict:
                raise TypeError("expected an object")
            if None in value.values():
                value = {k: one for k, one in value.items() if one is not None or k not in optional}
            return from_dict({**or_null, **value} if or_null else value, kind)

        return from_object

    def tuple_factory(kind: Any) -> Callable[[Any, Any], Any]:
        item = get_args(kind)[0]

        def from_list(value: Any, _: Any) -> Any:
            if type(value) is not list:
                raise TypeError("expected a list")
            return tuple(converter.structure(one, item) for one in value)

        return from_list

    converter.register_structure_hook_factory(attrs.has, structure_factory)
    converter.register_unstructure_hook_factory(
        attrs.has,
        lambda cls: make_dict_unstructure_fn(cls, converter, **_overrides(cls, converter)),
    )
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook_factory(_is_tuple, tuple_factory)
    converter.register_structure_hook(RawJson, lambda value, _: RawJson(value))
    converter.register_structure_hook(bool, _boolean)
    for kind, read in _ALIASES:
        converter.register_structure_hook_func(_is_exactly(kind), read)
    converter.register_structure_hook_func(lambda kind: kind == Milliseconds, _number)
    converter.register_structure_hook_func(
        lambda kind: kind == Milliseconds | None, _number_or_null
    )
    converter.register_structure_hook_func(lambda kind: kind == PingId, _ping_id)
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


def structure(value: Any, cls: type[T], root: str) -> T:
    """An instance of an attrs class from a JSON value.

    Raises ValueError with every problem and its place, under the names of the wire.

    :param root: what the places are counted from.
    """
    try:
        return _CONVERTER.structure(value, cls)
    except BaseValidationError as exc:
        problems = transform_error(exc, path=root, format_exception=_describe)
    except TypeError as exc:
        problems = [f"{exc} @ {root}"]
    raise ValueError("; ".join(_wire_path(problem) for problem in problems))


def unstructure(message: Any) -> dict[str, Any]:
    """The JSON object of an attrs instance."""
    value: dict[str, Any] = _CONVERTER.unstructure(message)
    return value


def _wire_path(problem: str) -> str:
    what, _, path = problem.rpartition(" @ ")
    return f"{'.'.join(_camel(part) for part in path.split('.'))}: {what}"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = JSONDecoder(parse_constant=_no_constant)
# Which typeshed leaves out.
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]
#: Made once: `json.dumps` makes one for each value where it is not told the defaults.
_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_OPENING = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*")
_SPACE = re.compile(r"[ \t\n\r]*")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_NEXT = re.compile(r"[ \t\n\r]*([,}])[ \t\n\r]*")


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError."""
    return _parse(text, ())


def parse_object(text: str | bytes, limit: int, raw: Sequence[str] = ()) -> dict[str, Any]:
    """A message that is a JSON object of at most `limit` characters. Raises ValueError.

    :param raw: the names that lead to a member of it, or of an object in it, which is told as a
        RawJson, its text as it stands there. Objects on the way have MAX_MEMBERS in all.
    """
    if isinstance(text, bytes):
        raise ValueError("expected a text message, got a binary one")
    if len(text) > limit:
        raise ValueError(f"longer than {limit} characters")
    value = _parse(text, raw)
    if type(value) is not dict:
        raise ValueError("expected a JSON object")
    return value


def _parse(text: str, raw: Sequence[str]) -> Any:
    try:
        opening = _OPENING.match(text) if raw else None
        if opening is None:
            return _DECODER.decode(text)
        value, end = _parse_members(text, opening, raw, iter(range(MAX_MEMBERS)))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except _TooManyMembers:
        raise ValueError(f"more than {MAX_MEMBERS} members") from None
    # ValueError: also for integers of thousands of digits, which Python refuses to convert.
    except (ValueError, StopIteration):
        raise ValueError("not JSON") from None
    if end < len(text):
        raise ValueError("not JSON")
    return value


class _TooManyMembers(Exception):
    """An object that is read member by member has more than anybody needs."""


def _parse_members(
    text: str, opening: re.Match[str], raw: Sequence[str], left: Iterator[int]
) -> tuple[dict[str, Any], int]:
    """An object, and where what follows on it begins. Nothing in it is read twice.

    The last one counts where a key stands twice, as it does for Python's parser. Raises ValueError,
    StopIteration and _TooManyMembers.

    :param left: so many members may be there yet.
    """
    members: dict[str, Any] = {}
    at = opening.end()
    if text.startswith("}", at):
        return members, _behind(_SPACE, text, at + 1).end()
    wanted, deeper = raw[0], raw[1:]
    for _ in left:
        if not text.startswith('"', at):
            raise ValueError
        key, at = _SCAN(text, at)
        begin = _behind(_COLON, text, at).end()
        inner = _OPENING.match(text, begin) if deeper and key == wanted else None
        if inner is not None:
            members[key], at = _parse_members(text, inner, deeper, left)
        else:
            members[key], at = _SCAN(text, begin)
            if key == wanted and not deeper:
                members[key] = RawJson(text[begin:at])
        behind = _behind(_NEXT, text, at)
        at = behind.end()
        if behind[1] == "}":
            return members, at
    raise _TooManyMembers


def _behind(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    match = pattern.match(text, at)
    if match is None:
        raise ValueError
    return match


def dump_json(value: Any) -> str:
    """JSON without white space, in ASCII."""
    return _ENCODE(value)
