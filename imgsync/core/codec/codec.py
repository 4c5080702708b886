"""Text to messages and back: strict about shapes, deaf to unknown fields, one error class.

Whatever comes in, the outcome is a message or a WireError (NegotiationError for what stands inside
`signal`), whose text names the field and never repeats its value.
"""

from functools import lru_cache
from typing import Any

import attrs

from imgsync.core.codec.strict import (
    dump_json,
    parse_json,
    parse_object,
    structure,
    unstructure,
)
from imgsync.core.protocol.channel import (
    Ack,
    ChannelMessage,
    Display,
    Identity,
    Image,
    Ping,
    Pong,
    Preload,
    Preloaded,
    Ready,
    Recording,
    Response,
    ResponseAck,
    Stage,
)
from imgsync.core.protocol.errors import (
    CandidateError,
    MessageTooLarge,
    NegotiationError,
    WireError,
)
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE, MAX_ID
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    ClientEntry,
    EndSession,
    Enter,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServersChanged,
    Offer,
    PeerAway,
    PeerBack,
    Presence,
    Presences,
    RawJson,
    Register,
    Registered,
    RelayPing,
    RelayPong,
    RequestOffer,
    SendSignal,
    SessionEndedEvent,
    SessionStarted,
    Signal,
    StartSession,
    ToRelay,
    Waiting,
)

MAX_FRAME = 64 * 1024
"""Characters of one frame to the relay. A browser's data-channel SDP is about 1 kB; with a hundred
candidates inside it is 12 kB."""

MAX_REGISTER = 8 * 1024
"""Characters of a frame of who has not registered; a token has its place in it."""

MAX_RELAY_FRAME = 16 * 1024 * 1024
"""Characters of one frame from the relay, which adds to what it forwards, and tells an evaluator of
all clients at once (about 125 bytes each, and up to 10 kB)."""

MAX_ENTRIES = 8192
"""Texts of clients that are kept: more than a relay has connections by default."""

_TO_RELAY = {
    cls.EVENT: cls for cls in (Register, Enter, StartSession, SendSignal, EndSession, RelayPing)
}
_FROM_RELAY = {
    cls.EVENT: cls
    for cls in (
        Registered,
        IceServersChanged,
        SessionStarted,
        ForwardedSignal,
        Presence,
        Presences,
        Waiting,
        PeerAway,
        PeerBack,
        SessionEndedEvent,
        ErrorEvent,
        RelayPong,
    )
}
_SIGNAL = ("data", "signal")
"""Where it stands that is passed on to the letter."""

_SIGNALS = {cls.TYPE: cls for cls in (Offer, Answer, RequestOffer)}
_TYPED_CHANNEL_MESSAGES = {
    cls.TYPE: cls
    for cls in (
        Preload,
        Preloaded,
        Ready,
        Ack,
        Stage,
        Response,
        ResponseAck,
        Identity,
        Recording,
        Display,
        Ping,
        Pong,
    )
}


# ── signalling ───────────────────────────────────────────────────────────────────────────────────


def decode_to_relay(text: str | bytes, limit: int = MAX_FRAME) -> ToRelay:
    """What a peer sent to the relay, in at most so many characters. Raises WireError."""
    message: ToRelay = _decode_event(text, _TO_RELAY, limit)
    return message


def decode_from_relay(text: str | bytes) -> FromRelay:
    """What the relay sent to a peer. Raises WireError."""
    message: FromRelay = _decode_event(text, _FROM_RELAY, MAX_RELAY_FRAME)
    return message


def _decode_event(text: str | bytes, vocabulary: dict[str, type[Any]], limit: int) -> Any:
    event: str | None = None
    try:
        frame = parse_object(text, limit, raw=_SIGNAL)
        event = frame.get("event")
        if type(event) is not str:
            event = None
            raise ValueError("event: expected the name of an event, a string")
        cls = vocabulary.get(event)
        if cls is None:
            event = cut(event, MAX_ID)
            known = ", ".join(vocabulary)
            raise WireError(ErrorCode.UNKNOWN_EVENT, f"unknown event; known are {known}", event)
        return structure(frame.get("data"), cls, "data")
    except ValueError as exc:
        raise WireError(ErrorCode.BAD_MESSAGE, str(exc), event) from None


def encode_event(message: ToRelay | FromRelay) -> str:
    """One signalling frame. What stands in `signal` is spliced in as it came."""
    if isinstance(message, Registered | Presences) and message.clients:
        # Thousands of them, each told to many.
        rest = encode_event(attrs.evolve(message, clients=()))
        entries = _encode_entries(message.clients)
        return rest.replace('"clients":[]', f'"clients":[{entries}]', 1)
    data = unstructure(message)
    signal = data.pop("signal", None)
    text = dump_json({"event": message.EVENT, "data": data})
    return text if signal is None else f'{text[:-2]},"signal":{signal}}}}}'


def _encode_entries(entries: tuple[ClientEntry, ...]) -> str:
    """Of a list, written once for all that are told the very same, one after the other."""
    global _last_list
    last, text = _last_list
    if entries is not last:
        text = ",".join(map(encode_entry, entries))
        _last_list = entries, text
    return text


_last_list: tuple[tuple[ClientEntry, ...], str] = (), ""


@lru_cache(maxsize=MAX_ENTRIES)
def encode_entry(entry: ClientEntry) -> str:
    """A client in the lists that evaluators are told."""
    return dump_json(unstructure(entry))


# ── inside `signal` ──────────────────────────────────────────────────────────────────────────────


def decode_signal(raw: RawJson) -> Signal | None:
    """What a peer says in the handshake; None for a type that is not ours to know.

    Raises NegotiationError, and of a candidate CandidateError.
    """
    try:
        value = parse_json(raw)
        if value is None:
            return CandidateSignal(candidate=None)
        if type(value) is not dict:
            raise ValueError("expected an object")
        kind = value.get("type")
        if kind is None and "candidate" in value:
            return _decode_candidate(value)
        if "type" not in value:
            raise ValueError("neither a type nor a candidate")
        cls = _SIGNALS.get(kind) if type(kind) is str else None
        return None if cls is None else structure(value, cls, "signal")  # type: ignore[return-value]
    except ValueError as exc:
        raise NegotiationError(f"the other side sent an unreadable signal: {exc}") from None


def _decode_candidate(value: dict[str, Any]) -> CandidateSignal:
    try:
        signal = structure(value, CandidateSignal, "signal")
    except ValueError as exc:
        raise CandidateError(f"ignored a candidate that can't be read: {exc}") from None
    text = (signal.candidate or "").removeprefix("a=").removeprefix("candidate:")
    return attrs.evolve(signal, candidate=text.strip(" \t\r\n") or None)


def encode_signal(signal: Signal) -> RawJson:
    """The value of `signal`."""
    value = unstructure(signal)
    if isinstance(signal, CandidateSignal):
        text = f"candidate:{signal.candidate}" if signal.candidate else ""
        return RawJson(dump_json({**value, "candidate": text}))
    return RawJson(dump_json({"type": signal.TYPE, **value}))


# ── data channel ─────────────────────────────────────────────────────────────────────────────────


def decode_channel(text: str | bytes) -> ChannelMessage | None:
    """A message on the data channel; None for a type that we do not speak. Raises WireError."""
    try:
        value = parse_object(text, MAX_CHANNEL_MESSAGE)
        kind = value.get("type")
        if kind is not None:
            cls = _TYPED_CHANNEL_MESSAGES.get(kind) if type(kind) is str else None
            return None if cls is None else structure(value, cls, "message")  # type: ignore[return-value]
        return structure(value, Image, "message")
    except ValueError as exc:
        raise WireError(ErrorCode.BAD_MESSAGE, str(exc)) from None


def encode_channel(message: ChannelMessage, limit: int = MAX_CHANNEL_MESSAGE) -> str:
    """A message on the data channel. Raises MessageTooLarge.

    :param limit: bytes that the other side takes, where that is less than ours.
    """
    value = unstructure(message)
    kind = getattr(message, "TYPE", None)
    text = dump_json(value if kind is None else {"type": kind, **value})
    check_size(text, limit)
    return text


def check_size(text: str, limit: int) -> None:
    """Raise MessageTooLarge for a message that the other side does not take."""
    most = min(limit, MAX_CHANNEL_MESSAGE)
    if len(text) > most:
        whose = "the channel's" if most == MAX_CHANNEL_MESSAGE else "this client's limit of"
        raise MessageTooLarge(
            f"a message of {len(text)} bytes does not fit into {whose} {most};"
            " shorten the image's URLs"
        )
