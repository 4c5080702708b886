"""How often somebody may do something: token buckets, and what follows from an empty one.

What a message costs counts: its bytes, what it causes, and as much where it is refused. A socket
has a bucket of its own, and shares another one with all that come from the same address, so that
whoever opens a thousand of them may not have a thousand times as much done. Times are seconds on
any clock that only goes forward.
"""

import enum
import ipaddress
from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, Protocol, TypeVar

import attrs

from imgsync.core.protocol.signalling import Presences, Registered
from imgsync.core.relay.outputs import Send

BURST = 20.0
"""Seconds' worth of the rate that may come at once: a peer that trickles candidates for several
sessions, or a clinic whose clients all come back from behind one address."""

ADDRESS_BURST = 40.0
"""The same of all messages from one address. A session takes some 50, and twice as many where it
has to try again: a clinic of 300 clients that all come back, and all into sessions, says 30,000
within a few seconds."""

PATIENCE = 10.0
"""What is refused counts ten times as long as what is let through: one in ten may be too much for
ever, more than that is a flood sooner or later."""

MESSAGE_SIZE = 2 * 1024
"""Bytes that count as a message, where a frame has more: whatever stands in them, they are read in
the time in which a short signal is passed on."""

FAN_OUT = 10
"""Beyond the first ten, so many messages that go out count as one that comes in: starting and
ending sessions without end, each time told to all evaluators, would else be a way to slow them."""

ENTRIES = 10
"""So many clients in a list that goes out count as one message that does."""


def cost_of(frame: str | bytes) -> int:
    """How many messages a frame counts as."""
    size = len(frame)
    if isinstance(frame, str) and not frame.isascii():
        size = len(frame.encode(errors="surrogatepass"))
    return 1 + max(0, size - 1) // MESSAGE_SIZE


def work_in(outputs: Iterable[object]) -> int:
    """How many messages go out, each one with what it takes to make it."""
    work = 0
    last = None
    for output in outputs:
        work += 1
        if isinstance(output, Send) and output.message is not last:
            last = output.message
            if isinstance(last, Registered | Presences) and last.clients:
                work += len(last.clients) // ENTRIES
    return work


@attrs.define
class TokenBucket:
    """Lets `rate` things a second through, and `burst` at once.

    :param rate: per second; 0 lets everything through.
    """

    rate: float
    burst: float
    _level: float = attrs.field(init=False)
    _at: float = attrs.field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self._level = self.burst

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take as much, be it more than is there; False where there is not even one left."""
        if not self.has_one(now):
            return False
        self._level -= amount
        return True

    def has_one(self, now: float) -> bool:
        """Whether one can be taken."""
        if self.rate == 0:
            return True
        self._refill(now)
        return self._level >= 1

    def spend(self, amount: float) -> None:
        """Take so much, even if it is not there yet; the debt has a limit."""
        self._level = min(self._level, max(-self.burst, self._level - amount))

    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""
        self._refill(now)
        return self._level >= self.burst

    def _refill(self, now: float) -> None:
        self._level = min(self.burst, self._level + self.rate * (now - self._at))
        self._at = now


class _Rests(Protocol):
    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""


T = TypeVar("T", bound=_Rests)


class Networks(Generic[T]):
    """What each network has left of something; those that have rested are forgotten.

    :param make: what one has that was never seen.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._left: dict[str, T] = {}
        self._next_sweep = 0.0

    def at(self, network: str, now: float) -> T:
        """What this one has left, by the name that `network_of` gives it. Not to be kept."""
        if now >= self._next_sweep:
            self._sweep(now)
        found = self._left.get(network)
        if found is None:
            found = self._left[network] = self._make()
        return found

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._left)

    def _sweep(self, now: float) -> None:
        self._left = {name: one for name, one in self._left.items() if not one.is_full(now)}
        self._next_sweep = now + BURST


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


class Verdict(enum.Enum):
    """What is to become of a message."""

    PASS = enum.auto()
    REFUSE = enum.auto()
    REFUSE_ADDRESS = enum.auto()
    CLOSE = enum.auto()


class Allowance:
    """How much may be said, and refused before somebody is shut out.

    :param rate: messages per second; 0 for no limit.
    :param seconds: how many seconds' worth may come at once.
    """

    __slots__ = ("_messages", "_refusals", "rate")

    def __init__(self, rate: float, seconds: float = BURST) -> None:
        burst = max(1.0, rate * seconds)
        self.rate = rate
        self._messages = TokenBucket(rate, burst)
        self._refusals = TokenBucket(rate / PATIENCE, burst)

    def has_one(self, now: float) -> bool:
        """Whether another message may pass."""
        return self._messages.has_one(now)

    def take(self, now: float, cost: float) -> None:
        """One has passed."""
        self._messages.take(now, cost)

    def refuse(self, now: float, cost: float) -> bool:
        """One is refused; False where that was too often."""
        return self._refusals.take(now, cost)

    def spend(self, amount: float) -> None:
        """So many more were caused."""
        self._messages.spend(amount)

    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been said."""
        return self._messages.is_full(now) and self._refusals.is_full(now)


class MessageLimit:
    """The messages of one socket: too many are refused, and who goes on then is shut out.

    :param rate: messages per second; 0 for no limit.
    :param shared: what the networks have left; None where the address stands for many people.
    :param network: the one that it comes from.
    """

    __slots__ = ("_network", "_own", "_shared")

    def __init__(
        self, rate: float, shared: Networks[Allowance] | None = None, network: str = ""
    ) -> None:
        self._own = Allowance(rate)
        self._shared = shared
        self._network = network

    def judge(self, now: float, cost: float = 1.0) -> Verdict:
        """A message has come in that counts as so many."""
        shared = self._left(now)
        if self._own.has_one(now):
            if shared is None or shared.has_one(now):
                self._own.take(now, cost)
                if shared is not None:
                    shared.take(now, cost)
                return Verdict.PASS
            refusal = Verdict.REFUSE_ADDRESS
        else:
            refusal = Verdict.REFUSE
        is_borne = self._own.refuse(now, cost)
        if shared is not None:
            is_borne = shared.refuse(now, cost) and is_borne
        return refusal if is_borne else Verdict.CLOSE

    def charge(self, work: int, now: float) -> None:
        """What a message has caused counts, too: so many things to do."""
        if work > FAN_OUT:
            more = (work - FAN_OUT) / FAN_OUT
            self._own.spend(more)
            shared = self._left(now)
            if shared is not None:
                shared.spend(more)

    def explain(self, verdict: Verdict, now: float) -> str:
        """A refusal in words, for whoever is refused."""
        shared = self._left(now)
        if verdict is Verdict.REFUSE_ADDRESS and shared is not None:
            return (
                f"More than {shared.rate:g} messages a second from your address, through all its"
                " connections together; slow down."
            )
        size = MESSAGE_SIZE // 1024
        return (
            f"More than {self._own.rate:g} messages a second, of which each {size} KiB count as"
            " one; slow down."
        )

    def _left(self, now: float) -> Allowance | None:
        return None if self._shared is None else self._shared.at(self._network, now)


class MessageLimits:
    """Those of all sockets.

    :param rate: messages per second of each; 0 for no limit.
    :param address_rate: of all together that come from one address; 0 for no limit.
    """

    def __init__(self, rate: float, address_rate: float) -> None:
        self._rate = rate
        self._shared = Networks(partial(Allowance, address_rate, ADDRESS_BURST))
        self._is_shared = address_rate > 0

    def of(self, address: str | None) -> MessageLimit:
        """That of a new socket; None for an address that stands for many people."""
        if address is None or not self._is_shared:
            return MessageLimit(self._rate)
        return MessageLimit(self._rate, self._shared, network_of(address))


# ── connections ──────────────────────────────────────────────────────────────────────────────────


class ConnectLimit:
    """How often one remote address may connect; addresses are forgotten when they have rested.

    An IPv6 address counts as its /64: that is what one customer has to choose from.

    :param rate: connections per second and address; 0 for no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets = Networks(partial(TokenBucket, rate, max(1.0, rate * BURST)))

    def take(self, address: str, now: float) -> bool:
        """Somebody connects; False where that address has connected too often."""
        return self._rate == 0 or self._buckets.at(network_of(address), now).take(now)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket's, or one that could not be read
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:  # as a socket for both families tells of an IPv4 peer
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
