"""How often somebody may do something: what passes in any span of time, and what is forgotten.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.relay.limits import (
    BURST,
    FAN_OUT,
    PATIENCE,
    ConnectLimit,
    MessageLimit,
    TokenBucket,
    Verdict,
)

LAW = settings(max_examples=200, deadline=None, derandomize=True)
START = 123_456.0
"""Clocks begin anywhere."""

RATE = st.sampled_from([0.01, 0.5, 1.0, 3.0, 100.0])
#: Many at once, and pauses of all lengths.
PAUSES = st.lists(st.just(0.0) | st.floats(0, 20) | st.floats(0, 0.1), max_size=120)
TINY = 1e-6


def times_of(pauses: list[float]) -> list[float]:
    return [START + passed for passed in itertools.accumulate(pauses)]


# ── one bucket ───────────────────────────────────────────────────────────────────────────────────


@given(rate=RATE, burst=st.sampled_from([1.0, 2.5, 10.0]), pauses=PAUSES)
@LAW
def test_in_no_span_of_time_more_than_the_burst_and_the_rate_pass(
    rate: float, burst: float, pauses: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    passed = [now for now in times_of(pauses) if bucket.take(now)]
    for first, last in itertools.combinations(range(len(passed)), 2):
        span = passed[last] - passed[first]
        assert last - first + 1 <= burst + rate * span + TINY


@given(rate=RATE, burst=st.sampled_from([1.0, 2.5, 10.0]), pauses=PAUSES)
@LAW
def test_nobody_is_refused_who_keeps_to_the_rate(
    rate: float, burst: float, pauses: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    now = START
    for pause in pauses:
        now += pause + (1 + TINY) / rate
        assert bucket.take(now)


def test_a_bucket_gives_its_burst_at_once_and_then_one_at_a_time() -> None:
    bucket = TokenBucket(rate=2.0, burst=3.0)
    assert [bucket.take(START) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(START + 0.5) for _ in range(2)] == [True, False]
    assert [bucket.take(START + 0.75) for _ in range(2)] == [False, False]
    assert [bucket.take(START + 1.0) for _ in range(2)] == [True, False]


def test_what_is_refused_costs_nothing() -> None:
    bucket = TokenBucket(rate=1.0, burst=1.0)
    assert bucket.take(START)
    for tenth in range(1, 10):
        assert not bucket.take(START + tenth / 10)
    assert bucket.take(START + 1.001)


def test_a_rest_fills_a_bucket_up_to_its_burst_and_no_further() -> None:
    bucket = TokenBucket(rate=1.0, burst=2.0)
    assert bucket.is_full(START)
    assert bucket.take(START)
    assert not bucket.is_full(START + 0.5)
    assert bucket.is_full(START + 1e9)
    assert [bucket.take(START + 1e9) for _ in range(3)] == [True, True, False]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def test_first_messages_pass_then_they_are_refused_then_the_socket_is_closed() -> None:
    limit = MessageLimit(rate=2.0)
    burst = int(2.0 * BURST)
    verdicts = [limit.judge(START) for _ in range(2 * burst + 5)]
    assert verdicts == [
        *[Verdict.PASS] * burst,
        *[Verdict.REFUSE] * burst,
        *[Verdict.CLOSE] * 5,
    ]


def test_who_slows_down_after_a_refusal_is_heard_again() -> None:
    limit = MessageLimit(rate=1.0)
    while limit.judge(START) is Verdict.PASS:
        pass
    assert limit.judge(START + 1.001) is Verdict.PASS
    assert limit.judge(START + 1.001) is Verdict.REFUSE


@pytest.mark.parametrize(("excess", "expected"), [(0.05, Verdict.REFUSE), (1.0, Verdict.CLOSE)])
def test_a_little_too_much_is_borne_for_ever_and_a_flood_is_not(
    excess: float, expected: Verdict
) -> None:
    assert excess < 1 / PATIENCE or expected is Verdict.CLOSE
    rate = 10.0
    limit = MessageLimit(rate)
    pause = 1 / (rate * (1 + excess))
    verdicts = {limit.judge(START + number * pause) for number in range(20_000)}
    assert expected in verdicts
    assert (Verdict.CLOSE in verdicts) == (expected is Verdict.CLOSE)


@given(rate=RATE, pauses=PAUSES)
@LAW
def test_who_keeps_to_the_rate_is_never_refused(rate: float, pauses: list[float]) -> None:
    limit = MessageLimit(rate)
    now = START
    for pause in pauses:
        now += pause + (1 + TINY) / rate
        assert limit.judge(now) is Verdict.PASS


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.5])
def test_the_smallest_rate_lets_at_least_one_message_through(rate: float) -> None:
    verdicts = [MessageLimit(rate).judge(START), ConnectLimit(rate).take("192.0.2.1", START)]
    assert verdicts == [Verdict.PASS, True]


def test_a_rate_of_zero_is_no_limit() -> None:
    messages, connects = MessageLimit(0), ConnectLimit(0)
    assert {messages.judge(START) for _ in range(10_000)} == {Verdict.PASS}
    assert {connects.take("192.0.2.1", START) for _ in range(10_000)} == {True}
    assert len(connects) == 0


# ── connections ──────────────────────────────────────────────────────────────────────────────────


def connects(limit: ConnectLimit, address: str, now: float = START) -> int:
    """How many connections of an address pass at once."""
    count = 0
    while limit.take(address, now):
        count += 1
    return count


def test_each_address_has_a_burst_of_its_own() -> None:
    limit = ConnectLimit(rate=2.0)
    assert connects(limit, "192.0.2.1") == 2 * BURST
    assert connects(limit, "192.0.2.2") == 2 * BURST
    assert connects(limit, "192.0.2.1", START + 3.0) == 6
    assert len(limit) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:1:2::1"),
        ("fe80::1%eth0", "fe80::2"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("@", "@"),
    ],
)
def test_these_are_one_address(one: str, other: str) -> None:
    limit = ConnectLimit(rate=1.0)
    assert connects(limit, one) == BURST
    assert connects(limit, other) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("192.0.2.1", "::1"),
        ("", "192.0.2.1"),
    ],
)
def test_these_are_two_addresses(one: str, other: str) -> None:
    limit = ConnectLimit(rate=1.0)
    assert connects(limit, one) == connects(limit, other) == BURST


def test_an_address_that_has_rested_is_forgotten() -> None:
    limit = ConnectLimit(rate=1.0)
    for number in range(100):
        assert limit.take(f"192.0.2.{number}", START)
    assert len(limit) == 100
    assert limit.take("198.51.100.1", START + 2 * BURST)
    assert len(limit) == 1


def test_an_address_that_has_not_rested_is_not_forgotten_by_a_sweep() -> None:
    limit = ConnectLimit(rate=1.0)
    now = START
    refused = 0
    for step in range(1000):  # ten times the rate
        now = START + step / 10
        refused += not limit.take("192.0.2.1", now)
        limit.take(f"198.51.100.{step % 200}", now)
    assert 1000 - refused <= BURST + (now - START) + 1


def test_no_more_addresses_are_remembered_than_came_in_two_bursts() -> None:
    limit = ConnectLimit(rate=2.0)
    greatest = 0
    for step in range(5000):  # 50 addresses a second, each of them once
        limit.take(f"10.{step >> 16}.{step >> 8 & 255}.{step & 255}", START + step / 50)
        greatest = max(greatest, len(limit))
    assert greatest <= 2 * BURST * 50


@given(rate=RATE, pauses=PAUSES, addresses=st.data())
@LAW
def test_what_is_forgotten_lets_nobody_connect_more_often(
    rate: float, pauses: list[float], addresses: st.DataObject
) -> None:
    limit = ConnectLimit(rate)
    buckets = {address: TokenBucket(rate, max(1.0, rate * BURST)) for address in "ab"}
    for now in times_of(pauses):
        address = addresses.draw(st.sampled_from("ab"))
        assert limit.take(address, now) == buckets[address].take(now)


def test_what_a_message_causes_counts_beyond_the_first_few() -> None:
    quiet, loud = MessageLimit(1.0), MessageLimit(1.0)
    for limit, caused in ((quiet, FAN_OUT), (loud, FAN_OUT * 3)):
        for _ in range(5):
            assert limit.judge(START) is Verdict.PASS
            limit.charge(caused, START)
    # Of the burst, each message of the one takes one and those of the other three.
    left = {name: 0 for name in ("quiet", "loud")}
    for name, limit in (("quiet", quiet), ("loud", loud)):
        while limit.judge(START) is Verdict.PASS:
            left[name] += 1
    assert left == {"quiet": BURST - 5, "loud": BURST - 15}


def test_a_debt_has_a_limit() -> None:
    limit = MessageLimit(1.0)
    assert limit.judge(START) is Verdict.PASS
    limit.charge(10**9, START)
    assert limit.judge(START) is Verdict.REFUSE
    assert limit.judge(START + BURST + 2) is Verdict.PASS
