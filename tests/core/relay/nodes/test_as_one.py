"""Several nodes are one relay: in random runs, each socket is told what one relay tells it.

What happens at one node comes to its end here before anything else does; `test_interleavings.py`
has all orders.
"""

import attrs
from hypothesis import HealthCheck, settings

from imgsync.core.protocol.signalling import Presence, Registered
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.store import Boot
from imgsync.core.relay.outputs import Admitted, Output, Probe, Send, Socket
from imgsync.core.relay.terms import Terms
from tests.core.relay.test_laws import MAX_SOCKETS, RandomRelay
from tests.kit.nodes import Nodes
from tests.kit.relay_states import GRACE, State, numbered, read_claims


@attrs.define(eq=False)
class Beside:
    """One relay, and nodes that hear the same; what they say has to be the same."""

    one: State
    nodes: Nodes

    @property
    def due(self) -> float:
        assert self.one.due == self.nodes.due
        return self.one.due

    def peer_of(self, socket: int) -> Peer | None:
        peer = self.one.peer_of(socket)
        assert self.nodes.node_of(socket).state.peer_of(socket) == peer
        return peer

    def receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        said = self.one.receive(socket, frame, now)
        return compare(said, self.nodes.receive(socket, frame, now))

    def lost(self, socket: Socket, now: float) -> list[Output]:
        return compare(self.one.lost(socket, now), self.nodes.lost(socket, now))

    def alive(self, socket: Socket, successor: Socket, now: float) -> list[Output]:
        said = self.one.alive(socket, successor, now)
        return compare(said, self.nodes.alive(socket, successor, now))

    def drained(self, socket: Socket, now: float) -> list[Output]:
        raise AssertionError("none awaits room here")

    def tick(self, now: float) -> list[Output]:
        return compare(self.one.tick(now), self.nodes.tick(now))


def compare(one: list[Output], nodes: list[Output]) -> list[Output]:
    """Each socket hears the same in the same order; what sockets don't hear is the same."""
    assert said_to_each(nodes) == said_to_each(one)
    aside = [output for output in one if not isinstance(output, Send | Probe | Admitted)]
    news = [output for output in nodes if not isinstance(output, Send | Probe | Admitted)]
    assert sorted(news, key=session_of) == sorted(aside, key=session_of)
    return one


def session_of(about: object) -> str:
    return getattr(about, "session_id", None) or ""


def said_to_each(outputs: list[Output]) -> dict[Socket, list[object]]:
    said: dict[Socket, list[object]] = {}
    for output in outputs:
        if isinstance(output, Send | Probe):
            about = output.message if isinstance(output, Send) else output.successor
            if isinstance(about, Registered) and about.clients is not None:
                listed = sorted(about.clients, key=lambda entry: entry.user_id)
                about = attrs.evolve(about, clients=tuple(listed))
            said.setdefault(output.socket, []).append(about)
    for heard in said.values():
        # Presence is on its own way from node to node; sessions, and clients, have no order.
        heard.sort(key=lambda about: (isinstance(about, Presence), session_of(about)))
    return said


class RandomNodes(RandomRelay):
    """The laws of one relay, and beside it nodes that say the same."""

    def make_state(self, form: str) -> Beside:
        new_id = numbered(form)

        def make(boot: Boot) -> NodeState:
            return NodeState(
                boot,
                new_id,
                Terms(grace=GRACE, max_sockets_per_user=MAX_SOCKETS, read_token=read_claims),
            )

        return Beside(super().make_state(form), Nodes(3, make))


RandomNodes.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_whatever_the_users_do_three_nodes_are_as_one_relay = RandomNodes.TestCase
