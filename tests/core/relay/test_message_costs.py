"""What a message counts as, and what all that come from one address may say together."""

import itertools
import json

import pytest

from imgsync.core.protocol.signalling import (
    ClientEntry,
    ErrorCode,
    ErrorEvent,
    Presences,
    PresenceState,
    Registered,
)
from imgsync.core.relay.limits import (
    ADDRESS_BURST,
    BURST,
    ENTRIES,
    FAN_OUT,
    MESSAGE_SIZE,
    PATIENCE,
    MessageLimit,
    MessageLimits,
    Verdict,
    cost_of,
    work_in,
)
from imgsync.core.relay.online import Telling
from imgsync.core.relay.outputs import Send
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from imgsync.relay.settings import Settings

START = 123_456.0
HOME, OTHER = "192.0.2.1", "192.0.2.2"


def passing(limit: MessageLimit, cost: float = 1.0, now: float = START) -> int:
    """How many messages pass at once."""
    count = 0
    while limit.judge(now, cost) is Verdict.PASS:
        count += 1
    return count


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("frame", "cost"),
    [
        ("", 1),
        ("x" * MESSAGE_SIZE, 1),
        ("x" * (MESSAGE_SIZE + 1), 2),
        (b"x" * (MESSAGE_SIZE + 1), 2),
        ("\N{GRINNING FACE}" * (MESSAGE_SIZE // 4), 1),
        ("\N{GRINNING FACE}" * MESSAGE_SIZE, 4),
        ("x" * 65_536, 32),
        ("\ud800", 1),
    ],
)
def test_a_frame_counts_by_its_bytes(frame: str | bytes, cost: int) -> None:
    assert cost_of(frame) == cost


def test_long_messages_are_let_through_less_often() -> None:
    assert passing(MessageLimit(rate=10.0), cost=20) == 10 * BURST / 20


def test_a_message_of_any_length_passes_where_one_may_and_is_paid_for() -> None:
    limit = MessageLimit(rate=1.0)
    assert limit.judge(START, 10 * BURST) is Verdict.PASS
    assert limit.judge(START + 9 * BURST) is Verdict.REFUSE
    assert limit.judge(START + 9 * BURST + 1.001) is Verdict.PASS


def test_what_is_refused_counts_as_much_as_what_is_let_through() -> None:
    def refusals(cost: float) -> int:
        limit = MessageLimit(rate=1.0)
        passing(limit)
        count = 1
        while limit.judge(START, cost) is Verdict.REFUSE:
            count += 1
        return count

    assert (refusals(1), refusals(4)) == (BURST, BURST / 4 + 1)


# ── what it causes ───────────────────────────────────────────────────────────────────────────────


def test_what_goes_out_is_work_and_a_list_of_clients_is_more() -> None:
    entries = tuple(
        ClientEntry(str(number), PresenceState.BUSY) for number in range(7 * ENTRIES + 1)
    )
    registered = Send(1, Registered("e", None, clients=entries))
    error = Send(1, ErrorEvent(ErrorCode.NO_SESSION, "none"))
    told = Presences(entries)
    assert work_in([]) == 0
    assert work_in([error, error]) == 2
    assert work_in([registered]) == 8
    # Made once, and sent to many.
    assert work_in([Send(1, told), Send(2, told), Send(3, told)]) == 10


def test_what_a_message_causes_is_charged_to_its_address() -> None:
    limits = MessageLimits(rate=100.0, address_rate=1.0)
    idle, busy = limits.of(HOME), limits.of(HOME)
    assert busy.judge(START) is Verdict.PASS
    busy.charge(FAN_OUT * 11, START)
    assert passing(idle) == ADDRESS_BURST - 1 - 10


# ── of one address ───────────────────────────────────────────────────────────────────────────────


def test_a_thousand_sockets_of_one_address_have_not_a_thousand_times_as_much_done() -> None:
    limits = MessageLimits(rate=100.0, address_rate=100.0)
    sockets = [limits.of(HOME) for _ in range(1000)]
    passed = sum(socket.judge(START) is Verdict.PASS for _ in range(10) for socket in sockets)
    assert passed == 100 * ADDRESS_BURST
    assert limits.of(OTHER).judge(START) is Verdict.PASS
    assert limits.of(None).judge(START) is Verdict.PASS
    assert sockets[0].judge(START + 0.011) is Verdict.PASS


@pytest.mark.parametrize("other", ["2001:db8:1:2::2", "2001:db8:1:2:ffff::1"])
def test_a_network_of_ipv6_is_one_address(other: str) -> None:
    limits = MessageLimits(rate=1000.0, address_rate=1.0)
    assert passing(limits.of("2001:db8:1:2::1")) == ADDRESS_BURST
    assert passing(limits.of(other)) == 0
    assert passing(limits.of("2001:db8:1:3::1")) == ADDRESS_BURST


def test_who_is_refused_is_told_whose_limit_it_is() -> None:
    limits = MessageLimits(rate=2.0, address_rate=3.0)
    alone = limits.of(None)
    passing(alone)
    assert "More than 2 messages a second, " in alone.explain(alone.judge(START), START)
    sockets = [limits.of(HOME) for _ in range(4)]
    assert [passing(socket) for socket in sockets] == [40, 40, 40, 0]
    why = sockets[3].explain(Verdict.REFUSE_ADDRESS, START)
    assert sockets[3].judge(START) is Verdict.REFUSE_ADDRESS
    assert "More than 3 messages a second from your address, " in why


def test_who_goes_on_when_its_address_has_said_too_much_is_shut_out() -> None:
    limits = MessageLimits(rate=1.0, address_rate=1.0)
    for _ in range(2):
        passing(limits.of(HOME))
    verdicts = [limits.of(HOME).judge(START) for _ in range(int(ADDRESS_BURST))]
    # Two were refused before.
    assert verdicts == [*[Verdict.REFUSE_ADDRESS] * int(ADDRESS_BURST - 2), *[Verdict.CLOSE] * 2]
    # A socket has patience of its own, too.
    limit = MessageLimits(rate=0.1, address_rate=1.0).of(HOME)
    assert [limit.judge(START) for _ in range(5)] == [
        *[Verdict.PASS] * 2,
        *[Verdict.REFUSE] * 2,
        Verdict.CLOSE,
    ]


def test_a_socket_that_was_idle_for_long_shares_with_those_that_came_since() -> None:
    limits = MessageLimits(rate=100.0, address_rate=1.0)
    old = limits.of(HOME)
    assert old.judge(START) is Verdict.PASS
    later = START + 100 * ADDRESS_BURST
    assert passing(limits.of(HOME), now=later) == ADDRESS_BURST
    assert old.judge(later) is Verdict.REFUSE_ADDRESS


def test_an_address_that_has_its_refusals_still_is_not_forgotten() -> None:
    limits = MessageLimits(rate=1000.0, address_rate=1.0)
    now = START
    while limits.of(HOME).judge(now) is not Verdict.CLOSE:
        pass
    now += ADDRESS_BURST + 1
    assert passing(limits.of(HOME), now=now) == ADDRESS_BURST
    assert now - START < PATIENCE * ADDRESS_BURST
    verdicts = [limits.of(HOME).judge(now) for _ in range(int(ADDRESS_BURST))]
    assert verdicts.count(Verdict.REFUSE_ADDRESS) < ADDRESS_BURST / 2


# ── a clinic ─────────────────────────────────────────────────────────────────────────────────────

CLIENTS, EVALUATORS = 300, 20

OFFER = {"type": "offer", "sdp": "x" * 2500}
CANDIDATE = {
    "candidate": "candidate:1 1 udp 2122260223 2001:db8:1111:2222:3333:4444:5555:6666 53705 typ"
    " relay raddr 192.168.100.117 rport 53705 generation 0 ufrag abcd network-id 1",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "abcd",
}
CANDIDATES = 20
"""Of each side: addresses of both families, STUN and TURN, and their end."""


class Clinic:
    """Everybody of a clinic behind one address, at a relay that has just started."""

    def __init__(self) -> None:
        defaults = Settings()
        self._limits = MessageLimits(defaults.rate_limit, defaults.address_rate)
        self._sockets: dict[str, MessageLimit] = {}
        ids = itertools.count()
        telling = Telling(0.05, defaults.net.outbox_size // 4)
        self._state = RelayState(lambda: f"session-{next(ids)}", Terms(telling=telling))
        self.cost = 0

    def register(self, user: str, role: str, features: list[str]) -> None:
        self._sockets[user] = self._limits.of(HOME)
        self.say(
            user,
            "register",
            userId=user,
            role=role,
            package="webrtc",
            token="x" * 2000,
            features=features,
        )

    def say(self, user: str, name: str, /, times: int = 1, **content: object) -> None:
        """All in one moment; only the first one of several is looked at by the relay."""
        frame = json.dumps({"event": name, "data": content})
        limit = self._sockets[user]
        for _ in range(times):
            self.cost += cost_of(frame)
            assert limit.judge(START, cost_of(frame)) is Verdict.PASS, (user, name, self.cost)
        outputs = self._state.receive(user, frame, START)
        assert not any(
            isinstance(output, Send) and isinstance(output.message, ErrorEvent)
            for output in outputs
        )
        limit.charge(work_in(outputs), START)


@pytest.mark.parametrize("features", [["early_offer", "presences", "ice_servers"], []])
def test_a_clinic_that_comes_back_all_at_once_is_refused_nothing(features: list[str]) -> None:
    clinic = Clinic()
    evaluators = [f"evaluator-{number}" for number in range(EVALUATORS)]
    clients = [f"client-{number}" for number in range(CLIENTS)]
    for evaluator in evaluators[: EVALUATORS // 2]:
        clinic.register(evaluator, "evaluator", features)
    for client in clients:
        clinic.register(client, "client", features)
    for evaluator in evaluators[EVALUATORS // 2 :]:
        clinic.register(evaluator, "evaluator", features)
    for client, evaluator in zip(clients, itertools.cycle(evaluators), strict=False):
        clinic.say(evaluator, "start_session", clientId=client)
        # Twice, as where the first attempt comes to nothing.
        clinic.say(evaluator, "webrtc_signal", 2, targetUserId=client, signal=OFFER)
        clinic.say(client, "webrtc_signal", 2, targetUserId=evaluator, signal=OFFER)
        told = 2 * CANDIDATES
        clinic.say(evaluator, "webrtc_signal", told, targetUserId=client, signal=CANDIDATE)
        clinic.say(client, "webrtc_signal", told, targetUserId=evaluator, signal=CANDIDATE)
        clinic.say(evaluator, "ping", id=1)
    assert clinic.cost > CLIENTS * 90
