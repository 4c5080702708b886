"""How long each timer that a handshake asks for runs, and what is called then."""

from collections.abc import Callable
from functools import partial
from typing import assert_never

from imgsync.backoff import backoff
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.outputs import (
    Output,
    SetAbsence,
    SetAnswerDeadline,
    SetDeadline,
    SetGiveUp,
    SetRetry,
)
from imgsync.core.protocol.numbers import ABSENCE_DEADLINE, REPAIR_DEADLINE

Timer = SetDeadline | SetAnswerDeadline | SetRetry | SetAbsence | SetGiveUp


def timer_of(output: Timer, core: Handshake) -> tuple[float, Callable[[], list[Output]]]:
    """Seconds, and the input that is due after them."""
    match output:
        case SetDeadline(number, seconds):
            return seconds, partial(core.timed_out, number)
        case SetAnswerDeadline(number, seconds):
            return seconds, partial(core.unanswered, number)
        case SetRetry(pause, failures):
            return backoff(failures - 1), partial(core.retry_due, pause)
        case SetAbsence(interruption):
            return ABSENCE_DEADLINE, partial(core.absence_due, interruption)
        case SetGiveUp(interruption):
            return REPAIR_DEADLINE, partial(core.gave_up, interruption)
        case _:
            assert_never(output)
