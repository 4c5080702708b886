"""What is said of an end, to the other side and to people: both languages have the same words."""

from __future__ import annotations

import random

import pytest

from imgsync.core.codec.strict import unstructure
from imgsync.core.handshake.outputs import Ended
from imgsync.core.handshake.telling import last_words, plain
from imgsync.core.protocol.signalling import EndReason
from tests.both_languages.replay import Replay, dice_of
from tests.core.handshake.test_telling import SECRETS

PIECES = [
    *SECRETS,
    *(
        "the other side",
        "this side",
        "its port is 0",
        "é",
        "\x1b[31m",
        "\n",
        "  ",
        "\u2028",
        "😀" * 21,
        "字" * 19 + " ",
        "😀" * 19 + " ",
    ),
    *("İ.example", "1.2.3.4.5", "a:b", ":f00:", "K.com", "\u00a0", "ß" * 20, "(401)", "²·³·⁴"),
]


def test_what_is_told_is_the_same(replay: Replay) -> None:
    for run, dice in dice_of("details", 200):
        details = ["".join(pieces(dice)) for _ in range(10)]
        ends = [(dice.choice([*EndReason]), detail) for detail in details]
        assert replay.run("plain", details) == [plain(detail) for detail in details]
        for offers in (True, False):
            inputs = [[reason.value, detail, offers] for reason, detail in ends]
            expected = [
                unstructure(last_words("s", Ended(reason, detail), offers=offers))
                for reason, detail in ends
            ]
            replay.compare("lastWords", inputs, expected, run)


def pieces(dice: random.Random) -> list[str]:
    found = []
    for _ in range(dice.randrange(30)):
        found += [dice.choice(PIECES), dice.choice([" ", " ", ""])]
    return found


@pytest.mark.parametrize("page", ["client", "console"])
def test_each_page_has_one_sentence_for_each_reason(replay: Replay, page: str) -> None:
    asked = [[page, reason.value, "", was] for reason in EndReason for was in (True, False)]
    said = [str(words) for words in replay.run("ends", asked)]
    assert all(len(words) > 10 and "undefined" not in words for words in said)
    connected, never = said[::2], said[1::2]
    assert len({*connected}) == len(EndReason)
    # An end in good order before there was anything is not told as one.
    differ = [one for one, a, b in zip(EndReason, connected, never, strict=True) if a != b]
    assert differ == [EndReason.ENDED]
    assert "Thank you" not in never[0]
    assert "good order" not in never[0]


@pytest.mark.parametrize("page", ["client", "console"])
def test_a_page_says_what_has_failed_in_its_detail(replay: Replay, page: str) -> None:
    failures = ("connection_lost", "connect_timeout", "negotiation_failed", "unsupported")
    for words in replay.run("ends", [[page, reason, "no path", False] for reason in failures]):
        assert "(no path)" in str(words)
