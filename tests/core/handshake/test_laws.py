"""The handshake under any input, and two cores of it wired together.

The wired ones have fake connections: text that parses as a description, and lists that note what
the cores ask to be applied. Hypothesis chooses who moves next.
"""

import enum
import json
import math
from collections import deque
from collections.abc import Callable
from functools import partial

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from imgsync.core.protocol.signalling import EndReason, RawJson, RequestOffer, Signal
from tests.kit.handshakes import REQUEST, Core, answer, candidate, line, offer, sdp

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


# ── any input ────────────────────────────────────────────────────────────────────────────────────

UFRAGS = st.sampled_from(["aaaa", "bbbb", "cccc"])
PORTS = st.lists(st.integers(0, 5), max_size=2)
RAW = st.one_of(
    st.builds(lambda ufrag, ports: offer(ufrag, *ports), UFRAGS, PORTS),
    st.builds(lambda ufrag, ports: answer(ufrag, *ports), UFRAGS, PORTS),
    st.builds(candidate, st.none() | st.integers(0, 5), st.none() | UFRAGS),
    st.just(REQUEST),
    st.text(max_size=20).map(RawJson),
    st.text(max_size=20).map(lambda text: RawJson(json.dumps({"type": "offer", "sdp": text}))),
    st.text(max_size=20).map(lambda text: RawJson(json.dumps({"candidate": text}))),
)
ATTEMPT = st.integers(1, 3)
REASON = st.sampled_from(EndReason)
LOSS = st.sampled_from(
    [EndReason.ENDED, EndReason.NEGOTIATION_FAILED, EndReason.CONNECTION_LOST],
)


def wait_due(core: Core) -> list[Output]:
    """Let its time come, if it waits for any."""
    return [] if core.due == math.inf else core.wait_due()


def oversleep(core: Core, seconds: float) -> list[Output]:
    """Let so much time pass in one go, whatever is due meanwhile."""
    core.now += seconds
    return core.tick(core.now)


def state_of(value: object) -> object:
    """All that it consists of, as what can be compared."""
    if isinstance(value, list | tuple):
        return [state_of(part) for part in value]
    if isinstance(value, dict):
        return {key: state_of(part) for key, part in value.items()}
    if isinstance(value, enum.Enum) or not type(value).__module__.startswith("imgsync."):
        return repr(value)
    kind = type(value)
    if attrs.has(kind):
        return {field.name: state_of(getattr(value, field.name)) for field in attrs.fields(kind)}
    return state_of(vars(value))


def check_time(core: Core) -> None:
    """Nothing is due that has been done, and nothing is done before it is due."""
    assert core.due > core.now
    assert core.phase is not Phase.ENDED or core.due == math.inf
    before = state_of(vars(core))
    early = core.now if core.due == math.inf else math.nextafter(core.due, -math.inf)
    for now in (core.now, early):
        assert core.tick(now) == []
    assert state_of(vars(core)) == before


INPUT: st.SearchStrategy[Callable[[Core], list[Output]]] = st.one_of(
    *[RAW.map(lambda raw: lambda core: core.receive(raw))] * 6,
    ATTEMPT.map(lambda n: lambda core: core.described(n, sdp("answer", "ours"))),
    ATTEMPT.map(lambda n: lambda core: core.gathered(n, line(9))),
    ATTEMPT.map(lambda n: lambda core: core.opened(n)),
    st.builds(lambda n, reason: lambda core: core.lost(n, reason), ATTEMPT, LOSS),
    REASON.map(lambda reason: lambda core: core.session_ended(reason)),
    ATTEMPT.map(lambda n: lambda core: core.left(n)),
    st.just(Core.signalling_lost),
    st.just(Core.signalling_back),
    st.just(Core.peer_away),
    st.just(Core.peer_back),
    *[st.just(wait_due)] * 6,
    st.sampled_from([0.25, 2, 15, 300]).map(lambda seconds: lambda core: oversleep(core, seconds)),
)
MOVES = {
    Phase.IDLE: {Phase.IDLE, Phase.NEGOTIATING, Phase.ENDED},
    Phase.NEGOTIATING: {Phase.NEGOTIATING, Phase.CONNECTED, Phase.INTERRUPTED, Phase.ENDED},
    Phase.CONNECTED: {Phase.CONNECTED, Phase.NEGOTIATING, Phase.INTERRUPTED, Phase.ENDED},
    Phase.INTERRUPTED: {Phase.INTERRUPTED, Phase.NEGOTIATING, Phase.ENDED},
    Phase.ENDED: {Phase.ENDED},
}


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.lists(INPUT, max_size=25))
@settings(LAW, max_examples=300)
def test_no_input_raises_and_what_comes_out_is_of_the_current_attempt(
    offers: bool,
    resumed: bool,
    owner_unknown: bool,
    is_hidden: bool,
    inputs: list[Callable[[Core], list[Output]]],
) -> None:
    core = Core(offers=offers)
    core.start(resumed=resumed, owner_unknown=owner_unknown, is_hidden=is_hidden)
    check_time(core)
    discarded: set[int] = set()
    for give in inputs:
        phase, attempt = core.phase, core.attempt
        outputs = give(core)
        check_time(core)
        assert core.phase in MOVES[phase]
        assert core.attempt - attempt in (0, 1)
        ends = [output for output in outputs if isinstance(output, Ended)]
        assert len(ends) == (core.phase is Phase.ENDED and phase is not Phase.ENDED)
        assert outputs == [] or phase is not Phase.ENDED
        is_lost = core.phase in (Phase.NEGOTIATING, Phase.INTERRUPTED)
        interruptions = [output for output in outputs if isinstance(output, Interrupted)]
        assert len(interruptions) == (phase is Phase.CONNECTED and is_lost)
        assert core.phase is not Phase.CONNECTED or core.attempt not in discarded
        for output in outputs:
            if isinstance(output, Discard):
                assert output.attempt < core.attempt or core.phase is Phase.INTERRUPTED
                discarded.add(output.attempt)
            elif isinstance(output, AddCandidate | MakeOffer | MakeAnswer | ApplyAnswer):
                assert output.attempt == core.attempt
            elif isinstance(output, Connected):
                assert core.phase is Phase.CONNECTED


# ── two of them ──────────────────────────────────────────────────────────────────────────────────


@attrs.define(eq=False, repr=False)
class Side:
    """One peer with its fake connections.

    :param ports: of the candidates that each of its connections finds; an odd one is TCP.
    :param inside: how many of them stand in the description.
    """

    name: str
    core: Core
    ports: list[int]
    inside: int
    outgoing: deque[RawJson] = attrs.field(factory=deque)
    to_describe: deque[int] = attrs.field(factory=deque)
    to_gather: deque[tuple[int, str | None]] = attrs.field(factory=deque)
    #: By attempt: fragments of the two descriptions, and what was applied.
    local: dict[int, str] = attrs.field(factory=dict)
    remote: dict[int, str] = attrs.field(factory=dict)
    #: Of the offers that came in.
    mids: dict[int, str] = attrs.field(factory=dict)
    applied: dict[int, list[str | None]] = attrs.field(factory=dict)
    discarded: set[int] = attrs.field(factory=set)

    def carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case MakeOffer(attempt):
                    self._open(attempt)
                case MakeAnswer(attempt, description):
                    self._open(attempt)
                    self.remote[attempt] = description.ufrag
                    self.mids[attempt] = description.mid
                case ApplyAnswer(attempt, description):
                    assert attempt in self.local
                    assert attempt not in self.remote
                    self.remote[attempt] = description.ufrag
                case AddCandidate(attempt, found):
                    assert attempt in self.remote
                    assert attempt not in self.discarded
                    self.applied[attempt].append(found.line if found else None)
                case Say(signal):
                    self.say(signal)
                case Discard(attempt):
                    assert attempt not in self.discarded
                    self.discarded.add(attempt)
                case Ended():
                    pytest.fail(f"{self.name}: {output}")
                case Connected() | Interrupted() | Note():
                    pass
                case TakeUp():
                    pytest.fail(f"{self.name}: {output}")
        # There is always something to do; neither a retry nor a verdict is waited for.
        assert self.core.phase is not Phase.INTERRUPTED

    def say(self, signal: Signal) -> None:
        self.outgoing.append(encode_signal(signal))

    def _open(self, attempt: int) -> None:
        assert attempt not in self.applied
        self.applied[attempt] = []
        self.to_describe.append(attempt)
        trickled = [*self.lines()[self.inside :], None]
        self.to_gather += [(attempt, text) for text in trickled]

    def lines(self) -> list[str]:
        return [line(port, "tcp" if port % 2 else "udp") for port in self.ports]

    def usable(self) -> list[str | None]:
        return [*(text for text in self.lines() if "udp" in text), None]

    def describe(self) -> None:
        attempt = self.to_describe.popleft()
        self.local[attempt] = f"{self.name}{attempt:04}"
        kind = "offer" if self.name.startswith("eva") else "answer"
        text = sdp(kind, self.local[attempt], mid=self.mids.get(attempt, str(attempt)))
        for found in self.lines()[: self.inside]:
            text = text.replace("a=ice-ufrag", f"a=candidate:{found}\r\na=ice-ufrag", 1)
        self.carry_out(self.core.described(attempt, text))

    def gather(self) -> None:
        self.carry_out(self.core.gathered(*self.to_gather.popleft()))

    def open_channel(self) -> None:
        self.carry_out(self.core.opened(self.core.attempt))

    def hear_of_the_past(self) -> None:
        for attempt in range(1, self.core.attempt):
            self.carry_out(self.core.opened(attempt))
            self.carry_out(self.core.lost(attempt, EndReason.CONNECTION_LOST))
            self.carry_out(self.core.left(attempt))

    def hear(self, other: "Side") -> None:
        self.carry_out(self.core.receive(other.outgoing.popleft()))


def fits(one: Side, other: Side) -> bool:
    """Whether their current connections have each other's descriptions."""
    mine, theirs = one.core.attempt, other.core.attempt
    return (
        mine in one.local
        and one.local[mine] == other.remote.get(theirs)
        and theirs in other.local
        and other.local[theirs] == one.remote.get(mine)
    )


def moves(one: Side, other: Side) -> dict[str, Callable[[], None]]:
    possible: dict[str, Callable[[], None]] = {}
    if other.outgoing:
        possible[f"{one.name} hears"] = partial(one.hear, other)
    if one.to_describe:
        possible[f"{one.name} describes"] = one.describe
    if one.to_gather:
        possible[f"{one.name} gathers"] = one.gather
    if one.core.phase is Phase.NEGOTIATING and fits(one, other):
        possible[f"{one.name} opens"] = one.open_channel
    if one.core.attempt > 1 and possible:
        possible[f"{one.name} hears of the past"] = one.hear_of_the_past
    return possible


def new_side(name: str, data: st.DataObject) -> Side:
    ports = data.draw(st.lists(st.integers(1, 9), max_size=4, unique=True))
    inside = data.draw(st.integers(0, len(ports)))
    side = Side(name, Core(offers=name.startswith("eva")), ports, inside)
    side.carry_out(side.core.start())
    return side


def play(evaluator: Side, client: Side, data: st.DataObject, limit: int = 1000) -> None:
    """Let hypothesis choose who does what next, until nothing is left to do or `limit` is up."""
    for _ in range(limit):
        possible = moves(evaluator, client) | moves(client, evaluator)
        if not possible:
            return
        possible[data.draw(st.sampled_from([*possible]))]()
    assert limit < 1000, "they don't come to rest"


def check_connected(evaluator: Side, client: Side) -> None:
    assert evaluator.core.phase is client.core.phase is Phase.CONNECTED
    assert fits(evaluator, client)
    assert evaluator.applied[evaluator.core.attempt] == client.usable()
    assert client.applied[client.core.attempt] == evaluator.usable()
    for side in (evaluator, client):
        assert side.discarded == set(range(1, side.core.attempt))


@given(st.data())
@LAW
def test_whatever_the_order_both_connect_with_each_candidate_once_and_in_order(
    data: st.DataObject,
) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    play(evaluator, client, data)
    check_connected(evaluator, client)


@given(st.data())
@LAW
def test_a_request_of_a_connected_client_leads_to_a_new_connection(data: st.DataObject) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    play(evaluator, client, data)
    client.say(RequestOffer())
    play(evaluator, client, data)
    assert evaluator.core.attempt == client.core.attempt == 2
    check_connected(evaluator, client)


@given(st.data())
@LAW
def test_a_client_that_is_restarted_at_any_moment_connects_again(data: st.DataObject) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    for restart in range(1, data.draw(st.integers(1, 2)) + 1):
        play(evaluator, client, data, limit=data.draw(st.integers(0, 30)))
        old, client = client, new_side(f"cli{restart}", data)
        client.outgoing = old.outgoing  # what it had said is on its way still
        client.say(RequestOffer())
        if data.draw(st.booleans()):  # what was on its way to it is lost, or reaches the new one
            evaluator.outgoing.clear()
    play(evaluator, client, data)
    check_connected(evaluator, client)
