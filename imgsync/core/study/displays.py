"""What of a client's screen and clock is worth a warning before a study begins.

Each warning is a short word; what to say and do about it, the commands and the pages know.
"""

from imgsync.core.protocol.channel import Display, PointerKind
from imgsync.core.protocol.numbers import (
    LOW_REFRESH,
    REFRESH_TOLERANCE,
    USUAL_REFRESH,
    ZOOM_TOLERANCE,
)


def warnings_of(display: Display, needs_frames: bool, needs_keys: bool) -> list[str]:
    """The words for what may be in the way, the most important one first.

    - `refresh_unknown`: exposures are asked for, and nobody knows the frames that they last.
    - `refresh_low`: below 50 Hz, as a battery saver or a remote desktop has it.
    - `refresh_not_60`: exposures are asked for, and a frame does not last 16.7 ms.
    - `zoomed`: the page is larger or smaller than it should be.
    - `not_isolated`: its clock is coarse.
    - `no_keyboard`: keys are asked for, and a finger on a screen is all that is known to be there.

    :param needs_frames: whether an image is to be up for so long, or for so many frames.
    :param needs_keys: whether keys are answers.
    """
    warnings = _of_refresh(display.refresh_rate, needs_frames=needs_frames)
    if display.zoom is not None and abs(display.zoom - 1) > ZOOM_TOLERANCE:
        warnings.append("zoomed")
    if display.isolated is False:
        warnings.append("not_isolated")
    if needs_keys and display.pointer is PointerKind.COARSE and not display.keyboard:
        warnings.append("no_keyboard")
    return warnings


def _of_refresh(rate: float | None, *, needs_frames: bool) -> list[str]:
    if rate is None:
        return ["refresh_unknown"] if needs_frames else []
    if rate < LOW_REFRESH:
        return ["refresh_low"]
    is_usual = abs(rate - USUAL_REFRESH) <= REFRESH_TOLERANCE
    return [] if is_usual or not needs_frames else ["refresh_not_60"]
