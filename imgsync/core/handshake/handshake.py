"""The handshake of one peer in one session, and its repair.

The evaluator offers, the client answers.

    offerer    IDLE ── start ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── ended ──▶ ENDED
    answerer   IDLE ── offer ──▶ NEGOTIATING ── opened ──▶ CONNECTED ── ended ──▶ ENDED

    both       CONNECTED ── lost ──▶ INTERRUPTED ── offer, retry ──▶ NEGOTIATING ── opened ──▶ ...
                                          ▲────────── timed out ─────────┘

What fails before the first connection ends the session, as does CONNECT_DEADLINE; after it, only a
person does, or the relay when the other side has not come back to it, or REPAIR_DEADLINE. An offer
that leads nowhere is followed by another one. Without the relay, or while the other side is away
from it, nothing is tried. The answerer asks for an offer only where none comes by itself. Whoever
closes the connection has left, if it is at the relay still. Where a stack can't tell whether that
was closed or the channel alone, a failure of the connection shows that it was none of the two.

Each peer connection is an attempt with a number of its own; an offer (or a request for one) in a
live session begins the next attempt. The connection before is discarded once both sides know of
the new one: by the answerer when the offer comes, by the offerer when the answer does. What
concerns an attempt that is no longer current is dropped: what happens to its connection by its
number, answers by the media identification, which they repeat from their offer, and other signals
by their ICE user name fragment. Candidates that come before their description wait for it, in
order.

Each input is one call that returns what is to be done, in order. Deadlines are fields of what they
belong to: `due` is the first of them, and `tick` is called when it has come. Times are seconds on a
clock that only goes forward.
"""

import math
from collections.abc import Callable

from imgsync.core.codec.codec import decode_signal
from imgsync.core.handshake.attempts import Attempts
from imgsync.core.handshake.inputs import (
    AttemptEvent,
    Begun,
    ChannelClosed,
    Described,
    EndCame,
    FromAttempt,
    Fruitless,
    Gathered,
    Hindered,
    Input,
    LinkLost,
    NotMade,
    Opened,
    OwnEnd,
    PeerCame,
    PeerTaken,
    PeerWent,
    RelayBack,
    RelayLost,
    SignalCame,
    Start,
)
from imgsync.core.handshake.outputs import ApplyAnswer, MakeAnswer, Note, Output, Phase
from imgsync.core.handshake.reach import Ownership
from imgsync.core.handshake.sdp import Description, parse_candidate, parse_description
from imgsync.core.protocol.errors import CandidateError, NegotiationError
from imgsync.core.protocol.numbers import (
    CLAIM_PAUSE,
    CONNECT_DEADLINE,
    HEAD_START,
    REPAIR_DEADLINE,
)
from imgsync.core.protocol.signalling import (
    PEER_REASONS,
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
)


class Handshake:
    """One peer's decisions in one session.

    :param offers: whether it is the evaluator's.
    :param chance: a number from 0 to 1, another one each time.
    """

    def __init__(self, *, offers: bool, chance: Callable[[], float]) -> None:
        self._offers = offers
        self._attempts = Attempts(offers=offers, chance=chance)
        self._ownership = Ownership()
        self._hearing = Hearing(self._attempts, self._ownership)
        self._waiting = Waiting(self._attempts, self._ownership, self._hearing)

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self._attempts.phase

    @property
    def attempt(self) -> int:
        """Number of the current attempt; 0 before the first."""
        return self._attempts.current.number

    @property
    def was_connected(self) -> bool:
        """Whether there is a connection to repair, or was one."""
        return self._attempts.patience.is_repair

    @property
    def is_ours(self) -> bool:
        """Whether the relay is to be told of its end.

        Another window may be in one that we never took part in, and the relay may know of it. It
        knows by itself of one that it has replaced.
        """
        reach = self._attempts.reach
        is_known = reach.is_known and not reach.is_taken
        return is_known and (self.attempt > 0 or not self._ownership.began_unknown)

    @property
    def warning(self) -> str:
        """What is known to be the matter with the path, where there is a connection."""
        return self._attempts.causes.of_path.explain("")

    @property
    def due(self) -> float:
        """When to call `tick`; infinity where nothing is waited for."""
        is_over = self.phase is Phase.ENDED
        return math.inf if is_over else min(self._attempts.due, self._ownership.due)

    # ── which input leads where ──────────────────────────────────────────────────────────────────

    def handle(self, given: Input, now: float) -> list[Output]:
        """Something happened. Returns what is to be done."""
        attempts = self._attempts
        match self.phase, given:
            case Phase.ENDED, _:
                return []
            case _, FromAttempt(number, Hindered(cause)):
                return attempts.hindered(number, cause, now)
            case _, FromAttempt(number, event):
                return self._handle_event(event, now) if number == self.attempt else []
            case _, Begun():
                attempts.patience.begin(now)
                attempts.current.wait(attempts.patience, now)
                return []
            case _, SignalCame(raw):
                return self._hearing.receive(raw, now)
            case _, EndCame(reason, detail):
                return self._end_came(reason, detail)
            case _, OwnEnd(reason, detail):
                return attempts.end(reason, detail)
            case _, RelayLost():
                attempts.reach.has_relay = False
                return [Note("the relay was lost")]
            case _, RelayBack():
                return self._relay_back(now)
            case _, PeerWent():
                attempts.reach.has_peer = False
                attempts.interruption.absence_due = math.inf
                return []
            case _, PeerCame():
                attempts.reach.has_peer = True
                return attempts.begin_anew(now)
            case _, PeerTaken():
                attempts.reach.is_taken = True
                if self.phase is not Phase.CONNECTED:
                    return attempts.end(EndReason.REPLACED)
                return [Note("the relay has the client in another session; the channel is open")]
            case Phase.IDLE, Start() if self.due == math.inf:
                return self._start(given, now)
        raise AssertionError(f"{given} can't come to what is {self.phase.name}")

    def _handle_event(self, event: AttemptEvent, now: float) -> list[Output]:
        """Something happened to the current attempt."""
        attempts = self._attempts
        match self.phase, event:
            case Phase.CONNECTED, ChannelClosed() | LinkLost() if attempts.reach.is_taken:
                return attempts.end(EndReason.REPLACED)
            # A page that is loaded again in Firefox may reset the stream, once its socket is gone.
            case Phase.NEGOTIATING | Phase.CONNECTED | Phase.INTERRUPTED, ChannelClosed(
                is_reset=True
            ) if attempts.reach.has_peer:
                return attempts.end(EndReason.ENDED)
            case Phase.CONNECTED, ChannelClosed(is_reset):
                return attempts.left(now, is_bare=not is_reset)
            case Phase.NEGOTIATING, ChannelClosed():
                return []  # the deadline tells
            case Phase.NEGOTIATING, Described(sdp):
                try:
                    return self._described(sdp, now)
                except NegotiationError as exc:
                    return self._handle_event(NotMade(str(exc)), now)
            case Phase.NEGOTIATING | Phase.CONNECTED, Gathered(line):
                attempts.causes.gather(line)
                return attempts.current.gather(line)
            case Phase.NEGOTIATING, Opened():
                return attempts.connected()
            case Phase.NEGOTIATING, LinkLost(by_peer=True):
                return []  # the deadline tells
            case Phase.NEGOTIATING, NotMade() | LinkLost() | Fruitless() if self.was_connected:
                return attempts.failed(now)
            case Phase.NEGOTIATING | Phase.CONNECTED, Fruitless():
                return []  # the deadline tells; a cause of it is known
            case Phase.NEGOTIATING, NotMade(why, reason):
                return attempts.end(reason, why)
            case Phase.NEGOTIATING, LinkLost(why):
                return attempts.end(EndReason.NEGOTIATION_FAILED, attempts.causes.explain(why))
            case Phase.CONNECTED, LinkLost(by_peer=True):
                return attempts.left(now)
            case Phase.CONNECTED, NotMade(why) | LinkLost(why):
                return attempts.lost(why, now)
            case Phase.CONNECTED, Described() | Opened():
                return []  # known
            case Phase.INTERRUPTED, LinkLost(by_peer=False) if attempts.interruption.is_in_doubt:
                return attempts.absent(now)
            case Phase.INTERRUPTED, _:
                return []  # given up
        raise AssertionError(f"{event} can't come to what is {self.phase.name}")

    def tick(self, now: float) -> list[Output]:
        """`due` has come. Returns what is to be done; whatever is due by now is passed in order."""
        outputs: list[Output] = []
        while self.due <= now:
            outputs += self._waiting.pass_deadline(self.due, now)
        return outputs

    # ── what each means ──────────────────────────────────────────────────────────────────────────

    def _start(self, start: Start, now: float) -> list[Output]:
        attempts = self._attempts
        if not start.is_early:
            attempts.patience.begin(now)
        if self._offers:
            return attempts.offer(now)
        attempts.current.deadline = attempts.patience.attempt_due(now)
        if (start.resumed and start.owner_unknown) or start.is_hidden:
            pause = CLAIM_PAUSE if start.resumed and start.owner_unknown else HEAD_START
            self._ownership.doubt(now + pause, asks=start.resumed)
            return []
        return attempts.request_offer(now) if start.resumed else []

    def _described(self, sdp: str, now: float) -> list[Output]:
        current = self._attempts.current
        outputs = current.describe("offer" if self._offers else "answer", sdp)
        if self._offers:
            current.answer_due = self._attempts.patience.answer_due(now)
        return outputs

    def _end_came(self, reason: EndReason, detail: str) -> list[Output]:
        """The relay has forgotten the session, or a person has ended it."""
        self._attempts.reach.is_known = False
        is_open = self.phase is Phase.CONNECTED
        outlives = {EndReason.PEER_GONE: is_open, EndReason.RELAY_SHUTDOWN: self.was_connected}
        if not outlives.get(reason):
            has_failed = reason in PEER_REASONS and not reason.in_good_order
            said = self._attempts.causes.explain(detail) if has_failed else detail
            return self._attempts.end(reason, said)
        return [Note(f"the relay ended the session ({reason.value}), which carries on")]

    def _relay_back(self, now: float) -> list[Output]:
        if not self._attempts.reach.restore():
            return []
        # Of the client's windows, the relay does not know which has the channel.
        claim = [] if self._offers else self._attempts.current.claim()
        return [*claim, *self._attempts.begin_anew(now)]


class Hearing:
    """Takes the other side's signals to the attempts of ours."""

    def __init__(self, attempts: Attempts, ownership: Ownership) -> None:
        self._attempts = attempts
        self._ownership = ownership

    def receive(self, raw: RawJson, now: float) -> list[Output]:
        """A signal came in."""
        offers = self._attempts.offers
        try:
            match decode_signal(raw):
                case Offer(sdp) if not offers:
                    return self._receive_offer(parse_description("offer", sdp), raw, now)
                case Answer(sdp) if offers:
                    return self._receive_answer(parse_description("answer", sdp))
                case CandidateSignal() as signal:
                    return self._receive_candidate(signal)
                case RequestOffer() if offers:
                    self._attempts.patience.asked(now)
                    interrupted = self._attempts.interrupt_by_peer(now)
                    return [*interrupted, *self._attempts.offer(now)]
                case signal:
                    return [Note(f"dropped a signal that is not for this side: {signal!r}")]
        except CandidateError as exc:
            return [Note(str(exc))]
        except NegotiationError as exc:
            if self._attempts.patience.is_repair:
                return [Note(f"dropped a signal: {exc}")]
            return self._attempts.end(EndReason.NEGOTIATION_FAILED, str(exc))

    def _receive_offer(self, offer: Description, raw: RawJson, now: float) -> list[Output]:
        attempts = self._attempts
        remote = attempts.current.remote
        is_current = remote is not None and remote.ufrag == offer.ufrag
        if is_current or offer.ufrag in attempts.spent_ufrags:
            return [Note("dropped an offer that was seen before")]
        if self._ownership.is_unknown:
            self._ownership.held = raw
            return [Note("an offer waits, as it may be for another window")]
        attempts.patience.asked(now)
        outputs = attempts.interrupt_by_peer(now)
        attempts.begin_next(now)
        outputs += attempts.discard_replaced()
        answer = MakeAnswer(attempts.current.number, offer)
        return [*outputs, answer, *attempts.current.set_remote(offer)]

    def _receive_answer(self, answer: Description) -> list[Output]:
        attempts, current = self._attempts, self._attempts.current
        is_to_ours = current.local is not None and current.local.mid == answer.mid
        if not is_to_ours or current.remote is not None or attempts.phase is Phase.CONNECTED:
            attempts.misnamed = "" if is_to_ours else answer.mid
            return [Note("dropped an answer to no open offer")]
        applied = [*attempts.discard_replaced(), ApplyAnswer(current.number, answer)]
        return [*applied, *current.set_remote(answer)]

    def _receive_candidate(self, signal: CandidateSignal) -> list[Output]:
        ufrag = signal.username_fragment
        if ufrag in self._attempts.spent_ufrags:
            return [Note("dropped a candidate of an earlier attempt")]
        candidate = None if signal.candidate is None else parse_candidate(signal.candidate)
        return self._attempts.current.add_candidate(candidate, ufrag)


class Waiting:
    """What follows when something has been waited for in vain."""

    def __init__(self, attempts: Attempts, ownership: Ownership, hearing: Hearing) -> None:
        self._attempts = attempts
        self._ownership = ownership
        self._hearing = hearing

    def pass_deadline(self, due: float, now: float) -> list[Output]:
        """The deadline that comes first is over."""
        current, interruption = self._attempts.current, self._attempts.interruption
        if due == current.deadline:
            return self._timed_out(now)
        if due == current.answer_due:
            current.answer_due = math.inf
            return self._unanswered(now)
        if due == self._ownership.due:
            held = self._ownership.settle()
            if held is not None:
                return self._hearing.receive(held, now)
            return self._unanswered(now) if self._ownership.asks else []
        if due == interruption.retry_due:
            interruption.retry_due = math.inf
            return self._attempts.repair(now)
        if due == interruption.absence_due:
            interruption.absence_due = math.inf
            if self._attempts.reach.can_signal:
                return self._attempts.end(EndReason.ENDED, interruption.verdict)
            return self._attempts.repair(now)
        detail = f"the connection could not be repaired within {REPAIR_DEADLINE:g} s"
        said = self._attempts.causes.explain(detail)
        return self._attempts.end(EndReason.CONNECTION_LOST, said)

    def _timed_out(self, now: float) -> list[Output]:
        """The attempt has come to nothing."""
        attempts = self._attempts
        if attempts.patience.is_repair:
            return attempts.failed(now)
        if attempts.patience.has_time(now):
            if attempts.reach.can_signal:
                return attempts.offer_again(now)
            attempts.current.deadline = attempts.patience.attempt_due(now)
            return []
        if not attempts.reach.has_relay:
            return attempts.end(EndReason.SIGNALLING_LOST)
        why = "the other side's answer never came" if attempts.offers else "no offer ever came"
        if attempts.misnamed:
            why = f"the other side's answer is to no open offer: its a=mid is {attempts.misnamed}"
        if attempts.current.remote is not None:
            why = "no path between the two was found"
        detail = f"no connection within {CONNECT_DEADLINE:g} s: {why}"
        return attempts.end(EndReason.CONNECT_TIMEOUT, attempts.causes.explain(detail))

    def _unanswered(self, now: float) -> list[Output]:
        """Nothing was said to our offer, or to our request for one."""
        attempts = self._attempts
        if not attempts.reach.can_signal:  # all begins anew when it can
            return []
        attempts.patience.unanswered()
        return attempts.offer_again(now) if attempts.offers else attempts.request_offer(now)
