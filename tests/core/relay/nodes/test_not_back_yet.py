"""Sockets of a node that has begun again, before they are back."""

import pytest

from tests.core.relay.nodes.test_interleavings import Interleavings

SAM, KIM = 1, 2
"""An evaluator's socket at the first node, and a client's at the second one."""


@pytest.fixture
def relay() -> Interleavings:
    relay = Interleavings()
    relay.begin(count=2, most=4096)
    return relay


def test_one_that_closes_before_its_return_is_heard_of_is_taken_out_again(
    relay: Interleavings,
) -> None:
    relay.forget_all(finds_out=[1])
    kims = relay.nodes.nodes[1]
    while not relay.store.records:
        kims.steps()[0]()
    relay.lose_store(1, "nothing")  # when it has been carried out, before anybody reads of it
    relay.close(KIM)
    relay.settle()
    relay.check()


def test_one_that_says_something_meanwhile_has_not_to_register(relay: Interleavings) -> None:
    relay.start(pick=0, client="kim", by_evaluator=True, named=None)
    relay.run(relay.nodes.nodes)
    relay.forget_all(finds_out=[0])
    sams = relay.nodes.nodes[0]
    for _ in range(2):
        sams.steps()[0]()  # it is read that nothing is there, and decided what is to be
    relay.signal(pick=0, user="kim", named=None, count=1)
    relay.lose_store(0, "nothing")
    assert relay.sockets[SAM][1].unsent == 1
    relay.settle()
    relay.check()
