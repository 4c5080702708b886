"""How a session's end reaches both sides: why, in whose words, and what is told to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from imgsync import SessionEnded, open_client, open_evaluator
from imgsync.core.codec.codec import decode_from_relay, encode_event
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import ChannelClosed
from imgsync.core.protocol.numbers import ABSENCE_DEADLINE, MAX_BACKOFF, SUSPECT_AFTER
from imgsync.core.protocol.signalling import (
    EndReason,
    EndSession,
    IceServer,
    Register,
    Role,
    SessionEndedEvent,
    SessionStarted,
    StartSession,
)
from imgsync.seams import ServerFailed
from imgsync.testing import MemoryLink, MemoryNetwork, MemorySocket
from tests.peer.test_sessions import FollowingClient, image

URL = "memory:"


async def wait_for(socket: MemorySocket, kind: type[object]) -> object:
    while True:
        message = decode_from_relay(await socket.receive())
        if isinstance(message, kind):
            return message


def register(network: MemoryNetwork, user_id: str, role: Role) -> MemorySocket:
    """A peer that speaks to the relay alone."""
    socket = network.relay.connect()
    socket.post(encode_event(Register(user_id, role, "webrtc")))
    return socket


async def test_a_session_that_never_connects_is_told_to_both_sides_as_that(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    network.is_blocked = True
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            with pytest.raises(SessionEnded, match="no path between the two was found") as caught:
                async with evaluator.open_session("c"):
                    pass
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert caught.value.reason is EndReason.CONNECT_TIMEOUT
    [session] = follower.sessions
    assert session.end_reason is EndReason.CONNECT_TIMEOUT
    assert session.end_detail == str(caught.value).removeprefix("the session has ended: ")
    assert not session.was_connected


async def test_an_evaluator_hears_of_a_client_that_says_nothing_how_it_has_ended(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()
    socket = register(network, "c", Role.CLIENT)
    async with open_evaluator(URL, user_id="e", network=network) as evaluator:
        with pytest.raises(SessionEnded):
            async with evaluator.open_session("c"):
                pass
    ended = await wait_for(socket, SessionEndedEvent)
    assert isinstance(ended, SessionEndedEvent)
    assert (ended.reason, ended.by_user_id) == (EndReason.CONNECT_TIMEOUT, "e")
    # Whoever reads it there is not left to guess who "the other side" is.
    assert ended.detail is not None
    assert "the client's answer never came" in ended.detail


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        (EndReason.UNSUPPORTED, "the browser of the client has no WebRTC"),
        (EndReason.NEGOTIATION_FAILED, None),
        (EndReason.ENDED, None),
    ],
)
async def test_what_a_client_says_of_the_end_is_what_the_evaluator_is_told(
    autojump_clock: MockClock, reason: EndReason, detail: str | None
) -> None:
    network = MemoryNetwork()
    socket = register(network, "c", Role.CLIENT)

    async def give_up() -> None:
        started = await wait_for(socket, SessionStarted)
        assert isinstance(started, SessionStarted)
        socket.post(encode_event(EndSession(started.session_id, reason, detail)))

    async with (
        trio.open_nursery() as nursery,
        open_evaluator(URL, user_id="e", network=network) as evaluator,
    ):
        nursery.start_soon(give_up)
        with pytest.raises(SessionEnded) as caught:
            async with evaluator.open_session("c"):
                pass
    assert (caught.value.reason, caught.value.detail) == (reason, detail or "")
    assert reason.sentence in str(caught.value)


async def test_an_end_that_was_not_told_is_told_when_the_relay_asks(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()
    network.is_blocked = True
    async with open_client(URL, user_id="c", network=network) as client:
        socket = register(network, "e", Role.EVALUATOR)
        socket.post(encode_event(StartSession("c")))
        started = await wait_for(socket, SessionStarted)
        assert isinstance(started, SessionStarted)
        session = await client.next_session()
        network.relay.go_down()
        async with session:
            async for _ in session.images():
                pass
        assert session.end_reason is EndReason.SIGNALLING_LOST
        network.relay.come_back()
        await trio.sleep(2 * MAX_BACKOFF)
        socket = register(network, "e", Role.EVALUATOR)
        socket.post(encode_event(StartSession("c", started.session_id)))
        ended = await wait_for(socket, SessionEndedEvent)
    assert isinstance(ended, SessionEndedEvent)
    assert ended.reason is EndReason.CONNECT_TIMEOUT
    assert ended.detail == "the relay was lost meanwhile"


# ── another evaluator's session with the same client ─────────────────────────────────────────────


class LateNetwork:
    """That of an evaluator who gets back to the relay only when it may."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.may_connect = trio.Event()
        self.may_connect.set()

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[MemorySocket]:
        await self.may_connect.wait()
        async with self._network.open_socket(url) as socket:
            yield socket

    def open_link(
        self, ice_servers: Sequence[IceServer]
    ) -> AbstractAsyncContextManager[MemoryLink]:
        return self._network.open_link(ice_servers)


@pytest.mark.parametrize("late", [0.5, 5.0, 60.0])
async def test_another_evaluators_session_with_the_client_replaces_what_a_new_relay_does_not_know(
    autojump_clock: MockClock, late: float
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    ours = LateNetwork(network)
    ends: list[EndReason] = []

    async def present(*, task_status: trio.TaskStatus[None]) -> None:
        async with (
            open_evaluator(URL, user_id="a", network=ours) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            task_status.started()
            ends.append(await session.wait_ended())

    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        await nursery.start(present)
        ours.may_connect = trio.Event()
        network.relay.go_down()
        network.relay.come_back()
        async with open_evaluator(URL, user_id="b", network=network) as evaluator:
            await evaluator.wait_available("c")
            with trio.fail_after(late + 2 * MAX_BACKOFF + 1):
                async with evaluator.open_session("c") as session:
                    await session.show(image(1))
                    await trio.sleep(late)
                    assert ends == []
                    ours.may_connect.set()
                    await trio.sleep(2 * MAX_BACKOFF)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert ends == [EndReason.REPLACED]
    assert follower.ends == [EndReason.REPLACED, EndReason.ENDED]
    assert [seen.index for seen in follower.seen] == [0, 1]


# ── a channel that is closed, and this stack can't tell how ──────────────────────────────────────


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_bare_close_is_an_end_within_two_seconds(
    autojump_clock: MockClock, is_told: bool
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            await trio.sleep(SUSPECT_AFTER - 1)
            begin = trio.current_time()
            network.links[0].put(ChannelClosed(is_reset=False))
            if is_told:
                route = follower.sessions[0]._peer.route
                route.end()
            assert await session.wait_ended() is EndReason.ENDED
            took = trio.current_time() - begin
            states = [change.state.value async for change in session.changes()]
        nursery.cancel_scope.cancel()
    assert took == pytest.approx(0.0 if is_told else ABSENCE_DEADLINE)
    # What is in doubt is not suspected, though no pong comes.
    assert states[-2:] == ["interrupted", "ended"]


async def test_a_bare_close_of_a_connection_that_has_failed_is_repaired(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            network.links[0].put(ChannelClosed(is_reset=False))
            await trio.sleep(ABSENCE_DEADLINE / 2)
            network.links[0].break_off()
            with trio.fail_after(ABSENCE_DEADLINE):
                await session.show(image(1))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0, 1]


# ── what was in the way ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("whose", ["evaluator", "client"])
async def test_what_was_in_the_way_of_one_side_is_told_to_both(
    autojump_clock: MockClock, whose: str
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    network.is_blocked = True
    server = "turn:turn.example:3478?transport=udp"
    failure = ServerFailed(server, 401, "Unauthorized", Cause.TURN_UNAUTHORIZED)

    async def fail() -> None:
        await trio.sleep(1)
        network.links[0 if whose == "evaluator" else 1].put(failure)

    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        nursery.start_soon(fail)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            with pytest.raises(SessionEnded) as caught:
                async with evaluator.open_session("c"):
                    pass
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    [session] = follower.sessions
    assert caught.value.reason is session.end_reason is EndReason.CONNECT_TIMEOUT
    for side, said in (("evaluator", str(caught.value)), ("client", session.end_detail)):
        name = "this side" if side == whose else f"the {whose}"
        assert f"{name}'s {Cause.TURN_UNAUTHORIZED.value}" in said
        assert "turn.example" not in said
