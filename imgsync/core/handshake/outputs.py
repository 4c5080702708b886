"""Where the handshake of one peer stands, and what it asks of whoever drives it."""

import enum

import attrs

from imgsync.core.handshake.sdp import Candidate, Description
from imgsync.core.protocol.signalling import EndReason, Signal


class Phase(enum.Enum):
    """Where the handshake stands."""

    IDLE = enum.auto()
    NEGOTIATING = enum.auto()
    CONNECTED = enum.auto()
    INTERRUPTED = enum.auto()
    ENDED = enum.auto()


@attrs.frozen
class MakeOffer:
    """Open a peer connection and describe it; answer with Described.

    :param leads: whether to ask to be the side that begins with DTLS; browsers leave no choice.
    """

    attempt: int
    leads: bool = False


@attrs.frozen
class MakeAnswer:
    """Open a peer connection for this offer and describe it; answer with Described."""

    attempt: int
    offer: Description


@attrs.frozen
class ApplyAnswer:
    """Give the attempt's connection the other side's description."""

    attempt: int
    answer: Description


@attrs.frozen
class AddCandidate:
    """Give the attempt's connection one candidate of the other side; None means no more come."""

    attempt: int
    candidate: Candidate | None


@attrs.frozen
class Say:
    """Send this to the other peer through the relay."""

    signal: Signal


@attrs.frozen
class TakeUp:
    """Have the relay take the session up again, which it has forgotten."""


@attrs.frozen
class Discard:
    """Close the attempt's connection; it has been replaced, or is dead."""

    attempt: int


@attrs.frozen
class Connected:
    """The attempt's data channel is open."""

    attempt: int


@attrs.frozen
class Interrupted:
    """The connection that was there is not; another one is being made, or waited for."""

    reason: EndReason
    detail: str = ""


@attrs.frozen
class Ended:
    """The session is over; nothing will follow."""

    reason: EndReason
    detail: str = ""


@attrs.frozen
class Note:
    """Something was dropped, and why: for the log."""

    text: str


Output = (
    MakeOffer
    | MakeAnswer
    | ApplyAnswer
    | AddCandidate
    | Say
    | TakeUp
    | Discard
    | Connected
    | Interrupted
    | Ended
    | Note
)
