"""When a study that runs by itself goes on to its next entry.

An entry is over when what was asked of it has come: its time on the screen, an answer, or both. An
answer that ends it does so whatever its time is, and so does any answer to a text.

    time over ─┬─ no answer is asked ──────────▶ go on        failed ──▶ go on
               └─ one has come, or is waited for            an answer that ends it ──▶ go on

The client takes an image away by itself, and says so; of one that does not speak `exposure`, or
tells no stages, the time is taken here. Who can't tell of answers is not waited for: its entry is
over with its time, and one without a time stays until the evaluator goes on. An image that failed
because nobody looks may be seen yet, and is waited for. One whose time was cut short because nobody
looks does not come again, and nothing more of it is waited for; one that was hidden for another
reason, as a window that changed its size, may end its time unseen, of which clients say nothing: it
is over as long after that as the whole of its time.
"""

import math
from collections.abc import Iterable

from imgsync.core.protocol.channel import StageKind, is_failure
from imgsync.core.protocol.numbers import (
    EXPOSURE_OVER,
    FEATURE_EXPOSURE,
    FEATURE_RESPONSE,
    FEATURE_SIZE,
    FEATURE_STAGE,
    FEATURE_TEXT,
    HIDDEN_TAB,
    USUAL_REFRESH,
)
from imgsync.core.protocol.signalling import Features
from imgsync.core.protocol.trials import Trial
from imgsync.core.study.sizes import asks_size


def exposure_of(trial: Trial) -> float | None:
    """Milliseconds that an image is asked to be up, where a frame is one of 60 Hz."""
    return trial.show_for if trial.frames is None else 1000 * trial.frames / USUAL_REFRESH


def ends_by_itself(trial: Trial | None) -> bool:
    """Whether something can end it: its time, an answer that does, or any answer to a text."""
    if trial is None:
        return False
    ends = trial.respond is not None and trial.respond.ends
    return ends or trial.text is not None or exposure_of(trial) is not None


def needs_of(trials: Iterable[Trial | None]) -> list[str]:
    """Which extensions a client has to speak for all of these."""
    asked = [trial for trial in trials if trial is not None]
    needs = {
        FEATURE_EXPOSURE: any(exposure_of(one) is not None for one in asked),
        FEATURE_RESPONSE: any(_asks_for_answer(one) for one in asked),
        FEATURE_TEXT: any(one.text is not None for one in asked),
        FEATURE_SIZE: any(asks_size(one) for one in asked),
    }
    return [feature for feature, is_needed in needs.items() if is_needed]


def _asks_for_answer(trial: Trial) -> bool:
    return trial.respond is not None or (trial.text is not None and exposure_of(trial) is None)


class Entry:
    """One entry of a study, from when it is to be shown. Times are ms on one clock of ours.

    :param trial: what is asked; something ends it.
    :param spoken: what the client says that it speaks.
    """

    def __init__(self, trial: Trial, spoken: Features, now: float) -> None:
        self._exposure = exposure_of(trial)
        self._is_timed_here = not {FEATURE_EXPOSURE, FEATURE_STAGE} <= set(spoken)
        self._awaits_answer = _asks_for_answer(trial) and FEATURE_RESPONSE in spoken
        self._ends = trial.text is not None or (trial.respond is not None and trial.respond.ends)
        self._is_answered = self._is_exposed = self._has_failed = False
        #: When to call `tick`.
        self.due = math.inf
        if FEATURE_STAGE not in spoken:
            self._begin_exposure(now)

    @property
    def is_over(self) -> bool:
        """Whether to go on."""
        is_enough = self._is_exposed and (self._is_answered or not self._awaits_answer)
        return self._has_failed or is_enough or (self._is_answered and self._ends)

    def staged(self, stage: StageKind, reason: str | None, now: float) -> bool:
        """The client tells a stage of it. Returns whether to go on."""
        match stage:
            case StageKind.SHOWN if self._is_timed_here:
                self._begin_exposure(now)
            case StageKind.HIDDEN if reason == EXPOSURE_OVER:
                self._is_exposed = True
            case StageKind.HIDDEN if not self._is_timed_here and self._exposure is not None:
                self._cut_short(reason, now)
            case StageKind.FAILED if reason != HIDDEN_TAB and is_failure(reason, was_shown=False):
                self._has_failed = True
        return self.is_over

    def responded(self) -> bool:
        """The participant has answered it. Returns whether to go on."""
        self._is_answered = True
        return self.is_over

    def refused(self) -> bool:
        """It can't be sent to this client. Returns whether to go on."""
        self._has_failed = True
        return self.is_over

    def tick(self, now: float) -> bool:
        """`due` has come. Returns whether to go on."""
        if now >= self.due:
            self._is_exposed, self.due = True, math.inf
        return self.is_over

    def _cut_short(self, reason: str | None, now: float) -> None:
        if reason == HIDDEN_TAB:
            self._has_failed = True
        else:
            self._begin_exposure(now)

    def _begin_exposure(self, now: float) -> None:
        if self._exposure is not None and self.due == math.inf and not self._is_exposed:
            self.due = now + self._exposure
