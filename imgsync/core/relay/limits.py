"""How often somebody may do something: token buckets, and what follows from an empty one.

Times are seconds on any clock that only goes forward.
"""

import enum
import ipaddress

import attrs

BURST = 20.0
"""Seconds' worth of the rate that may come at once: a peer that trickles candidates for several
sessions, or a clinic whose clients all come back from behind one address."""

PATIENCE = 10.0
"""What is refused counts ten times as long as what is let through: one in ten may be too much for
ever, more than that is a flood sooner or later."""

FAN_OUT = 10
"""Beyond the first ten, so many messages that go out count as one that comes in: starting and
ending sessions without end, each time told to all evaluators, would else be a way to slow them."""


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

    def take(self, now: float) -> bool:
        """Take one; False where there is none left."""
        if self.rate == 0:
            return True
        self._refill(now)
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def spend(self, amount: float) -> None:
        """Take so much, even if it is not there yet; the debt has a limit."""
        self._level = max(-self.burst, self._level - amount)

    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""
        self._refill(now)
        return self._level >= self.burst

    def _refill(self, now: float) -> None:
        self._level = min(self.burst, self._level + self.rate * (now - self._at))
        self._at = now


class Verdict(enum.Enum):
    """What is to become of a message."""

    PASS = enum.auto()
    REFUSE = enum.auto()
    CLOSE = enum.auto()


class MessageLimit:
    """The messages of one socket: too many are refused, and who goes on then is shut out.

    :param rate: messages per second; 0 for no limit.
    """

    def __init__(self, rate: float) -> None:
        burst = max(1.0, rate * BURST)
        self._messages = TokenBucket(rate, burst)
        self._refusals = TokenBucket(rate / PATIENCE, burst)

    def judge(self, now: float) -> Verdict:
        """A message has come in."""
        if self._messages.take(now):
            return Verdict.PASS
        return Verdict.REFUSE if self._refusals.take(now) else Verdict.CLOSE

    def charge(self, caused: int) -> None:
        """What a message has caused counts, too: so many things to do."""
        self._messages.spend(max(0, caused - FAN_OUT) / FAN_OUT)


class ConnectLimit:
    """How often one remote address may connect; addresses are forgotten when they have rested.

    An IPv6 address counts as its /64: that is what one customer has to choose from.

    :param rate: connections per second and address; 0 for no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = max(1.0, rate * BURST)
        self._buckets: dict[str, TokenBucket] = {}
        self._next_sweep = 0.0

    def take(self, address: str, now: float) -> bool:
        """Somebody connects; False where that address has connected too often."""
        if self._rate == 0:
            return True
        if now >= self._next_sweep:
            self._sweep(now)
        key = network_of(address)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst)
        return bucket.take(now)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)

    def _sweep(self, now: float) -> None:
        self._buckets = {
            address: bucket for address, bucket in self._buckets.items() if not bucket.is_full(now)
        }
        self._next_sweep = now + BURST


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
