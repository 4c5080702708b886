"""Candidates of the other side: those that come before their description wait for it, in order."""

from collections.abc import Iterable

from imgsync.core.handshake.outputs import AddCandidate, Note, Output
from imgsync.core.handshake.sdp import Candidate, Description
from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import MAX_CANDIDATES


class RemoteCandidates:
    """Of one peer's current attempt. None stands for the end of them, as in the signal."""

    def __init__(self) -> None:
        #: Those that wait, each with the ufrag that it names.
        self._early: list[tuple[str | None, Candidate | None]] = []
        self._count = 0

    def begin(self, *, keep_early: bool) -> None:
        """The next attempt begins.

        :param keep_early: whether those that wait may be of the description that comes.
        """
        if not keep_early:
            self._early = []
        self._count = len(self._early)

    def take(
        self, candidate: Candidate | None, ufrag: str | None, current: Description | None
    ) -> list[Candidate | None]:
        """One came in. Returns what is to be applied now. Raises NegotiationError."""
        self._add(1)
        if current is None or ufrag not in (None, current.ufrag):
            self._early.append((ufrag, candidate))
            return []
        return [candidate]

    def described(self, remote: Description) -> list[Candidate | None]:
        """Their description is there: those inside it, then those that waited for it.

        Raises NegotiationError.
        """
        self._add(len(remote.candidates))
        waiting = [candidate for ufrag, candidate in self._early if ufrag in (None, remote.ufrag)]
        self._early = [entry for entry in self._early if entry[0] not in (None, remote.ufrag)]
        return [*remote.candidates, *waiting, *([None] if remote.complete else [])]

    def _add(self, more: int) -> None:
        self._count += more
        if self._count > MAX_CANDIDATES:
            raise NegotiationError(f"the other side sent more than {MAX_CANDIDATES} candidates")


def to_add(attempt: int, candidates: Iterable[Candidate | None]) -> list[Output]:
    """What is to be done with candidates that are due."""
    return [
        Note(f"candidate of no use to a data channel: {candidate.line}")
        if candidate is not None and not candidate.usable
        else AddCandidate(attempt, candidate)
        for candidate in candidates
    ]
