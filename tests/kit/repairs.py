"""Two cores of the handshake in a small world: a relay that forgets, a network that fails, a clock.

Nothing here waits. Whatever could happen next is a move, and whoever tests chooses among them.
"""

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random

import attrs

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake.outputs import (
    AddCandidate,
    ApplyAnswer,
    Connected,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Note,
    Output,
    Phase,
    Say,
    TakeUp,
)
from imgsync.core.protocol.signalling import EndReason, Signal
from tests.kit.handshakes import Core, sdp

Move = Callable[[], None]
Input = Callable[[], list[Output]]


@attrs.define(eq=False, repr=False)
class Peer:
    """One core and its fake connections."""

    name: str
    core: Core
    #: Whether it is at the relay, and what the relay has for it.
    is_here: bool = True
    inbox: deque[Input] = attrs.field(factory=deque)
    to_describe: deque[int] = attrs.field(factory=deque)
    #: By attempt: fragments of the two descriptions.
    local: dict[int, str] = attrs.field(factory=dict)
    remote: dict[int, str] = attrs.field(factory=dict)
    #: Of the offers that came in.
    mids: dict[int, str] = attrs.field(factory=dict)
    discarded: set[int] = attrs.field(factory=set)
    end: Ended | None = None
    #: Whether it believes that there is a connection.
    is_open: bool = False

    @property
    def is_over(self) -> bool:
        return self.core.phase is Phase.ENDED


class World:
    """An evaluator and a client in one session."""

    def __init__(self) -> None:
        self.now = 0.0
        self.has_network = True
        #: Whether the relay knows the session, and whether the evaluator wants it to.
        self.is_known = True
        self.is_wanted = False
        #: Which signals never arrive, by their number.
        self.is_lost: Callable[[int], bool] = lambda number: False
        self.signals = 0
        self.evaluator = Peer("eva", Core(offers=True))
        self.client = Peer("cli", Core(offers=False))
        self.peers = (self.evaluator, self.client)
        for peer in self.peers:
            self.perform(peer, peer.core.start())

    def other(self, peer: Peer) -> Peer:
        return self.client if peer is self.evaluator else self.evaluator

    # ── outputs ──────────────────────────────────────────────────────────────────────────────────

    def perform(self, peer: Peer, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case MakeOffer(attempt) | MakeAnswer(attempt):
                    assert attempt not in peer.discarded
                    peer.to_describe.append(attempt)
                    if isinstance(output, MakeAnswer):
                        peer.remote[attempt] = output.offer.ufrag
                        peer.mids[attempt] = output.offer.mid
                case ApplyAnswer(attempt, answer):
                    if attempt not in peer.discarded:
                        peer.remote[attempt] = answer.ufrag
                case Say(signal):
                    self.forward(peer, signal)
                case TakeUp():
                    self.is_wanted = True
                    self.take_up()
                case Discard(attempt):
                    peer.discarded.add(attempt)
                case Connected():
                    assert not peer.is_open
                    peer.is_open = True
                case Interrupted():
                    assert peer.is_open
                    peer.is_open = False
                case Ended():
                    assert peer.end is None
                    peer.end = output
                    self.leave(peer)
                case AddCandidate() | Note():
                    pass

    def fire(self, peer: Peer) -> None:
        """Let the peer's time come; it is late where the clock is further already."""
        self.now = max(self.now, peer.core.due)
        for each in self.peers:
            each.core.now = self.now
        self.perform(peer, peer.core.tick(self.now))

    # ── the relay ────────────────────────────────────────────────────────────────────────────────

    def tell(self, peer: Peer, said: Input) -> None:
        if peer.is_here and not peer.is_over:
            peer.inbox.append(said)

    def forward(self, peer: Peer, signal: Signal) -> None:
        self.signals += 1
        if peer.is_here and self.is_known and not self.is_lost(self.signals):
            other = self.other(peer)
            self.tell(other, partial(other.core.receive, encode_signal(signal)))

    def lose_relay(self, peer: Peer) -> None:
        """What was on its way to the peer is lost."""
        peer.inbox.clear()
        peer.inbox.append(peer.core.signalling_lost)
        peer.is_here = False
        if self.is_known:
            self.tell(self.other(peer), self.other(peer).core.peer_away)

    def find_relay(self, peer: Peer) -> None:
        peer.is_here = True
        if self.is_known:
            self.tell(peer, peer.core.signalling_back)
            other = self.other(peer)
            self.tell(other, other.core.peer_back)
            if not other.is_here:
                self.tell(peer, peer.core.peer_away)
        elif peer is self.evaluator:
            self.is_wanted = True
        self.take_up()

    def take_up(self) -> None:
        """The evaluator has a forgotten session taken up, once both are there."""
        is_possible = all(peer.is_here and not peer.is_over for peer in self.peers)
        if self.is_wanted and is_possible and not self.is_known:
            self.is_known, self.is_wanted = True, False
            for peer in self.peers:
                self.tell(peer, peer.core.signalling_back)

    def restart_relay(self) -> None:
        self.is_known = False
        for peer in self.peers:
            if peer.is_here:
                self.lose_relay(peer)

    def forget(self, reason: EndReason) -> None:
        """The relay has the session no more, and says so to who is there."""
        self.is_known = False
        for peer in self.peers:
            self.tell(peer, partial(peer.core.session_ended, reason))

    def leave(self, peer: Peer) -> None:
        """A peer whose session is over says so, where it can."""
        if peer.is_here and self.is_known:
            self.forget(EndReason.ENDED)
        peer.inbox.clear()

    # ── the network ──────────────────────────────────────────────────────────────────────────────

    def is_joined(self, peer: Peer) -> bool:
        """Whether the peer's current connection has its counterpart, and both are there."""
        other = self.other(peer)
        mine, theirs = peer.core.attempt, other.core.attempt
        fits = (
            mine in peer.local
            and peer.local[mine] == other.remote.get(theirs)
            and theirs in other.local
            and other.local[theirs] == peer.remote.get(mine)
        )
        is_there = mine not in peer.discarded and theirs not in other.discarded
        return fits and is_there and not peer.is_over and not other.is_over

    @property
    def is_connected(self) -> bool:
        return all(p.core.phase is Phase.CONNECTED and self.is_joined(p) for p in self.peers)

    @property
    def is_over(self) -> bool:
        return all(peer.is_over for peer in self.peers)

    def describe(self, peer: Peer) -> None:
        attempt = peer.to_describe.popleft()
        peer.local[attempt] = f"{peer.name}{attempt:05}"
        kind = "offer" if peer is self.evaluator else "answer"
        text = sdp(kind, peer.local[attempt], mid=peer.mids.get(attempt, str(attempt)))
        self.perform(peer, peer.core.described(attempt, text))

    def hear(self, peer: Peer) -> None:
        self.perform(peer, peer.inbox.popleft()())

    def open(self, peer: Peer) -> None:
        self.perform(peer, peer.core.opened(peer.core.attempt))

    def lose(self, peer: Peer) -> None:
        lost = peer.core.lost(peer.core.attempt, EndReason.CONNECTION_LOST, "silence")
        self.perform(peer, lost)

    def see_close(self, peer: Peer) -> None:
        self.perform(peer, peer.core.left(peer.core.attempt))

    # ── what comes next ──────────────────────────────────────────────────────────────────────────

    def moves(self) -> list[Move]:
        """What takes no time worth speaking of."""
        possible: list[Move] = []
        for peer in self.peers:
            if peer.inbox:
                possible.append(partial(self.hear, peer))
            if peer.to_describe:
                possible.append(partial(self.describe, peer))
            joined = self.is_joined(peer)
            if peer.core.phase is Phase.NEGOTIATING and joined and self.has_network:
                possible.append(partial(self.open, peer))
            if peer.core.phase is Phase.CONNECTED and not joined:
                # The other side's connection was closed, which may be heard or not.
                possible.append(partial(self.lose, peer))
                if self.has_network:
                    possible.append(partial(self.see_close, peer))
            if peer.core.phase is Phase.CONNECTED and not self.has_network:
                possible.append(partial(self.lose, peer))
        return possible

    def timers(self) -> list[tuple[float, Peer]]:
        """In the order in which they are due."""
        found = [(peer.core.due, peer) for peer in self.peers if peer.core.due < math.inf]
        return sorted(found, key=lambda timer: timer[0])

    def settle(self, random: Random) -> None:
        """Everybody is there again, signals are quicker than timers, and timers come in order."""
        self.has_network = True
        for peer in self.peers:
            if not peer.is_here:
                self.find_relay(peer)
        for _ in range(3000):
            possible = self.moves()
            if possible:
                random.choice(possible)()
            elif self.is_connected or self.is_over:
                return
            else:
                timers = self.timers()
                assert timers, "nothing will ever happen"
                _, peer = timers[0]
                self.fire(peer)
        raise AssertionError("they don't come to rest")
