"""A page's own SHA-256 is the one that everybody else has."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from tests.both_languages.replay import Replay, dice_of

RUNS = 200
EDGES = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129]
"""Sizes about those where the last block has no room for the length."""


def test_bytes_have_the_same_hash_whatever_parts_they_come_in(replay: Replay) -> None:
    wholes, inputs = [], []
    for run, dice in dice_of("hashes", RUNS):
        size = EDGES[run] if run < len(EDGES) else dice.randrange(dice.choice([200, 50_000]))
        whole = dice.randbytes(size)
        cuts = sorted(dice.randrange(size + 1) for _ in range(dice.randrange(6)))
        ends = zip([0, *cuts], [*cuts, size], strict=True)
        inputs.append([b64encode(whole[start:end]).decode() for start, end in ends])
        wholes.append(whole)
    expected = [hashlib.sha256(whole).hexdigest() for whole in wholes]
    replay.compare("hashes", inputs, expected, "hashes")
