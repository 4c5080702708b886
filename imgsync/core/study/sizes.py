"""How large images are to be: `web/js/core/study/sizes.js` has the same.

A size is that of the longer side of an image on the screen; the other one follows from its
proportions. It is asked in millimetres, in degrees of visual angle, or as one pixel of the image on
each of the screen. What a client makes of that, `web/js/core/study/drawing.js` decides.
"""

import math

from imgsync.core.protocol.trials import Trial


def asks_size(trial: Trial) -> bool:
    """Whether it is not to be as large as the window lets it be."""
    return needs_calibration(trial) or trial.scale is not None


def needs_calibration(trial: Trial) -> bool:
    """Whether nobody can do that who does not know how large the pixels of the screen are."""
    return trial.size_mm is not None or trial.size_deg is not None


def length_of(degrees: float, distance: float) -> float:
    """What has so many degrees of visual angle, seen from there.

    :param distance: from the eye to the middle of it, in the unit of what is returned.
    """
    return 2 * distance * math.tan(math.radians(degrees) / 2)
