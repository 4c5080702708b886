"""Starts whose offer does not wait for the relay's answer, on the evaluator's side.

It goes out right behind the question where relay and client have said that they take it so early.
The question has a name then, by which the session goes until its id is known, and the answer is of
that question alone:

    asked ── started ──▶ named, it goes on; what the client turns out not to take is said again
      └── over here ──▶ the relay is told so when it tells the id
"""

from collections.abc import Iterable

from imgsync.core.protocol.numbers import FEATURE_EARLY_OFFER
from imgsync.core.protocol.signalling import EndSession, Features, Ref, UserId


class EarlyOffers:
    """Of one evaluator."""

    def __init__(self) -> None:
        #: Whether the relay passes them on.
        self._are_passed = False
        #: Who takes them, as the relay has said.
        self._takers: set[UserId] = set()
        self._count = 0
        #: Questions without an answer; what the relay is to be told of a session that is over.
        self._unanswered: dict[Ref, EndSession | None] = {}

    def registered(self, features: Features, clients: Iterable[tuple[UserId, Features]]) -> None:
        """The relay speaks this, and so do the clients; it knows no question of before."""
        self._are_passed = FEATURE_EARLY_OFFER in features
        self._takers = {id for id, spoken in clients if FEATURE_EARLY_OFFER in spoken}
        self._unanswered.clear()

    def relay_lost(self) -> None:
        """Nothing is passed on until we are registered again."""
        self._are_passed = False

    def speaks(self, client_id: UserId, features: Features) -> None:
        """What a client speaks from now on, as far as the relay knows; nothing if it has gone."""
        if FEATURE_EARLY_OFFER in features:
            self._takers.add(client_id)
        else:
            self._takers.discard(client_id)

    def ask(self, client_id: UserId) -> Ref | None:
        """The name of a question for a new session with this client; None where it waits."""
        if not self._are_passed or client_id not in self._takers:
            return None
        self._count += 1
        ref = str(self._count)
        self._unanswered[ref] = None
        return ref

    def over(self, ref: Ref, message: EndSession) -> None:
        """The session is over here: the relay is told when it has told the id."""
        if ref in self._unanswered:
            self._unanswered[ref] = message

    def answered(self, ref: Ref | None) -> EndSession | None:
        """A question has its answer. Returns what there is to be told of the session."""
        return None if ref is None else self._unanswered.pop(ref, None)
