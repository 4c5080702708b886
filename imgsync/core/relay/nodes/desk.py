"""The records that a node has before it, as the rules of the relay take them: to decide on copies.

What is decided changes the copies at once, and what is shared when it has been carried out. Until
then the copies that it changed are of no use to anybody else; what comes of it is laid out anew.
"""

from collections.abc import Iterable, Mapping

import attrs

from imgsync.core.protocol.signalling import Role, SessionId, UserId
from imgsync.core.relay.nodes.records import (
    Record,
    boots_in,
    dump_record,
    load_record,
    user_of,
)
from imgsync.core.relay.nodes.store import ABSENT, UNREAD, After, At, Boot, Key, Stored
from imgsync.core.relay.registry import Registry
from imgsync.core.relay.session import Session
from imgsync.core.relay.sessions import Sessions
from imgsync.core.relay.standings import Standing, Standings


@attrs.frozen
class Sheet:
    """What is known of one record.

    :param boots: the nodes that have to know of it.
    :param session: that it has.
    :param standing: where the client stands by it.
    :param waits: deadlines, by their names, as they are set by now.
    """

    stored: Stored
    boots: frozenset[Boot]
    session: tuple[UserId, SessionId] | None
    standing: Standing | None
    waits: Mapping[Key, After | At]


class Desk:
    """See the module.

    :param grace: seconds that a session waits for a side that has lost the relay.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self.registry = Registry()
        # What a side is waited for, the store knows.
        self.sessions = Sessions(grace)
        self.standings = Standings(self.registry, self.sessions.is_busy)
        self._sheets: dict[Key, Sheet] = {}
        #: Of evaluators: their sessions, of which only those stand in `sessions` whose client is
        #: before us, too.
        self._with: dict[UserId, dict[SessionId, UserId]] = {}

    def knows(self, key: Key) -> bool:
        """Whether a record is before us."""
        return key in self._sheets

    def known(self, key: Key) -> Sheet:
        """What is known of one that is before us."""
        return self._sheets[key]

    def version_of(self, key: Key) -> int:
        """By which the store knows it: of what is there no more, it knows nothing."""
        stored = self._sheets[key].stored
        return ABSENT if stored.text is None else stored.version

    @property
    def keys(self) -> list[Key]:
        """Of all that are before us."""
        return [*self._sheets]

    def clients_of(self, evaluator_id: UserId) -> Mapping[SessionId, UserId]:
        """With whom an evaluator is in its sessions, whose record is before us."""
        return self._with[evaluator_id]

    # ── laying out and taking away ───────────────────────────────────────────────────────────────

    def put(self, key: Key, stored: Stored) -> None:
        """This is what there is."""
        role, user_id = user_of(key)
        record = load_record(stored.text)
        self.registry.put(role, user_id, record.peers)
        if role is Role.CLIENT:
            self._put_session(user_id, record.session)
        else:
            self._with[user_id] = record.sessions
        self._sheets[key] = self._make_sheet(key, stored)

    def undo(self, key: Key) -> None:
        """What was decided on the copy was not carried out."""
        self.put(key, self._sheets[key].stored)

    def drop(self, key: Key) -> None:
        """Nobody needs it before us."""
        role, user_id = user_of(key)
        self.registry.put(role, user_id, ())
        if role is Role.CLIENT:
            self._put_session(user_id, None)
        else:
            del self._with[user_id]
        del self._sheets[key]

    def _put_session(self, client_id: UserId, session: Session | None) -> None:
        old = self.sessions.of_client(client_id)
        if old is not None:
            self.sessions.remove(old)
        if session is not None:
            self.sessions.add(session)

    # ── what was decided ─────────────────────────────────────────────────────────────────────────

    def _note_sessions(self, keys: Iterable[Key]) -> None:
        """Those of clients that have begun or ended are entered under their evaluators."""
        for key in keys:
            before, after = self._sheets[key].session, self._session_of(key)
            if before == after:
                continue
            if before is not None:
                # One of the two may be known as it was before: then it is decided again.
                self._with[before[0]].pop(before[1], None)
            if after is not None:
                self._with[after[0]][after[1]] = user_of(key)[1]

    def changed(self, keys: Iterable[Key]) -> dict[Key, Sheet]:
        """Of these, those that are others by what was decided, which have no version yet."""
        self._note_sessions(keys)
        decided = ((key, self._decided(key)) for key in keys)
        return {
            key: sheet
            for key, sheet in decided
            if sheet.stored.text != self._sheets[key].stored.text
        }

    def _decided(self, key: Key) -> Sheet:
        return self._make_sheet(key, Stored(UNREAD, dump_record(self._record_of(key))))

    def _record_of(self, key: Key) -> Record:
        role, user_id = user_of(key)
        peers = [*self.registry.peers_of(role, user_id)]
        if role is Role.CLIENT:
            return Record(peers, self.sessions.of_client(user_id))
        return Record(peers, sessions=self._with[user_id])

    def _session_of(self, key: Key) -> tuple[UserId, SessionId] | None:
        role, user_id = user_of(key)
        session = self.sessions.of_client(user_id) if role is Role.CLIENT else None
        return None if session is None else (session.evaluator.user_id, session.id)

    def _make_sheet(self, key: Key, stored: Stored) -> Sheet:
        role, user_id = user_of(key)
        record = self._record_of(key)
        standing = self.standings.find(user_id) if role is Role.CLIENT else None
        waits = _waits_of(user_id, record.session, self._grace)
        return Sheet(stored, boots_in(record), self._session_of(key), standing, waits)


AWAY = {Role.EVALUATOR: "evaluator-away", Role.CLIENT: "client-away"}
TOKEN = "token"
"""What is waited for in a session: a side of it that is away, and the first token to expire."""


def deadline_of(what: str, client_id: UserId) -> Key:
    """Its name."""
    return Key(f"{what}:{client_id}")


def wait_of(deadline: Key) -> tuple[str, UserId]:
    """What is waited for, and in which client's session."""
    what, _, client_id = deadline.partition(":")
    return what, client_id


def _waits_of(client_id: UserId, session: Session | None, grace: float) -> dict[Key, After | At]:
    waits: dict[Key, After | At] = {}
    if session is None:
        return waits
    for side in (session.evaluator, session.client):
        if not side.peers:
            waits[deadline_of(AWAY[side.role], client_id)] = After(grace)
    if session.until != float("inf"):
        waits[deadline_of(TOKEN, client_id)] = At(session.until)
    return waits
