"""When the other side's consent is asked for, and when it is over."""

import pytest

from imgsync.core.handshake.consent import EXPIRES, PERIOD, Consent


def test_a_question_comes_every_four_to_six_seconds() -> None:
    consent = Consent(100.0)
    for place, pause in ((0.0, 4.0), (0.5, PERIOD), (1.0, 6.0)):
        consent.asked(100.0, place)
        assert consent.due == pytest.approx(100.0 + pause)


def test_it_is_over_half_a_minute_after_the_last_answer() -> None:
    consent = Consent(100.0)
    assert consent.expires_at == 100.0 + EXPIRES
    consent.answered(107.0)
    consent.asked(108.0, 0.5)
    assert consent.expires_at == 107.0 + EXPIRES == 137.0
