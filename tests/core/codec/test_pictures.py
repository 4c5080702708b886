"""What is said on the channel of pictures: there and back, and whatever comes in."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.codec.pictures import decode_heads, decode_wants, encode_data
from imgsync.core.protocol.numbers import LARGE_CHUNK, MAX_DATA_TEXT
from imgsync.core.protocol.pictures import (
    CHUNK_HEADER,
    Chunk,
    Got,
    Head,
    Refused,
    Stop,
    Unreadable,
    Want,
    pack_chunk,
)
from tests.kit.wire_texts import LAW

HASH = sha256(b"").hexdigest()

WANTS: dict[str, Want | Got | Stop] = {
    "want": Want(1, "images/0a1b2c3d/a%20b.png", 0),
    "want from a byte on": Want(2**32 - 1, "a", 2**53 - 1, HASH),
    "got": Got(3, 16384),
    "stop": Stop(4),
}
HEADS: dict[str, Head | Refused] = {
    "picture": Head(1, 0, 20_000_000, "image/png", HASH),
    "refused": Refused(1, "not_offered", "no picture of this name was shown to you"),
    "refused without a word": Refused(1, "changed"),
}


@pytest.mark.parametrize("name", WANTS)
def test_what_a_client_says_comes_back_as_it_was(name: str) -> None:
    assert decode_wants(encode_data(WANTS[name])) == WANTS[name]
    assert isinstance(decode_heads(encode_data(WANTS[name])), Unreadable)


@pytest.mark.parametrize("name", HEADS)
def test_what_an_evaluator_says_comes_back_as_it_was(name: str) -> None:
    assert decode_heads(encode_data(HEADS[name])) == HEADS[name]
    assert isinstance(decode_wants(encode_data(HEADS[name])), Unreadable)


def test_a_chunk_has_its_want_and_its_offset_in_front_in_network_order() -> None:
    packed = pack_chunk(1, 258, b"xyz")
    assert packed == b"\0\0\0\1\0\0\0\0\0\0\1\2xyz"
    assert decode_heads(packed) == Chunk(1, 258, b"xyz")
    largest = pack_chunk(2**32 - 1, 2**53, bytes(LARGE_CHUNK))
    assert decode_heads(largest) == Chunk(2**32 - 1, 2**53, bytes(LARGE_CHUNK))


@pytest.mark.parametrize("size", [0, 1, CHUNK_HEADER, CHUNK_HEADER + LARGE_CHUNK + 1])
def test_a_binary_message_of_another_size_is_no_chunk(size: int) -> None:
    assert isinstance(decode_heads(bytes(size)), Unreadable)


def test_what_is_optional_may_be_null_and_what_is_unknown_is_ignored() -> None:
    text = '{"type":"want","id":1.0,"imageUrl":"a","offset":5e0,"sha256":null,"more":[]}'
    assert decode_wants(text) == Want(1, "a", 5)
    assert decode_heads('{"type":"refused","id":1,"reason":"r","detail":null}') == Refused(1, "r")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 0),
        ("id", 2**32),
        ("id", "1"),
        ("id", True),
        ("offset", -1),
        ("length", 1.5),
        ("length", 2**53),
        ("contentType", "a\nb"),
        ("contentType", "x" * 129),
        ("sha256", HASH.upper()),
        ("sha256", HASH[:-1]),
        ("sha256", HASH + "\n"),
        ("sha256", None),
    ],
)
def test_a_field_that_makes_no_sense_is_named_and_its_value_is_not(
    field: str, value: object
) -> None:
    fields = {"id": 1, "offset": 0, "length": 1, "contentType": "image/png", "sha256": HASH}
    said = decode_heads(json.dumps({"type": "picture", **fields, field: value}))
    assert isinstance(said, Unreadable)
    assert said.why.startswith(f"message.{field}: ")
    assert HASH[:-1] not in said.why.lower()


@pytest.mark.parametrize("key", ["é", "\\ud800"])
def test_a_text_is_measured_before_it_is_read(key: str) -> None:
    text = '{"type":"stop","id":1,"x":"' + key * MAX_DATA_TEXT + '"}'
    assert decode_wants(text) == Unreadable(f"longer than {MAX_DATA_TEXT} characters")


@given(st.binary(max_size=64) | st.text(max_size=64))
@LAW
def test_whatever_comes_is_read_or_is_not(message: str | bytes) -> None:
    for decode in (decode_wants, decode_heads):
        said = decode(message)
        assert isinstance(said, Unreadable | Chunk)
