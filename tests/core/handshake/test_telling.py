"""What others are told of an end: who it was, and neither addresses nor credentials."""

from __future__ import annotations

import pytest

from imgsync.core.codec.codec import decode_to_relay, encode_event
from imgsync.core.handshake.outputs import Ended
from imgsync.core.handshake.telling import last_words, plain
from imgsync.core.protocol.numbers import MAX_DETAIL
from imgsync.core.protocol.signalling import PEER_REASONS, EndReason, EndSession

SECRETS = [
    "192.0.2.1",
    "192.0.2.1:3478",
    "(192.0.2.1)",
    "2001:db8::1",
    "[fe80::1%eth0]:9",
    "::1",
    "5f1b3f9e-0a6c-4f0b-9f77-5d3b1a.local",
    "turn.example.org",
    "patient@example",
    "turn:host:3478?transport=udp",
    "turns:host",
    "https://h/7.png?sig=a",
    "ftp://h/7.png",
    "localhost:3478",
    "turn-1:443",
    "пример.рф",
    "klinik.例え",
    "2001:db8:0:0:0:0:0:1",
    "ice-pwd:0123456789012345678901",
    "0123456789012345678901234567=",
    "1767225600:patient-seven",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["{}", "of {} there", "'{}'", "a\n{}\tb"])
def test_a_detail_is_told_without_addresses_and_credentials(secret: str, form: str) -> None:
    told = plain(form.format(secret))
    assert secret not in told
    assert "(...)" in told
    assert ("there" in form) == ("there" in told)


@pytest.mark.parametrize(
    "text",
    [
        "no connection within 20 s: no path between the two was found",
        "the evaluator's TURN server refused the credentials (401)",
        "the answer can't be used: its SDP does not begin with v=0",
        "its a=setup leaves open who begins; RFC 8839, 5.1. Then this. And 1:2",
        "Sie war da: der Schluß. Ende, café.",
    ],
)
def test_what_is_said_in_plain_words_is_told_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "text", ["x " * 300, "\x00\x1b[31m red\u202e", "\ud800 half", "é" * 19 + " "]
)
def test_whatever_is_told_a_relay_takes(text: str) -> None:
    message = last_words("s", Ended(EndReason.CONNECTION_LOST, text), offers=True)
    assert len(message.detail or "") <= MAX_DETAIL
    assert decode_to_relay(encode_event(message)) == message


@pytest.mark.parametrize(
    ("offers", "ours", "theirs"), [(True, "evaluator", "client"), (False, "client", "evaluator")]
)
def test_a_side_is_called_by_its_name(offers: bool, ours: str, theirs: str) -> None:
    end = Ended(EndReason.CONNECT_TIMEOUT, "the other side's answer never came to this side")
    told = f"the {theirs}'s answer never came to the {ours}"
    assert last_words("s", end, offers=offers) == EndSession("s", EndReason.CONNECT_TIMEOUT, told)


@pytest.mark.parametrize("reason", PEER_REASONS)
def test_a_peers_reason_is_told_as_it_is(reason: EndReason) -> None:
    assert last_words("s", Ended(reason), offers=True) == EndSession("s", reason)


def test_who_has_lost_the_relay_tells_the_next_one_that_nothing_came_about() -> None:
    told = last_words("s", Ended(EndReason.SIGNALLING_LOST), offers=True)
    assert told.reason is EndReason.CONNECT_TIMEOUT
    assert told.detail == "the relay was lost meanwhile"
