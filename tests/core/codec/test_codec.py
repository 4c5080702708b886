"""What comes in from outside: a signal passes to the letter, and size and depth have their bounds.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.codec.codec import (
    MAX_FRAME,
    decode_channel,
    decode_from_relay,
    decode_signal,
    decode_to_relay,
    encode_channel,
    encode_event,
)
from imgsync.core.protocol.channel import Image
from imgsync.core.protocol.errors import MessageTooLarge, NegotiationError, WireError
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE
from imgsync.core.protocol.signalling import ForwardedSignal, RawJson, Register, SendSignal
from tests.kit.wire_texts import BAD, LAW, RAW_JSON, REGISTER, SPACE, lines

# ── signal, to the letter ────────────────────────────────────────────────────────────────────────


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


# The parser of each Python has a limit of its own: 3.13's is above 9,000 levels, and 3.15's goes by
# the room on the stack, so that there 20,000 may pass, in what nobody reads or as it came.
@pytest.mark.parametrize("depth", [20_000, 100_000])
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
            try:
                message = decode(frame)
            except WireError:
                continue
            assert (depth, closed) == (20_000, True)
            if isinstance(message, SendSignal | ForwardedSignal):
                assert raw in encode_event(message)
            else:
                assert isinstance(message, Register)
    with pytest.raises(NegotiationError):
        decode_signal(RawJson(raw))


def test_a_signal_nested_within_reason_passes() -> None:
    raw = "[" * 100 + "]" * 100
    frame = f'{{"event":"webrtc_signal","data":{{"targetUserId":"a","signal":{raw}}}}}'
    assert decode_to_relay(frame) == SendSignal("a", RawJson(raw))
