"""Signals that go together: each goes only where its own session is as it was decided to be."""

import inspect
import json
import sys

from imgsync.core.codec.codec import decode_from_relay
from imgsync.core.protocol.signalling import (
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    SessionEndedEvent,
)
from imgsync.core.relay.nodes.node import MAX_WAITING, NodeState
from imgsync.core.relay.nodes.outputs import Pass
from imgsync.core.relay.outputs import Send
from imgsync.core.relay.terms import Terms
from tests.kit.nodes import Nodes
from tests.kit.relay_states import GRACE, frame, numbered


def test_a_signal_beside_one_of_another_session_does_not_outlive_its_own() -> None:
    new_id = numbered("s{}")
    nodes = Nodes(2, lambda boot: NodeState(boot, new_id, Terms(grace=GRACE)))
    for socket, role, user in (
        (2, "evaluator", "eve"),
        (1, "client", "carl"),
        (3, "client", "kim"),
    ):
        about = {"userId": user, "role": role, "package": "webrtc"}
        nodes.receive(socket, frame("register", **about), 0.0)
    for socket, user in ((1, "carl"), (3, "kim")):
        nodes.receive(2, frame("start_session", clientId=user), 0.0)
        nodes.receive(socket, frame("webrtc_signal", targetUserId="eve", signal=0), 0.0)
    here, there = nodes.nodes
    there.perform(there.state.receive(3, frame("end_session", sessionId="s2"), 0.0))
    while there.calls or there.answers:
        there.steps()[0]()
    for count, user in enumerate(["carl", "kim"]):
        signal = frame("webrtc_signal", targetUserId=user, signal=count)
        here.perform(here.state.receive(2, signal, 0.0))
    nodes.run()
    passed = [output for _, output in nodes.done if isinstance(output, Pass)]
    told = [(one.socket, decode_from_relay(one.text)) for one in passed]
    signals = [(s, json.loads(m.signal)) for s, m in told if isinstance(m, ForwardedSignal)]
    assert signals == [(1, 0)]
    assert {s for s, m in told if isinstance(m, SessionEndedEvent)} == {2, 3}


def test_all_that_may_wait_behind_a_start_goes_on_in_order_when_it_is_decided() -> None:
    new_id = numbered("s{}")
    nodes = Nodes(1, lambda boot: NodeState(boot, new_id, Terms(grace=GRACE)))
    [node] = nodes.nodes
    for socket, role, user in ((1, "client", "carl"), (2, "evaluator", "eve")):
        about = {"userId": user, "role": role, "features": ["early_offer"]}
        nodes.receive(socket, frame("register", package="webrtc", **about), 0.0)
    node.perform(node.state.receive(2, frame("start_session", clientId="carl", ref="r"), 0.0))
    for count in range(MAX_WAITING - 1):
        signal = frame("webrtc_signal", targetUserId="carl", signal=count, ref="r")
        node.perform(node.state.receive(2, signal, 0.0))
    limit = sys.getrecursionlimit()
    # It is less deep than it is long.
    sys.setrecursionlimit(len(inspect.stack()) + MAX_WAITING)
    try:
        nodes.run()
    finally:
        sys.setrecursionlimit(limit)
    passed = [output for _, output in nodes.done if isinstance(output, Send | Pass)]
    told = [one.message if isinstance(one, Send) else decode_from_relay(one.text) for one in passed]
    signals = [int(one.signal) for one in told if isinstance(one, ForwardedSignal)]
    assert signals == [*range(MAX_WAITING - 1)]


def test_who_has_registered_is_not_told_otherwise_while_all_nodes_begin_again() -> None:
    new_id = numbered("s{}")
    nodes = Nodes(2, lambda boot: NodeState(boot, new_id, Terms(grace=GRACE)))
    for socket, role, user in ((1, "client", "carl"), (2, "evaluator", "eve")):
        about = {"userId": user, "role": role, "package": "webrtc"}
        nodes.receive(socket, frame("register", **about), 0.0)
    nodes.receive(2, frame("start_session", clientId="carl"), 0.0)
    nodes.receive(1, frame("webrtc_signal", targetUserId="eve", signal=0), 0.0)
    nodes.store.leases.clear()
    here, there = nodes.nodes
    here.begin_again()
    there.begin_again()
    for _ in range(20):
        for step in [step for node in nodes.nodes for step in node.steps()[:1]]:
            step()
        for socket, user in ((1, "eve"), (2, "carl")):
            signal = frame("webrtc_signal", targetUserId=user, signal=1)
            node = nodes.node_of(socket)
            node.perform(node.state.receive(socket, signal, 0.0))
    codes = {
        output.message.code
        for _, output in nodes.done
        if isinstance(output, Send) and isinstance(output.message, ErrorEvent)
    }
    assert codes == {ErrorCode.UNAVAILABLE}
