"""The sessions of one peer: what `session_started` means to it, and which it has to ask for again.

    session_started is of ...              to an evaluator               to a client
    one that is over for us only           end it                        end it
    one that is known                      it is back                    it is back
    one that is known, but with somebody else                            say with whom it is
    what was asked for                     it begins
    another than was to be taken up        end it, the first is gone
    an old one that was not asked for      leave it alone
    any other                              end it                        it begins, others are gone

After a restart the relay knows no session, and believes whoever names one first. A client that is
in it with another evaluator stays in that, and says so; until the relay says so, too, all that it
says of a session of this id is of the other one.

What a client speaks on the channel is as the relay has said last, of it or of the session.

What is over here may be begun by the relay meanwhile, whose word was under way: the channel that
told of the end is faster. It is over until the relay says the same.

A relay that was lost may have forgotten the sessions of an evaluator. Each is asked for again, when
the relay may have another answer than before, until it is back, refused for good or forgotten here.
So is one that a relay could not look for, as it was cut off from what it shares with others; and
the ends that it may not have taken are told again.
"""

from collections.abc import Iterable

import attrs

from imgsync.core.handshake.early_offers import EarlyOffers
from imgsync.core.protocol.numbers import FEATURE_EARLY_OFFER, MAX_UNTOLD
from imgsync.core.protocol.signalling import (
    EndReason,
    EndSession,
    Features,
    RawJson,
    Ref,
    SendSignal,
    SessionId,
    SessionStarted,
    UserId,
)

_NOTHING = RawJson("null")
"""A signal that says no more than in which session, and to whom."""

# ── what it asks of whoever drives it ────────────────────────────────────────────────────────────


@attrs.frozen
class Begin:
    """Make a route of this session; its owner is unknown where another process may be in it."""

    session_id: SessionId
    peer_id: UserId
    peer_name: str
    resumed: bool
    owner_unknown: bool
    #: What the client speaks, as far as the relay knows.
    features: Features = ()


@attrs.frozen
class Named:
    """The session that goes by this ref has this id, and its client speaks this.

    :param says_again: whether its signals went to nobody until now.
    :param is_over: whether it is over here already.
    """

    ref: Ref
    session_id: SessionId
    features: Features
    says_again: bool
    is_over: bool


@attrs.frozen
class Invited:
    """An evaluator has begun this session with us."""

    session_id: SessionId


@attrs.frozen
class Answered:
    """What was asked for has led to this session; None: to none that is still wanted."""

    session_id: SessionId | None


@attrs.frozen
class Back:
    """The relay has us in this session again; of the client it knows that it speaks this."""

    session_id: SessionId
    features: Features = ()


@attrs.frozen
class Speaks:
    """The client of this session speaks this from now on, as far as the relay knows."""

    session_id: SessionId
    features: Features


@attrs.frozen
class Gone:
    """The relay has this session no more, and why."""

    session_id: SessionId
    reason: EndReason


@attrs.frozen
class Taken:
    """The relay has the client of this session in one with another evaluator."""

    session_id: SessionId


@attrs.frozen
class End:
    """Tell the relay that this session is over here."""

    message: EndSession


@attrs.frozen
class Disown:
    """Tell the relay that a session is with this peer, and not with whom it says."""

    message: SendSignal


@attrs.frozen
class Leave:
    """Leave this session alone: a process before this one had it, or another of the same user."""

    session_id: SessionId


SessionsOutput = (
    Begin | Named | Invited | Answered | Back | Speaks | Gone | Taken | End | Disown | Leave
)


# ── what is known ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Asked:
    """A start_session that waits for its answer.

    :param takes_up: whether it is for a session that is known here.
    :param ref: its name, where the offer goes out right behind it.
    """

    client_id: UserId
    session_id: SessionId | None = None
    takes_up: bool = False
    ref: Ref | None = None


@attrs.define
class _Known:
    """A session that somebody here has use for."""

    peer_id: UserId
    #: Whether the relay may have forgotten it, and whether it is to be asked for it now.
    is_forgotten: bool = False
    is_due: bool = False
    #: Whether what the relay has under its id is a session of somebody else.
    is_anothers: bool = False


class Sessions:
    """Those of one peer; `starts`: it is an evaluator."""

    def __init__(self, *, starts: bool) -> None:
        self._starts = starts
        #: The oldest first.
        self._known: dict[SessionId, _Known] = {}
        #: Those that are over here, and not yet as the relay has it, the oldest first.
        self._untold: dict[SessionId, EndSession] = {}
        #: Most of the relay's errors don't name the question, so that only one is under way at a
        #: time.
        self._asked: Asked | None = None
        #: Those whose offer does not wait for session_started.
        self.early = EarlyOffers()
        self._registrations = 0

    # ── the relay ────────────────────────────────────────────────────────────────────────────────

    def registered(
        self, features: Features = (), clients: Iterable[tuple[UserId, Features]] = ()
    ) -> None:
        """The relay is there, or there again; it speaks this, and so do the clients."""
        self._registrations += 1
        self.early.registered(features, clients)
        self.may_ask()

    def relay_lost(self) -> None:
        """What the relay knows of an evaluator's sessions may be lost with it."""
        self.early.relay_lost()
        if self._starts:
            for known in self._known.values():
                known.is_forgotten = True

    def started(self, message: SessionStarted) -> list[SessionsOutput]:
        """The relay says that we are in a session."""
        session_id = message.session_id
        if session_id in self._untold:
            return [End(self._untold[session_id]), *self._answer_if(session_id, None)]
        known = self._known.get(session_id)
        if known is not None:
            return self._back(known, message)
        return self._started_ours(message) if self._starts else self._invited(message)

    def _back(self, known: _Known, message: SessionStarted) -> list[SessionsOutput]:
        session_id = message.session_id
        evaluator_id = message.evaluator_id or known.peer_id
        known.is_anothers = not self._starts and known.peer_id not in ("", evaluator_id)
        if known.is_anothers:
            return [Disown(SendSignal(known.peer_id, _NOTHING, session_id))]
        known.is_forgotten = known.is_due = False
        back = Back(session_id, message.features)
        return [back, *self._answer_if(session_id, session_id)]

    def _started_ours(self, message: SessionStarted) -> list[SessionsOutput]:
        session_id, asked = message.session_id, self._asked
        is_named = asked is not None and asked.session_id == session_id
        words = self.early.answered(message.ref)
        end = End(attrs.evolve(words or EndSession(""), session_id=session_id))
        if message.resumed and not is_named:
            return [Leave(session_id)]
        is_answer = asked is not None and asked.ref == message.ref
        if asked is None or not is_answer or not (is_named or asked.client_id == message.client_id):
            return [end]
        self._asked = None
        if asked.ref is not None:
            is_over = words is not None
            says_again = not is_over and FEATURE_EARLY_OFFER not in message.features
            named = Named(asked.ref, session_id, message.features, says_again, is_over)
            if is_over:
                return [named, end, Answered(None)]
            self._known[session_id] = _Known(asked.client_id)
            return [named, Answered(session_id)]
        if not asked.takes_up:
            return [self._begin(message, message.client_id), Answered(session_id)]
        # What was to be taken up is over meanwhile, or the relay has begun another one instead.
        return [end, Answered(None), *self.refused(asked, may_pass=False)]

    def _invited(self, message: SessionStarted) -> list[SessionsOutput]:
        # A client is in one session at most: those before are none of the relay's any more.
        gone = [Gone(session_id, EndReason.REPLACED) for session_id in self._known]
        return [*gone, self._begin(message, message.evaluator_id), Invited(message.session_id)]

    def _begin(self, message: SessionStarted, peer_id: UserId | None) -> Begin:
        self._known[message.session_id] = _Known(peer_id or "")
        return Begin(
            message.session_id,
            peer_id or "",
            message.evaluator_name or peer_id or "",
            message.resumed,
            # A process that was here before and is not in it was passed over when it began.
            owner_unknown=message.resumed and self._registrations > 1,
            features=message.features,
        )

    def _answer_if(self, named: SessionId, answer: SessionId | None) -> list[SessionsOutput]:
        if self._asked is None or self._asked.session_id != named:
            return []
        self._asked = None
        return [Answered(answer)]

    def hears(self, session_id: SessionId) -> bool:
        """Whether what the relay says of a session of this id is of the one that is known here."""
        known = self._known.get(session_id)
        return known is not None and not known.is_anothers

    def speaks(self, client_id: UserId, features: Features) -> list[SessionsOutput]:
        """The relay says what a client speaks, such as one that was started again."""
        self.early.speaks(client_id, features)
        known = self._known.items()
        return [Speaks(id, features) for id, one in known if one.peer_id == client_id]

    def last_with(self, peer_id: UserId) -> SessionId | None:
        """The session of a signal that does not name it, as a relay need not: by the sender."""
        of_peer = [id for id, known in self._known.items() if known.peer_id == peer_id]
        return of_peer[-1] if of_peer else None

    # ── what is asked for ────────────────────────────────────────────────────────────────────────

    def ask(self, client_id: UserId, session_id: SessionId | None = None) -> Asked:
        """Somebody wants a session, or one that a process before this one had."""
        if session_id is not None:
            self._untold.pop(session_id, None)
        ref = self.early.ask(client_id) if session_id is None else None
        self._asked = Asked(client_id, session_id, ref=ref)
        return self._asked

    def may_ask(self) -> None:
        """The relay may have another answer than before: ask for all that it may have forgotten."""
        for known in self._known.values():
            known.is_due = known.is_forgotten

    def take_up(self, session_id: SessionId) -> None:
        """The relay has forgotten this one, as its session has found out."""
        if session_id in self._known:
            self._known[session_id].is_forgotten = True
        self.may_ask()

    def take_up_next(self) -> Asked | None:
        """The next one that the relay is to be asked for now."""
        for session_id, known in self._known.items():
            if known.is_due:
                known.is_due = False
                self._asked = Asked(known.peer_id, session_id, takes_up=True)
                return self._asked
        return None

    def ask_no_more(self) -> None:
        """What was asked for is answered, or is not waited for any more."""
        self._asked = None

    def is_refusal(self, ref: Ref | None) -> bool:
        """Whether an error that answers this, where it says so, is of what is asked."""
        self.early.answered(ref)
        return self._asked is not None and ref in (None, self._asked.ref)

    def refused(
        self, asked: Asked, *, may_pass: bool, is_taken: bool = False
    ) -> list[SessionsOutput]:
        """The relay does not take a session up. What may pass is asked for again when it has."""
        session_id = asked.session_id
        if session_id is None or session_id not in self._known:
            return []
        if may_pass:
            return [Taken(session_id)] if is_taken else []
        known = self._known[session_id]
        known.is_forgotten = known.is_due = False
        return [Gone(session_id, EndReason.PEER_GONE)]

    def say_again(self) -> list[SessionsOutput]:
        """The relay could not carry out something some time ago, and does not say of which session:
        ask for all that it may have forgotten, and tell what is over."""
        self.may_ask()
        return [End(message) for message in self._untold.values()]

    # ── what is over ─────────────────────────────────────────────────────────────────────────────

    def over(self, message: EndSession) -> None:
        """It is over here; until the relay says so, it is told whenever it asks."""
        self._untold[message.session_id] = message
        # It never asks about one that it has ended by itself meanwhile.
        if len(self._untold) > MAX_UNTOLD:
            del self._untold[next(iter(self._untold))]

    def told(self, session_id: SessionId) -> None:
        """The relay says that it is over."""
        self._untold.pop(session_id, None)

    def forget(self, session_id: SessionId) -> None:
        """Nothing more is wanted of a session."""
        self._known.pop(session_id, None)
