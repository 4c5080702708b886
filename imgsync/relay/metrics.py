"""What the relay counts, and the text in which Prometheus reads it.

Counting is a plain increment: no library, no lock. prometheus-client is loaded by the first scrape,
so a relay that nobody scrapes runs without it. Every label value stands in a table here and is
there from the start with 0; none comes from outside, so nobody can make the series grow, and no
label names a user.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from imgsync.core.protocol.signalling import (
    PEER_REASONS,
    CloseCode,
    EndReason,
    ErrorCode,
    Role,
)
from imgsync.distribution import installed_version, missing_extra

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"""

HANDSHAKE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: one machine, one town, one continent, a person who has to be woken up."""

END_REASONS = (
    *PEER_REASONS,
    EndReason.REPLACED,
    EndReason.PEER_GONE,
    EndReason.TOKEN_EXPIRED,
)
"""Those by which a session ends at the relay. One that is claimed elsewhere goes on, and so does
one whose relay is shut down: its evaluator takes it up again at the next."""

OTHER = "other"
"""What is in no table. Peers may close with any of thousands of codes."""

DROP_REASONS = (*(code.name.lower() for code in CloseCode if code != CloseCode.NORMAL), OTHER)

REFUSALS = ("address_full", "address_rate", "draining", "full", "head", "origin", OTHER)
"""Why somebody was not let in: too many or too often from that address, the relay goes away, it has
no room, no sound head came in time, the page is of another origin."""


def drop_reason(code: int) -> str:
    """The label of a close code, whoever said it."""
    try:
        return CloseCode(code).name.lower()
    except ValueError:
        return OTHER


class Histogram:
    """How often something took how long, by HANDSHAKE_BUCKETS."""

    def __init__(self) -> None:
        #: The last bucket has no bound.
        self._counts = [0] * (len(HANDSHAKE_BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """It took so long, once more."""
        self._counts[bisect_left(HANDSHAKE_BUCKETS, seconds)] += 1
        self.seconds += seconds

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound, and how often it took no longer."""
        bounds = [*(str(bound) for bound in HANDSHAKE_BUCKETS), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))


class Metrics:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self._sockets = Counter(open=0, opened=0, shed=0)
        self._registered = Counter(dict.fromkeys(Role, 0))
        self._started = 0
        self._resumed = 0
        self._ended = Counter(dict.fromkeys(END_REASONS, 0))
        #: Handshake messages: those that were passed on, each to however many sockets, and those
        #: that came right behind a start which has led to no session that takes them.
        self.signals = Counter(forwarded=0, dropped=0)
        self._errors = Counter(dict.fromkeys(ErrorCode, 0))
        self._drops = Counter(dict.fromkeys(DROP_REASONS, 0))
        self._refused = Counter(dict.fromkeys(REFUSALS, 0))
        self._handshakes = Histogram()
        #: Of a relay that is one of several nodes; else none.
        self.node: NodeMetrics | None = None
        #: Made by the first scrape.
        self._write: Callable[[], bytes] | None = None

    # ── counting ─────────────────────────────────────────────────────────────────────────────────

    def connection_opened(self) -> None:
        """A WebSocket was accepted."""
        self._sockets.update(("open", "opened"))

    def connection_closed(self) -> None:
        """... and is gone, for whatever reason."""
        self._sockets["open"] -= 1

    def connection_shed(self) -> None:
        """A WebSocket was ended because all together held too much, and it most."""
        self._sockets["shed"] += 1

    def connect_refused(self, reason: str) -> None:
        """Somebody was not let in.

        :param reason: one of REFUSALS; anything else counts as OTHER.
        """
        self._refused[reason if reason in self._refused else OTHER] += 1

    def registered(self, role: Role) -> None:
        """A WebSocket has registered."""
        self._registered[role] += 1

    def unregistered(self, role: Role) -> None:
        """... and is gone."""
        self._registered[role] -= 1

    def session_started(self) -> None:
        """A session lives, a new one or one that is taken up again after a restart."""
        self._started += 1

    def session_resumed(self) -> None:
        """It was one that is taken up again; counted beside `session_started`."""
        self._resumed += 1

    def session_ended(self, reason: EndReason) -> None:
        """A session is over; once for each, not once for each of its sockets."""
        self._ended[reason] += 1

    def error(self, code: ErrorCode) -> None:
        """A peer was told an error."""
        self._errors[code] += 1

    def drop(self, reason: str) -> None:
        """A WebSocket was ended against its peer's will, or by the network.

        :param reason: one of DROP_REASONS, as `drop_reason` finds it; anything else is OTHER.
        """
        self._drops[reason if reason in self._drops else OTHER] += 1

    def handshake(self, seconds: float) -> None:
        """The client has answered, so long after `start_session`."""
        self._handshakes.add(seconds)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    def render(self) -> bytes:
        """All of it, to be sent as CONTENT_TYPE. Raises MissingExtra.

        The first call loads prometheus-client, which takes some 50 ms; so this may run in a thread
        while others count.
        """
        if self._write is None:
            self._write = _make_writer(self._families)
        return self._write()

    def _families(self) -> "Iterator[Metric]":
        from prometheus_client.core import InfoMetricFamily

        yield InfoMetricFamily("imgsync", "This relay.", {"version": installed_version()})
        yield _gauge("connections", "WebSockets that are open.", self._sockets["open"])
        opened, shed = self._sockets["opened"], self._sockets["shed"]
        yield _counter("connections_opened", "WebSockets that were accepted.", opened)
        text = "WebSockets that were ended because all together held too much, and they most."
        yield _counter("connections_shed", text, shed)
        yield _counter("connects_refused", "Who was not let in.", self._refused, "reason")
        yield _gauge_of_roles(self._registered)
        # In this order: another thread may be counting, and there are never less than none.
        over = sum(self._ended.values())
        live = self._started - over if self.node is None else self.node.sessions()
        yield _gauge("sessions", "Sessions that live; of several nodes, by their evaluators.", live)
        yield _counter("sessions_started", "Sessions, resumed ones included.", self._started)
        yield _counter(
            "sessions_resumed", "Sessions taken up again after a restart.", self._resumed
        )
        ended = {reason.value: count for reason, count in self._ended.items()}
        yield _counter("sessions_ended", "Sessions that are over.", ended, "reason")
        forwarded, dropped = self.signals["forwarded"], self.signals["dropped"]
        yield _counter("signals_forwarded", "Handshake messages passed on.", forwarded)
        text = "Handshake messages behind a start_session that led to nobody who takes them."
        yield _counter("signals_dropped", text, dropped)
        errors = {code.value: count for code, count in self._errors.items()}
        yield _counter("errors", "Errors that peers were told.", errors, "code")
        yield _counter("drops", "WebSockets that did not end well.", self._drops, "reason")
        yield self._histogram()
        if self.node is not None:
            yield from self.node.families()

    def _histogram(self) -> "Metric":
        from prometheus_client.core import HistogramMetricFamily

        return HistogramMetricFamily(
            "imgsync_handshake_seconds",
            "From start_session to the client's answer.",
            buckets=self._handshakes.buckets,
            sum_value=self._handshakes.seconds,
        )


class NodeMetrics:
    """What a node counts of itself, beside what every relay does."""

    def __init__(self) -> None:
        self.is_away = True
        #: How many live whose evaluator is here: they may begin and end at different nodes.
        self.sessions: Callable[[], int] = int
        #: How often what is shared went out of reach, its inbox was not heard, and it began anew.
        self.times = Counter(away=0, deaf=0, began_again=0)

    def families(self) -> "Iterator[Metric]":
        """As Prometheus reads it."""
        text = "Whether what is shared with other nodes is in reach."
        yield _gauge("node_shared", text, 0 if self.is_away else 1)
        text = "What went wrong between this node and what is shared."
        yield _counter("node_troubles", text, self.times, "kind")


def _gauge(name: str, help: str, value: int) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"imgsync_{name}", help, value)


def _gauge_of_roles(counts: dict[Role, int]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(
        "imgsync_registered", "WebSockets that have registered.", labels=["role"]
    )
    for role, count in counts.items():
        family.add_metric([role.value], count)
    return family


def _counter(name: str, help: str, counts: int | dict[str, int], label: str = "") -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    if isinstance(counts, int):
        return CounterMetricFamily(f"imgsync_{name}", help, counts)
    family = CounterMetricFamily(f"imgsync_{name}", help, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _make_writer(families: "Callable[[], Iterable[Metric]]") -> Callable[[], bytes]:
    """Raises MissingExtra."""
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
        from prometheus_client.registry import Collector
    except ImportError:
        raise missing_extra("metrics need prometheus-client", "relay") from None

    class OurCollector(Collector):
        def collect(self) -> "Iterable[Metric]":
            return families()

    registry = CollectorRegistry()
    registry.register(OurCollector())
    ProcessCollector(registry=registry)
    return partial(generate_latest, registry)
