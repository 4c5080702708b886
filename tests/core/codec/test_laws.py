"""Whatever comes in from outside gives a message or our error, and no error leaks a secret.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import json
import traceback
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.codec.codec import (
    decode_channel,
    decode_from_relay,
    decode_signal,
    decode_to_relay,
)
from imgsync.core.protocol.channel import ChannelMessage
from imgsync.core.protocol.errors import NegotiationError, WireError
from imgsync.core.protocol.signalling import FromRelay, RawJson, Signal, ToRelay
from tests.kit.wire_texts import LAW, RAW_JSON, REGISTER, Decode, lines


def decode_inside_signal(text: str) -> object:
    return decode_signal(RawJson(text))


# ── anything at all ──────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=8,
)
VALID = lines("""
    {"event":"register","data":{"userId":"a","role":"client","package":"webrtc","token":"t"}}
    {"event":"start_session","data":{"clientId":"c","sessionId":"s"}}
    {"event":"webrtc_signal","data":{"targetUserId":"c","signal":{"a":[1]},"sessionId":"s"}}
    {"event":"end_session","data":{"sessionId":"s"}}
    {"event":"registered","data":{"userId":"a","role":"client","iceServers":[{"urls":["u"]}]}}
    {"event":"registered","data":{"userId":"a","role":"client","clients":[{"userId":"c"}]}}
    {"event":"session_started","data":{"sessionId":"s","evaluatorId":"e","evaluatorName":"n"}}
    {"event":"webrtc_signal","data":{"fromUserId":"c","signal":null,"sessionId":"s"}}
    {"event":"session_started","data":{"sessionId":"s","clientId":"c","resumed":true}}
    {"event":"peer_away","data":{"sessionId":"s","userId":"c"}}
    {"event":"peer_back","data":{"sessionId":"s","userId":"c"}}
    {"event":"presence","data":{"userId":"c","state":"busy"}}
    {"event":"session_ended","data":{"sessionId":"s","reason":"ended","byUserId":"e"}}
    {"event":"error","data":{"code":"bad_message","message":"m","event":"register"}}
    {"type":"offer","sdp":"v=0"}
    {"type":"request_offer"}
    {"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}
    {"imageIndex":1,"imageUrl":"u","signedUrl":"s","sentAt":5.5}
    {"imageIndex":1,"imageUrl":"u","signedUrl":null,"sentAt":5.5,"frames":3,"text":"a\\nb"}
    {"imageIndex":1,"imageUrl":"u","sentAt":5,"showFor":50,"respond":{"keys":["f"],"ends":true}}
    {"type":"response","imageIndex":1,"sentAt":5,"number":1,"at":6.5,"kind":"key","value":"f"}
    {"type":"response_ack","imageIndex":1,"sentAt":5,"number":1}
    {"type":"display","at":5,"screenWidth":1920,"refreshRate":60,"languages":["en"]}
    {"type":"ready"}
    {"type":"ready","features":["ping","stage"]}
    {"type":"ping","id":1,"t0":1.5}
    {"type":"pong","id":"a","t0":1.5,"t1":2,"t2":3}
    {"type":"ack","sentAt":1,"receivedAt":2,"imageIndex":3}
""")


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A valid text with a few characters changed, or with one of its fields replaced or gone."""
    text = draw(st.sampled_from(VALID))
    if draw(st.booleans()):
        value = json.loads(text)
        target = value["data"] if "data" in value and draw(st.booleans()) else value
        key = draw(st.sampled_from(sorted(target)))
        target[key] = draw(JSON)
        if draw(st.booleans()):
            del target[key]
        return json.dumps(value)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.text('{}[]",:\\0159.eE-+ntfu \u2028\x00é', max_size=2))
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


def outcome(decode: Decode, text: str) -> object:
    """The message or our error; anything else is raised."""
    try:
        return decode(text)
    except (WireError, NegotiationError) as exc:
        return exc


@given(text=damaged() | st.text() | JSON.map(json.dumps) | RAW_JSON)
@settings(LAW, max_examples=600)
def test_whatever_comes_in_gives_a_message_or_our_error(text: str) -> None:
    # None is said of what has a type that is not ours; a relay has no such silence.
    unknown = type(None)
    assert isinstance(outcome(decode_to_relay, text), (*get_args(ToRelay), WireError))
    assert isinstance(outcome(decode_from_relay, text), (*get_args(FromRelay), WireError))
    channel = (*get_args(ChannelMessage), WireError, unknown)
    assert isinstance(outcome(decode_channel, text), channel)
    signal = (*get_args(Signal), NegotiationError, unknown)
    assert isinstance(outcome(decode_inside_signal, text), signal)


@given(data=st.binary())
@LAW
def test_a_binary_message_is_always_refused(data: bytes) -> None:
    for decode in (decode_to_relay, decode_from_relay, decode_channel):
        with pytest.raises(WireError, match="binary"):
            decode(data)


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────

SECRET = "S3CR3T"
WITH_SECRET: list[tuple[Decode, str]] = [
    (decode_to_relay, REGISTER % f',"token":"{SECRET}"'),
    (
        decode_from_relay,
        '{"event":"registered","data":{"userId":"a","role":"client",'
        f'"iceServers":[{{"urls":"turn:a","credential":"{SECRET}"}}]}}}}',
    ),
    (decode_channel, f'{{"imageIndex":1,"imageUrl":"u","signedUrl":"{SECRET}","sentAt":5}}'),
    (decode_inside_signal, f'{{"type":"offer","sdp":"{SECRET}"}}'),
    (decode_inside_signal, f'{{"candidate":"","usernameFragment":"{SECRET}"}}'),
]


def with_each_part_replaced(value: Any, new: Any) -> list[Any]:
    """Copies of a JSON value, in each of which something else has become `new`."""
    if isinstance(value, dict):
        inside = [
            {**value, key: part}
            for key, old in value.items()
            for part in with_each_part_replaced(old, new)
        ]
        return [new, *inside]
    if isinstance(value, list):
        return [new, *([part] for part in with_each_part_replaced(value[0], new))]
    return [new]


@pytest.mark.parametrize(("decode", "text"), WITH_SECRET)
@pytest.mark.parametrize(
    "odd", [SECRET, [SECRET], {SECRET: SECRET}, f"{SECRET}\n", None, 1, True, [], {}], ids=repr
)
def test_no_error_repeats_what_came_in(decode: Decode, text: str, odd: Any) -> None:
    errors = []
    for value in with_each_part_replaced(json.loads(text), odd):
        changed = json.dumps(value)
        for again in (changed, changed[:-1], changed.replace('"', "", 1), changed + SECRET):
            answer = outcome(decode, again)
            if isinstance(answer, Exception):
                errors.append(answer)
    assert errors
    for error in errors:
        assert SECRET not in "".join(traceback.format_exception(error))
        assert SECRET not in repr(error)
