"""The relay's decisions: random runs against a model of what each socket was told.

The model knows RelayState by its outputs alone. Sockets are small numbers here.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from imgsync.core.protocol.signalling import (
    CloseCode,
    Door,
    EndReason,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    PeerAway,
    PeerBack,
    Presence,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
    Waiting,
)
from imgsync.core.relay.outputs import (
    Close,
    Probe,
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
    SignalDropped,
)
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_doors import MOSTLY, PICK, RelayDoors
from tests.kit.relay_model import Model, Peer, other
from tests.kit.relay_states import (
    CLIENT,
    EVALUATOR,
    GRACE,
    Grant,
    Relay,
    Said,
    State,
    frame,
    numbered,
    read_claims,
    refused,
    signal_from,
)

USERS = ["sam", "kim", "lou"]  # each may be an evaluator and a client, on several sockets
MAX_SOCKETS = 3
GRANTS = st.builds(
    Grant,
    st.sampled_from([None, None, None, "A", "B"]),
    st.sampled_from([None, None, None, frozenset({"kim"}), frozenset({"kim", "lou"})]),
)
FEATURES = st.sampled_from(
    [("ping", "early_offer"), ("early_offer", "new"), ("ping", "waiting"), ("waiting",), ()]
)
DOORS = st.sampled_from([None, None, Door.WAITING, Door.ENTERED])
REF = st.sampled_from([None, None, "r1", "r2"])


class RandomRelay(RelayDoors):
    """Holds what the relay says of itself, whatever a few users do on many sockets."""

    @initialize()
    def begin(self) -> None:
        self.next_socket = 0
        self.signals = 0
        self.restarts = 0
        #: Of all relays until now.
        self.sessions: list[str] = []
        self.open_relay()

    def make_state(self, form: str) -> State:
        return RelayState(
            numbered(form),
            Terms(grace=GRACE, max_sockets_per_user=MAX_SOCKETS, read_token=read_claims),
        )

    def open_relay(self) -> None:
        form = f"{'r' * self.restarts}s{{}}"
        self.relay = Relay(self.make_state(form))
        self.model = Model()
        self.peers = self.model.peers
        #: By which socket's start a session began, and the name of that, where signals go by it.
        self.named: dict[str, tuple[int, str | None]] = {}
        #: Those that nobody has answered yet.
        self.probes: list[Probe] = []
        for role, user in ((EVALUATOR, "sam"), (CLIENT, "kim"), (CLIENT, "kim"), (CLIENT, "lou")):
            self.register(role, user, Grant(), ("early_offer",), None)

    # ── coming and going ──

    @rule(
        role=st.sampled_from(Role),
        user=st.sampled_from(USERS),
        grant=GRANTS,
        features=FEATURES,
        door=DOORS,
    )
    def register(
        self, role: Role, user: str, grant: Grant, features: tuple[str, ...], door: Door | None
    ) -> None:
        self.next_socket += 1
        socket = self.next_socket
        older = self.model.sockets_of(role, user)
        state = None if door is None else door.value
        about = {"token": grant.for_(role, user), "features": [*features], "state": state}
        said = self.relay.register(socket, role, user, **about)
        peer = Peer(role, user, grant=grant, features=features)
        peer.door = door if role is CLIENT else None
        alike = [one for one in older if self.peers[one].is_waiting is peer.is_waiting]
        if len(alike) >= MAX_SOCKETS:
            assert refused(said, socket, ErrorCode.RATE_LIMITED, "register")
            why = "too many connections"
            probes = [Probe(other, socket) for other in older]
            assert self.relay.noted == [*probes, Close(socket, CloseCode.RATE_LIMITED, why)]
            return
        registered = said[0][1]
        assert isinstance(registered, Registered)
        assert (said[0][0], registered.user_id, registered.role) == (socket, user, role)
        clients = registered.clients or ()
        assert (registered.clients is None) == (role is CLIENT)
        presence = {entry.user_id: (entry.state, entry.features) for entry in clients}
        assert len(presence) == len(clients)
        peer.presence = presence
        sessions = [
            session
            for session in self.model.sessions_of(role, user)
            if self.model.admits(session, peer) and not peer.is_waiting
        ]
        peer.waits_for = {session for session in sessions if self.model.members(session, role)}
        self.peers[socket] = peer
        self.model.take(said[1:], allowed=(SessionStarted, PeerAway, PeerBack, Presence))
        assert {*peer.sessions} == {*sessions} - peer.waits_for
        probes = [output for output in self.relay.noted if isinstance(output, Probe)]
        assert probes == [Probe(other, socket) for other in older]
        self.probes += probes
        self.model.note(self.relay.noted, allowed=(Probe, SideBack))

    @precondition(lambda self: self.model.live)
    @rule(pick=PICK, role=st.sampled_from(Role), grant=GRANTS, features=FEATURES, door=DOORS)
    def register_for_session(
        self, pick: int, role: Role, grant: Grant, features: tuple[str, ...], door: Door | None
    ) -> None:
        sessions = sorted(self.model.timers, key=repr)
        sessions = sessions or [(session, role) for session in self.model.live]
        session, role = sessions[pick % len(sessions)]
        self.register(role, self.model.live[session][role], grant, features, door)

    @precondition(lambda self: self.probes)
    @rule(pick=PICK)
    def answer_probe(self, pick: int) -> None:
        probe = self.probes.pop(pick % len(self.probes))
        assert isinstance(probe.socket, int)
        assert isinstance(probe.successor, int)
        said = self.relay.answer_probe(probe.socket, probe.successor)
        lost: set[str] = set()
        if probe.socket in self.peers and probe.successor in self.peers:
            # It is another window then, to all sessions that the socket is in.
            lost = self.peers[probe.successor].waits_for & {*self.peers[probe.socket].sessions}
        claimed = {SessionEndedEvent(s, EndReason.CLAIMED_ELSEWHERE) for s in lost}
        ended = [(s, message) for s, message in said if isinstance(message, SessionEndedEvent)]
        assert len(ended) == len(claimed)
        assert {*ended} == {(probe.successor, message) for message in claimed}
        assert self.relay.noted == []
        self.model.take(said, allowed=(SessionEndedEvent, Presence))
        if probe.socket in self.peers and probe.successor in self.peers:
            older, newer = self.peers[probe.socket], self.peers[probe.successor]
            assert not (older.door is newer.door is Door.ENTERED)

    @precondition(lambda self: self.peers)
    @rule(pick=PICK, in_session=MOSTLY)
    def lose(self, pick: int, in_session: bool) -> None:
        socket = self.pick(pick, in_session=in_session)
        gone = self.peers.pop(socket)
        alone = [s for s in gone.sessions if not self.model.members(s, gone.role)]
        self.model.last.update({(session, gone.role): gone for session in alone})
        successors = {s: self.model.successors(s, gone.role)[-1:] for s in alone}
        said = self.relay.lose(socket)
        self.model.take(said, allowed=(PeerAway, PeerBack, SessionStarted, Presence))
        self.model.note(self.relay.noted, allowed=(SideAway, SideBack), now=self.relay.now)
        for session in gone.sessions:
            if session in alone:
                assert self.model.members(session, gone.role) == successors[session]
        assert self.relay.lose(socket) == []
        assert self.relay.noted == []

    @precondition(lambda self: self.model.timers)
    @rule(late=st.sampled_from([0, 0, 1, 10, 100]))
    def pass_grace(self, late: float) -> None:
        self.relay.now = self.relay.state.due + late
        over: dict[str, str] = {}
        for (session, role), until in self.model.timers.items():
            if until <= self.relay.now:
                over.setdefault(session, self.model.live[session][role])
        concerned = {session: self.model.concerned(session) for session in over}
        said = self.relay.tick()
        for session, user in over.items():
            ended = SessionEndedEvent(session, EndReason.PEER_GONE, user)
            assert {*self.told(said, ended)} == concerned[session]
        self.model.take(said, allowed=(SessionEndedEvent, Presence))
        assert over
        assert self.relay.noted == [SessionOver(s, EndReason.PEER_GONE) for s in over]
        self.model.note(self.relay.noted, allowed=(SessionOver,))

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds: int) -> None:
        now = self.relay.now + seconds
        if now < self.relay.state.due:
            self.relay.now = now
            assert self.relay.tick() == []
            assert self.relay.noted == []

    @precondition(lambda self: len(self.model.live) > 1)
    @rule()
    def restart(self) -> None:
        self.restarts += 1
        self.open_relay()

    # ── sessions ──

    @precondition(lambda self: self.peers)
    @rule(
        pick=PICK,
        client=st.sampled_from(["kim", *USERS]),
        by_evaluator=MOSTLY,
        named=st.none() | PICK,
        ref=REF,
    )
    def start_session(
        self, pick: int, client: str, by_evaluator: bool, named: int | None, ref: str | None
    ) -> None:
        socket = self.pick(pick, EVALUATOR if by_evaluator else None)
        peer = self.peers[socket]
        old = next(iter(self.model.sessions_of(CLIENT, client)), None)
        is_own = old is not None and self.model.live[old][EVALUATOR] == peer.user
        wanted = None if named is None else old if named % 2 and old else self.some_session(named)
        holder = self.model.live.get(wanted or "", {EVALUATOR: peer.user})
        if wanted != old and holder[EVALUATOR] != peer.user:
            wanted = None  # `test_claims` has two sessions of one id
        said = self.relay.start(socket, client, wanted, ref)
        self.check_ref(said, socket, ref)
        if peer.role is CLIENT:
            assert refused(said, socket, ErrorCode.FORBIDDEN, "start_session")
        elif old is not None and is_own and old == wanted and self.model.admits(old, peer):
            self.check_taken_up(said, socket, old)
        elif (is_own and old == wanted) or not self.model.shows(client, peer):
            assert refused(said, socket, ErrorCode.UNKNOWN_CLIENT, "start_session")
        elif old is not None and not is_own:
            may_be_theirs = wanted == old and old in self.model.unsettled
            code = ErrorCode.UNKNOWN_CLIENT if may_be_theirs else ErrorCode.CLIENT_BUSY
            assert refused(said, socket, code, "start_session")
        elif not self.model.entered(client):
            code = ErrorCode.CLIENT_BUSY if wanted is None else ErrorCode.UNKNOWN_CLIENT
            assert refused(said, socket, code, "start_session")
        else:
            self.check_begun(said, socket, client, old, wanted)

    def check_ref(self, said: Said, socket: int, ref: str | None) -> None:
        """The one that asked is told what it has named its question, and nobody else."""
        answers = [(s, m) for s, m in said if isinstance(m, SessionStarted | ErrorEvent)]
        assert [(s, m.ref) for s, m in answers if s == socket] == [(socket, ref)]
        assert {m.ref for s, m in answers if s != socket} <= {None}
        began = [output for output in self.relay.noted if isinstance(output, SessionBegan)]
        answer = answers[-1][1]
        if began and isinstance(answer, SessionStarted):
            self.named.pop(answer.session_id, None)  # of one before it that had this id
            if "early_offer" in answer.features:
                self.named[answer.session_id] = socket, ref

    def check_taken_up(self, said: Said, socket: int, session: str) -> None:
        others = [s for s in self.model.members(session, EVALUATOR) if s != socket]
        clients = self.model.members(session, CLIENT)
        assert self.told(said, SessionEndedEvent(session, EndReason.CLAIMED_ELSEWHERE)) == others
        started = [(s, m.resumed) for s, m in said if isinstance(m, SessionStarted)]
        assert started == [*((s, True) for s in clients), (socket, True)]
        self.model.take(said, allowed=(SessionEndedEvent, SessionStarted, PeerAway, PeerBack))
        self.model.note(self.relay.noted, allowed=(SideBack,))

    def check_begun(
        self, said: Said, socket: int, client: str, old: str | None, wanted: str | None
    ) -> None:
        resumed = wanted is not None and wanted not in self.model.live
        concerned = set() if old is None else self.model.concerned(old)
        clients = [
            window
            for window in self.model.entered(client)
            if self.peers[socket].sees(client, self.peers[window].grant.group)
        ]
        started = [(s, m) for s, m in said if isinstance(m, SessionStarted)]
        [session] = {message.session_id for _, message in started}
        assert (session == wanted) if resumed else (session not in self.sessions)
        assert [s for s, _ in started] == [*clients, socket]
        assert {message.resumed for _, message in started} == {resumed}
        assert {*started[-1][1].features} == self.model.spoken_by(clients)
        if old is not None:
            ended = SessionEndedEvent(old, EndReason.REPLACED, self.peers[socket].user)
            assert {*self.told(said, ended)} == concerned
        over = [] if old is None else [SessionOver(old, EndReason.REPLACED)]
        began = SessionBegan(session, self.peers[socket].user, client, resumed)
        assert self.relay.noted == [*over, began]
        self.model.take(said, allowed=(SessionEndedEvent, SessionStarted, Presence))
        self.model.note(self.relay.noted, allowed=(SessionOver, SessionBegan))
        if resumed:  # its answer may have gone through another relay
            self.model.answered.add(session)
        else:
            self.sessions.append(session)

    @precondition(lambda self: self.peers)
    @rule(
        pick=PICK,
        user=st.sampled_from(USERS),
        named=st.none() | PICK,
        in_session=MOSTLY,
        ref=REF,
        stray=MOSTLY.map(lambda usual: not usual),
    )
    def signal(
        self,
        pick: int,
        user: str,
        named: int | None,
        in_session: bool,
        ref: str | None,
        stray: bool,
    ) -> None:
        socket = self.pick(pick, in_session=in_session)
        sender = self.peers[socket]
        known = [*sender.sessions, *sorted(sender.waits_for)]
        target = user
        wanted = None if named is None else self.some_session(named)
        if in_session and known:
            meant = known[pick % len(known)]
            target = self.model.live[meant][other(sender.role)]
            wanted = meant if wanted and pick % 3 else wanted
            if stray:
                target, wanted = user, meant
        by_name = [one for one in self.model.live if self.named.get(one, (0,))[0] in self.peers]
        if ref is not None and in_session and by_name:
            meant, wanted = by_name[pick % len(by_name)], None
            (socket, ref), target = self.named[meant], self.model.live[meant][CLIENT]
            sender = self.peers[socket]
        client = target if sender.role is EVALUATOR else sender.user
        session = next(iter(self.model.sessions_of(CLIENT, client)), None)
        self.signals += 1
        more = {} if wanted is None else {"sessionId": wanted}
        if ref is not None:
            more["ref"] = ref
        concerned = set() if session is None else self.model.concerned(session)
        said = self.relay.signal(socket, target, self.signals, **more)
        if ref is not None and self.named.get(session or "") != (socket, ref):
            assert (said, self.relay.noted) == ([], [SignalDropped()])
            return
        if session is not None and self.is_disowned(socket, target, session, wanted):
            self.check_disowned(said, socket, session, concerned)
            return
        if (
            session is None
            or wanted not in (None, session)
            or not self.model.may_speak(socket, session, by_name=wanted is not None)
            or self.model.live[session][other(sender.role)] != target
            or not self.model.members(session, other(sender.role))
        ):
            assert refused(said, socket, ErrorCode.NO_SESSION, "webrtc_signal")
            assert self.relay.noted == []
            return
        self.model.enter(socket, session)
        if sender.role is CLIENT:
            self.model.unsettled.discard(session)
        losers = [s for s in self.model.members(session, sender.role) if s != socket]
        receivers = self.model.members(session, other(sender.role))
        claimed = SessionEndedEvent(session, EndReason.CLAIMED_ELSEWHERE)
        forwarded = signal_from(sender.user, session, self.signals)
        in_it = [(s, m) for s, m in said if not isinstance(m, Waiting | Presence)]
        assert in_it == [*((s, claimed) for s in losers), *((s, forwarded) for s in receivers)]
        self.model.take(said, allowed=(SessionEndedEvent, ForwardedSignal, Presence))
        is_first = sender.role is CLIENT and session not in self.model.answered
        assert self.relay.noted == ([SessionAnswered(session)] if is_first else [])
        self.model.note(self.relay.noted, allowed=(SessionAnswered,))

    def is_disowned(self, socket: int, target: str, session: str, named: str | None) -> bool:
        """Whether a client says that it is in this one with somebody else, and may be."""
        is_known = session in self.model.unsettled and named == session
        is_another = target != self.model.live[session][EVALUATOR]
        may_speak = self.model.may_speak(socket, session, by_name=True)
        return self.peers[socket].role is CLIENT and is_known and is_another and may_speak

    def check_disowned(self, said: Said, socket: int, session: str, concerned: set[int]) -> None:
        assert refused(said[:1], socket, ErrorCode.NO_SESSION, "webrtc_signal")
        gone = SessionEndedEvent(session, EndReason.PEER_GONE, self.peers[socket].user)
        assert {*self.told(said, gone)} == concerned
        self.model.take(said[1:], allowed=(SessionEndedEvent, Presence))
        assert self.relay.noted == [SessionOver(session, EndReason.PEER_GONE)]
        self.model.note(self.relay.noted, allowed=(SessionOver,))

    @precondition(lambda self: self.peers and self.sessions)
    @rule(pick=PICK, named=PICK, in_session=MOSTLY)
    def end_session(self, pick: int, named: int, in_session: bool) -> None:
        socket, session = self.pick(pick, in_session=in_session), self.some_session(named)
        peer = self.peers[socket]
        known = [*peer.sessions, *sorted(peer.waits_for)]
        if in_session and known:
            session = known[named % len(known)]
        said = self.relay.end(socket, session)
        if not self.model.may_speak(socket, session, by_name=True):
            assert refused(said, socket, ErrorCode.NO_SESSION, "end_session")
            assert self.relay.noted == []
            return
        losers: list[int] = []
        if session not in peer.sessions:
            losers = self.model.members(session, peer.role)
            self.model.enter(socket, session)
        concerned = self.model.concerned(session)
        ended = SessionEndedEvent(session, EndReason.ENDED, peer.user)
        claimed = SessionEndedEvent(session, EndReason.CLAIMED_ELSEWHERE)
        assert self.told(said, claimed) == losers
        assert {*self.told(said, ended), *losers} == concerned
        self.model.take(said, allowed=(SessionEndedEvent, Presence))
        assert self.relay.noted == [SessionOver(session, EndReason.ENDED)]
        self.model.note(self.relay.noted, allowed=(SessionOver,))

    @precondition(lambda self: self.peers)
    @rule(pick=PICK, text=st.sampled_from(["", "{}", frame("dance"), frame("start_session")]))
    def talk_nonsense(self, pick: int, text: str) -> None:
        socket = self.pick(pick)
        [(receiver, message)] = self.relay.receive(socket, text)
        assert receiver == socket
        assert isinstance(message, ErrorEvent)
        assert self.relay.noted == []
        said = self.relay.register(socket, CLIENT, "sam")
        assert refused(said, socket, ErrorCode.ALREADY_REGISTERED, "register")
        for event in ("start_session", "webrtc_signal", "end_session"):
            everything = {"clientId": "sam", "targetUserId": "sam", "signal": 1}
            said = self.relay.tell(0, event, sessionId=self.some_session(pick), **everything)
            assert refused(said, 0, ErrorCode.NOT_REGISTERED, event)
            assert self.relay.noted == []

    # ── choices ──

    def some_session(self, number: int) -> str:
        """One of the last few sessions that there were."""
        return self.sessions[-1 - number % min(3, len(self.sessions))] if self.sessions else "s0"


RandomRelay.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_whatever_the_users_do_the_laws_of_the_relay_hold = RandomRelay.TestCase
