"""Nodes that begin again, over and over, while two sessions live that nobody ends: they outlast it.

What else there is comes and goes, as in `test_interleavings.py`, with all laws of it.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from imgsync.core.protocol.signalling import Door, Role
from tests.core.relay.nodes.test_interleavings import DEEP, FEATURES, Interleavings
from tests.kit.nodes import Node
from tests.kit.relay_doors import PICK
from tests.kit.relay_states import CLIENT, EVALUATOR, Grant

SAM, KIM, LOU = 1, 2, 3
"""The sockets of an evaluator, and of its two clients: all else is of other users, or waits."""


class Returns(Interleavings):
    """See the module."""

    @initialize(count=st.sampled_from([2, 3]), most=st.sampled_from([4096, 4096, 3]))
    def begin(self, count: int, most: int) -> None:
        super().begin(count, most)
        for client in ("kim", "lou"):
            self.wait(3)  # so that there is room in inboxes
            self.say(SAM, "start_session", clientId=client, ref=self.name_start())
            self.run(self.nodes.nodes)
        self.lasting = dict(self.sockets[SAM][1].sessions)
        assert len(self.lasting) == 2

    def name_start(self) -> str:
        ref = self.refs()
        self.sockets[SAM][1].starts[ref] = []
        return ref

    # ── who comes and goes ──

    @rule(pick=PICK, role=st.sampled_from(Role), features=FEATURES)
    def register(self, pick: int, role: Role, features: tuple[str, ...]) -> None:
        user = "eve" if role is EVALUATOR else "joe"
        self.come(pick, role, user, Grant(), features, None)

    @rule(pick=PICK, user=st.sampled_from(["kim", "lou"]))
    def wait_before_a_door(self, pick: int, user: str) -> None:
        self.come(pick, CLIENT, user, Grant(), ("waiting",), Door.WAITING)

    @property
    def others(self) -> list[int]:
        return [number for number in self.sockets if number > LOU]

    @precondition(lambda self: self.others)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        self.close(self.others[pick % len(self.others)])

    @precondition(lambda self: self.others)
    @rule(pick=PICK)
    def start(self, pick: int) -> None:
        number = self.others[pick % len(self.others)]
        ref = self.refs()
        self.sockets[number][1].starts[ref] = []
        self.say(number, "start_session", clientId="joe", ref=ref)

    @precondition(lambda self: self.others)
    @rule(pick=PICK)
    def end_session(self, pick: int) -> None:
        number = self.others[pick % len(self.others)]
        told = self.sockets[number][1]
        if not told.is_closed and told.sessions:
            session = [*told.sessions][pick % len(told.sessions)]
            told.ends.append((session, False))
            self.say(number, "end_session", sessionId=session)

    def enter(self) -> None: ...

    def signal_by_ref(self) -> None: ...

    @precondition(lambda self: self.idle)
    @rule(pick=PICK)
    def kill(self, pick: int) -> None:
        self.end(self.idle[pick % len(self.idle)])

    @precondition(lambda self: self.idle)
    @rule(pick=PICK)
    def start_over(self, pick: int) -> None:
        self.lose_all_of(self.idle[pick % len(self.idle)])

    @property
    def idle(self) -> list[Node]:
        """Nodes at which none of the sessions has a side."""
        busy = [self.sockets[number][0] for number in (SAM, KIM, LOU) if number in self.sockets]
        return [node for node in self.live if node not in busy] if len(self.live) > 1 else []

    # ── what goes wrong, more often ──

    @rule(picks=st.lists(PICK, min_size=2, max_size=3), is_between=st.booleans())
    def lose_leases(self, picks: list[int], is_between: bool) -> None:
        for pick in picks:
            self.lose_lease(pick, True)
            if is_between:
                self.go_on([pick])

    @rule(finds_out=st.lists(PICK, max_size=3), times=st.sampled_from([1, 2]))
    def forget_all_again(self, finds_out: list[int], times: int) -> None:
        for _ in range(times):
            self.forget_all(finds_out)
            self.go_on(finds_out)

    @rule(seconds=st.sampled_from([3, 3, 12]))
    def wait(self, seconds: int) -> None:
        """Not for so long that a side is given up, as it has not come back in time."""
        super().wait(seconds)
        self.run(self.nodes.nodes)

    # ── laws ──

    def check(self) -> None:
        super().check()
        if SAM in self.sockets:
            assert self.sockets[SAM][1].sessions == self.lasting
            for number, user in ((KIM, "kim"), (LOU, "lou")):
                told = self.sockets[number][1]
                assert {session: user for session in told.sessions}.items() <= self.lasting.items()
                assert len(told.sessions) == 1


Returns.TestCase.settings = settings(
    Interleavings.TestCase.settings, max_examples=25 * (DEEP or 1), stateful_step_count=30
)
test_sessions_that_nobody_ends_outlast_nodes_that_begin_again = Returns.TestCase
