"""Signals and channel messages of the other peer that are not as they should be."""

import json
from typing import Any

import pytest

from imgsync.core.codec.codec import decode_channel, decode_signal, encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Image,
    Ping,
    Pong,
    Preload,
    Ready,
    Stage,
    StageKind,
    UpcomingImage,
)
from imgsync.core.protocol.errors import CandidateError, NegotiationError, WireError
from imgsync.core.protocol.signalling import CandidateSignal, RawJson
from tests.kit.wire_texts import BAD, lines


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
    """),
)
def test_a_signal_that_makes_no_sense_is_a_negotiation_error(raw: str) -> None:
    with pytest.raises(NegotiationError, match=r"^the other side sent an unreadable signal: ."):
        decode_signal(RawJson(raw))


@pytest.mark.parametrize(
    "raw",
    lines(r"""
        {"candidate":1}
        {"candidate":false}
        {"candidate":{"candidate":"x"}}
        {"candidate":"\ud800"}
        {"candidate":"x","usernameFragment":1}
        {"candidate":null,"usernameFragment":["x"]}
        {"type":null,"candidate":1}
    """),
)
def test_a_candidate_that_makes_no_sense_has_an_error_of_its_own(raw: str) -> None:
    with pytest.raises(CandidateError, match=r"^ignored a candidate that can't be read: signal\."):
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


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "1e300", '"0"', "true", "[]", "{}", "null"])
def test_where_a_candidate_says_that_it_belongs_is_read_by_nobody(value: str) -> None:
    raw = f'{{"candidate":"x","sdpMid":{value},"sdpMLineIndex":{value},"type":null,"sdp":null}}'
    signal = decode_signal(RawJson(raw))
    assert isinstance(signal, CandidateSignal)
    assert signal.candidate == "x"


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
PING = {"type": '"ping"', "id": "1", "t0": "5"}
PONG = {"type": '"pong"', "id": "1", "t0": "5", "t1": "6", "t2": "7"}
PING_TEXT = '{"type":"ping","id":%s,"t0":5}'
PONG_TEXT = '{"type":"pong","id":%s,"t0":5,"t1":6,"t2":7}'
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
    refused(PING | {"t0": value})
    for field in ("t0", "t1", "t2"):
        refused(PONG | {field: value})


def test_a_time_too_large_for_a_float_is_refused_however_it_is_spelled() -> None:
    # Whoever takes the difference of such a time and another would meet an OverflowError.
    refused(IMAGE | {"sentAt": "9" * 400})
    refused(ACK | {"receivedAt": "-" + "9" * 400})


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, "1.5", "1e-2", "1e16", "-1e16"])
def test_an_index_is_a_whole_number_and_nothing_else(value: str) -> None:
    refused(IMAGE | {"imageIndex": value})
    if value != "null":
        refused(ACK | {"imageIndex": value})


@pytest.mark.parametrize(
    "value", [*NOT_A_NUMBER, "1.5", str(2**53), "1e16", '"a\\n"', f'"{"x" * 129}"']
)
def test_the_id_of_a_ping_is_a_whole_number_or_a_short_printable_text(value: str) -> None:
    if value != '"5"':
        refused(PING | {"id": value})
        refused(PONG | {"id": value})


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *(("1.0", 1), ("-3.0", -3), ("0.0", 0), ("-0.0", 0), ("1e2", 100), ("12.50e1", 125)),
        *(("9007199254740991.0", 2**53 - 1), ("-9007199254740991.0", 1 - 2**53)),
    ],
)
def test_a_whole_number_may_have_a_point_and_an_exponent(value: str, number: int) -> None:
    id = (decode_channel(PING_TEXT % value), decode_channel(PONG_TEXT % value))
    assert id == (Ping(number, 5), Pong(number, 5, 6, 7))
    ack = decode_channel(f'{{"type":"ack","sentAt":5,"receivedAt":6,"imageIndex":{value}}}')
    assert ack == Ack(5, 6, number)
    assert isinstance(ack, Ack)
    assert type(ack.image_index) is int


def test_null_is_as_good_as_nothing_where_nothing_is_good() -> None:
    null: dict[str, Any] = {"imageUrl": None, "signedUrl": None, "images": None, "id": None}
    for text, message in {
        '{"type":"ready","features":null}': Ready(),
        '{"type":"ack","sentAt":5,"receivedAt":6,"imageIndex":null}': Ack(5, 6),
        '{"type":"stage","imageIndex":1,"sentAt":5,"stage":"shown","at":6,"reason":null}': Stage(
            1, 5, StageKind.SHOWN, 6
        ),
        '{"type":null,"imageIndex":1.0,"imageUrl":"u","signedUrl":"s","sentAt":5.0}': Image(
            1, "u", "s", 5
        ),
    }.items():
        assert decode_channel(text) == message
        assert decode_channel(json.dumps({**null, **json.loads(text)})) == message


@pytest.mark.parametrize(
    "value", ['"ping"', "1.0", "1", "true", "{}", "[1]", "[null]", '[["ping"]]']
)
def test_features_are_a_list_of_strings_and_nothing_else(value: str) -> None:
    assert refused({"type": '"ready"', "features": value}).startswith("message.features")


@pytest.mark.parametrize("said", ["", ',"features":[]'])
def test_a_ready_that_names_no_features_speaks_none(said: str) -> None:
    assert decode_channel(f'{{"type":"ready"{said}}}') == Ready()


@pytest.mark.parametrize("value", ["null", "1", "true", "[]", "{}"])
def test_a_url_is_a_string_and_only_the_signed_one_may_be_null(value: str) -> None:
    assert refused(IMAGE | {"imageUrl": value}) == "message.imageUrl: expected a string"
    if value != "null":
        assert refused(IMAGE | {"signedUrl": value}) == "message.signedUrl: expected a string"


@pytest.mark.parametrize("said", [{}, {"signedUrl": None}])
def test_an_image_without_a_signed_url_has_none_and_null_is_written_for_it(
    said: dict[str, None],
) -> None:
    image = {"imageIndex": 1, "imageUrl": "u", "sentAt": 5}
    assert decode_channel(json.dumps(image | said)) == Image(1, "u", None, 5)
    assert json.loads(encode_channel(Image(1, "u", None, 5))) == image | {"signedUrl": None}
    preload = decode_channel(json.dumps({"type": "preload", "images": [{"imageUrl": "u"} | said]}))
    assert preload == Preload((UpcomingImage("u", None),))


NEEDED = [(IMAGE, "imageIndex"), (IMAGE, "imageUrl"), (IMAGE, "sentAt")] + [
    (fields, field) for fields in (ACK, PING, PONG) for field in fields if field != "type"
]


@pytest.mark.parametrize(("fields", "field"), NEEDED)
def test_a_missing_field_of_a_channel_message_is_named(fields: dict[str, str], field: str) -> None:
    rest = {key: value for key, value in fields.items() if key != field}
    assert refused(rest) == f"message.{field}: missing"


@pytest.mark.parametrize("kind", ['"dance"', '"Ready"', '""', "false", "1", '["ack"]', '{"a":1}'])
def test_a_channel_message_of_a_type_that_is_not_ours_is_none(kind: str) -> None:
    assert decode_channel(f'{{"type":{kind},"imageIndex":1}}') is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '"ready"', "{}", b'{"type":"ready"}'])
def test_what_is_no_object_is_no_channel_message(text: str | bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_channel(text)
    assert caught.value.code is BAD


@pytest.mark.parametrize(
    ("number", "accepted"), [(2**53 - 1, True), (2**53, False), (1e300, False)]
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
