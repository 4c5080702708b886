"""What a client says of itself: how its participant is recorded, what it shows images on, how many
of those that were announced are there. Each is said as a whole, and again on each channel; what is
no news is told to nobody.
"""

from typing import Generic, TypeVar

from imgsync.core.channel.outputs import Counted, Displayed, Drop, Recorded
from imgsync.core.protocol.channel import Display, Preloaded, Recording
from imgsync.core.protocol.numbers import MAX_DISPLAYS, MAX_RECORDINGS

T = TypeVar("T")


class _Changes(Generic[T]):
    """What it says of one thing.

    :param most: so many changes are listened to.
    """

    def __init__(self, most: int) -> None:
        self._last: T | None = None
        self._left = most

    def is_news(self, said: T) -> bool:
        """Whether it has not said this before, and has not changed too often."""
        if said == self._last or self._left == 0:
            return False
        self._last = said
        self._left -= 1
        return True


class About:
    """Of one session's client."""

    def __init__(self) -> None:
        self._recordings = _Changes[Recording](MAX_RECORDINGS)
        self._displays = _Changes[Display](MAX_DISPLAYS)

    def heard(self, said: Preloaded | Recording | Display) -> Counted | Recorded | Displayed | Drop:
        """It says this."""
        match said:
            case Preloaded():
                return Counted(said)
            case Recording() if self._recordings.is_news(said):
                return Recorded(said)
            case Display() if self._displays.is_news(said):
                return Displayed(said)
        return Drop("what was told before, or one change too many")
