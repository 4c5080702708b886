"""What of a client's screen and clock is worth a warning before a study begins.

Each warning is a short word; what to say and do about it, the commands and the pages know.
"""

from collections.abc import Iterable

import attrs

from imgsync.core.protocol.channel import Display, PointerKind
from imgsync.core.protocol.numbers import (
    LOW_REFRESH,
    NO_DISTANCE,
    NOT_CALIBRATED,
    REFRESH_TOLERANCE,
    USUAL_REFRESH,
    ZOOM_TOLERANCE,
)
from imgsync.core.protocol.trials import Trial
from imgsync.core.study.running import exposure_of
from imgsync.core.study.sizes import needs_calibration


@attrs.frozen
class ScreenNeeds:
    """What a series needs of a client's screen and of what is beside it.

    :param frames: whether an image is to be up for so long, or for so many frames.
    :param keys: whether keys are answers.
    :param size: whether an image is to have a size in millimetres or degrees.
    :param distance: whether one is to have it in degrees.
    """

    frames: bool = False
    keys: bool = False
    size: bool = False
    distance: bool = False

    @classmethod
    def of(cls, trials: Iterable[Trial | None]) -> "ScreenNeeds":
        """Of all that is asked."""
        asked = [trial for trial in trials if trial is not None]
        return cls(
            frames=any(exposure_of(one) is not None for one in asked),
            keys=any(one.respond is not None and one.respond.keys for one in asked),
            size=any(needs_calibration(one) for one in asked),
            distance=any(one.size_deg is not None for one in asked),
        )


def warnings_of(display: Display, needs: ScreenNeeds) -> list[str]:
    """The words for what may be in the way, the most important one first.

    - `not_calibrated`: sizes are asked for, and nobody knows how large the screen's pixels are.
    - `no_distance`: degrees are asked for, and nobody knows from how far away they are seen.
    - `refresh_unknown`: exposures are asked for, and nobody knows the frames that they last.
    - `refresh_low`: below 50 Hz, as a battery saver or a remote desktop has it.
    - `refresh_not_60`: exposures are asked for, and a frame does not last 16.7 ms.
    - `zoomed`: the page is larger or smaller than it should be.
    - `not_isolated`: its clock is coarse.
    - `no_keyboard`: keys are asked for, and a finger on a screen is all that is known to be there.
    """
    warnings = []
    if needs.size and display.px_per_mm is None:
        warnings.append(NOT_CALIBRATED)
    if needs.distance and display.distance_mm is None:
        warnings.append(NO_DISTANCE)
    warnings += _of_refresh(display.refresh_rate, needs_frames=needs.frames)
    if display.zoom is not None and abs(display.zoom - 1) > ZOOM_TOLERANCE:
        warnings.append("zoomed")
    if display.isolated is False:
        warnings.append("not_isolated")
    if needs.keys and display.pointer is PointerKind.COARSE and not display.keyboard:
        warnings.append("no_keyboard")
    return warnings


def _of_refresh(rate: float | None, *, needs_frames: bool) -> list[str]:
    if rate is None:
        return ["refresh_unknown"] if needs_frames else []
    if rate < LOW_REFRESH:
        return ["refresh_low"]
    is_usual = abs(rate - USUAL_REFRESH) <= REFRESH_TOLERANCE
    return [] if is_usual or not needs_frames else ["refresh_not_60"]
