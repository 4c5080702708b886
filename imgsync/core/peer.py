"""The handshake of one peer in one session: the evaluator offers, the client answers.

    offerer    IDLE ── start ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── lost, ended ──▶ ENDED
    answerer   IDLE ── offer ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── lost, ended ──▶ ENDED

Each peer connection is an attempt with a number of its own; an offer (or a request for one) in a
live session begins the next attempt. The connection before is discarded once both sides know of
the new one: by the answerer when the offer comes, by the offerer when the answer does. What
concerns an attempt that is no longer current is dropped: inputs from our side by their number,
signals from the other side by their ICE user name fragment. Candidates that come before their
description wait for it, in order.

Each input is one call that returns what is to be done, in order.
"""

import enum

import attrs

from imgsync.core.codec import decode_signal
from imgsync.core.errors import NegotiationError
from imgsync.core.messages import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
    Signal,
)
from imgsync.core.sdp import Candidate, Description, parse_candidate, parse_description

CONNECT_DEADLINE = 20.0
"""Seconds for one attempt. ICE itself gives up only after a minute, or, where the other side never
says that its candidates are complete, not at all."""

MAX_CANDIDATES = 100
"""Of one attempt, their end included; the limit on checks in RFC 8445, section 19.5.1."""

MAX_ATTEMPTS = 8
"""Without a connection in between. Each costs a key pair and sockets, and the other side can ask
for them."""


@attrs.frozen
class MakeOffer:
    """Open a peer connection and describe it; answer with `described`."""

    attempt: int


@attrs.frozen
class MakeAnswer:
    """Open a peer connection for this offer and describe it; answer with `described`."""

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
class SetDeadline:
    """Call `timed_out` with this attempt after CONNECT_DEADLINE."""

    attempt: int


@attrs.frozen
class Discard:
    """Close the attempt's connection; it has been replaced."""

    attempt: int


@attrs.frozen
class Connected:
    """The attempt's data channel is open."""

    attempt: int


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
    | SetDeadline
    | Discard
    | Connected
    | Ended
    | Note
)


class Phase(enum.Enum):
    """Where the handshake stands."""

    IDLE = enum.auto()
    NEGOTIATING = enum.auto()
    CONNECTED = enum.auto()
    ENDED = enum.auto()


class Handshake:
    """One peer's decisions in one session.

    :param offers: whether this is the evaluator's side.
    """

    def __init__(self, *, offers: bool) -> None:
        self._offers = offers
        self.phase = Phase.IDLE
        #: Number of the current attempt; 0 before the first.
        self.attempt = 0
        #: Our description of the current attempt, once it is made; and what waits for it to go out.
        self._local: Description | None = None
        self._gathered: list[str | None] = []
        #: Theirs, once it came; and candidates that came before it, each with the ufrag it names.
        self._remote: Description | None = None
        self._early: list[tuple[str | None, Candidate | None]] = []
        self._candidates = 0
        self._spent_ufrags: set[str] = set()
        self._connected_attempt = 0
        #: Earlier attempts whose connections are still there.
        self._replaced: list[int] = []

    # ── what our side does ───────────────────────────────────────────────────────────────────────

    def start(self, *, resumed: bool = False) -> list[Output]:
        """The session has begun.

        :param resumed: it is an old one, whose offer may have gone to another process.
        """
        if self._offers:
            return self._make_offer()
        return [SetDeadline(self.attempt), *([Say(RequestOffer())] if resumed else [])]

    def described(self, attempt: int, sdp: str) -> list[Output]:
        """The description that was asked for is made."""
        if not self._is_current(attempt):
            return []
        kind = "offer" if self._offers else "answer"
        self._local = parse_description(kind, sdp)
        waiting, self._gathered = self._gathered, []
        first = Say(Offer(sdp) if self._offers else Answer(sdp))
        return [first, *(Say(self._candidate_signal(self._local, line)) for line in waiting)]

    def gathered(self, attempt: int, line: str | None) -> list[Output]:
        """Our side found one more candidate of its own, or (None) has found them all."""
        if not self._is_current(attempt):
            return []
        if self._local is None:
            self._gathered.append(line)
            return []
        return [Say(self._candidate_signal(self._local, line))]

    def opened(self, attempt: int) -> list[Output]:
        """The data channel is open."""
        if not self._is_current(attempt) or self.phase is Phase.CONNECTED:
            return []
        self.phase = Phase.CONNECTED
        self._connected_attempt = attempt
        return [Connected(attempt)]

    def lost(self, attempt: int, reason: EndReason, detail: str = "") -> list[Output]:
        """The connection or its channel is gone, or could not be made."""
        return self._end(reason, detail) if self._is_current(attempt) else []

    def timed_out(self, attempt: int) -> list[Output]:
        """The deadline of an attempt has passed."""
        if self.phase is Phase.CONNECTED or not self._is_current(attempt):
            return []
        waited_for = (
            "the other side's answer never came"
            if self._offers and self._remote is None
            else "no offer ever came"
            if self._remote is None
            else "no path between the two was found"
        )
        detail = f"no connection within {CONNECT_DEADLINE:g} s: {waited_for}"
        return self._end(EndReason.CONNECT_TIMEOUT, detail)

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def session_ended(self, reason: EndReason) -> list[Output]:
        """The relay says that the session is over. An open channel outlives the relay."""
        not_ours = (EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN)
        if self.phase is Phase.CONNECTED and reason in not_ours:
            return [Note(f"the relay ended the session ({reason.value}); the channel carries on")]
        return self._end(reason)

    def signalling_lost(self) -> list[Output]:
        """The relay can't be reached. An open channel does not need it."""
        if self.phase is Phase.CONNECTED:
            return [Note("the relay was lost; the channel carries on")]
        return self._end(EndReason.SIGNALLING_LOST)

    # ── what the other side says ─────────────────────────────────────────────────────────────────

    def receive(self, raw: RawJson) -> list[Output]:
        """A signal came in."""
        if self.phase is Phase.ENDED:
            return []
        try:
            match decode_signal(raw):
                case Offer(sdp) if not self._offers:
                    return self._receive_offer(parse_description("offer", sdp))
                case Answer(sdp) if self._offers:
                    return self._receive_answer(parse_description("answer", sdp))
                case CandidateSignal() as signal:
                    return self._receive_candidate(signal)
                case RequestOffer() if self._offers:
                    return self._make_offer()
                case signal:
                    return [Note(f"dropped a signal that is not for this side: {signal!r}")]
        except NegotiationError as exc:
            if self.phase is Phase.CONNECTED:
                return [Note(f"dropped a signal, being connected: {exc}")]
            return self._end(EndReason.NEGOTIATION_FAILED, str(exc))

    def _receive_offer(self, offer: Description) -> list[Output]:
        current = self._remote.ufrag if self._remote else None
        if offer.ufrag == current or offer.ufrag in self._spent_ufrags:
            return [Note("dropped an offer that was seen before")]
        self._next_attempt()
        make = MakeAnswer(self.attempt, offer)
        deadline = SetDeadline(self.attempt)
        return [*self._discard_replaced(), deadline, make, *self._set_remote(offer)]

    def _receive_answer(self, answer: Description) -> list[Output]:
        known = {self._remote.ufrag} if self._remote else set()
        is_copy = answer.ufrag in self._spent_ufrags | known
        if self._local is None or is_copy or self.phase is Phase.CONNECTED:
            return [Note("dropped an answer to no open offer")]
        if self._remote is not None:
            # An answer does not say to which offer it is: the first was to the one before ours.
            return self._make_offer()
        apply = ApplyAnswer(self.attempt, answer)
        return [*self._discard_replaced(), apply, *self._set_remote(answer)]

    def _receive_candidate(self, signal: CandidateSignal) -> list[Output]:
        ufrag = signal.username_fragment
        if ufrag in self._spent_ufrags:
            return [Note("dropped a candidate of an earlier attempt")]
        candidate = None if signal.candidate is None else parse_candidate(signal.candidate)
        self._count_candidates(1)
        if self._remote is None or ufrag not in (None, self._remote.ufrag):
            self._early.append((ufrag, candidate))
            return []
        return self._add(candidate)

    def _set_remote(self, remote: Description) -> list[Output]:
        """Take up their description: the candidates inside it, then those that waited for it."""
        self._remote = remote
        self._count_candidates(len(remote.candidates))
        waiting = [candidate for ufrag, candidate in self._early if ufrag in (None, remote.ufrag)]
        self._early = [entry for entry in self._early if entry[0] not in (None, remote.ufrag)]
        inside: tuple[Candidate | None, ...] = remote.candidates
        complete = (None,) if remote.complete else ()
        return [output for c in (*inside, *waiting, *complete) for output in self._add(c)]

    def _add(self, candidate: Candidate | None) -> list[Output]:
        if candidate is not None and not candidate.usable:
            return [Note(f"candidate of no use to a data channel: {candidate.line}")]
        return [AddCandidate(self.attempt, candidate)]

    # ── shared ───────────────────────────────────────────────────────────────────────────────────

    def _is_current(self, attempt: int) -> bool:
        return attempt == self.attempt and self.phase is not Phase.ENDED

    def _make_offer(self) -> list[Output]:
        self._next_attempt()
        return [SetDeadline(self.attempt), MakeOffer(self.attempt)]

    def _next_attempt(self) -> None:
        """Begin the next attempt, with nothing left of the one before but its fragment's name.

        Raises NegotiationError where too many have come to nothing.
        """
        if self.attempt - self._connected_attempt >= MAX_ATTEMPTS:
            raise NegotiationError(f"{MAX_ATTEMPTS} attempts to connect came to nothing")
        if self._offers:
            # What came for the offer before; a candidate can't come before the answer's own offer.
            self._early = []
        if self.phase is not Phase.IDLE:
            self._replaced.append(self.attempt)
        if self._remote is not None:
            self._spent_ufrags.add(self._remote.ufrag)
        self.phase = Phase.NEGOTIATING
        self.attempt += 1
        self._local = self._remote = None
        self._gathered = []
        self._candidates = len(self._early)

    def _discard_replaced(self) -> list[Discard]:
        replaced, self._replaced = self._replaced, []
        return [Discard(attempt) for attempt in replaced]

    def _candidate_signal(self, local: Description, line: str | None) -> CandidateSignal:
        return CandidateSignal(line, local.mid, 0, local.ufrag)

    def _count_candidates(self, more: int) -> None:
        self._candidates += more
        if self._candidates > MAX_CANDIDATES:
            raise NegotiationError(f"the other side sent more than {MAX_CANDIDATES} candidates")

    def _end(self, reason: EndReason, detail: str = "") -> list[Output]:
        if self.phase is Phase.ENDED:
            return []
        self.phase = Phase.ENDED
        return [Ended(reason, detail)]
