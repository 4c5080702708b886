"""An offer that does not wait for session_started, at a relay that is far away.

Times are counted in ways between a peer and the relay, of which a round trip has two.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from imgsync import RelayError, SessionEnded, open_client, open_evaluator
from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.errors import InputError, NegotiationError
from imgsync.core.protocol.signalling import (
    ErrorCode,
    IceServer,
    Register,
    Role,
    StartSession,
)
from imgsync.evaluator.evaluator import Evaluator
from imgsync.tasks import open_background
from imgsync.testing import MemoryLink, MemorySocket
from tests.kit.far_relays import ONE_WAY, FarNetwork

URL = "memory:"


@asynccontextmanager
async def far_client(network: FarNetwork) -> AsyncIterator[None]:
    """Takes all sessions."""

    async def follow() -> None:
        async for session in client.sessions():
            async with session:
                async for _ in session.images():
                    pass

    opening = open_client(URL, user_id="c", network=network)
    async with opening as client, open_background() as nursery:
        nursery.start_soon(follow)
        yield


@asynccontextmanager
async def far_evaluator(
    network: FarNetwork, log_file: Path | None = None
) -> AsyncIterator[Evaluator]:
    async with open_evaluator(URL, user_id="e", network=network, log_file=log_file) as evaluator:
        yield evaluator


async def ways_to_connect(evaluator: Evaluator) -> float:
    """How many ways it is from the question to a connection."""
    began = trio.current_time()
    async with evaluator.open_session("c"):
        return (trio.current_time() - began) / ONE_WAY


@pytest.mark.parametrize(
    ("client_knows", "relay_passes", "ways"),
    [(True, True, 4), (False, True, 6), (True, False, 6)],
)
async def test_a_connection_comes_about_a_round_trip_sooner_where_all_three_know_how(
    autojump_clock: MockClock, client_knows: bool, relay_passes: bool, ways: int
) -> None:
    far = FarNetwork(is_known_to_pass=relay_passes)
    async with far_client(FarNetwork(far, knows_early=client_knows)), far_evaluator(far) as e:
        assert await ways_to_connect(e) == pytest.approx(ways)
    [(_, start)] = far.said("start_session")
    signals = far.said("webrtc_signal")
    is_early = client_knows and relay_passes
    assert ("ref" in start, "ref" in signals[0][1]) == (is_early, is_early)
    assert all(len({"ref", "sessionId"} & data.keys()) == 1 for _, data in signals)


async def test_one_that_knows_nothing_of_it_is_told_to_the_letter_what_it_always_was(
    autojump_clock: MockClock,
) -> None:
    heard, said = [], []
    for relay_passes in (True, False):
        far = FarNetwork(is_known_to_pass=relay_passes)
        foreign = FarNetwork(far, knows_early=False)
        async with far_client(foreign), far_evaluator(far) as evaluator:
            await ways_to_connect(evaluator)
        heard.append(foreign.sockets[0].heard)
        said.append(far.sockets[0].said)
    assert heard[0] == heard[1]
    assert said[0] == said[1]
    assert [json.loads(text)["event"] for text in heard[0]][1:3] == [
        "session_started",
        "webrtc_signal",
    ]


def register(socket: MemorySocket, user_id: str, role: Role) -> None:
    socket.post(encode_event(Register(user_id, role, "webrtc")))


async def test_what_another_program_gets_that_has_taken_the_clients_place_is_said_again(
    autojump_clock: MockClock,
) -> None:
    far = FarNetwork()
    async with far_evaluator(far) as evaluator, trio.open_nursery() as nursery:
        async with far_client(FarNetwork(far)):
            await evaluator.wait_available("c")
        await trio.sleep(ONE_WAY / 10)
        # Nobody has told the evaluator yet that another one is there.
        other = far.relay.connect()
        register(other, "c", Role.CLIENT)
        nursery.start_soon(ways_to_connect, evaluator)
        await trio.sleep(1.5 * ONE_WAY)
        assert [json.loads(text)["event"] for text in other._frames] == [
            "registered",
            "session_started",
        ]
        await trio.sleep(2 * ONE_WAY)
        frames = [json.loads(text) for text in other._frames][2:]
        signals = [data for _, data in far.said("webrtc_signal")]
        early = [data["signal"] for data in signals if "ref" in data]
        assert early[0]["type"] == "offer"
        assert early == [data["signal"] for data in signals if "sessionId" in data]
        assert [frame["data"]["signal"] for frame in frames] == early
        nursery.cancel_scope.cancel()


async def test_a_refusal_is_raised_as_ever_and_leaves_nothing_behind(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    far, log_file = FarNetwork(), tmp_path / "e.jsonl"
    async with far_client(FarNetwork(far)), far_evaluator(far, log_file) as evaluator:
        rival = far.relay.connect()
        register(rival, "r", Role.EVALUATOR)
        rival.post(encode_event(StartSession("c")))
        with pytest.raises(RelayError, match="is in a session with another evaluator") as refused:
            await ways_to_connect(evaluator)
        assert refused.value.code is ErrorCode.CLIENT_BUSY
        assert len(far.said("start_session")) == 1
        assert far.said("webrtc_signal")
        assert (far.open_links, far.said("end_session")) == (0, [])
    assert '"session"' not in log_file.read_text()


async def test_a_relay_that_is_lost_before_it_answers_is_asked_once_more_on_a_new_connection(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    far, log_file = FarNetwork(), tmp_path / "e.jsonl"
    async with far_client(FarNetwork(far)), far_evaluator(far, log_file) as evaluator:

        async def lose() -> None:
            await trio.sleep(ONE_WAY / 2)
            far.relay.go_down()
            far.relay.come_back()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lose)
            async with evaluator.open_session("c") as session:
                assert far.open_links == 1
                assert session.id
        starts = [data for _, data in far.said("start_session")]
        assert len({data.get("ref") for data in starts}) == len(starts) == 2
    events = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert {event["sessionId"] for event in events if "sessionId" in event} == {session.id}


async def test_a_session_that_is_given_up_before_it_has_an_id_is_ended_when_it_has_one(
    autojump_clock: MockClock,
) -> None:
    far = FarNetwork()
    async with far_client(FarNetwork(far)), far_evaluator(far) as evaluator:
        with trio.move_on_after(1.5 * ONE_WAY):
            await ways_to_connect(evaluator)
        assert far.open_links == 0
        assert far.said("end_session") == []
        await trio.sleep(ONE_WAY)
        [(_, end)] = far.said("end_session")
        assert end == {"sessionId": "session-1"}
        # The next one is of the next question, whatever is under way of the one before.
        assert await ways_to_connect(evaluator) == pytest.approx(4)


class Broken(FarNetwork):
    """Makes no connection: it has no address, or descriptions that nobody can use."""

    def __init__(self, at: FarNetwork, error: Exception) -> None:
        super().__init__(at)
        self._error = error

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[MemoryLink]:
        raise self._error
        yield


async def test_why_there_is_none_is_told_when_the_session_has_an_id(
    autojump_clock: MockClock,
) -> None:
    far = FarNetwork()
    broken = Broken(far, InputError("no address"))
    async with far_client(FarNetwork(far)), far_evaluator(broken) as evaluator:
        with pytest.raises(InputError, match="no address"):
            await ways_to_connect(evaluator)
        assert broken.said("end_session") == []
        await trio.sleep(2.5 * ONE_WAY)
        [(_, end)] = broken.said("end_session")
        assert (end["sessionId"], end["reason"]) == ("session-1", "unsupported")


async def test_a_session_that_fails_before_it_has_an_id_is_in_the_record_by_that(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    far, log_file = FarNetwork(), tmp_path / "e.jsonl"
    broken = Broken(far, NegotiationError("it can't be described"))
    async with far_client(FarNetwork(far)), far_evaluator(broken, log_file) as evaluator:
        with pytest.raises(SessionEnded, match="described"):
            await ways_to_connect(evaluator)
        [(_, end)] = broken.said("end_session")
        assert (end["sessionId"], end["reason"]) == ("session-1", "negotiation_failed")
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    found = [(line["event"], line["sessionId"], line.get("state")) for line in lines[1:]]
    assert found == [
        ("session", "session-1", None),
        ("state", "session-1", "connecting"),
        ("state", "session-1", "ended"),
    ]


async def test_the_time_of_both_sides_runs_from_when_the_relay_has_answered(
    autojump_clock: MockClock,
) -> None:
    """A relay that takes long: no second offer goes out while the first can't have been heard."""
    far = FarNetwork()
    async with far_client(FarNetwork(far)), far_evaluator(far) as evaluator:
        far.sockets[0].held_until = trio.current_time() + 9
        with trio.fail_after(15):
            await ways_to_connect(evaluator)
        offers = [data for _, data in far.said("webrtc_signal") if "type" in data["signal"]]
        assert (len(offers), len(far.links)) == (1, 2)
