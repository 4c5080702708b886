"""What becomes of a relay's users when somebody touches one of their pages, in a random run."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from imgsync.core.protocol.signalling import (
    Door,
    EndReason,
    ErrorCode,
    PeerAway,
    PeerBack,
    Presence,
    Role,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import SideBack
from tests.kit.relay_laws import RelayLaws
from tests.kit.relay_states import CLIENT, EVALUATOR, Said, refused

PICK = st.integers(0, 11)
MOSTLY = st.sampled_from([True, True, True, False])


class RelayDoors(RelayLaws):
    """The other rules that a run follows are its subclass's."""

    @precondition(lambda self: self.peers)
    @rule(pick=PICK, by_client=MOSTLY)
    def enter(self, pick: int, by_client: bool) -> None:
        socket = self.pick(pick, CLIENT if by_client else None)
        peer = self.peers[socket]
        if peer.role is EVALUATOR:
            said = self.relay.enter(socket)
            assert refused(said, socket, ErrorCode.FORBIDDEN, "enter")
            return
        session = next(iter(self.model.sessions_of(CLIENT, peer.user)), None)
        is_its = session is not None and self.model.admits(session, peer)
        losers = [] if session is None else self.model.members(session, CLIENT)
        if session is not None and is_its and losers:
            self.model.unsettled.discard(session)
        losers = [one for one in losers if is_its and one != socket]
        told = [socket] if session is not None and is_its and session not in peer.sessions else []
        if peer.is_waiting:
            self.model.passes(socket, Door.ENTERED)
        said = self.relay.enter(socket)
        claimed = SessionEndedEvent(session or "", EndReason.CLAIMED_ELSEWHERE)
        assert self.told(said, claimed) == losers
        assert [s for s, message in said if isinstance(message, SessionStarted)] == told
        allowed = (SessionEndedEvent, SessionStarted, PeerAway, PeerBack, Presence)
        self.model.take(said, allowed=allowed)
        self.model.note(self.relay.noted, allowed=(SideBack,))
        if session is not None and is_its:
            assert self.model.members(session, CLIENT) == [socket]
            if self.model.answered & {session} and not self.model.timers.keys() & {session}:
                assert session in peer.sessions
        others = [one for one in self.model.entered(peer.user) if one != socket]
        assert not [
            one
            for one in others
            if self.peers[one].door is Door.ENTERED and not self.peers[one].sessions
        ]

    def pick(self, number: int, role: Role | None = None, *, in_session: bool = False) -> int:
        """One of the sockets, by preference of this role, or with a session to think of."""
        preferred = [
            socket
            for socket, peer in self.peers.items()
            if role in (None, peer.role) and (peer.sessions or peer.waits_for or not in_session)
        ]
        choice = preferred or [*self.peers]
        return choice[number % len(choice)]

    @staticmethod
    def told(said: Said, message: object) -> list[object]:
        return [socket for socket, told in said if told == message]
