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


def test_what_is_refused_while_a_console_reads_the_manifest_again_is_shown_under_its_new_url(
    replay: Replay,
) -> None:
    def signed(signature: str) -> list[dict[str, str]]:
        urls = [f"http://h/{name}.png" for name in "ab"]
        return [{"imageUrl": url, "signedUrl": f"{url}?s={signature}"} for url in urls]

    first, second = signed("1"), signed("2")
    refused = EXPIRY_REASONS[0]
    went_on = [["show", 0], ["failed", refused], ["show", 1], ["read", second]]
    told = replay.run("selection", went_on, images=first)
    assert told == [[first[0]["signedUrl"]], [], [first[1]["signedUrl"]], [second[1]["signedUrl"]]]
    # What has no other URL is not shown again.
    told = replay.run("selection", [*went_on[:3], ["read", first]], images=first)
    assert told[-1] == []
