"""When a study that runs by itself goes on, and what would never end."""

from __future__ import annotations

import math

import pytest

from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.numbers import ANSWERED, EXPOSURE_OVER, FEATURES, HIDDEN_TAB, SUPERSEDED
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.core.study.running import Entry, ends_by_itself

ALL = (*FEATURES, "exposure", "response", "text")
KEYS = Respond(("f", "j"))
ENDING = Respond(("f", "j"), ends=True)


def entry_of(trial: Trial, spoken: tuple[str, ...] = ALL) -> Entry:
    entry = Entry(trial, spoken, 1000)
    assert not entry.staged(StageKind.FETCHED, None, 1010)
    assert not entry.staged(StageKind.SHOWN, None, 1020)
    return entry


def test_an_image_without_a_question_is_over_when_the_client_has_taken_it_away() -> None:
    entry = entry_of(Trial(show_for=500))
    assert entry.due == math.inf
    assert entry.staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)


def test_a_time_that_is_cut_short_because_nobody_looks_holds_nothing_up() -> None:
    assert entry_of(Trial(show_for=500)).staged(StageKind.HIDDEN, HIDDEN_TAB, 1100)
    assert entry_of(Trial(frames=30, respond=KEYS)).staged(StageKind.HIDDEN, HIDDEN_TAB, 1100)
    # What has no time comes again, and so it does where the time is taken here.
    assert not entry_of(Trial(text="Ready?")).staged(StageKind.HIDDEN, HIDDEN_TAB, 1100)
    assert not entry_of(Trial(show_for=500), FEATURES).staged(StageKind.HIDDEN, HIDDEN_TAB, 1100)


def test_a_time_that_ends_while_a_window_changes_its_size_is_over_all_the_same() -> None:
    entry = entry_of(Trial(show_for=500))
    assert not entry.staged(StageKind.HIDDEN, "resized", 1400)
    assert entry.due == 1900
    assert not entry.staged(StageKind.SHOWN, None, 1600)
    assert entry.tick(1900)
    sooner = entry_of(Trial(show_for=500))
    assert not sooner.staged(StageKind.HIDDEN, "resized", 1400)
    assert sooner.staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)


def test_an_answer_that_ends_an_image_is_its_end_before_its_time_is_over_and_after() -> None:
    assert entry_of(Trial(respond=ENDING)).responded()
    assert entry_of(Trial(show_for=500, respond=ENDING)).responded()
    late = entry_of(Trial(show_for=500, respond=ENDING))
    assert not late.staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)
    assert late.responded()


def test_what_is_hidden_because_it_was_answered_is_over_with_the_answer_itself() -> None:
    entry = entry_of(Trial(respond=ENDING))
    assert not entry.staged(StageKind.HIDDEN, ANSWERED, 1300)
    assert entry.responded()


def test_an_answer_that_does_not_end_an_image_lets_it_have_its_time() -> None:
    entry = entry_of(Trial(frames=30, respond=KEYS))
    assert not entry.responded()
    assert entry.staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)


def test_a_text_is_over_with_any_answer_or_with_its_time_where_it_has_one() -> None:
    assert entry_of(Trial(text="Ready?")).responded()
    assert entry_of(Trial(text="Ready?", respond=KEYS)).responded()
    assert entry_of(Trial(text="+", show_for=500)).staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)


def test_the_time_is_taken_here_for_a_client_that_does_not_keep_to_it() -> None:
    entry = entry_of(Trial(frames=30), FEATURES)
    assert entry.due == 1520
    assert not entry.tick(1519)
    assert entry.tick(1520)
    # One that tells no stages is not waited for either.
    silent = Entry(Trial(show_for=500), ("exposure",), 1000)
    assert silent.due == 1500
    assert silent.tick(1500)


def test_who_can_not_tell_of_answers_is_not_waited_for_where_there_is_a_time() -> None:
    timed = entry_of(Trial(show_for=500, respond=KEYS), (*FEATURES, "exposure"))
    assert timed.staged(StageKind.HIDDEN, EXPOSURE_OVER, 1520)


@pytest.mark.parametrize("reason", ["http_404", "decode", None])
def test_an_image_that_can_not_be_shown_does_not_hold_up_the_study(reason: str | None) -> None:
    entry = Entry(Trial(respond=ENDING), ALL, 1000)
    assert entry.staged(StageKind.FAILED, reason, 1100)
    assert Entry(Trial(respond=ENDING), ALL, 1000).refused()


@pytest.mark.parametrize("reason", [HIDDEN_TAB, SUPERSEDED])
def test_an_image_that_nobody_has_looked_at_is_waited_for(reason: str) -> None:
    entry = Entry(Trial(show_for=500), ALL, 1000)
    assert not entry.staged(StageKind.FAILED, reason, 1100)


def test_what_has_no_time_and_no_answer_that_ends_it_never_ends() -> None:
    assert not any(map(ends_by_itself, [None, Trial(), Trial(respond=KEYS)]))
    assert all(map(ends_by_itself, [Trial(show_for=1), Trial(frames=1), Trial(text="+")]))
    assert ends_by_itself(Trial(respond=ENDING))
