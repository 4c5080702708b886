"""What the evaluator notes of an image while it is shown: a score, a remark."""

import math

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import MAX_MARK
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.images.ref import ImageRef


@attrs.frozen
class Mark:
    """A note of the evaluator's. Raises InputError for one that says nothing, or too much.

    :param image: what was shown then; None before the first.
    :param sent_at: of that showing; evaluator's clock, ms since the epoch.
    :param at: when it was made; evaluator's clock, ms since the epoch.
    :param score: a number of the evaluator's own scale.
    :param text: a remark.
    """

    image: ImageRef | None
    sent_at: Milliseconds | None
    at: Milliseconds
    score: float | None = None
    text: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.score is None and self.text is None:
            raise InputError("a mark has a score, a text, or both")
        if self.score is not None and not math.isfinite(self.score):
            raise InputError("a score is a number")
        if self.text is not None and not (self.text and fits(self.text, MAX_MARK)):
            raise InputError(f"the text of a mark has 1 to {MAX_MARK} characters")
