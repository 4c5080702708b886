"""What is asked of a client beside showing an image: for how long, how large, which answers, which
text.

It travels in optional fields of `image`, so that who does not know them shows the image as ever.
Whoever asks for what no reader would take is told at once.
"""

import enum
import re
from typing import Annotated

import attrs

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import (
    MAX_EXPOSURE_FRAMES,
    MAX_KEY,
    MAX_KEYS,
    MAX_SCREEN_TEXT,
    MAX_SHOW_FOR,
    MAX_SIZE_DEG,
    MAX_SIZE_MM,
)

ShowFor = Annotated[float, "show for"]
"""Milliseconds that an image is to be on the screen: above 0, and up to MAX_SHOW_FOR."""

Frames = Annotated[int, "frames"]
"""Refreshes of the screen that an image is to be on it for: 1 to MAX_EXPOSURE_FRAMES."""

Keys = Annotated[tuple[str, ...], "keys"]
"""Up to MAX_KEYS names of keys, as `KeyboardEvent.key` has them, but "Space" for a space."""

ScreenText = Annotated[str, "screen text"]
"""1 to MAX_SCREEN_TEXT characters for people, without control characters but the line feed."""

SizeMm = Annotated[float, "size in mm"]
"""Millimetres that the longer side of an image is to have: above 0, and up to MAX_SIZE_MM."""

SizeDeg = Annotated[float, "size in degrees"]
"""The same in degrees of visual angle: above 0, and up to MAX_SIZE_DEG."""

NOT_BOTH = "expected showFor or frames, and not both"

ONE_SIZE = "expected one of sizeMm, sizeDeg and scale, and no other"


class Scale(enum.Enum):
    """By how much an image is magnified."""

    PIXELS = "1:1"


#: Those of Cc, which are the same in every version of Unicode. What else is not printable is needed
#: to write some languages.
_CONTROLS = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f]")


def is_show_for(value: float) -> bool:
    """Whether an image can be shown for so many milliseconds."""
    return 0 < value <= MAX_SHOW_FOR


def is_size_mm(value: float) -> bool:
    """Whether the longer side of an image can have so many millimetres."""
    return 0 < value <= MAX_SIZE_MM


def is_size_deg(value: float) -> bool:
    """Whether it can have so many degrees of visual angle."""
    return 0 < value <= MAX_SIZE_DEG


def is_one_size(size_mm: float | None, size_deg: float | None, scale: Scale | None) -> bool:
    """Whether at most one of them is asked."""
    return sum(one is not None for one in (size_mm, size_deg, scale)) <= 1


def is_frames(value: int) -> bool:
    """Whether an image can be shown for so many refreshes."""
    return 1 <= value <= MAX_EXPOSURE_FRAMES


def is_key(name: str) -> bool:
    """Whether a key can have this name."""
    return name != "" and name.isprintable() and fits(name, MAX_KEY)


def is_screen_text(text: str) -> bool:
    """Whether a text can stand on a screen of its own."""
    return text != "" and fits(text, MAX_SCREEN_TEXT) and not _CONTROLS.search(text)


@attrs.frozen
class Respond:
    """Which answers to an image count. Raises InputError for keys that no message has room for.

    :param keys: their names, as `KeyboardEvent.key` has them, but "Space" for a space; of a letter
        it does not matter whether it is a small one.
    :param taps: whether taps and clicks count.
    :param ends: whether the first answer takes the image away.
    """

    keys: Keys = ()
    taps: bool = False
    ends: bool = False

    def __attrs_post_init__(self) -> None:
        if len(self.keys) > MAX_KEYS or not all(map(is_key, self.keys)):
            raise InputError(
                f"at most {MAX_KEYS} keys can be asked for, with names of 1 to {MAX_KEY} characters"
            )


@attrs.frozen
class Trial:
    """What is asked for an image, each of it None where nothing is. Raises InputError for values
    that no message has room for.

    :param show_for: for how long it is to be shown, ms.
    :param frames: the same in refreshes of the client's screen. One of the two.
    :param text: to be shown in place of an image.
    :param size_mm: of the image's longer side on the screen, millimetres; the other side follows.
    :param size_deg: the same in degrees of visual angle.
    :param scale: `Scale.PIXELS` for one pixel of the image on each of the screen. One of the three;
        without them, as large as the window lets it be.
    """

    show_for: float | None = None
    frames: int | None = None
    respond: Respond | None = None
    text: str | None = None
    size_mm: float | None = None
    size_deg: float | None = None
    scale: Scale | None = None

    def __attrs_post_init__(self) -> None:
        if self.show_for is not None and not is_show_for(self.show_for):
            raise InputError(
                f"an image can be shown for more than 0 and up to {MAX_SHOW_FOR} milliseconds"
            )
        if self.frames is not None and not is_frames(self.frames):
            raise InputError(f"an image can be shown for 1 to {MAX_EXPOSURE_FRAMES} frames")
        if self.show_for is not None and self.frames is not None:
            raise InputError("an image is shown for a time or for a number of frames, not for both")
        if self.text is not None and not is_screen_text(self.text):
            raise InputError(
                f"a text to be shown has 1 to {MAX_SCREEN_TEXT} characters, without control"
                " characters but line breaks"
            )
        self._check_size()

    def _check_size(self) -> None:
        if self.size_mm is not None and not is_size_mm(self.size_mm):
            raise InputError(f"an image can be above 0 and up to {MAX_SIZE_MM} millimetres long")
        if self.size_deg is not None and not is_size_deg(self.size_deg):
            raise InputError(f"an image can have above 0 and up to {MAX_SIZE_DEG} degrees")
        if not is_one_size(self.size_mm, self.size_deg, self.scale):
            raise InputError(
                "an image has a size in millimetres, in degrees, or a scale: one alone"
            )

    @property
    def asks(self) -> bool:
        """Whether there is anything but text."""
        return attrs.evolve(self, text=None) != Trial()
