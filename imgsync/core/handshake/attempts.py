"""The attempts of one side, one after the other: when each begins, and how long it has.

The connection of the attempt before is discarded once both sides know of the new one: by the
answerer when the offer comes, by the offerer when the answer does. Candidates of the other side
that come before their description wait for it, in order. What is known of one attempt, and of one
interruption, is thrown away whole.
"""

import math
from collections.abc import Callable, Iterable

import attrs

from imgsync.core.handshake.causes import Cause, Causes
from imgsync.core.handshake.outputs import (
    AddCandidate,
    Connected,
    Discard,
    Ended,
    Interrupted,
    MakeOffer,
    Note,
    Output,
    Phase,
    Say,
    TakeUp,
)
from imgsync.core.handshake.patience import Patience, pause_after
from imgsync.core.handshake.reach import Reach
from imgsync.core.handshake.sdp import (
    Candidate,
    Description,
    parse_description,
    quote_candidate,
)
from imgsync.core.protocol.numbers import ABSENCE_DEADLINE, MAX_CANDIDATES, REPAIR_DEADLINE
from imgsync.core.protocol.signalling import Answer, CandidateSignal, EndReason, Offer, RequestOffer


class RemoteCandidates:
    """Of one attempt. None stands for the end of them, as in the signal.

    :param early: of the attempt before: those that may be of the description that comes.
    """

    def __init__(self, early: "RemoteCandidates | None" = None) -> None:
        #: Those that wait, each with the ufrag that it names.
        self._early: list[tuple[str | None, Candidate | None]] = (
            [] if early is None else early._early
        )
        self._count = len(self._early)

    def sort(
        self, candidate: Candidate | None, ufrag: str | None, current: Description | None
    ) -> list[Candidate | None]:
        """One came in. Returns what is due now: to be applied, or of no use."""
        taken = self._take(candidate)
        is_of_no_use = taken is not None and not taken.usable
        if is_of_no_use or (current is not None and ufrag in (None, current.ufrag)):
            return [taken]
        self._early.append((ufrag, taken))
        return []

    def described(self, remote: Description) -> list[Candidate | None]:
        """Their description is there: those inside it, then those that waited for it."""
        inside = [self._take(candidate) for candidate in remote.candidates]
        waiting = [candidate for ufrag, candidate in self._early if ufrag in (None, remote.ufrag)]
        self._early = [entry for entry in self._early if entry[0] not in (None, remote.ufrag)]
        return [*inside, *waiting, *([None] if remote.complete else [])]

    def _take(self, candidate: Candidate | None) -> Candidate | None:
        """Those of no use don't count, and one too many is of no use."""
        if candidate is not None and not candidate.usable:
            return candidate
        self._count += 1
        if self._count <= MAX_CANDIDATES:
            return candidate
        line = "" if candidate is None else candidate.line
        return Candidate(line, f"it is one more than the {MAX_CANDIDATES} that are taken")


def _to_add(attempt: int, candidates: Iterable[Candidate | None]) -> list[Output]:
    """What is to be done with candidates that are due."""
    return [
        Note(f"ignored the candidate {quote_candidate(candidate)}")
        if candidate is not None and not candidate.usable
        else AddCandidate(attempt, candidate)
        for candidate in candidates
    ]


@attrs.define(eq=False)
class Attempt:
    """One peer connection; number 0 stands for none, before the first.

    :param deadline: when it has come to nothing.
    :param answer_due: when it is too late for the other side's word on what we have said.
    """

    number: int = 0
    deadline: float = math.inf
    answer_due: float = math.inf
    #: Our description, once it is made; and what waits for it to go out.
    local: Description | None = None
    gathered: list[str | None] = attrs.field(factory=list)
    #: Theirs, once it came.
    remote: Description | None = None
    candidates: RemoteCandidates = attrs.field(factory=RemoteCandidates)

    @property
    def due(self) -> float:
        """The first of its deadlines."""
        return min(self.deadline, self.answer_due)

    def wait(self, patience: Patience, now: float) -> None:
        """The other side can answer from now on."""
        self.deadline = patience.attempt_due(now)
        if self.local is not None:
            self.answer_due = patience.answer_due(now)

    def stop_waiting(self) -> None:
        """It is connected, or given up."""
        self.deadline = self.answer_due = math.inf

    def describe(self, kind: str, sdp: str) -> list[Output]:
        """Our description is made: it goes out, and what was found meanwhile behind it."""
        self.local = parse_description("offer" if kind == "offer" else "answer", sdp)
        waiting, self.gathered = self.gathered, []
        first = Say(Offer(sdp) if kind == "offer" else Answer(sdp))
        return [first, *(Say(self._signal(self.local, line)) for line in waiting)]

    def gather(self, line: str | None) -> list[Output]:
        """Our side found one more candidate of its own, or (None) has found them all."""
        if self.local is None:
            self.gathered.append(line)
            return []
        return [Say(self._signal(self.local, line))]

    def claim(self) -> list[Output]:
        """A signal that says nothing new shows the relay in which window the session is."""
        return [] if self.local is None else [Say(self._signal(self.local, None))]

    def set_remote(self, remote: Description) -> list[Output]:
        """Their description came."""
        outputs = _to_add(self.number, self.candidates.described(remote))
        self.remote = remote
        self.answer_due = math.inf
        return outputs

    def add_candidate(self, candidate: Candidate | None, ufrag: str | None) -> list[Output]:
        """A candidate of theirs came."""
        return _to_add(self.number, self.candidates.sort(candidate, ufrag, self.remote))

    def _signal(self, local: Description, line: str | None) -> CandidateSignal:
        return CandidateSignal(line, local.mid, local.index, local.ufrag)


@attrs.define(eq=False)
class Interruption:
    """From the loss of a connection to the next one.

    :param give_up_due: when it has lasted for too long.
    :param retry_due: when the pause after a failure is over.
    :param absence_due: when whoever closed the connection has had its time to lose the relay, too.
    :param failures: what has come to nothing since, or since a return to the relay.
    :param is_bare: whether the channel was closed, and by what is not known.
    """

    give_up_due: float
    retry_due: float = math.inf
    absence_due: float = math.inf
    failures: int = 0
    is_bare: bool = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether a connection may still fail, which would tell that nobody has closed it."""
        return self.is_bare and self.absence_due < math.inf

    @property
    def verdict(self) -> str:
        """What it is if whoever closed the connection is still there when it has had its time."""
        return "the other side closed the channel" if self.is_bare else "the other side has left"

    @property
    def due(self) -> float:
        """The first of its deadlines."""
        return min(self.retry_due, self.absence_due, self.give_up_due)

    def stop_waiting(self) -> None:
        """Something happens: neither a retry nor a verdict is waited for."""
        self.retry_due = self.absence_due = math.inf


class Attempts:
    """See the module; `offers` and `chance` as of the Handshake, which says what happens."""

    def __init__(self, *, offers: bool, chance: Callable[[], float]) -> None:
        self.offers = offers
        self._chance = chance
        self.phase = Phase.IDLE
        self.current = Attempt()
        #: Of the other side's descriptions in attempts before.
        self.spent_ufrags: set[str] = set()
        #: Earlier attempts whose connections are still there.
        self._replaced: list[int] = []
        #: The media identification of an answer that was to none of them, where one came.
        self.misnamed = ""
        self.patience = Patience(offers=offers)
        self.reach = Reach()
        self.causes = Causes()
        #: Whether our offers ask to be the side that begins with DTLS; see `hindered`.
        self._leads = False
        #: While there is a connection, and before the first, nothing in it is due.
        self.interruption = Interruption(math.inf)

    @property
    def due(self) -> float:
        """The first deadline of all."""
        return min(self.current.due, self.interruption.due)

    # ── what is tried ────────────────────────────────────────────────────────────────────────────

    def offer(self, now: float) -> list[Output]:
        """Begin the next attempt with an offer of ours."""
        self.begin_next(now)
        return [MakeOffer(self.current.number, self._leads)]

    def offer_again(self, now: float) -> list[Output]:
        """Instead of an offer that led nowhere."""
        return [Discard(self.current.number), *self.offer(now)]

    def request_offer(self, now: float) -> list[Output]:
        """Ask the evaluator for one."""
        self.current.answer_due = self.patience.answer_due(now)
        return [Say(RequestOffer())]

    def repair(self, now: float) -> list[Output]:
        """Do what can be done now; where it takes somebody else first, that one is waited for."""
        self.patience.repairing()
        if not self.reach.has_relay:
            return []
        if not self.reach.is_known:
            return [TakeUp()] if self.offers else []
        if not self.reach.has_peer:
            return []
        if self.offers:
            return self.offer(now)
        # The evaluator offers by itself, where it has noticed; only later it is asked to.
        self.interruption.failures += 1
        self._pause(self.interruption.failures, now)
        return [Say(RequestOffer())] if self.interruption.failures > 1 else []

    def begin_anew(self, now: float) -> list[Output]:
        """Both sides are at the relay: signals that were lost meanwhile are made up for."""
        self.interruption.failures = 0
        self.patience.begin(now)
        if self.reach.has_relay and self.offers and self.phase is Phase.NEGOTIATING:
            return self.offer(now)
        return self.repair(now) if self.phase is Phase.INTERRUPTED else []

    # ── what becomes of it ───────────────────────────────────────────────────────────────────────

    def connected(self) -> list[Output]:
        """The data channel is open."""
        self.phase = Phase.CONNECTED
        self.current.stop_waiting()
        self.interruption = Interruption(math.inf)
        self.patience.connected()
        return [Connected(self.current.number)]

    def failed(self, now: float) -> list[Output]:
        """An attempt to repair has come to nothing."""
        self.phase = Phase.INTERRUPTED
        self.current.stop_waiting()
        self._pause(self.interruption.failures, now)
        self.interruption.failures += 1
        return [Discard(self.current.number)]

    def lost(self, detail: str, now: float) -> list[Output]:
        """The connection that was there is not."""
        interrupted = self._interrupt(detail, now)
        return [*interrupted, Discard(self.current.number), *self.repair(now)]

    def left(self, now: float, *, is_bare: bool = False) -> list[Output]:
        """The other side has closed the connection, as a process does that quits or restarts.

        :param is_bare: all that is known is that the channel is closed.
        """
        what = "channel" if is_bare else "connection"
        interrupted = self._interrupt(f"the other side has closed the {what}", now)
        self.interruption.absence_due = now + ABSENCE_DEADLINE
        self.interruption.is_bare = is_bare
        return interrupted if is_bare else [*interrupted, Discard(self.current.number)]

    def absent(self, now: float) -> list[Output]:
        """What was in doubt is a connection that has failed."""
        self.interruption.absence_due = math.inf
        return [Discard(self.current.number), *self.repair(now)]

    def end(self, reason: EndReason, detail: str = "") -> list[Output]:
        """The session is over; nothing follows."""
        self.phase = Phase.ENDED
        return [Ended(reason, detail)]

    def hindered(self, number: int, cause: Cause, now: float) -> list[Output]:
        """Something is in the way of this attempt, or of one before, on our side.

        Where DTLS gets no answer, the first packet of a browser may be too large for the path: the
        other side is offered to be the one that answers with DTLS, as its packets are smaller then.
        """
        self.causes.add(cause)
        is_stuck = self.phase is Phase.NEGOTIATING and number == self.current.number
        if is_stuck and cause is Cause.PATH_MTU and self.offers and not self._leads:
            self._leads = True
            return self.offer_again(now) if self.reach.can_signal else []
        is_first = self.phase is Phase.NEGOTIATING and not self.patience.is_repair
        if is_first and not self.offers and self.causes.known:
            self.patience.can_explain = True
            self.current.deadline = self.patience.attempt_due(now)
        return []

    def interrupt_by_peer(self, now: float) -> list[Output]:
        """The other side wants another connection; it has no use for the one that we have."""
        if self.phase is not Phase.CONNECTED:
            return []
        return self._interrupt("the other side connects anew", now)

    # ── shared ───────────────────────────────────────────────────────────────────────────────────

    def begin_next(self, now: float) -> None:
        """Begin the next one; nothing is left of the one before but the name of its fragment."""
        before = self.current
        if self.phase is not Phase.IDLE:
            self._replaced.append(before.number)
        if before.remote is not None:
            self.spent_ufrags.add(before.remote.ufrag)
        self.phase = Phase.NEGOTIATING
        self.interruption.stop_waiting()
        # What came for the offer before; a candidate can't come before the answer's own offer.
        candidates = RemoteCandidates(None if self.offers else before.candidates)
        deadline = self.patience.attempt_due(now)
        self.current = Attempt(before.number + 1, deadline, candidates=candidates)

    def discard_replaced(self) -> list[Output]:
        """Both sides know of the current one."""
        replaced, self._replaced = self._replaced, []
        return [Discard(number) for number in replaced]

    def _interrupt(self, detail: str, now: float) -> list[Output]:
        self.phase = Phase.INTERRUPTED
        self.causes = self.causes.of_path
        self.interruption = Interruption(now + REPAIR_DEADLINE)
        return [Interrupted(EndReason.CONNECTION_LOST, self.causes.explain(detail))]

    def _pause(self, failures: int, now: float) -> None:
        self.interruption.retry_due = now + pause_after(failures, self._chance())
