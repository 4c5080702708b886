"""Every message of both wires: its names and shape there, and that no repr holds a secret."""

import json
from typing import Any, get_args

import pytest

from imgsync.core.codec.codec import (
    decode_channel,
    decode_from_relay,
    decode_signal,
    decode_to_relay,
    encode_channel,
    encode_event,
    encode_signal,
)
from imgsync.core.protocol.channel import (
    Ack,
    ChannelMessage,
    Display,
    Identity,
    Image,
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
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    ClientEntry,
    Door,
    EndReason,
    EndSession,
    Enter,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    IceServersChanged,
    Offer,
    PeerAway,
    PeerBack,
    Presence,
    Presences,
    PresenceState,
    RawJson,
    Register,
    Registered,
    RelayPing,
    RelayPong,
    RequestOffer,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionStarted,
    Signal,
    StartSession,
    ToRelay,
    Waiting,
)
from imgsync.core.protocol.trials import Respond

Object = dict[str, Any]


# ── names and shapes ─────────────────────────────────────────────────────────────────────────────


def event(name: str, /, **data: object) -> Object:
    return {"event": name, "data": data}


TO_RELAY: list[tuple[ToRelay, Object]] = [
    (
        Register("u1", Role.EVALUATOR, "webrtc", "Eva", "t0"),
        event("register", userId="u1", role="evaluator", package="webrtc", name="Eva", token="t0"),
    ),
    (
        Register("u1", Role.CLIENT, "webrtc"),
        event("register", userId="u1", role="client", package="webrtc"),
    ),
    (
        Register("u1", Role.CLIENT, "webrtc", state=Door.WAITING),
        event("register", userId="u1", role="client", package="webrtc", state="waiting"),
    ),
    (Enter(), event("enter")),
    (StartSession("c1"), event("start_session", clientId="c1")),
    (StartSession("c1", "s1"), event("start_session", clientId="c1", sessionId="s1")),
    (
        SendSignal("c1", RawJson('{"candidate": ""}'), "s1"),
        event("webrtc_signal", targetUserId="c1", signal={"candidate": ""}, sessionId="s1"),
    ),
    (
        SendSignal("c1", RawJson("null")),
        event("webrtc_signal", targetUserId="c1", signal=None),
    ),
    (EndSession("s1"), event("end_session", sessionId="s1")),
    (RelayPing(1), event("ping", id=1)),
]

FROM_RELAY: list[tuple[FromRelay, Object]] = [
    (
        Registered(
            "e1",
            Role.EVALUATOR,
            "Eva",
            (IceServer("stun:a"), IceServer(("turn:b", "turn:c"), "u", "p")),
            (ClientEntry("c1", PresenceState.BUSY, "Carl"),),
        ),
        event(
            "registered",
            userId="e1",
            role="evaluator",
            name="Eva",
            iceServers=[
                {"urls": "stun:a"},
                {"urls": ["turn:b", "turn:c"], "username": "u", "credential": "p"},
            ],
            clients=[{"userId": "c1", "state": "busy", "name": "Carl"}],
        ),
    ),
    (
        Registered("c1", Role.CLIENT, "Carl", (), features=("ping",)),
        event(
            "registered",
            userId="c1",
            role="client",
            name="Carl",
            iceServers=[],
            features=["ping"],
        ),
    ),
    (
        IceServersChanged((IceServer("stun:a"), IceServer("turn:b", "u", "p"))),
        event(
            "ice_servers",
            iceServers=[
                {"urls": "stun:a"},
                {"urls": "turn:b", "username": "u", "credential": "p"},
            ],
        ),
    ),
    (
        SessionStarted("s1", evaluator_id="e1", evaluator_name="Eva"),
        event("session_started", sessionId="s1", evaluatorId="e1", evaluatorName="Eva"),
    ),
    (
        SessionStarted("s1", client_id="c1"),
        event("session_started", sessionId="s1", clientId="c1"),
    ),
    (
        SessionStarted("s1", client_id="c1", resumed=True),
        event("session_started", sessionId="s1", clientId="c1", resumed=True),
    ),
    (
        ForwardedSignal("e1", RawJson('{"candidate": ""}'), "s1"),
        event("webrtc_signal", fromUserId="e1", signal={"candidate": ""}, sessionId="s1"),
    ),
    (
        Presence("c1", PresenceState.OFFLINE, "Carl"),
        event("presence", userId="c1", state="offline", name="Carl"),
    ),
    (
        Presences((ClientEntry("c1", PresenceState.OFFLINE, "Carl"),)),
        event("presences", clients=[{"userId": "c1", "state": "offline", "name": "Carl"}]),
    ),
    (Waiting(PresenceState.OFFLINE), event("waiting", others="offline")),
    (Waiting(PresenceState.BUSY, again=True), event("waiting", others="busy", again=True)),
    (PeerAway("s1", "c1"), event("peer_away", sessionId="s1", userId="c1")),
    (PeerBack("s1", "c1"), event("peer_back", sessionId="s1", userId="c1")),
    (
        SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE),
        event("session_ended", sessionId="s1", reason="claimed_elsewhere"),
    ),
    (
        SessionEndedEvent("s1", EndReason.ENDED, "e1"),
        event("session_ended", sessionId="s1", reason="ended", byUserId="e1"),
    ),
    (
        ErrorEvent(ErrorCode.NO_SESSION, "Start one.", "webrtc_signal"),
        event("error", code="no_session", message="Start one.", event="webrtc_signal"),
    ),
    (RelayPong(1), event("pong", id=1)),
]

INSIDE_SIGNAL: list[tuple[Signal, Object]] = [
    (Offer("v=0"), {"type": "offer", "sdp": "v=0"}),
    (Answer("v=0"), {"type": "answer", "sdp": "v=0"}),
    (RequestOffer(), {"type": "request_offer"}),
    (
        CandidateSignal("1 1 udp 1 10.0.0.1 9 typ host", "0", 0, "abcd"),
        {
            "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host",
            "sdpMid": "0",
            "sdpMLineIndex": 0,
            "usernameFragment": "abcd",
        },
    ),
    (
        CandidateSignal(None, "0", 0, "abcd"),
        {"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "abcd"},
    ),
]

CHANNEL: list[tuple[ChannelMessage, Object]] = [
    (
        Image(3, "https://a/3.png", "https://a/3.png?sig=x", 1700000000000),
        {
            "imageIndex": 3,
            "imageUrl": "https://a/3.png",
            "signedUrl": "https://a/3.png?sig=x",
            "sentAt": 1700000000000,
        },
    ),
    (
        Image(3, "images/0a1b2c3d/3.png", None, 5),
        {"imageIndex": 3, "imageUrl": "images/0a1b2c3d/3.png", "signedUrl": None, "sentAt": 5},
    ),
    (Ready(), {"type": "ready"}),
    (Ready(("ping", "x-new")), {"type": "ready", "features": ["ping", "x-new"]}),
    (Ack(1, 2.5), {"type": "ack", "sentAt": 1, "receivedAt": 2.5}),
    (Ack(1, 2.5, 7), {"type": "ack", "sentAt": 1, "receivedAt": 2.5, "imageIndex": 7}),
    (Preload(()), {"type": "preload", "images": []}),
    (
        Preload((UpcomingImage("https://a/4.png", "https://a/4.png?sig=x"),)),
        {
            "type": "preload",
            "images": [{"imageUrl": "https://a/4.png", "signedUrl": "https://a/4.png?sig=x"}],
        },
    ),
    (
        Preload((UpcomingImage("images/0a1b2c3d/4.png", None),)),
        {
            "type": "preload",
            "images": [{"imageUrl": "images/0a1b2c3d/4.png", "signedUrl": None}],
        },
    ),
    (
        Identity(7, 1, "0f" * 32, "image/png", 5000, 40, 30),
        {
            "type": "identity",
            "imageIndex": 7,
            "sentAt": 1,
            "sha256": "0f" * 32,
            "contentType": "image/png",
            "bytes": 5000,
            "width": 40,
            "height": 30,
        },
    ),
    (
        Identity(7, 1, "0f" * 32, "image/svg+xml", 500),
        {
            "type": "identity",
            "imageIndex": 7,
            "sentAt": 1,
            "sha256": "0f" * 32,
            "contentType": "image/svg+xml",
            "bytes": 500,
        },
    ),
    (
        Preloaded(40, 8, 1),
        {"type": "preloaded", "announced": 40, "there": 8, "failed": 1},
    ),
    (
        Preloaded(40, 8, 0, full=True),
        {"type": "preloaded", "announced": 40, "there": 8, "failed": 0, "full": True},
    ),
    (
        Recording(("camera",), ("microphone_ended",), 2.5),
        {
            "type": "recording",
            "devices": ["camera"],
            "troubles": ["microphone_ended"],
            "at": 2.5,
        },
    ),
    (
        Image(7, "u", "u?s", 1.5, show_for=500, respond=Respond(("f", "Space"), ends=True)),
        {
            "imageIndex": 7,
            "imageUrl": "u",
            "signedUrl": "u?s",
            "sentAt": 1.5,
            "showFor": 500,
            "respond": {"keys": ["f", "Space"], "ends": True},
        },
    ),
    (
        Image(7, "texts/1f8e24a0/3", None, 1.5, frames=12, text="Now\nlook.", respond=Respond()),
        {
            "imageIndex": 7,
            "imageUrl": "texts/1f8e24a0/3",
            "signedUrl": None,
            "sentAt": 1.5,
            "frames": 12,
            "respond": {},
            "text": "Now\nlook.",
        },
    ),
    (
        Response(7, 1.5, 3, 2.5, ResponseKind.TAP, "picture", 512.5, 16.75, 10, 20.5),
        {
            "type": "response",
            "imageIndex": 7,
            "sentAt": 1.5,
            "number": 3,
            "at": 2.5,
            "kind": "tap",
            "value": "picture",
            "reactionTime": 512.5,
            "within": 16.75,
            "x": 10,
            "y": 20.5,
        },
    ),
    (
        ResponseAck(7, 1.5, 3),
        {"type": "response_ack", "imageIndex": 7, "sentAt": 1.5, "number": 3},
    ),
    (
        Display(
            at=2.5,
            screen_width=1920,
            screen_height=1080,
            window_width=1280,
            window_height=720,
            pixel_ratio=1.5,
            zoom=1,
            refresh_rate=59.94,
            isolated=True,
            resolution=0.005,
            browser="Firefox 140",
            system="Linux",
            languages=("de-CH", "en"),
            pointer=PointerKind.FINE,
            checked_at=1.5,
            check_found=("clock_off",),
            keyboard=False,
        ),
        {
            "type": "display",
            "at": 2.5,
            "screenWidth": 1920,
            "screenHeight": 1080,
            "windowWidth": 1280,
            "windowHeight": 720,
            "pixelRatio": 1.5,
            "zoom": 1,
            "refreshRate": 59.94,
            "isolated": True,
            "resolution": 0.005,
            "browser": "Firefox 140",
            "system": "Linux",
            "languages": ["de-CH", "en"],
            "pointer": "fine",
            "checkedAt": 1.5,
            "checkFound": ["clock_off"],
            "keyboard": False,
        },
    ),
    (
        Stage(7, 1, StageKind.HIDDEN, 2.5, "exposure_over", frames=12, dropped=1),
        {
            "type": "stage",
            "imageIndex": 7,
            "sentAt": 1,
            "stage": "hidden",
            "at": 2.5,
            "reason": "exposure_over",
            "frames": 12,
            "dropped": 1,
        },
    ),
    (
        Stage(7, 1, StageKind.SHOWN, 2.5),
        {"type": "stage", "imageIndex": 7, "sentAt": 1, "stage": "shown", "at": 2.5},
    ),
    (
        Stage(7, 1.5, StageKind.FAILED, 2, "http_403"),
        {
            "type": "stage",
            "imageIndex": 7,
            "sentAt": 1.5,
            "stage": "failed",
            "at": 2,
            "reason": "http_403",
        },
    ),
    (Ping(7, 1.5), {"type": "ping", "id": 7, "t0": 1.5}),
    (Ping("a-7", 1), {"type": "ping", "id": "a-7", "t0": 1}),
    (Pong(7, 1.5, 2, 3.25), {"type": "pong", "id": 7, "t0": 1.5, "t1": 2, "t2": 3.25}),
]


def with_unknown_fields(value: Object) -> str:
    """The same, with fields that nobody knows, in `data`, too."""
    more = {**value, "x-new": [{"signal": 1}]}
    if "data" in value:
        more["data"] = {"x-new": {"data": 1}, **value["data"]}
    return json.dumps(more)


@pytest.mark.parametrize(("message", "wire"), TO_RELAY)
def test_events_to_the_relay_have_the_shapes_of_the_protocol(
    message: ToRelay, wire: Object
) -> None:
    assert json.loads(encode_event(message)) == wire
    assert decode_to_relay(json.dumps(wire)) == message
    assert decode_to_relay(with_unknown_fields(wire)) == message


@pytest.mark.parametrize(("message", "wire"), FROM_RELAY)
def test_events_from_the_relay_have_the_shapes_of_the_protocol(
    message: FromRelay, wire: Object
) -> None:
    assert json.loads(encode_event(message)) == wire
    assert decode_from_relay(json.dumps(wire)) == message
    assert decode_from_relay(with_unknown_fields(wire)) == message


@pytest.mark.parametrize(("message", "wire"), INSIDE_SIGNAL)
def test_signals_have_the_shapes_of_the_protocol(message: Signal, wire: Object) -> None:
    assert json.loads(encode_signal(message)) == wire
    assert decode_signal(RawJson(json.dumps(wire))) == message
    assert decode_signal(RawJson(with_unknown_fields(wire))) == message


@pytest.mark.parametrize(("message", "wire"), CHANNEL)
def test_channel_messages_have_the_shapes_of_the_protocol(
    message: ChannelMessage, wire: Object
) -> None:
    assert json.loads(encode_channel(message)) == wire
    assert decode_channel(json.dumps(wire)) == message
    assert decode_channel(with_unknown_fields(wire)) == message


@pytest.mark.parametrize(
    ("union", "examples"),
    [
        (ToRelay, TO_RELAY),
        (FromRelay, FROM_RELAY),
        (Signal, INSIDE_SIGNAL),
        (ChannelMessage, CHANNEL),
    ],
)
def test_every_message_has_an_example(union: object, examples: list[tuple[object, object]]) -> None:
    assert {type(message) for message, _ in examples} == set(get_args(union))


def test_an_optional_field_that_is_null_is_absent() -> None:
    wire = event("register", userId="a", role="client", package="webrtc", name=None)
    assert decode_to_relay(json.dumps(wire)) == Register("a", Role.CLIENT, "webrtc")


@pytest.mark.parametrize("said", ["", ',"resumed":false'])
def test_a_session_is_a_new_one_unless_the_relay_says_otherwise(said: str) -> None:
    text = f'{{"event":"session_started","data":{{"sessionId":"s1"{said}}}}}'
    assert decode_from_relay(text) == SessionStarted("s1")


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────

SECRET = "S3CR3T"


@pytest.mark.parametrize(
    "message",
    [
        Register("a", Role.CLIENT, "webrtc", token=SECRET),
        IceServer("turn:a", "u", SECRET),
        Registered("a", Role.CLIENT, ice_servers=(IceServer("turn:a", "u", SECRET),)),
        Image(1, "u", f"https://a/1.png?sig={SECRET}", 5),
        UpcomingImage("u", f"https://a/1.png?sig={SECRET}"),
        Preload((UpcomingImage("u", f"https://a/1.png?sig={SECRET}"),)),
        Offer(f"a=ice-pwd:{SECRET}"),
        Answer(f"a=ice-pwd:{SECRET}"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_no_repr_holds_a_token_a_password_or_a_signed_url(message: object) -> None:
    assert SECRET not in repr(message)
    assert SECRET not in str(message)
