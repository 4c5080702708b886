"""Answers of a participant whom a program asks itself, to one showing of an image."""

from collections.abc import Callable, Iterator

from imgsync.core.protocol.channel import Response, ResponseKind
from imgsync.core.protocol.signalling import Milliseconds


class Answers:
    """Of one showing.

    :param tell: tells one to the evaluator.
    :param numbers: of the answers of a session.
    """

    def __init__(self, tell: Callable[[Response], None], numbers: Iterator[int]) -> None:
        self._tell = tell
        self._numbers = numbers
        #: What reaction times are counted from; None before it.
        self._onset: Milliseconds | None = None

    def shown(self, at: Milliseconds) -> None:
        """The image is on the screen; one that was hidden, and is seen again, has its onset."""
        self._onset = at if self._onset is None else self._onset

    def add(self, index: int, sent_at: Milliseconds, value: str, at: Milliseconds) -> None:
        """One more."""
        reaction_time = None if self._onset is None else at - self._onset
        of = (index, sent_at, next(self._numbers), at)
        self._tell(Response(*of, ResponseKind.BUTTON, value, reaction_time))
