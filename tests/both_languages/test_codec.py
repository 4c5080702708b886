"""What comes in is taken, or not, by both languages alike."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, get_args

import attrs

from imgsync.core.codec.codec import decode_channel, decode_from_relay, decode_signal
from imgsync.core.codec.strict import unstructure
from imgsync.core.protocol.channel import (
    Ack,
    ChannelMessage,
    Display,
    Drawn,
    Identity,
    Image,
    OnsetTiming,
    Ping,
    PointerKind,
    Pong,
    Preload,
    Preloaded,
    Ready,
    Recording,
    Response,
    ResponseAck,
    ResponseKind,
    Stage,
    StageKind,
    UpcomingImage,
)
from imgsync.core.protocol.errors import CandidateError, NegotiationError, WireError
from imgsync.core.protocol.numbers import (
    MAX_CHANNEL_MESSAGE,
    MAX_EXPOSURE_FRAMES,
    MAX_FEATURE,
    MAX_FEATURES,
    MAX_KEYS,
    MAX_MEMBERS,
    MAX_SCREEN_TEXT,
    MAX_SHOW_FOR,
    MAX_SIZE_DEG,
    MAX_SIZE_MM,
)
from imgsync.core.protocol.signalling import (
    CandidateSignal,
    ClientEntry,
    EndReason,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    IceServersChanged,
    PeerAway,
    PeerBack,
    Presence,
    Presences,
    PresenceState,
    RawJson,
    Registered,
    RelayPong,
    Role,
    SessionEndedEvent,
    SessionStarted,
    Signal,
    Waiting,
)
from imgsync.core.protocol.trials import Respond, Scale
from tests.both_languages.replay import Given, Replay, dice_of

MESSAGES: list[ChannelMessage] = [
    Image(3, "https://h/ä.png", "https://h/ä.png?s=1", 1.7e12 + 0.125),
    Image(3, "images/0a1b2c3d/3.png", None, 5),
    Image(3, "u", "s", 5, show_for=0.5),
    Image(3, "u", "s", 5, frames=12, respond=Respond(("f", "Space"), taps=True, ends=True)),
    Image(3, "texts/0a1b2c3d/0", None, 5, respond=Respond(), text="Look at the cross.\n\n注視点"),
    Preload((UpcomingImage("u", "s"), UpcomingImage("", ""), UpcomingImage("", None))),
    Ready(("ping", "stage")),
    Stage(0, 5, StageKind.SHOWN, 6, timing=OnsetTiming.PRESENTED, within=0),
    Stage(0, 5, StageKind.SHOWN, 6, timing=OnsetTiming.FRAME, within=33.5),
    Stage(0, 5, StageKind.SHOWN, 6, within=4),
    Ready(),
    Ack(5, 6.5, 0),
    Ack(5, 6.5),
    Stage(1, 5, StageKind.FAILED, 7, "http_403"),
    Stage(1, 5, StageKind.HIDDEN, 7),
    Stage(1, 5, StageKind.FAILED, 7, "http_403", detail="its URL was good until 5 min ago"),
    Identity(1, 5, "0a" * 32, "image/png", 5000, 40, 30),
    Identity(1, 5, "0a" * 32, "image/svg+xml", 5000),
    Preloaded(40, 8, 0),
    Preloaded(40, 8, 1),
    Preloaded(40, 8, 1, full=True),
    Recording(("camera", "microphone"), (), 7),
    Stage(0, 5, StageKind.HIDDEN, 6, "exposure_over", frames=12, dropped=0),
    Image(3, "u", "s", 5, size_mm=100),
    Image(3, "u", "s", 5, show_for=200, size_deg=0.5),
    Image(3, "u", "s", 5, scale=Scale.PIXELS),
    Stage(0, 5, StageKind.SHOWN, 6, drawn=Drawn(378, 37.5, 100, 9.75)),
    Stage(0, 5, StageKind.SHOWN, 6, drawn=Drawn(378, 37.5, fitted="not_calibrated")),
    Display(5, px_per_mm=3.78, calibrated_by="card"),
    Display(5, distance_mm=570.5, distance_by="blind_spot", distance_within_mm=12),
    Response(0, 5, 1, 6.5, ResponseKind.KEY, "f", 512.25, 16.75),
    Response(0, 5, 2, 6.5, ResponseKind.TAP, "picture", 512.25, 0, 10.5, 0),
    Response(0, 5, 3, 6.5, ResponseKind.BUTTON, "yes", -1),
    Response(0, 5, 4, 6.5, ResponseKind.TOO_MANY, ""),
    ResponseAck(0, 5, 1),
    Display(5),
    Display(
        at=5.5,
        screen_width=1920,
        screen_height=1080,
        window_width=1280,
        window_height=720,
        pixel_ratio=1.25,
        zoom=1.1,
        refresh_rate=59.94,
        isolated=True,
        resolution=0.005,
        browser="Firefox 140",
        system="Linux",
        languages=("de-CH", "en"),
        pointer=PointerKind.FINE,
        checked_at=4.5,
        check_found=("clock_off", "camera_denied"),
        keyboard=True,
    ),
    Display(5, checked_at=5),
    Display(5, pointer=PointerKind.NONE, isolated=False, keyboard=False),
    Recording((), ("microphone_ended", "upload_http_403"), 7.5),
    Ping(1, 5.5),
    Ping("abc", 5),
    Pong(1, 5, 6, 7),
]

AVAILABLE = PresenceState.AVAILABLE

SPOKEN = ("ping", "a new one")

EVENTS: list[FromRelay] = [
    Registered("e", Role.EVALUATOR, "Dr", (IceServer("stun:h"),), ()),
    Registered("c", Role.CLIENT, None, (IceServer(("turn:h", "turns:h"), "u", "p"),)),
    Registered("c", Role.CLIENT, recording_url="https://h/r"),
    Registered("e", Role.EVALUATOR, clients=(ClientEntry("c", PresenceState.BUSY, "C"),)),
    Registered("e", Role.EVALUATOR, clients=(ClientEntry("c", AVAILABLE, None, SPOKEN),)),
    IceServersChanged((IceServer(("turn:h", "turns:h"), "u", "p"), IceServer("stun:h"))),
    SessionStarted("s", "e", "Dr"),
    SessionStarted("s", client_id="c", resumed=True),
    SessionStarted("s", client_id="c", features=SPOKEN),
    ForwardedSignal("e", RawJson('{"type":"offer","sdp":"v=0"}'), "s"),
    ForwardedSignal("e", RawJson("null")),
    Presence("c", PresenceState.OFFLINE, "C"),
    Presence("c", AVAILABLE, "C", SPOKEN),
    Presences(
        (ClientEntry("c", PresenceState.OFFLINE, "C"), ClientEntry("d", AVAILABLE, "é", SPOKEN))
    ),
    Presences(()),
    Presence("c", PresenceState.WAITING, "C"),
    Waiting(PresenceState.OFFLINE),
    Waiting(PresenceState.BUSY, again=True),
    PeerAway("s", "c"),
    PeerBack("s", "c"),
    SessionEndedEvent("s", EndReason.PEER_GONE, "c"),
    SessionEndedEvent("s", EndReason.ENDED),
    ErrorEvent(ErrorCode.CLIENT_BUSY, "wait", "start_session"),
    ErrorEvent(ErrorCode.BAD_MESSAGE, "what?"),
    RelayPong(7),
]

SIGNALS: list[Any] = [
    None,
    {"type": "offer", "sdp": "v=0"},
    {"type": "answer", "sdp": "v=0", "more": 1},
    {"type": "request_offer"},
    {"type": "nonsense"},
    {"type": None},
    {"type": ["offer"], "sdp": "v=0"},
    {"candidate": "candidate:1 1 udp 5 10.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0},
    {"candidate": "a=candidate:1 1 udp 5 10.0.0.1 9 typ host", "usernameFragment": "abcd"},
    {"candidate": " 1 1 udp 5 10.0.0.1 9 typ host ", "sdpMid": None},
    {"candidate": "", "sdpMid": ""},
    {"candidate": "candidate:"},
    {"candidate": None},
    {"sdpMid": "0"},
    {"type": None, "sdp": None, "candidate": "1 1 udp 5 10.0.0.1 9 typ host"},
    {"type": None, "sdp": "v=0", "candidate": None},
    {"type": "offer", "sdp": "v=0", "candidate": None, "sdpMLineIndex": 0.0},
]

#: What may stand where something else is wanted.
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, -2.5, 1e300),
    *(2**53 - 1, 2**53, 2**53 + 2, 1 - 2**53, -(2**53)),
    *(1.0, -3.0, 0.0, -0.0, 2.0**53, -(2.0**53), 2.0**54),
    *("", " ", "a", "a\n", "\x7f", "\u0085", "\u00a0", "\u2028", "ä", "😀", "\ud800", "\ufeff"),
    *("x" * 128, "x" * 129, "é" * 128, "中" * 128, "中" * 129, "😀" * 96, "😀" * 97),
    *("a\nb", "a\tb", "a\u2029b", "\u200d", "\u3000"),
    *("x" * MAX_SCREEN_TEXT, "中" * MAX_SCREEN_TEXT, "x" * (MAX_SCREEN_TEXT + 1)),
    *(
        MAX_SHOW_FOR,
        MAX_SHOW_FOR + 0.5,
        MAX_EXPOSURE_FRAMES,
        MAX_EXPOSURE_FRAMES + 1,
        MAX_SIZE_MM,
        MAX_SIZE_MM + 1,
        MAX_SIZE_DEG,
        MAX_SIZE_DEG + 0.5,
        "1:1",
        {"widthPx": 5, "heightPx": 0.5, "widthMm": None},
        {"keys": ["f"], "ends": None},
    ),
    *(["x"] * MAX_KEYS, ["x"] * (MAX_KEYS + 1), {"taps": 1}, {"keys": [" "]}, {"keys": [""]}),
    *("ended", "shown", "client", "busy", "ping"),
    *(["x"] * MAX_FEATURES, ["x"] * (MAX_FEATURES + 1), [""], ["a\n"], [" "], ["中" * MAX_FEATURE]),
    *(
        ["x" * MAX_FEATURE],
        ["x" * (MAX_FEATURE + 1)],
        ["😀" * (MAX_FEATURE * 3 // 4)],
        ["😀" * (MAX_FEATURE * 3 // 4 + 1)],
        "x" * MAX_FEATURE,
    ),
    *([], [None], ["ping"], [["ping"]], ["\ud800"], {}, {"imageUrl": "u", "signedUrl": "s"}),
    *([{}], [{"imageUrl": "u", "signedUrl": "s"}], [{"urls": "stun:h"}], [{"urls": ["a", 1]}]),
    *([{"userId": "c", "state": "busy"}], [{"userId": "", "state": "busy"}]),
]


#: Names of fields, in messages that have them or not.
MORE = [
    "other",
    "type",
    "reason",
    "name",
    "showFor",
    "frames",
    "text",
    "sizeMm",
    "sizeDeg",
    "scale",
]


def spoil(dice: random.Random, value: Any) -> Any:
    """The same with something left out, put in its place or added, here or further inside."""
    if isinstance(value, list) and value and dice.random() < 0.7:
        place = dice.randrange(len(value))
        return [*value[:place], spoil(dice, value[place]), *value[place + 1 :]]
    if not isinstance(value, dict) or not value:
        return dice.choice(VALUES)
    name = dice.choice(list(value))
    match dice.randrange(5):
        case 0:
            return {key: one for key, one in value.items() if key != name}
        case 1:
            return value | {dice.choice(MORE): dice.choice(VALUES)}
        case 2:
            return value | {name: dice.choice(VALUES)}
        case _:
            return value | {name: spoil(dice, value[name])}


TEXTS = [
    *("", " ", "null", "[]", "0", '"text"', "{}", "{", '{"type":"ping"', "\ufeff{}", "{}x", "{} "),
    *('{"type":"ping","id":1,"t0":NaN}', '{"type":"ping","id":1,"t0":Infinity}'),
    *('{"type":"ping","id":1e2,"t0":1E0}', '{"type":"ping","id":1.50e1,"t0":1}'),
    *('{"type":"ping","id":1e-2,"t0":1}', '{"type":"ping","id":-0.0,"t0":-0}'),
    *('{"type":"ping","id":1,"t0":1e400}', '{"type":"ping","id":01,"t0":1}'),
    *('{"type":"ping","id":1,"t0":1,}', "{'type':'ping'}", '{"type":"ping","id":1,"t0":1}\n\t'),
    *('{"type":"ping","id":1,"id":2,"t0":1}', '{"type":"ping","type":"ready"}'),
    *('{"type":"ready","features":["a\x01"]}', '{"type":"ready","features":["\\u0001"]}'),
    *('{"__proto__":{"type":"ready"}}', '{"type":"constructor"}', '{"type":"toString"}'),
    *(f'{{"type":"ready","x":"{"y" * (MAX_CHANNEL_MESSAGE - 25 + more)}"}}' for more in (-1, 0, 1)),
    *(f'{{"type":"ready","x":"{"😀" * (MAX_CHANNEL_MESSAGE - 25 + more)}"}}' for more in (0, 1, 2)),
    '{"type":"ping","id":' + "9" * 5000 + ',"t0":1}',
]


def known(value: Any) -> Any:
    """Without what is as if it were not there."""
    if isinstance(value, dict):
        absent = {
            **{"features": [], "resumed": False, "full": False, "again": False},
            **{"keys": [], "taps": False, "ends": False, "languages": [], "checkFound": []},
        }
        return {
            name: known(one)
            for name, one in value.items()
            if one is not None and not (name in absent and one == absent[name])
        }
    return [known(one) for one in value] if isinstance(value, list | tuple) else value


def message_of(text: str) -> dict[str, Any] | None:
    try:
        message = decode_channel(text)
    except WireError:
        return None
    if message is None:
        return None
    told: dict[str, Any] = known({"type": getattr(message, "TYPE", None), **unstructure(message)})
    return told


def event_of(text: str) -> dict[str, Any] | None:
    try:
        message = decode_from_relay(text)
    except WireError:
        return None
    data = known(unstructure(message))
    if isinstance(message, ForwardedSignal):
        data["signal"] = json.loads(message.signal)
    return {"event": message.EVENT, "data": data}


def signal_of(value: Any) -> dict[str, Any] | None:
    """None for what can't be read."""
    try:
        signal: Signal | None = decode_signal(RawJson(json.dumps(value)))
    except CandidateError:
        return {"type": "bad_candidate"}
    except NegotiationError:
        return None
    if signal is None:
        return {"type": "unknown"}
    if isinstance(signal, CandidateSignal):
        line = signal.candidate and f"candidate:{signal.candidate}"
        value = unstructure(attrs.evolve(signal, candidate=line))
    else:
        value = {"type": signal.TYPE, **unstructure(signal)}
    told: dict[str, Any] = known(value)
    return told


def each_field_spoilt(sound: Sequence[Given]) -> list[Given]:
    """Each field of each with each of VALUES in its place, and without it."""
    found = []
    for value in sound:
        for name in value:
            others = {key: one for key, one in value.items() if key != name}
            found += [others, *({**others, name: odd} for odd in VALUES)]
    return found


def test_there_is_one_of_each_kind() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(ChannelMessage))
    assert {type(event) for event in EVENTS} == set(get_args(FromRelay))


def test_messages_on_the_channel(replay: Replay) -> None:
    sound = [unstructure(one) for one in MESSAGES]
    for value, message in zip(sound, MESSAGES, strict=True):
        if hasattr(message, "TYPE"):
            value["type"] = message.TYPE
    texts = [json.dumps(value) for value in [*sound, *each_field_spoilt(sound)]] + TEXTS
    for _, dice in dice_of("messages", 1500):
        texts.append(json.dumps(spoil(dice, dice.choice(sound)), ensure_ascii=dice.random() < 0.5))
    texts = [text for text in texts if "\ud800" not in text]  # no text can be sent that holds half
    found = [known(one) for one in replay.run("messages", texts)]
    for text, one in zip(texts, found, strict=True):
        assert one == message_of(text), text[:300]
    assert sum(one is not None for one in found) > 300
    assert sum(one is None for one in found) > 1000


def test_events_of_the_relay(replay: Replay) -> None:
    sound: list[Given] = []
    for message in EVENTS:
        data = unstructure(message)
        if isinstance(message, ForwardedSignal):
            data["signal"] = json.loads(message.signal)
        sound.append({"event": message.EVENT, "data": data})
    texts = [json.dumps(value) for value in sound] + TEXTS
    for value in sound:
        spoilt = each_field_spoilt([value["data"]])
        texts += [json.dumps({"event": value["event"], "data": data}) for data in spoilt]
    for more in (MAX_MEMBERS - 4, MAX_MEMBERS - 3, MAX_MEMBERS - 2, MAX_MEMBERS):
        others = {f"x{number}": number for number in range(more)}
        texts.append(json.dumps({"event": "pong", "data": {"id": 7, **others}}))
        texts.append(json.dumps({"event": "pong", **others, "data": {"id": 7}}))
    for _, dice in dice_of("events", 1500):
        texts.append(json.dumps(spoil(dice, dice.choice(sound))))
    found = replay.run("events", texts)
    for text, one in zip(texts, found, strict=True):
        told = one and {**one, "data": known(one["data"])}
        if told and one["event"] == "webrtc_signal":
            told["data"]["signal"] = one["data"]["signal"]
        assert told == event_of(text), text[:300]
    assert sum(one is not None for one in found) > 300
    assert sum(one is None for one in found) > 1000


def test_signals_of_the_other_side(replay: Replay) -> None:
    values = [*SIGNALS, *each_field_spoilt([value for value in SIGNALS if value])]
    values += [spoil(dice, dice.choice(SIGNALS)) for _, dice in dice_of("signals", 2000)]
    found = replay.run("signals", values)
    for value, one in zip(values, found, strict=True):
        told = one if one is None or "type" in one else known(one)
        assert told == signal_of(value), value
    assert sum(one is not None for one in found) > 300
    assert sum(one is None for one in found) > 300
