"""When a manifest is read again, because the time of its URLs may be over."""

from __future__ import annotations

from imgsync.core.channel.renewal import Renewal
from imgsync.core.protocol.numbers import EXPIRY_REASONS, RENEWAL_PAUSE
from tests.both_languages.replay import Replay

READ_AT = 1000
PAUSE = RENEWAL_PAUSE * 1000


def test_a_refusal_has_the_manifest_read_again_but_not_one_of_what_was_read_just_now(
    replay: Replay,
) -> None:
    refused, other = EXPIRY_REASONS[0], ("http_404", "timeout", "decode", "superseded", "")
    failures = [
        *[(refused, READ_AT + PAUSE - 1), *((reason, READ_AT + PAUSE) for reason in other)],
        *[(reason, READ_AT + PAUSE * number) for number, reason in enumerate(EXPIRY_REASONS, 1)],
        *[(refused, READ_AT + PAUSE * 5 - 1), (refused, READ_AT + PAUSE * 5)],
    ]
    renewal = Renewal(READ_AT)
    decided = [renewal.failed(*failure) for failure in failures]
    assert decided == [False] * 6 + [True] * 4 + [False, True]
    assert replay.run("renewal", failures) == decided
