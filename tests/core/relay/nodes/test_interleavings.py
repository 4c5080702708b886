"""Several nodes, and what is under way between them, in all orders and with all that can go wrong.

Unlike in `test_as_one.py`, anything may happen before what happened has come to its end: the laws
are what each socket was told, and the records that are kept when all is quiet.
"""

import itertools
import json
import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.codec.codec import decode_from_relay
from imgsync.core.protocol.signalling import Door, ForwardedSignal, Role
from imgsync.core.relay.nodes.drafts import SAY
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.outputs import Pass
from imgsync.core.relay.nodes.store import Answer, Boot, Transaction
from imgsync.core.relay.outputs import Close, Probe, Send
from imgsync.core.relay.terms import Terms
from tests.core.relay.test_laws import DOORS, GRANTS, MAX_SOCKETS, USERS
from tests.kit.model_store import ModelStore
from tests.kit.node_laws import Quiet, copies_that_differ
from tests.kit.node_sockets import ToldSocket
from tests.kit.nodes import Node, Nodes
from tests.kit.relay_doors import MOSTLY, PICK
from tests.kit.relay_states import CLIENT, EVALUATOR, GRACE, Grant, frame, read_claims

FEATURES = st.sampled_from([("early_offer",), ("waiting",), ()])
DEEP = int(os.environ.get("IMGSYNC_DEEP", "0"))
"""How many times as many runs as in the suite, by chance."""


class WatchedStore(ModelStore):
    """Knows which signals were carried out."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.signals: list[tuple[int, int]] = []

    def commit(self, boot: Boot, epoch: int, batch: list[Transaction]) -> list[Answer]:  # type: ignore[override]
        before = {there: len(inbox) for there, inbox in self.inboxes.items()}
        answers = super().commit(boot, epoch, batch)
        for there, inbox in self.inboxes.items():
            for entry in inbox[before.get(there, 0) :]:
                for part in entry.parts:
                    if part.about.startswith(SAY):
                        self.signals += signals_in(decode_from_relay(part.text))
        return answers


def signals_in(message: object) -> list[tuple[int, int]]:
    if not isinstance(message, ForwardedSignal):
        return []
    sender, count = json.loads(message.signal)
    return [(sender, count)]


class Interleavings(RuleBasedStateMachine):
    """See the module."""

    @initialize(count=st.sampled_from([2, 3]), most=st.sampled_from([4096, 4096, 3]))
    def begin(self, count: int, most: int) -> None:
        # No name that anybody makes up is one that a relay makes.
        new_id = map("new{}".format, itertools.count(1)).__next__

        def make(boot: Boot) -> NodeState:
            return NodeState(
                boot,
                new_id,
                Terms(
                    grace=GRACE,
                    max_sockets_per_user=MAX_SOCKETS,
                    read_token=read_claims,
                    until=lambda claims: claims.expires_at,
                ),
            )

        self.store = WatchedStore(most)
        self.nodes = Nodes(count, make, self.store)
        self.sockets: dict[int, tuple[Node, ToldSocket]] = {}
        self.numbers = itertools.count(1)
        self.refs = map("r{}".format, itertools.count(1)).__next__
        #: By a name that is not known when they are sent: whether they reach anybody is not known.
        self.by_ref: set[tuple[int, int]] = set()
        #: Those that nobody has answered yet.
        self.probes: list[tuple[int, str]] = []
        self.away: dict[Node, float] = {}
        #: Whether a node has not heard what had become of something.
        self.is_unsure = False
        self.run(self.nodes.nodes)
        for node, (role, user) in enumerate([(EVALUATOR, "sam"), (CLIENT, "kim"), (CLIENT, "lou")]):
            self.come(node, role, user, Grant(), ("early_offer",), None)
        self.run(self.nodes.nodes)

    # ── choices ──

    @property
    def live(self) -> list[Node]:
        return [node for node in self.nodes.nodes if not node.is_killed]

    def node(self, pick: int) -> Node:
        return self.live[pick % len(self.live)]

    def socket(self, pick: int, role: Role | None = None, *, in_session: bool = False) -> int:
        """One that is open, if possible of this role and in a session."""
        kinds: list[Callable[[ToldSocket], bool]] = [
            lambda told: role in (None, told.role) and (bool(told.sessions) or not in_session),
            lambda told: role in (None, told.role),
            lambda told: True,
        ]
        for is_wanted in kinds:
            there = [number for number, (_, told) in self.sockets.items() if is_wanted(told)]
            if there:
                return there[pick % len(there)]
        raise AssertionError("none is open")

    def say(self, number: int, event: str, **data: object) -> None:
        node, told = self.sockets[number]
        if told.is_closed:
            return
        node.perform(node.state.receive(number, frame(event, **data), self.store.now))
        self.take()

    def some_session(self, told: ToldSocket, pick: int | None) -> str | None:
        if pick is None:
            return None
        known = [*told.sessions, *(f"s{number}" for number in range(1, 4))]
        return known[pick % len(known)]

    # ── what sockets do ──

    @rule(
        pick=PICK,
        role=st.sampled_from(Role),
        user=st.sampled_from(USERS),
        grant=GRANTS | st.builds(Grant, expires_at=st.sampled_from([20.0, 100.0])),
        features=FEATURES,
        door=DOORS,
    )
    def register(
        self,
        pick: int,
        role: Role,
        user: str,
        grant: Grant,
        features: tuple[str, ...],
        door: Door | None,
    ) -> None:
        self.come(pick, role, user, grant, features, door)

    def come(
        self,
        pick: int,
        role: Role,
        user: str,
        grant: Grant,
        features: tuple[str, ...],
        door: Door | None,
    ) -> None:
        node, number = self.node(pick), next(self.numbers)
        told = ToldSocket(number, role, user, grant, features, door if role is CLIENT else None)
        self.sockets[number] = node, told
        state = None if door is None else door.value
        about = {"userId": user, "role": role.value, "features": [*features], "state": state}
        self.say(number, "register", package="webrtc", token=grant.for_(role, user), **about)

    @precondition(lambda self: self.sockets)
    @rule(pick=PICK, in_session=MOSTLY)
    def lose(self, pick: int, in_session: bool) -> None:
        self.close(self.socket(pick, in_session=in_session))

    def close(self, number: int) -> None:
        node, told = self.sockets.pop(number)
        told.is_closed = True
        if not node.is_killed:
            node.perform(node.state.lost(number, self.store.now))
        self.take()

    @precondition(lambda self: self.probes)
    @rule(pick=PICK)
    def answer_probe(self, pick: int) -> None:
        number, successor = self.probes.pop(pick % len(self.probes))
        if number in self.sockets:
            node, _ = self.sockets[number]
            node.perform(node.state.alive(number, successor, self.store.now))
        self.take()

    @precondition(lambda self: self.sockets)
    @rule(
        pick=PICK,
        client=st.sampled_from(["kim", *USERS]),
        by_evaluator=MOSTLY,
        named=st.none() | PICK,
    )
    def start(self, pick: int, client: str, by_evaluator: bool, named: int | None) -> None:
        number = self.socket(pick, EVALUATOR if by_evaluator else None)
        told, ref = self.sockets[number][1], self.refs()
        told.starts[ref] = []
        session = self.some_session(told, named)
        self.say(number, "start_session", clientId=client, sessionId=session, ref=ref)

    @precondition(lambda self: self.sockets)
    @rule(
        pick=PICK,
        user=st.sampled_from(USERS),
        named=st.none() | PICK,
        count=st.sampled_from([1, 3]),
    )
    def signal(self, pick: int, user: str, named: int | None, count: int) -> None:
        number = self.socket(pick, in_session=True)
        told = self.sockets[number][1]
        session = self.some_session(told, named)
        users = [*told.sessions.values()]
        target = users[pick % len(users)] if users and user != "sam" else user
        for _ in range(count):
            self.send(number, targetUserId=target, sessionId=session)

    @precondition(lambda self: any(told.starts for _, told in self.sockets.values()))
    @rule(pick=PICK, client=st.sampled_from(["kim", *USERS]))
    def signal_by_ref(self, pick: int, client: str) -> None:
        refs = [(n, ref) for n, (_, told) in self.sockets.items() for ref in told.starts]
        number, ref = refs[-1 - pick % len(refs)]
        self.by_ref.add((number, self.sockets[number][1].signals + 1))
        self.send(number, targetUserId=client, ref=ref)

    def send(self, number: int, **about: object) -> None:
        told = self.sockets[number][1]
        if not told.is_closed:
            told.signals += 1
            self.say(number, "webrtc_signal", signal=[number, told.signals], **about)

    @precondition(lambda self: self.sockets)
    @rule(pick=PICK, named=PICK)
    def end_session(self, pick: int, named: int) -> None:
        number = self.socket(pick, in_session=True)
        told = self.sockets[number][1]
        session = self.some_session(told, named)
        if not told.is_closed:
            assert session is not None
            told.ends.append((session, False))
            self.say(number, "end_session", sessionId=session)

    @precondition(lambda self: self.sockets)
    @rule(pick=PICK)
    def enter(self, pick: int) -> None:
        number = self.socket(pick, CLIENT)
        told = self.sockets[number][1]
        if not told.is_closed:
            told.enters += 1
            told.door = Door.ENTERED if told.door is Door.WAITING else told.door
            self.say(number, "enter")

    # ── what happens ──

    @rule(picks=st.lists(PICK, max_size=6))
    def go_on(self, picks: list[int]) -> None:
        for pick in picks:
            steps = [step for node in self.nodes.nodes for step in node.steps()]
            if steps:
                steps[pick % len(steps)]()
                self.take()

    @rule(pick=PICK)
    def go_on_at_one(self, pick: int) -> None:
        """All that is under way at one node comes to its end."""
        self.run([self.node(pick)])

    @rule()
    def go_on_everywhere(self) -> None:
        self.run(self.nodes.nodes)

    def run(self, nodes: list[Node]) -> None:
        for _ in range(10_000):
            steps = [step for node in nodes for step in node.steps()]
            if not steps:
                return
            steps[0]()
            self.take()
        raise AssertionError("it goes on for ever")

    @rule(seconds=st.sampled_from([3, 3, 12, 70]))
    def wait(self, seconds: int) -> None:
        for _ in range(0, seconds, 3):
            self.store.now += 3.0
            for node in self.live:
                self.renew(node)

    def renew(self, node: Node) -> None:
        since = self.away.get(node)
        if since is not None and self.store.now < since + 9.0 and self.store.lives(node.boot):
            return
        if since is not None:
            self.find_store(node)
        self.is_unsure |= not self.store.lives(node.boot)
        node.renew()
        self.take()

    # ── what goes wrong ──

    @precondition(lambda self: len(self.live) > 1)
    @rule(pick=PICK)
    def kill(self, pick: int) -> None:
        self.end(self.node(pick))

    def end(self, node: Node) -> None:
        node.is_killed = True
        for number in [number for number, (there, _) in self.sockets.items() if there is node]:
            self.close(number)

    @precondition(lambda self: len(self.live) < 3)
    @rule()
    def open_another(self) -> None:
        self.nodes.nodes.append(self.nodes.open())

    @rule(pick=PICK, is_found=st.booleans())
    def lose_lease(self, pick: int, is_found: bool) -> None:
        """A node was frozen for so long; it finds that out at its next call."""
        node = self.node(pick)
        self.is_unsure = True
        self.store.leases[node.boot] = self.store.now
        if is_found:
            self.renew(node)

    @rule(pick=PICK)
    def break_down(self, pick: int) -> None:
        """A node begins again by a fault of its own, while its lease is good."""
        node = self.node(pick)
        self.away.pop(node, None)
        self.is_unsure = True
        node.begin_again()
        self.take()

    @rule(pick=PICK)
    def start_over(self, pick: int) -> None:
        self.lose_all_of(self.node(pick))

    def lose_all_of(self, node: Node) -> None:
        """The same, where it closes its sockets, as what it knows may be half done."""
        self.away.pop(node, None)
        self.is_unsure = True
        node.start_over()
        for number in [number for number, (there, _) in self.sockets.items() if there is node]:
            self.close(number)

    @rule(finds_out=st.lists(PICK, max_size=2))
    def forget_all(self, finds_out: list[int]) -> None:
        """The store is emptied; each node finds that out at its next call."""
        self.is_unsure = True
        self.store.forget_all()
        for pick in finds_out:
            self.renew(self.node(pick))

    @rule(pick=PICK, what=st.sampled_from(["nothing", "all", "late"]))
    def lose_store(self, pick: int, what: str) -> None:
        node = self.node(pick)
        if node not in self.away:
            self.is_unsure = True
            self.away[node] = self.store.now
            node.lose_store(is_carried_out=what == "all", is_late=what == "late")
            self.take()

    @precondition(lambda self: self.away)
    @rule(pick=PICK)
    def find_store_again(self, pick: int) -> None:
        away = [node for node in self.live if node in self.away]
        if away:
            self.find_store(away[pick % len(away)])

    def find_store(self, node: Node) -> None:
        del self.away[node]
        node.find_store()
        self.take()

    @precondition(lambda self: any(node.late for node in self.nodes.nodes))
    @rule(pick=PICK)
    def carry_out_late(self, pick: int) -> None:
        late = [node for node in self.nodes.nodes if node.late]
        late[pick % len(late)].carry_out_late()

    # ── what is told ──

    def take(self) -> None:
        """Tell each socket what it is told by now."""
        while self.nodes.done:
            _, output = self.nodes.done.pop(0)
            match output:
                case Pass(number, text):
                    self.tell(number, text)
                case Send(int(number), message):
                    self.store.signals += signals_in(message)
                    if number in self.sockets:
                        self.sockets[number][1].take(message)
                case Close(int(number)):
                    if number in self.sockets:
                        self.sockets[number][1].is_closed = True
                case Probe(int(number), successor):
                    self.probes.append((number, str(successor)))
                case _:
                    pass

    def tell(self, number: int, text: str) -> None:
        if number in self.sockets:
            self.sockets[number][1].take(decode_from_relay(text))

    # ── laws ──

    @invariant()
    def copies_are_as_they_were_unless_they_are_taken(self) -> None:
        for node in self.live:
            assert copies_that_differ(node.state) == []

    def settle(self) -> None:
        """All that is under way comes to its end, and all know what there is."""
        for node in self.live:
            if node in self.away:
                self.find_store(node)
        for _ in range(5):
            self.run(self.nodes.nodes)
            for number in [n for n, (_, told) in self.sockets.items() if told.is_closed]:
                self.close(number)
            self.wait(6)
        self.run(self.nodes.nodes)

    def check(self) -> None:
        open_at = {number: (node.boot, told) for number, (node, told) in self.sockets.items()}
        Quiet(self.nodes, open_at).check()
        carried_out = {*self.store.signals}
        for number, (_, told) in self.sockets.items():
            sent = {(number, count + 1) for count in range(told.signals)}
            lost = sent - carried_out
            assert told.unsent >= len(lost - self.by_ref)
            assert self.is_unsure or told.unsent <= len(lost)

    def teardown(self) -> None:
        if not hasattr(self, "nodes"):
            return
        while any(node.late for node in self.nodes.nodes):
            self.carry_out_late(0)
        self.settle()
        self.check()
        self.wait(200)
        self.settle()
        self.check()
        assert not [key for key in self.store.deadlines if "away" in key]
        for number in [*self.sockets]:
            self.close(number)
        self.settle()
        self.wait(200)
        self.settle()
        self.check()
        assert not self.store.records


Interleavings.TestCase.settings = settings(
    max_examples=100 * (DEEP or 1),
    stateful_step_count=50,
    deadline=None,
    derandomize=not DEEP,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
test_whatever_the_order_and_whatever_fails_the_laws_hold = Interleavings.TestCase
