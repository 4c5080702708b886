"""What comes in from outside: a message or our error, a signal to the letter, and no leaks.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import json
import traceback
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsync.core.codec import (
    MAX_CHANNEL_MESSAGE,
    MAX_FRAME,
    decode_channel,
    decode_from_relay,
    decode_signal,
    decode_to_relay,
    encode_channel,
    encode_event,
)
from imgsync.core.errors import MessageTooLarge, NegotiationError, WireError
from imgsync.core.messages import (
    Ack,
    CandidateSignal,
    ChannelMessage,
    ErrorCode,
    ForwardedSignal,
    FromRelay,
    Image,
    RawJson,
    Register,
    SendSignal,
    Signal,
    StartSession,
    ToRelay,
)

LAW = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
BAD = ErrorCode.BAD_MESSAGE
Decode = Callable[[str], object]


def lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines()]


def decode_inside_signal(text: str) -> object:
    return decode_signal(RawJson(text))


# ── signal, to the letter ────────────────────────────────────────────────────────────────────────

SPACE = st.sampled_from(["", "", "", " ", "\n", "\t \r\n"])
RAW_STRING = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from([r'"\/"', r'"A\u0042\ud83d\ude00\u0000\n"', '"signal"', '"data"', r'"\"}"']),
)
RAW_LEAF = RAW_STRING | st.sampled_from(
    ["0", "-0", "1.50", "1e5", "1E+05", "1.0", "12345678901234567890", "true", "false", "null"]
)


@st.composite
def raw_objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """Duplicate keys and odd spaces included."""
    members = draw(st.lists(st.tuples(RAW_STRING, values), max_size=4))
    space = draw(SPACE)
    text = f"{space},{space}".join(f"{key}{space}:{space}{value}" for key, value in members)
    return f"{{{space}{text}{space}}}"


@st.composite
def raw_arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    space = draw(SPACE)
    return f"[{space}{f'{space},{space}'.join(draw(st.lists(values, max_size=4)))}{space}]"


RAW_JSON = st.recursive(
    RAW_LEAF, lambda inner: raw_objects(inner) | raw_arrays(inner), max_leaves=10
)
"""JSON as somebody else would write it."""


@given(data=st.data(), raw=RAW_JSON, decoy=RAW_JSON, space=SPACE)
@LAW
def test_signal_passes_through_to_the_letter_wherever_it_stands(
    data: st.DataObject, raw: str, decoy: str, space: str
) -> None:
    colon, comma = f"{space}:{space}", f"{space},{space}"
    signal_key = data.draw(st.sampled_from(['"signal"', r'"sign\u0061l"']))
    data_key = data.draw(st.sampled_from(['"data"', r'"d\u0061ta"']))
    inner = data.draw(
        st.permutations(
            [
                f'"targetUserId"{colon}"c1"',
                f"{signal_key}{colon}{raw}",
                f'"other"{colon}{{"signal":{decoy},"data":{decoy}}}',
            ]
        )
    )
    if data.draw(st.booleans()):  # of two members with one name the last one counts
        inner = [f'"signal":{decoy}', *inner]
    outer = data.draw(
        st.permutations(
            [
                '"event":"webrtc_signal"',
                f"{data_key}{colon}{{{space}{comma.join(inner)}{space}}}",
                f'"signal":{decoy}',
            ]
        )
    )
    if data.draw(st.booleans()):
        outer = [f'"data":{{"targetUserId":"x","signal":{decoy}}}', *outer]

    received = decode_to_relay(f"{space}{{{space}{comma.join(outer)}{space}}}{space}")
    assert received == SendSignal("c1", RawJson(raw))

    text = encode_event(ForwardedSignal("e1", RawJson(raw), "s1"))
    assert f'"signal":{raw}' in text
    assert decode_from_relay(text) == ForwardedSignal("e1", RawJson(raw), "s1")


LITERAL = [
    '{\t"x"\r\n:\n1}',
    '"é 😀 \u2028 \u00a0"',
    *lines(r"""
        {"type":"offer","b":1,"a":2}
        {"a":1,"a":2,"signal":3,"signal":4}
        [1.50,1e5,1E+5,-0,0.10,12345678901234567890123]
        "\u00e9\/\ud83d\ude00\u2028\"}]"
        { "x" : [ 1 ,   2 ] }
        {"\"signal\":":"\\"}
        null
        true
        0
        ""
        []
    """),
]


@pytest.mark.parametrize("raw", LITERAL)
def test_keys_digits_escapes_and_spaces_of_a_signal_are_not_touched(raw: str) -> None:
    frame = f'{{"event":"webrtc_signal","data":{{"signal":{raw},"targetUserId":"c1"}}}}'
    message = decode_to_relay(frame)
    assert message == SendSignal("c1", RawJson(raw))
    assert f'"signal":{raw}}}' in encode_event(message)


# ── bad signalling ───────────────────────────────────────────────────────────────────────────────

REGISTER = '{"event":"register","data":{"userId":"a","role":"client","package":"webrtc"%s}}'
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


REQUIRED: list[tuple[Decode, str, str]] = [
    (decode_to_relay, "register", "userId role package"),
    (decode_to_relay, "start_session", "clientId"),
    (decode_to_relay, "webrtc_signal", "targetUserId signal"),
    (decode_to_relay, "end_session", "sessionId"),
    (decode_from_relay, "registered", "userId role"),
    (decode_from_relay, "session_started", "sessionId"),
    (decode_from_relay, "webrtc_signal", "fromUserId signal"),
    (decode_from_relay, "presence", "userId state"),
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


# ── bad signals and channel messages ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "raw",
    lines("""
        {
        []
        1
        true
        "offer"
        NaN
        {}
        {"sdp":"v=0"}
        {"sdpMid":"0"}
        {"type":"offer"}
        {"type":"answer"}
        {"type":"offer","sdp":null}
        {"type":"offer","sdp":1}
        {"type":"answer","sdp":["v=0"]}
        {"candidate":1}
        {"candidate":false}
        {"candidate":{"candidate":"x"}}
        {"candidate":"x","sdpMid":0}
        {"candidate":"x","sdpMLineIndex":"0"}
        {"candidate":"x","sdpMLineIndex":0.0}
        {"candidate":"x","sdpMLineIndex":true}
        {"candidate":"x","usernameFragment":1}
    """),
)
def test_a_signal_that_makes_no_sense_is_a_negotiation_error(raw: str) -> None:
    with pytest.raises(NegotiationError, match=r"^the other side sent an unreadable signal: ."):
        decode_signal(RawJson(raw))


def test_a_signal_with_nothing_in_it_or_a_number_without_end_is_a_negotiation_error() -> None:
    for raw in ("", '{"candidate":"x","sdpMLineIndex":%s}' % ("9" * 5000)):
        with pytest.raises(NegotiationError):
            decode_signal(RawJson(raw))


@pytest.mark.parametrize("kind", ['"rollback"', '""', "null", "1", '["offer"]', '{"a":1}'])
def test_a_signal_of_a_type_that_is_not_ours_is_none(kind: str) -> None:
    assert decode_signal(RawJson(f'{{"type":{kind},"sdp":1}}')) is None


@pytest.mark.parametrize(
    "raw",
    lines("""
        null
        {"candidate":null}
        {"candidate":""}
        {"candidate":" "}
        {"candidate":"candidate:"}
        {"candidate":"a=candidate:"}
    """),
)
def test_the_end_of_candidates_may_be_spelled_in_many_ways(raw: str) -> None:
    assert decode_signal(RawJson(raw)) == CandidateSignal(None)


@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:"])
@pytest.mark.parametrize("end", ["", " ", "\\r\\n"])
def test_a_candidate_may_carry_the_prefix_of_a_browser_or_of_a_description(
    prefix: str, end: str
) -> None:
    line = "1 1 udp 1 10.0.0.1 9 typ host"
    raw = RawJson(f'{{"candidate":"{prefix}{line}{end}"}}')
    assert decode_signal(raw) == CandidateSignal(line)


IMAGE = {"imageIndex": "1", "imageUrl": '"u"', "signedUrl": '"s"', "sentAt": "5"}
ACK = {"type": '"ack"', "sentAt": "5", "receivedAt": "6"}
NOT_A_NUMBER = [
    *("null", "true", "false", '"5"', "[5]", "{}", "NaN", "Infinity", "-Infinity", "1e999"),
    *("-1e999", "0x10", "1_000", "+5", "5.", ".5", "05", "9" * 5000),
]


def refused(fields: dict[str, str]) -> str:
    text = "{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}"
    with pytest.raises(WireError) as caught:
        decode_channel(text)
    assert (caught.value.code, caught.value.event) == (BAD, None)
    return caught.value.problem


@pytest.mark.parametrize("value", NOT_A_NUMBER)
def test_a_time_is_a_finite_json_number_and_nothing_else(value: str) -> None:
    refused(IMAGE | {"sentAt": value})
    refused(ACK | {"sentAt": value})
    refused(ACK | {"receivedAt": value})


def test_a_time_too_large_for_a_float_is_refused_however_it_is_spelled() -> None:
    # Whoever takes the difference of such a time and another would meet an OverflowError.
    refused(IMAGE | {"sentAt": "9" * 400})
    refused(ACK | {"receivedAt": "-" + "9" * 400})


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, "1.0", "1.5", "1e2"])
def test_an_index_is_a_whole_number_and_nothing_else(value: str) -> None:
    refused(IMAGE | {"imageIndex": value})
    if value != "null":
        refused(ACK | {"imageIndex": value})


@pytest.mark.parametrize("value", ["null", "1", "true", "[]", "{}"])
def test_a_url_is_a_string_and_nothing_else(value: str) -> None:
    assert refused(IMAGE | {"imageUrl": value}) == "message.imageUrl: expected a string"
    assert refused(IMAGE | {"signedUrl": value}) == "message.signedUrl: expected a string"


@pytest.mark.parametrize(
    ("fields", "field"),
    [*((IMAGE, field) for field in IMAGE), (ACK, "sentAt"), (ACK, "receivedAt")],
)
def test_a_missing_field_of_a_channel_message_is_named(fields: dict[str, str], field: str) -> None:
    rest = {key: value for key, value in fields.items() if key != field}
    assert refused(rest) == f"message.{field}: missing"


@pytest.mark.parametrize("kind", ['"dance"', '"Ready"', '""', "null", "1", '["ack"]', '{"a":1}'])
def test_a_channel_message_of_a_type_that_is_not_ours_is_none(kind: str) -> None:
    assert decode_channel(f'{{"type":{kind},"imageIndex":1}}') is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '"ready"', "{}", b'{"type":"ready"}'])
def test_what_is_no_object_is_no_channel_message(text: str | bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_channel(text)
    assert caught.value.code is BAD


# ── size and depth ───────────────────────────────────────────────────────────────────────────────


def test_a_frame_of_the_greatest_size_is_read_and_one_more_character_is_not() -> None:
    empty = REGISTER % ',"token":""'
    text = empty.replace('"token":"', '"token":"' + "x" * (MAX_FRAME - len(empty)))
    assert len(text) == MAX_FRAME
    assert isinstance(decode_to_relay(text), Register)
    with pytest.raises(WireError, match="longer than") as caught:
        decode_to_relay(text.replace('"token":"', '"token":"x'))
    assert caught.value.code is BAD


def test_a_channel_message_is_sent_up_to_the_greatest_size_and_refused_over_it() -> None:
    room = MAX_CHANNEL_MESSAGE - len(encode_channel(Image(1, "", "", 5)))
    text = encode_channel(Image(1, "x" * room, "", 5))
    assert len(text.encode()) == MAX_CHANNEL_MESSAGE
    assert isinstance(decode_channel(text), Image)
    with pytest.raises(MessageTooLarge, match="shorten"):
        encode_channel(Image(1, "x" * room, "x", 5))
    with pytest.raises(MessageTooLarge):  # counted in bytes, not in characters
        encode_channel(Image(1, "€" * (room // 2), "", 5))


@pytest.mark.parametrize("depth", [2_000, 9_000, 100_000])
@pytest.mark.parametrize("shape", ["[%s]", '{"a":%s}', '[{"a":%s}]'])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_gives_our_error_and_no_other(depth: int, shape: str, closed: bool) -> None:
    before, after = shape.split("%s")
    raw = before * depth + (f"1{after * depth}" if closed else "")
    frames = [
        raw,
        f'{{"event":"register","data":{raw}}}',
        REGISTER % f',"other":{raw}',
        f'{{"event":"webrtc_signal","data":{{"targetUserId":"a","signal":{raw}}}}}',
        f'{{"event":"webrtc_signal","data":{{"fromUserId":"a","signal":{raw}}}}}',
    ]
    for frame in frames:
        for decode in (decode_to_relay, decode_from_relay, decode_channel):
            with pytest.raises(WireError):
                decode(frame)
    with pytest.raises(NegotiationError):
        decode_signal(RawJson(raw))


def test_a_signal_nested_within_reason_passes() -> None:
    raw = "[" * 100 + "]" * 100
    frame = f'{{"event":"webrtc_signal","data":{{"targetUserId":"a","signal":{raw}}}}}'
    assert decode_to_relay(frame) == SendSignal("a", RawJson(raw))


# ── anything at all ──────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=8,
)
VALID = lines("""
    {"event":"register","data":{"userId":"a","role":"client","package":"webrtc","token":"t"}}
    {"event":"start_session","data":{"clientId":"c"}}
    {"event":"webrtc_signal","data":{"targetUserId":"c","signal":{"a":[1]},"sessionId":"s"}}
    {"event":"end_session","data":{"sessionId":"s"}}
    {"event":"registered","data":{"userId":"a","role":"client","iceServers":[{"urls":["u"]}]}}
    {"event":"registered","data":{"userId":"a","role":"client","clients":[{"userId":"c"}]}}
    {"event":"session_started","data":{"sessionId":"s","evaluatorId":"e","evaluatorName":"n"}}
    {"event":"webrtc_signal","data":{"fromUserId":"c","signal":null,"sessionId":"s"}}
    {"event":"presence","data":{"userId":"c","state":"busy"}}
    {"event":"session_ended","data":{"sessionId":"s","reason":"ended","byUserId":"e"}}
    {"event":"error","data":{"code":"bad_message","message":"m","event":"register"}}
    {"type":"offer","sdp":"v=0"}
    {"type":"request_offer"}
    {"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}
    {"imageIndex":1,"imageUrl":"u","signedUrl":"s","sentAt":5.5}
    {"type":"ready"}
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


@pytest.mark.parametrize(
    ("number", "accepted"), [(2**53, True), (2**53 + 1, False), (1e300, False)]
)
def test_numbers_go_as_far_as_every_language_keeps_them_apart(
    number: float, accepted: bool
) -> None:
    text = json.dumps({"type": "ack", "sentAt": number, "receivedAt": 0})
    if accepted:
        assert decode_channel(text) == Ack(number, 0)
    else:
        with pytest.raises(WireError, match=r"message\.sentAt"):
            decode_channel(text)


@pytest.mark.parametrize("field", ["imageUrl", "signedUrl"])
@pytest.mark.parametrize("url", ["http://h/\x1b[2J", "http://h/\n", "http://h/\ud800"])
def test_a_url_that_a_terminal_would_obey_is_refused(field: str, url: str) -> None:
    image = {"imageIndex": 0, "imageUrl": "http://h/", "signedUrl": "http://h/", "sentAt": 1}
    with pytest.raises(WireError, match=rf"message\.{field}: expected"):
        decode_channel(json.dumps({**image, field: url}))
