"""What comes in before our own side of the channel is open."""

import pytest

from imgsync.core.channel.early import Early
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Identity, Response, ResponseKind, Stage, StageKind
from imgsync.core.protocol.numbers import (
    MAX_CHANNEL_MESSAGE,
    MAX_EARLY,
    MAX_EARLY_TEXT,
    MAX_IDENTITIES,
    MAX_RESPONSES_KEPT,
    MAX_STAGES,
)
from tests.kit.channels import READY


def test_it_waits_in_its_order_and_what_comes_later_does_not() -> None:
    early = Early()
    assert [early.come(text, at) for at, text in enumerate(("a", "b", ""))] == [[], [], []]
    assert early.opened() == [("a", 0), ("b", 1), ("", 2)]
    assert early.come("c", 3) == [("c", 3)]
    assert early.come(b"d", 4) == [(b"d", 4)]
    assert early.opened() == []


def test_all_that_an_honest_client_says_first_is_kept() -> None:
    early = Early()
    stages = [
        encode_channel(
            Stage(
                *(number, 1.7e12 + number / 3, StageKind.HIDDEN, 1.7e12 + number / 7),
                reason="exposure_over",
                frames=12,
                dropped=0,
            )
        )
        for number in range(MAX_STAGES)
    ]
    identities = [
        encode_channel(Identity(number, 1.7e12 + number / 3, "0a" * 32, "image/png", 10**6, 999, 9))
        for number in range(MAX_IDENTITIES)
    ]
    taps = [
        Response(
            *(number, 1.7e12 + number / 3, number, 1.7e12 + number / 7, ResponseKind.TAP),
            *("picture", 1000 / 3, 50 / 3, 1000 / 7, 1000 / 3),
        )
        for number in range(1, MAX_RESPONSES_KEPT + 1)
    ]
    said = [READY, *stages, *identities, *map(encode_channel, taps)]
    for text in said:
        early.come(text, 0)
    assert [text for text, _ in early.opened()] == said


@pytest.mark.parametrize("text", ["", "x", "x" * 1000, "x" * MAX_CHANNEL_MESSAGE, b"x"])
def test_who_floods_before_the_opening_does_not_make_us_grow(text: str | bytes) -> None:
    early = Early()
    for _ in range(10_000):
        early.come(text, 0)
    kept = early.opened()
    assert len(kept) <= MAX_EARLY
    assert sum(len(one) for one, _ in kept) <= MAX_EARLY_TEXT
