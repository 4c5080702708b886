"""When a manifest is read again, because the time of its URLs may be over."""

from __future__ import annotations

from imgsync.core.channel.renewal import Renewal
from imgsync.core.protocol.numbers import EXPIRY_REASONS, RENEWAL_PAUSE
from tests.both_languages.replay import Replay

PAUSE = RENEWAL_PAUSE * 1000


def test_the_first_refusal_has_the_manifest_read_again_but_not_one_of_what_was_read_just_now(
    replay: Replay,
) -> None:
    refused = EXPIRY_REASONS[0]
    others = ("http_404", "timeout", "decode", "superseded", "")
    failures = [
        *((reason, 0) for reason in others),
        *((reason, PAUSE * number) for number, reason in enumerate(EXPIRY_REASONS)),
        *[(refused, PAUSE * 3 + 1), (refused, PAUSE * 4 - 1), (refused, PAUSE * 4)],
    ]
    renewal = Renewal()
    decided = [renewal.failed(*failure) for failure in failures]
    assert decided == [False] * 5 + [True] * 4 + [False, False, True]
    assert replay.run("renewal", failures) == decided
