"""What became of the images of a series: counts for its summary, and why it was not all good.

An image was shown if the client says that it was on a screen, and has failed if it says so, for
another reason than that a later image took its place. One that failed because nobody looked, and
was looked at later, has not.
"""

from collections import Counter

import attrs

from imgsync.commands.reasons import advice_on
from imgsync.core.protocol.channel import StageKind, is_failure
from imgsync.core.protocol.numbers import HIDDEN_TAB, SUPERSEDED
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.evaluator.delivery import StageReport


@attrs.define(eq=False)
class Showing:
    """One time that an image was to be shown.

    :param asked_at: not later than its `sentAt`, and later than that of the one before.
    :param missed: why it was not acked, in a word and for people.
    """

    number: int
    index: int
    asked_at: Milliseconds
    is_acked: bool = False
    is_told_of: bool = False
    is_shown: bool = False
    failed: str | None = None
    missed: tuple[str, str] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the client will hardly say more of it."""
        return self.is_shown or self.failed not in (None, HIDDEN_TAB)

    @property
    def is_failed(self) -> bool:
        """Whether it came to nothing at the client, and not because of another image."""
        return self.failed is not None and is_failure(self.failed, was_shown=self.is_shown)

    @property
    def is_superseded(self) -> bool:
        """Whether another image took its place, before it was acked or before it was up."""
        words = (self.failed, None if self.missed is None else self.missed[0])
        return SUPERSEDED in words

    @property
    def trouble(self) -> str | None:
        """Why it is not as it should be, for people; None if it is."""
        if self.is_failed:
            assert self.failed is not None
            advice = advice_on(self.failed)
            return self.failed if advice is None else f"{self.failed} ({advice})"
        if self.missed is not None:
            return self.missed[1]
        return None if self.is_acked else "no ack was waited for"


class Score:
    """Of all images of a series, in the order in which they were to be shown."""

    def __init__(self) -> None:
        self.showings: list[Showing] = []

    def begin(self, index: int, asked_at: Milliseconds) -> Showing:
        """An image goes out."""
        showing = Showing(len(self.showings), index, asked_at)
        self.showings.append(showing)
        return showing

    def take(self, report: StageReport) -> None:
        """The client says what became of one."""
        showing = self._find(report)
        if showing is None:
            return
        showing.is_told_of = True
        showing.is_shown = showing.is_shown or report.stage is StageKind.SHOWN
        if report.stage is StageKind.FAILED:
            showing.failed = showing.failed or report.reason or "failed"

    def forgive(self, report: StageReport) -> None:
        """Its URL had expired, and it is shown again under another one."""
        showing = self._find(report)
        if showing is not None:
            showing.failed = None

    def _find(self, report: StageReport) -> Showing | None:
        for showing in reversed(self.showings):
            if showing.asked_at <= report.sent_at and showing.index == report.image.index:
                return showing
        return None

    @property
    def is_all_told(self) -> bool:
        """Whether something was said of all that were acked."""
        return all(showing.is_told_of for showing in self.showings if showing.is_acked)

    @property
    def superseded(self) -> tuple[int, ...]:
        """Indices."""
        return tuple(showing.index for showing in self.showings if showing.is_superseded)

    def complaint(self, client_id: str) -> str | None:
        """What is not as it should be, and the likeliest reason.

        None if all were acked, and none has failed.
        """
        troubles = [one.trouble for one in self.showings if one.trouble is not None]
        if not troubles:
            return None
        failed = sum(showing.is_failed for showing in self.showings)
        missed = sum(not showing.is_acked for showing in self.showings)
        parts = [f"{failed} failed"] * bool(failed) + [f"{missed} were not acked"] * bool(missed)
        [(likeliest, _)] = Counter(troubles).most_common(1)
        count = len(self.showings)
        return f"of {count} images {' and '.join(parts)} by {client_id}: {likeliest}"
