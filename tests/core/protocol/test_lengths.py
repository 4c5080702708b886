"""How long a text may be: in characters, and in bytes of UTF-8."""

import json

import pytest

from imgsync.core.codec.codec import decode_to_relay, encode_event
from imgsync.core.handshake.outputs import Ended
from imgsync.core.handshake.telling import last_words
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.lengths import cut, fits
from imgsync.core.protocol.numbers import MAX_DETAIL, MAX_ID
from imgsync.core.protocol.signalling import EndReason

EMOJI = "\N{GRINNING FACE}"


@pytest.mark.parametrize("char", ["x", "é", "字", "\ud800"])
def test_a_text_of_what_scripts_of_today_have_has_as_many_characters_as_may_be(char: str) -> None:
    assert fits(char * 20, 20)
    assert not fits(char * 21, 20)
    assert cut(char * 21, 20) == char * 20
    assert cut(char * 20, 20) == char * 20


def test_one_of_emoji_alone_has_a_quarter_less() -> None:
    assert fits(EMOJI * 15, 20)
    assert not fits(EMOJI * 16, 20)
    assert cut(EMOJI * 30, 20) == EMOJI * 15
    # What is shorter otherwise has room for them.
    assert fits("x" * 6 + EMOJI * 13, 20)
    assert cut("x" * 3 + EMOJI * 17, 20) == "x" * 3 + EMOJI * 14
    assert cut("", 20) == ""


@pytest.mark.parametrize(
    ("user_id", "says"),
    [
        ("字" * MAX_ID, None),
        (EMOJI * (MAX_ID * 3 // 4), None),
        (EMOJI * (MAX_ID * 3 // 4 + 1), "expected at most 384 bytes in UTF-8"),
        ("字" * (MAX_ID + 1), "expected at most 128 characters"),
    ],
)
def test_a_user_id_is_bounded_in_both(user_id: str, says: str | None) -> None:
    frame = json.dumps({"event": "start_session", "data": {"clientId": user_id}})
    if says is None:
        decode_to_relay(frame)
    else:
        with pytest.raises(WireError, match=says):
            decode_to_relay(frame)


def test_a_detail_of_any_kind_is_cut_to_what_a_relay_takes() -> None:
    detail = f"{EMOJI * 10} " * 40
    message = last_words("s", Ended(EndReason.CONNECTION_LOST, detail), offers=True)
    assert message.detail is not None
    assert len(message.detail.encode()) > MAX_DETAIL * 3 - 45
    assert decode_to_relay(encode_event(message)) == message
