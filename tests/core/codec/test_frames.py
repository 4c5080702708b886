"""Frames between a peer and the relay that are bad: the error is ours and says what is wrong."""

import json
from collections.abc import Callable

import pytest

from imgsync.core.codec.codec import decode_from_relay, decode_to_relay
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import ErrorCode, StartSession
from tests.kit.wire_texts import BAD, REGISTER, Decode, lines

NAMES_NO_EVENT: list[str | bytes] = [
    "",
    " ",
    "\ufeff{}",
    '{"event":"register","data":{"x":"\n"}}',
    '{"event":"register","data":{"x":%s}}' % ("9" * 5000),
    b"",
    b"\xff\x00",
    (REGISTER % "").encode(),
    *lines("""
        {
        hello
        []
        [1]
        1
        null
        true
        "register"
        {}
        {}{}
        {"event":"register"
        {'event':'register'}
        {"event":NaN}
        {"event":"register","data":NaN}
        {"event":"register","data":{"x":Infinity}}
        {"event":"register","data":{"x":-Infinity}}
        {"event":"register","data":{"x":01}}
        {"event":"register","data":{},}
        {"data":{}}
        {"event":null,"data":{}}
        {"event":1,"data":{}}
        {"event":true,"data":{}}
        {"event":["register"],"data":{}}
        {"event":{"register":1},"data":{}}
    """),
]


@pytest.mark.parametrize("text", NAMES_NO_EVENT)
@pytest.mark.parametrize("decode", [decode_to_relay, decode_from_relay])
def test_a_frame_that_names_no_event_is_a_bad_message(
    decode: Callable[[str | bytes], object], text: str | bytes
) -> None:
    with pytest.raises(WireError) as caught:
        decode(text)
    assert caught.value.code is BAD
    assert caught.value.event is None
    assert caught.value.problem == str(caught.value) != ""


ILL_TYPED = {
    # field, what the error says: what stands there
    ("userId", "expected a string"): ["1", "null", "true", '["a"]', '{"a":1}'],
    ("userId", "expected 1 to 128 characters"): ['""'],
    ("userId", "expected Unicode text"): [r'"\ud800"'],
    ("userId", "expected at most 128 characters"): [json.dumps("x" * 129)],
    ("name", "expected at most 128 characters"): [json.dumps("x" * 129)],
    ("name", "printable"): [r'"a\n"'],
    ("userId", "printable"): [*(r'"a\u0000"', r'"a\n"', r'"\u001b[31m"', r'"\u202e"', r'"\u2028"')],
    ("role", "expected one of evaluator, client"): ['"Client"', '""', "0", "[]", "{}", "null"],
    ("package", "expected 'webrtc'"): ['"WebRTC"', "1", '["webrtc"]', "{}", "null"],
    ("name", "expected a string"): ["1", "[]", "false"],
    ("token", "expected a string"): ["1", "true", "{}"],
}


@pytest.mark.parametrize(
    ("field", "says", "value"),
    [(field, says, value) for (field, says), values in ILL_TYPED.items() for value in values],
)
def test_an_ill_typed_field_is_named_with_what_was_expected(
    field: str, says: str, value: str
) -> None:
    fields = {"userId": '"a"', "role": '"client"', "package": '"webrtc"', field: value}
    members = ",".join(f'"{key}":{text}' for key, text in fields.items())
    with pytest.raises(WireError) as caught:
        decode_to_relay(f'{{"event":"register","data":{{{members}}}}}')
    assert (caught.value.code, caught.value.event) == (BAD, "register")
    assert caught.value.problem.startswith(f"data.{field}: ")
    assert says in caught.value.problem


@pytest.mark.parametrize("value", ["1", "a b", "é", "x" * 128, "😀", "ab-C_1@host.example"])
def test_a_user_id_may_be_any_short_printable_text(value: str) -> None:
    text = json.dumps({"event": "start_session", "data": {"clientId": value}})
    assert decode_to_relay(text) == StartSession(value)


BAD_IDS = {
    "expected a string": ["1", "true", "[]", '["s1"]', "{}"],
    "expected 1 to 128 characters": ['""'],
    "expected at most 128 characters": [json.dumps("x" * 129)],
    "expected printable characters only": [r'"a\n"', r'"\u0000"', r'"\u001b[2J"', r'"\u202e"'],
    "expected Unicode text": [r'"\ud800"'],
}
NAMES_A_SESSION: list[tuple[Decode, str, str]] = [
    (decode_to_relay, "start_session", '"clientId":"c"'),
    (decode_to_relay, "webrtc_signal", '"targetUserId":"c","signal":1'),
    (decode_to_relay, "end_session", '"x":1'),
    (decode_from_relay, "session_started", '"clientId":"c"'),
    (decode_from_relay, "webrtc_signal", '"fromUserId":"c","signal":1'),
    (decode_from_relay, "peer_away", '"userId":"c"'),
    (decode_from_relay, "peer_back", '"userId":"c"'),
    (decode_from_relay, "session_ended", '"reason":"ended"'),
]


@pytest.mark.parametrize(
    ("says", "value"), [(says, value) for says, values in BAD_IDS.items() for value in values]
)
@pytest.mark.parametrize(("decode", "event", "rest"), NAMES_A_SESSION)
def test_a_session_id_is_a_short_printable_text_wherever_it_stands(
    decode: Decode, event: str, rest: str, says: str, value: str
) -> None:
    with pytest.raises(WireError) as caught:
        decode(f'{{"event":"{event}","data":{{{rest},"sessionId":{value}}}}}')
    assert (caught.value.code, caught.value.event) == (BAD, event)
    assert caught.value.problem == f"data.sessionId: {says}"
    assert decode(f'{{"event":"{event}","data":{{{rest},"sessionId":"{"x" * 128}"}}}}')


@pytest.mark.parametrize("value", ["1", "0", '"true"', '"false"', '""', "[]", "{}", "1.0"])
def test_a_boolean_is_true_or_false_and_nothing_else(value: str) -> None:
    with pytest.raises(WireError, match=r"^data\.resumed: expected true or false$"):
        decode_from_relay(
            f'{{"event":"session_started","data":{{"sessionId":"s","resumed":{value}}}}}'
        )


@pytest.mark.parametrize(
    ("decode", "event", "fields"),
    [
        (decode_to_relay, "register", {"userId": "a", "role": "client", "package": "webrtc"}),
        (decode_to_relay, "start_session", {"clientId": "c"}),
        (decode_to_relay, "webrtc_signal", {"targetUserId": "c", "signal": 1}),
        (decode_from_relay, "registered", {"userId": "a", "role": "client"}),
        (decode_from_relay, "session_started", {"sessionId": "s"}),
        (decode_from_relay, "webrtc_signal", {"fromUserId": "c", "signal": 1}),
        (decode_from_relay, "presence", {"userId": "c", "state": "busy"}),
        (decode_from_relay, "session_ended", {"sessionId": "s", "reason": "ended"}),
        (decode_from_relay, "error", {"code": "bad_message", "message": "m"}),
    ],
)
def test_null_is_as_good_as_nothing_for_all_that_may_be_left_out(
    decode: Decode, event: str, fields: dict[str, object]
) -> None:
    optional = "name token features sessionId iceServers clients recordingUrl evaluatorId"
    optional += " evaluatorName clientId resumed byUserId event other"
    nulls = {name: None for name in optional.split()}
    bare = decode(json.dumps({"event": event, "data": fields}))
    assert decode(json.dumps({"event": event, "data": nulls | fields})) == bare


@pytest.mark.parametrize("value", ["1", "1.5", '""', '"\\n"', "true", "[]", '{"a":1}', "null"])
@pytest.mark.parametrize(
    ("event", "rest", "unread"),
    [
        ("registered", '"clients":[]', "userId role name"),
        ("peer_away", '"sessionId":"s"', "userId"),
        ("peer_back", '"sessionId":"s"', "userId"),
        ("session_ended", '"sessionId":"s","reason":"ended"', "byUserId"),
    ],
)
def test_what_no_peer_goes_by_may_be_of_any_type(
    event: str, rest: str, unread: str, value: str
) -> None:
    members = ",".join([rest, *(f'"{name}":{value}' for name in unread.split())])
    told = decode_from_relay(f'{{"event":"{event}","data":{{{members}}}}}')
    assert event == told.EVENT


REQUIRED: list[tuple[Decode, str, str]] = [
    (decode_to_relay, "register", "userId role package"),
    (decode_to_relay, "start_session", "clientId"),
    (decode_to_relay, "webrtc_signal", "targetUserId signal"),
    (decode_to_relay, "end_session", "sessionId"),
    (decode_from_relay, "registered", "userId role"),
    (decode_from_relay, "session_started", "sessionId"),
    (decode_from_relay, "webrtc_signal", "fromUserId signal"),
    (decode_from_relay, "presence", "userId state"),
    (decode_from_relay, "peer_away", "sessionId userId"),
    (decode_from_relay, "peer_back", "sessionId userId"),
    (decode_from_relay, "session_ended", "sessionId reason"),
    (decode_from_relay, "error", "code message"),
]


@pytest.mark.parametrize(("decode", "event", "fields"), REQUIRED)
def test_every_missing_field_is_named(decode: Decode, event: str, fields: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(f'{{"event":"{event}","data":{{}}}}')
    assert (caught.value.code, caught.value.event) == (BAD, event)
    problems = caught.value.problem.split("; ")
    assert problems == [f"data.{field}: missing" for field in fields.split()]


@pytest.mark.parametrize("data", ["", ',"data":null', ',"data":[]', ',"data":"x"', ',"data":1'])
@pytest.mark.parametrize(("decode", "event"), [row[:2] for row in REQUIRED])
def test_data_has_to_be_an_object(decode: Decode, event: str, data: str) -> None:
    with pytest.raises(WireError, match=r"^data: expected an object$") as caught:
        decode(f'{{"event":"{event}"{data}}}')
    assert (caught.value.code, caught.value.event) == (BAD, event)


@pytest.mark.parametrize(
    ("decode", "event"),
    [
        *((decode_to_relay, event) for event in ("x", "", "Register", "registered", "error")),
        *((decode_from_relay, event) for event in ("x", "", "register", "start_session")),
    ],
)
def test_an_event_that_is_not_of_this_direction_is_unknown(decode: Decode, event: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(json.dumps({"event": event, "data": None}))
    assert (caught.value.code, caught.value.event) == (ErrorCode.UNKNOWN_EVENT, event)


def test_the_name_of_an_unknown_event_is_repeated_but_not_at_any_length() -> None:
    with pytest.raises(WireError) as caught:
        decode_to_relay(json.dumps({"event": "x" * 5000}))
    assert caught.value.event is not None
    assert len(caught.value.event) <= 128


@pytest.mark.parametrize(
    "wrong",
    lines("""
        "iceServers":{}
        "iceServers":""
        "iceServers":"stun:a"
        "iceServers":{"urls":"stun:a"}
        "iceServers":5
        "iceServers":true
        "iceServers":["stun:a"]
        "iceServers":[null]
        "iceServers":[{}]
        "iceServers":[{"urls":1}]
        "iceServers":[{"urls":[1]}]
        "iceServers":[{"urls":{"stun:a":1}}]
        "iceServers":[{"urls":"stun:a","credential":1}]
        "clients":{}
        "clients":""
        "clients":["c1"]
        "clients":[{"userId":"c1"}]
        "clients":[{"userId":"","state":"busy"}]
        "clients":[{"userId":"c1","state":"BUSY"}]
    """),
)
def test_a_list_from_the_relay_is_a_list_of_the_right_things(wrong: str) -> None:
    text = f'{{"event":"registered","data":{{"userId":"a","role":"client",{wrong}}}}}'
    with pytest.raises(WireError) as caught:
        decode_from_relay(text)
    assert (caught.value.code, caught.value.event) == (BAD, "registered")
    assert caught.value.problem.startswith(f"data.{wrong.split(':')[0][1:-1]}")
