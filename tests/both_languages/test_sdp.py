"""Candidates and descriptions mean the same in both languages, as far as both read them."""

from __future__ import annotations

import random
import re

from imgsync.core.handshake.sdp import parse_candidate, parse_description
from tests.both_languages.replay import Replay, dice_of
from tests.core.handshake.test_sdp_candidates import OF_NO_USE, USABLE
from tests.core.handshake.test_sdp_sections import BUNDLED
from tests.kit.descriptions import AUDIO, CHROMIUM, REAL, place

RUNS = 500


def odd_line(dice: random.Random) -> str:
    """A line with a few words dropped, doubled or replaced."""
    lines = [*USABLE, *(line for some in OF_NO_USE.values() for line in some)]
    words = dice.choice(lines)[:400].split(" ")
    for _ in range(dice.randrange(3)):
        at = dice.randrange(len(words))
        others = dice.choice(lines)[:400].split(" ")
        words[at : at + dice.randrange(2)] = dice.choices(others, k=dice.randrange(3))
        words = words or ["1"]
    return " ".join(words)


def test_of_what_use_a_candidate_is(replay: Replay) -> None:
    lines = [*USABLE, *(line for some in OF_NO_USE.values() for line in some)]
    lines += [odd_line(dice) for _, dice in dice_of("candidates", RUNS)]
    expected = [parse_candidate(line).problem or None for line in lines]
    assert len({*expected}) == len(OF_NO_USE) + 1
    replay.compare("candidates", lines, expected, "candidates")


def test_which_section_of_a_description_is_the_data_channels(replay: Replay) -> None:
    declined = CHROMIUM[CHROMIUM.index("m=") :].replace("m=application 9", "m=application 0")
    declined = re.sub("a=max-message-size.*\r\n", "", declined)
    sizes = [
        CHROMIUM.replace("size:262144", f"size:{size}")
        for size in (0, 2**31 - 1, 2**31, 10**10, 2**64, 10**300)
    ]
    texts = [
        *(*REAL.values(), *sizes, BUNDLED, place(CHROMIUM, declined)),
        *(place(sdp, AUDIO) for sdp in REAL.values()),
        *(place(sdp, "", AUDIO) for sdp in REAL.values()),
        *(place(sdp, AUDIO, AUDIO * 2) for sdp in REAL.values()),
        *(place(sdp, declined.replace("mid:0", "mid:8"), AUDIO) for sdp in REAL.values()),
    ]
    expected = []
    for text in texts:
        found = parse_description("offer", text)
        size = re.findall("a=max-message-size:(.*)\r", found.sdp)
        expected.append([size[0], found.ufrag, found.mid, found.index])
    replay.compare("descriptions", texts, expected, "descriptions")
