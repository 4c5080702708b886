"""The handshake of one peer in one session, and its repair.

The evaluator offers, the client answers.

    offerer    IDLE ── start ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── ended ──▶ ENDED
    answerer   IDLE ── offer ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── ended ──▶ ENDED

    both       CONNECTED ── lost ──▶ INTERRUPTED ── offer, retry ──▶ NEGOTIATING ── opened ──▶ ...
                                          ▲────────── timed out ─────────┘

What fails before the first connection ends the session, as does CONNECT_DEADLINE; after it, only a
person does, or the relay when the other side has not come back to it, or REPAIR_DEADLINE. An offer
that leads nowhere is followed by another one. Without the relay, or while the other side is away
from it, nothing is tried. The answerer asks for an offer only where none comes by itself. Who
closes the connection has left, if he is at the relay still.

Each peer connection is an attempt with a number of its own; an offer (or a request for one) in a
live session begins the next attempt. The connection before is discarded once both sides know of
the new one: by the answerer when the offer comes, by the offerer when the answer does. What
concerns an attempt that is no longer current is dropped: inputs from our side by their number,
answers by the media identification, which they repeat from their offer, and other signals by their
ICE user name fragment. Candidates that come before their description wait for it, in order.

Each input is one call that returns what is to be done, in order.
"""

from imgsync.core.codec.codec import decode_signal
from imgsync.core.handshake.candidates import RemoteCandidates, to_add
from imgsync.core.handshake.outputs import (
    ApplyAnswer,
    Connected,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Note,
    Output,
    Phase,
    Say,
    SetAbsence,
    SetAnswerDeadline,
    SetDeadline,
    SetGiveUp,
    SetRetry,
    TakeUp,
)
from imgsync.core.handshake.patience import Patience
from imgsync.core.handshake.sdp import Description, parse_candidate, parse_description
from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import CLAIM_PAUSE, CONNECT_DEADLINE, REPAIR_DEADLINE
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
)


class Handshake:
    """One peer's decisions in one session; `offers`: it is the evaluator's."""

    def __init__(self, *, offers: bool) -> None:
        self._offers = offers
        self.phase = Phase.IDLE
        #: Number of the current attempt; 0 before the first.
        self.attempt = 0
        #: Our description of the current attempt, once it is made; and what waits for it to go out.
        self._local: Description | None = None
        self._gathered: list[str | None] = []
        #: Theirs, once it came.
        self._remote: Description | None = None
        self._candidates = RemoteCandidates()
        self._spent_ufrags: set[str] = set()
        #: Earlier attempts whose connections are still there.
        self._replaced: list[int] = []
        #: Whether there is a connection to repair, or was one.
        self.was_connected = False
        #: What has come to nothing since the last connection, or since a return to the relay.
        self._failures = 0
        self._patience = Patience(offers=offers)
        #: Numbers of the last interruption and of the last pause before a retry.
        self._interruption = self._pause = 0
        #: Number of the interruption that may mean that the other side has left; 0 for none.
        self._in_doubt = 0
        #: Whether we are at the relay, the other side is, and the relay knows the session.
        self._has_relay = self._has_peer = self._is_known = True
        #: Whether another window may be in the session, and the offer that waits until we know.
        self._is_disputed = self._began_disputed = False
        self._held: Description | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is ours to end; another window may be in one that we never took part in."""
        return self.attempt > 0 or not self._began_disputed

    # ── what our side does ───────────────────────────────────────────────────────────────────────

    def start(self, *, resumed: bool = False, is_disputed: bool = False) -> list[Output]:
        """The session has begun.

        :param resumed: it is an old one, whose offer may have gone to another process.
        :param is_disputed: another window may be in it, and has time to claim it before we act.
        """
        if self._offers:
            return self._make_offer()
        self._is_disputed = self._began_disputed = resumed and is_disputed
        if self._is_disputed:
            return [self._set_deadline(), SetAnswerDeadline(self.attempt, CLAIM_PAUSE)]
        return [self._set_deadline(), *(self._request_offer() if resumed else [])]

    def described(self, attempt: int, sdp: str) -> list[Output]:
        """The description that was asked for is made."""
        if not self._is_current(attempt):
            return []
        kind = "offer" if self._offers else "answer"
        self._local = parse_description(kind, sdp)
        waiting, self._gathered = self._gathered, []
        first = Say(Offer(sdp) if self._offers else Answer(sdp))
        rest = (Say(self._candidate_signal(self._local, line)) for line in waiting)
        return [first, *rest, *(self._set_answer_deadline() if self._offers else [])]

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
        if not self._is_current(attempt) or self.phase is not Phase.NEGOTIATING:
            return []
        self.phase = Phase.CONNECTED
        self.was_connected = True
        self._failures = 0
        self._patience.connected()
        return [Connected(attempt)]

    def lost(self, attempt: int, reason: EndReason, detail: str = "") -> list[Output]:
        """The connection or its channel is gone, or could not be made."""
        if not self._is_current(attempt):
            return []
        if reason is EndReason.ENDED or not self.was_connected:
            return self._end(reason, detail)
        if self.phase is Phase.CONNECTED:
            return [*self._interrupt(reason, detail), Discard(attempt), *self._repair()]
        return self._fail() if self.phase is Phase.NEGOTIATING else []

    def left(self, attempt: int) -> list[Output]:
        """The other side has closed the connection, as a process does that quits or restarts."""
        if not self._is_current(attempt) or self.phase is not Phase.CONNECTED:
            return []
        detail = "the other side has closed the connection"
        interruption = self._interrupt(EndReason.CONNECTION_LOST, detail)
        self._in_doubt = self._interruption
        return [*interruption, Discard(attempt), SetAbsence(self._interruption)]

    # ── what time says ───────────────────────────────────────────────────────────────────────────

    def timed_out(self, attempt: int) -> list[Output]:
        """The deadline of an attempt has passed."""
        if self.phase not in (Phase.IDLE, Phase.NEGOTIATING) or not self._is_current(attempt):
            return []
        if self.was_connected:
            return self._fail()
        if self._patience.attempt_over():
            return self._offer_again() if self._can_signal else [self._set_deadline()]
        if not self._has_relay:
            return self._end(EndReason.SIGNALLING_LOST)
        missing = "the other side's answer never came" if self._offers else "no offer ever came"
        why = missing if self._remote is None else "no path between the two was found"
        detail = f"no connection within {CONNECT_DEADLINE:g} s: {why}"
        return self._end(EndReason.CONNECT_TIMEOUT, detail)

    def unanswered(self, attempt: int) -> list[Output]:
        """The deadline of an offer's answer, or of a requested offer, has passed."""
        self._is_disputed = False
        if self._held is not None and self._is_current(attempt):
            return self._receive_offer(self._held)
        is_open = self.phase in (Phase.IDLE, Phase.NEGOTIATING) and self._remote is None
        # Who can't signal begins anew when he can.
        if not is_open or not self._is_current(attempt) or not self._can_signal:
            return []
        self._patience.unanswered()
        return self._offer_again() if self._offers else self._request_offer()

    def retry_due(self, pause: int) -> list[Output]:
        """The pause after a failure is over."""
        is_last = pause == self._pause
        return self._repair() if self.phase is Phase.INTERRUPTED and is_last else []

    def absence_due(self, interruption: int) -> list[Output]:
        """The other side has had its time to be lost to the relay, too."""
        if self.phase is not Phase.INTERRUPTED or interruption != self._in_doubt:
            return []
        if self._can_signal:
            return self._end(EndReason.ENDED, "the other side has left")
        return self._repair()

    def gave_up(self, interruption: int) -> list[Output]:
        """An interruption has lasted for too long."""
        is_over = interruption != self._interruption or self.phase is Phase.CONNECTED
        detail = f"the connection could not be repaired within {REPAIR_DEADLINE:g} s"
        return [] if is_over else self._end(EndReason.CONNECTION_LOST, detail)

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def session_ended(self, reason: EndReason) -> list[Output]:
        """The relay says that the session is over. An open channel outlives the relay."""
        is_open = self.phase is Phase.CONNECTED
        is_repaired = self.was_connected and self.phase is not Phase.ENDED
        if {EndReason.PEER_GONE: is_open, EndReason.RELAY_SHUTDOWN: is_repaired}.get(reason):
            self._is_known = False
            return [Note(f"the relay ended the session ({reason.value}), which carries on")]
        return self._end(reason)

    def signalling_lost(self) -> list[Output]:
        """The relay can't be reached. An open channel does not need it; all else waits."""
        self._has_relay = False
        return [] if self.phase is Phase.ENDED else [Note("the relay was lost")]

    def signalling_back(self) -> list[Output]:
        """The relay has us in the session, again; it tells us next if the other side is away."""
        is_news = not (self._has_relay and self._is_known)
        self._has_relay = self._has_peer = self._is_known = True
        return [*self._claim(), *self._begin_anew()] if is_news else []

    def peer_away(self) -> list[Output]:
        """The other side has lost the relay."""
        self._has_peer = False
        self._in_doubt = 0
        return []

    def peer_back(self) -> list[Output]:
        """The other side is at the relay again."""
        self._has_peer = True
        return self._begin_anew()

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
                    self._patience.asked()
                    return [*self._interrupt_by_peer(), *self._make_offer()]
                case signal:
                    return [Note(f"dropped a signal that is not for this side: {signal!r}")]
        except NegotiationError as exc:
            if self.was_connected:
                return [Note(f"dropped a signal: {exc}")]
            return self._end(EndReason.NEGOTIATION_FAILED, str(exc))

    def _receive_offer(self, offer: Description) -> list[Output]:
        current = self._remote.ufrag if self._remote else None
        if offer.ufrag == current or offer.ufrag in self._spent_ufrags:
            return [Note("dropped an offer that was seen before")]
        self._held = offer if self._is_disputed else None
        if self._is_disputed:
            return [Note("an offer waits, as it may be for another window")]
        self._patience.asked()
        outputs = self._interrupt_by_peer()
        self._next_attempt()
        outputs += self._discard_replaced()
        outputs += [self._set_deadline(), MakeAnswer(self.attempt, offer)]
        return [*outputs, *self._set_remote(offer)]

    def _receive_answer(self, answer: Description) -> list[Output]:
        is_to_ours = self._local is not None and answer.mid == self._local.mid
        if not is_to_ours or self._remote is not None or self.phase is Phase.CONNECTED:
            return [Note("dropped an answer to no open offer")]
        apply = ApplyAnswer(self.attempt, answer)
        return [*self._discard_replaced(), apply, *self._set_remote(answer)]

    def _receive_candidate(self, signal: CandidateSignal) -> list[Output]:
        ufrag = signal.username_fragment
        if ufrag in self._spent_ufrags:
            return [Note("dropped a candidate of an earlier attempt")]
        candidate = None if signal.candidate is None else parse_candidate(signal.candidate)
        return to_add(self.attempt, self._candidates.take(candidate, ufrag, self._remote))

    def _set_remote(self, remote: Description) -> list[Output]:
        self._remote = remote
        return to_add(self.attempt, self._candidates.described(remote))

    # ── repair ───────────────────────────────────────────────────────────────────────────────────

    def _interrupt(self, reason: EndReason, detail: str) -> list[Output]:
        self.phase = Phase.INTERRUPTED
        self._interruption += 1
        self._pause += 1
        return [Interrupted(reason, detail), SetGiveUp(self._interruption)]

    def _interrupt_by_peer(self) -> list[Output]:
        """The other side wants another connection; it has no use for the one that we have."""
        if self.phase is not Phase.CONNECTED:
            return []
        return self._interrupt(EndReason.CONNECTION_LOST, "the other side connects anew")

    def _repair(self) -> list[Output]:
        """Do what can be done now; where it takes somebody else first, he is waited for."""
        self._patience.repairing()
        if not self._has_relay:
            return []
        if not self._is_known:
            return [TakeUp()] if self._offers else []
        if not self._has_peer:
            return []
        if self._offers:
            return self._make_offer()
        # The evaluator offers by itself, where it has noticed; only later it is asked to.
        self._failures += 1
        retry = self._set_retry(self._failures + 1)
        return [Say(RequestOffer()), retry] if self._failures > 1 else [retry]

    def _fail(self) -> list[Output]:
        """An attempt to repair has come to nothing."""
        self.phase = Phase.INTERRUPTED
        self._failures += 1
        return [Discard(self.attempt), self._set_retry(self._failures)]

    def _set_retry(self, failures: int) -> SetRetry:
        self._pause += 1
        return SetRetry(self._pause, failures)

    def _begin_anew(self) -> list[Output]:
        """Both sides are at the relay: signals that were lost meanwhile are made up for."""
        self._failures = 0
        self._patience.is_back()
        if self._has_relay and self._offers and self.phase is Phase.NEGOTIATING:
            return self._make_offer()
        return self._repair() if self.phase is Phase.INTERRUPTED else []

    def _claim(self) -> list[Output]:
        """A signal that says nothing new shows the relay that the session is in this window."""
        if self._offers or self.phase is Phase.ENDED or self._local is None:
            return []
        return [Say(self._candidate_signal(self._local, None))]

    # ── shared ───────────────────────────────────────────────────────────────────────────────────

    def _is_current(self, attempt: int) -> bool:
        return attempt == self.attempt and self.phase is not Phase.ENDED

    def _make_offer(self) -> list[Output]:
        self._next_attempt()
        return [self._set_deadline(), MakeOffer(self.attempt)]

    def _offer_again(self) -> list[Output]:
        return [Discard(self.attempt), *self._make_offer()]

    def _request_offer(self) -> list[Output]:
        return [Say(RequestOffer()), *self._set_answer_deadline()]

    def _set_deadline(self) -> SetDeadline:
        return SetDeadline(self.attempt, self._patience.for_attempt)

    def _set_answer_deadline(self) -> list[Output]:
        seconds = self._patience.for_answer
        return [] if seconds is None else [SetAnswerDeadline(self.attempt, seconds)]

    @property
    def _can_signal(self) -> bool:
        return self._has_relay and self._has_peer and self._is_known

    def _next_attempt(self) -> None:
        """Begin the next attempt, with nothing left of the one before but its fragment's name."""
        # What came for the offer before; a candidate can't come before the answer's own offer.
        self._candidates.begin(keep_early=not self._offers)
        if self.phase is not Phase.IDLE:
            self._replaced.append(self.attempt)
        if self._remote is not None:
            self._spent_ufrags.add(self._remote.ufrag)
        self.phase = Phase.NEGOTIATING
        self._in_doubt = 0
        self.attempt += 1
        self._local = self._remote = None
        self._gathered = []

    def _discard_replaced(self) -> list[Discard]:
        replaced, self._replaced = self._replaced, []
        return [Discard(attempt) for attempt in replaced]

    def _candidate_signal(self, local: Description, line: str | None) -> CandidateSignal:
        return CandidateSignal(line, local.mid, 0, local.ufrag)

    def _end(self, reason: EndReason, detail: str = "") -> list[Output]:
        if self.phase is Phase.ENDED:
            return []
        self.phase = Phase.ENDED
        return [Ended(reason, detail)]
