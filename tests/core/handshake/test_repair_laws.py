"""Whatever was lost, in whatever order: two cores come together again, or both know of the end."""

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.handshake.outputs import Phase
from imgsync.core.protocol.signalling import EndReason
from tests.kit.repairs import World

SEED = st.integers(0, 2**32)
PEER = st.sampled_from([0, 1])


class Repairs(RuleBasedStateMachine):
    """Losses, flaps of the relay and timers in any order, and now and then a time of peace."""

    @initialize(are_connected=st.booleans(), seed=SEED)
    def begin(self, are_connected: bool, seed: int) -> None:
        self.world = World()
        #: Whether somebody may have been told that the other side did not come back in time.
        self.gave_up_waiting = self.is_lossy = False
        if are_connected:
            self.world.settle(Random(seed))
            assert self.world.is_connected

    @rule(data=st.data(), times=st.integers(1, 8))
    def something_moves(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            possible = self.world.moves()
            if possible:
                possible[data.draw(st.integers(0, len(possible) - 1))]()

    @rule(data=st.data())
    def a_timer_fires(self, data: st.DataObject) -> None:
        timers = self.world.timers()
        if timers:
            _, peer = timers[data.draw(st.integers(0, len(timers) - 1))]
            self.world.fire(peer)

    @rule()
    def the_network_fails_or_is_back(self) -> None:
        self.world.has_network = not self.world.has_network

    @rule(which=PEER)
    def a_side_loses_its_connection(self, which: int) -> None:
        peer = self.world.peers[which]
        if peer.core.attempt:
            self.world.lose(peer)

    @rule(which=PEER)
    def a_side_loses_the_relay_or_is_back(self, which: int) -> None:
        peer = self.world.peers[which]
        (self.world.lose_relay if peer.is_here else self.world.find_relay)(peer)

    @rule(which=st.integers(0, 2))
    def the_relay_loses_a_third_of_all_signals_from_now_on(self, which: int) -> None:
        # Who sees the connection closed, and hears of no other one, takes it that it was left.
        self.world.is_lost = lambda number: number % 3 == which
        self.is_lossy = True

    @rule()
    def the_relay_is_restarted(self) -> None:
        self.world.restart_relay()

    @precondition(lambda self: self.world.is_known)
    @rule()
    def the_relay_forgets_who_is_away(self) -> None:
        if not all(peer.is_here for peer in self.world.peers):
            self.world.forget(EndReason.PEER_GONE)
            self.gave_up_waiting = True

    @rule()
    def the_relay_says_that_it_stops(self) -> None:
        self.world.forget(EndReason.RELAY_SHUTDOWN)
        self.world.restart_relay()

    @rule(seed=SEED)
    def all_is_well_again(self, seed: int) -> None:
        world = self.world
        were_connected = all(peer.core.was_connected for peer in world.peers)
        has_ended = any(peer.is_over for peer in world.peers)
        world.settle(Random(seed))
        if were_connected and not (has_ended or self.gave_up_waiting or self.is_lossy):
            assert world.is_connected
        if world.is_connected:
            self.gave_up_waiting = False

    @invariant()
    def who_says_to_be_connected_has_a_connection(self) -> None:
        for peer in self.world.peers:
            if peer.core.phase is Phase.CONNECTED:
                assert peer.core.attempt not in peer.discarded

    @invariant()
    def while_both_are_at_the_relay_something_will_happen(self) -> None:
        world = self.world
        if world.has_network and world.is_known and all(peer.is_here for peer in world.peers):
            assert world.is_connected or world.is_over or world.moves() or world.timers()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.all_is_well_again(0)


Repairs.TestCase.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_two_sides_come_together_again_or_both_know_of_the_end = Repairs.TestCase
