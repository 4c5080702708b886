"""A connection that loses much keeps its consent, and one that is gone has it for half a minute.

The connection and its sockets stand in for aioice's, and time passes at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import attrs
from aioice import stun

from imgsync.core.handshake.consent import EXPIRES, PERIOD, SPREAD
from imgsync.rtc.consent import ask_for_consent
from tests.kit.sctp_sides import run_at_once


@attrs.define
class FakeSocket:
    """As `aioice.ice.StunProtocol`, for what is used of it: the transaction is the real one.

    :ivar answers: whether there is one to what is sent now.
    :ivar asked_at: when each question was sent, and when again.
    """

    answers: Callable[[], bool]
    asked_at: dict[bytes, list[float]] = attrs.field(factory=dict)
    _running: dict[bytes, stun.Transaction] = attrs.field(factory=dict)

    async def request(self, request: stun.Message, addr: Any, **options: Any) -> object:
        del options["integrity_key"]  # the answers here are not signed
        transaction = stun.Transaction(request, addr, self, **options)
        self._running[request.transaction_id] = transaction
        return await transaction.run()

    def send_stun(self, message: stun.Message, addr: Any) -> None:
        loop = asyncio.get_running_loop()
        self.asked_at.setdefault(message.transaction_id, []).append(loop.time())
        if self.answers():
            kind = stun.Class.RESPONSE
            answer = stun.Message(stun.Method.BINDING, kind, message.transaction_id)
            transaction = self._running[message.transaction_id]
            loop.call_later(0.6, transaction.response_received, answer, addr)


@attrs.define
class FakePair:
    protocol: FakeSocket
    remote_addr: tuple[str, int] = ("192.0.2.1", 7000)


@attrs.define(slots=False)
class FakeConnection:
    """As `aioice.Connection`, for what is used of it. It is its transports, too."""

    _nominated: dict[int, FakePair]
    remote_password: str = "secret"
    closed_at: float = 0.0
    _query_consent_task: object = "it"

    def build_request(self, pair: FakePair, nominate: bool) -> stun.Message:
        assert not nominate
        return stun.Message(stun.Method.BINDING, stun.Class.REQUEST)

    async def close(self) -> None:
        assert self._query_consent_task is None  # it would wait for it
        self.closed_at = asyncio.get_running_loop().time()


def ask_for(seconds: float, answers: Callable[[], bool]) -> FakeConnection:
    async def main() -> FakeConnection:
        connection = FakeConnection({1: FakePair(FakeSocket(answers))})
        ask_for_consent(cast(Any, connection))
        asking = asyncio.create_task(cast(Any, connection).query_consent())
        await asyncio.wait([asking], timeout=seconds)
        asking.cancel()
        return connection

    return run_at_once(main)


def questions(connection: FakeConnection) -> list[list[float]]:
    return list(connection._nominated[1].protocol.asked_at.values())


def test_a_path_that_loses_a_fifth_each_way_and_takes_long_keeps_its_consent_for_hours() -> None:
    chance = random.Random(7)
    connection = ask_for(6 * 3600, lambda: chance.random() < 0.8 * 0.8)
    assert connection.closed_at == 0
    assert len(questions(connection)) > 3_000


def test_questions_are_as_far_apart_as_is_asked_for_and_each_is_sent_three_times_at_most() -> None:
    asked = questions(ask_for(29.9, lambda: False))
    begun = [times[0] for times in asked]
    pauses = [after - before for before, after in pairwise(begun)]
    assert all(pause >= PERIOD * (1 - SPREAD) for pause in pauses)
    assert {len(times) for times in asked[:-1]} == {3}


def test_who_does_not_answer_for_half_a_minute_is_sent_nothing_more() -> None:
    connection = ask_for(100, lambda: False)
    assert connection.closed_at == EXPIRES
    assert max(map(max, questions(connection))) < EXPIRES
