"""A peer's place at the relay, before a relay that says what the test wants said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync.core.codec.codec import encode_event
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import (
    EndCame,
    PeerTaken,
    RelayBack,
    RelayLost,
    RouteInput,
)
from imgsync.core.protocol.errors import (
    ConnectTimeout,
    SignallingLost,
    SocketClosed,
    UpgradeRefused,
)
from imgsync.core.protocol.numbers import AGAIN_PAUSE, MAX_INCOMING, REFUSED_AGAIN
from imgsync.core.protocol.obstacles import Obstacle
from imgsync.core.protocol.signalling import (
    ClientEntry,
    CloseCode,
    EndReason,
    ErrorCode,
    ErrorEvent,
    FromRelay,
    IceServer,
    IceServersChanged,
    Presence,
    PresenceState,
    Register,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.peer.route import Route
from imgsync.peer.signalling import DEFAULT_ICE_SERVERS, Signalling, open_signalling
from imgsync.peer.starting import Start
from imgsync.seams import Link


class Relay:
    """A network with a relay of few words; it is its own socket. See `imgsync.seams`."""

    def __init__(self, *servers: IceServer) -> None:
        self.servers: tuple[IceServer, ...] | None = servers
        #: What came in after each register.
        self.frames: list[list[dict[str, Any]]] = []
        self._send, self._receive = trio.open_memory_channel[str | SocketClosed](64)

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[Relay]:
        await trio.lowlevel.checkpoint()
        self.frames.append([])
        yield self

    def open_link(self, ice_servers: Sequence[IceServer]) -> AbstractAsyncContextManager[Link]:
        raise NotImplementedError

    def post(self, text: str) -> None:
        frame = json.loads(text)
        if frame["event"] != "register":
            self.frames[-1].append(frame)
            return
        role = Role(frame["data"]["role"])
        clients = (ClientEntry("c", PresenceState.AVAILABLE),) if role is Role.EVALUATOR else None
        self.say(Registered(frame["data"]["userId"], role, None, self.servers, clients))

    async def receive(self) -> str:
        frame = await self._receive.receive()
        if isinstance(frame, SocketClosed):
            raise frame
        return frame

    def probe(self, deadline: float) -> None:
        """It never goes without a word."""

    def say(self, message: FromRelay) -> None:
        self._send.send_nowait(encode_event(message))

    async def say_and_wait(self, message: FromRelay) -> None:
        self.say(message)
        await wait_all_tasks_blocked()

    async def cut(self) -> None:
        """Lose the connection, and wait for the next one."""
        self._send.send_nowait(SocketClosed(CloseCode.ABNORMAL))
        await trio.sleep(8)  # no backoff is longer

    def asked(self) -> list[tuple[str, str | None]]:
        """What the last connection has brought of sessions."""
        return [(frame["event"], frame["data"].get("sessionId")) for frame in self.frames[-1]]


def open_peer(relay: Relay, role: Role) -> AbstractAsyncContextManager[Signalling]:
    return open_signalling(relay, "relay:", Register("me", role, "webrtc"))


def of_client(session_id: str, *, resumed: bool = False) -> SessionStarted:
    return SessionStarted(session_id, client_id="c", resumed=resumed)


def of_evaluator(session_id: str) -> SessionStarted:
    return SessionStarted(session_id, evaluator_id="e", evaluator_name="Eve")


@asynccontextmanager
async def nothing_more(route: Route) -> AsyncIterator[Route]:
    """What a session is where only its way matters."""
    yield route


async def start_session(signalling: Signalling) -> Route:
    async with signalling.open_session("c", nothing_more) as route:
        return route


async def start(signalling: Signalling, relay: Relay, session_id: str) -> Route:
    """Ask for a session and have it."""
    found: list[Route] = []

    async def ask() -> None:
        found.append(await start_session(signalling))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        relay.say(of_client(session_id))
    return found[0]


def inputs_of(route: Route) -> list[RouteInput]:
    """What has come in since the last look."""
    found, route._waiting = route._waiting, []
    return found


async def test_a_session_is_taken_up_by_a_relay_that_is_back(autojump_clock: MockClock) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        await relay.cut()
        assert relay.asked() == [("start_session", "s")]
        await relay.say_and_wait(of_client("s", resumed=True))
        assert inputs_of(route) == [RelayLost(), RelayBack()]
        await relay.say_and_wait(Presence("d", PresenceState.AVAILABLE))
        assert relay.asked() == [("start_session", "s")]


async def test_it_is_asked_for_again_when_the_client_may_have_come(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        await relay.cut()
        await relay.say_and_wait(ErrorEvent(ErrorCode.UNKNOWN_CLIENT, "no", "start_session"))
        await relay.say_and_wait(Presence("c", PresenceState.OFFLINE))
        assert relay.asked() == [("start_session", "s")]
        await relay.say_and_wait(Presence("c", PresenceState.AVAILABLE))
        assert relay.asked() == [("start_session", "s")] * 2
        # Told while the answer is on its way, which may be of the time before.
        await relay.say_and_wait(Presence("c", PresenceState.BUSY))
        await relay.say_and_wait(ErrorEvent(ErrorCode.CLIENT_BUSY, "no", "start_session"))
        assert relay.asked() == [("start_session", "s")] * 3
        await relay.say_and_wait(ErrorEvent(ErrorCode.FORBIDDEN, "no", "start_session"))
        await relay.say_and_wait(Presence("c", PresenceState.AVAILABLE))
        assert relay.asked() == [("start_session", "s")] * 3
        assert inputs_of(route) == [RelayLost(), PeerTaken(), EndCame(EndReason.PEER_GONE)]


async def test_a_session_that_is_over_before_it_is_taken_up_holds_up_no_other(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        await relay.cut()
        route.end()
        route.close()
        relay.say(of_client("s", resumed=True))
        with trio.fail_after(1):
            await start(evaluator, relay, "t")
        about_s = [("start_session", "s"), ("end_session", "s"), ("end_session", "s")]
        assert relay.asked() == [*about_s, ("start_session", None)]


async def test_a_session_that_comes_instead_of_the_one_to_be_taken_up_is_ended(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        await relay.cut()
        await relay.say_and_wait(of_client("t"))
        await relay.say_and_wait(Presence("c", PresenceState.AVAILABLE))
        assert relay.asked() == [("start_session", "s"), ("end_session", "t")]
        assert inputs_of(route) == [RelayLost(), EndCame(EndReason.PEER_GONE)]


async def test_an_end_that_could_not_be_told_is_told_when_the_relay_is_back(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        relay._send.send_nowait(SocketClosed(CloseCode.ABNORMAL))
        await wait_all_tasks_blocked()
        with pytest.raises(SignallingLost):
            route.end()
        route.close()
        await trio.sleep(8)
        assert relay.asked() == []
        await relay.say_and_wait(of_client("s", resumed=True))
        assert relay.asked() == [("end_session", "s")]


async def test_a_client_is_in_one_session_and_so_many_may_wait_for_it(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.CLIENT) as client:
        for number in range(MAX_INCOMING):
            await relay.say_and_wait(of_evaluator(str(number)))
        assert relay.asked() == []
        await relay.say_and_wait(of_evaluator("late"))
        assert relay.asked() == [("end_session", "late")]
        first = await client.incoming.receive()
        assert (first.session_id, first.peer_id, first.peer_name) == ("0", "e", "Eve")
        assert inputs_of(first)[0] == EndCame(EndReason.REPLACED)
        await relay.say_and_wait(of_evaluator("next"))
        assert ("end_session", "next") not in relay.asked()


async def test_a_relay_that_names_no_ice_servers_any_more_leaves_the_choice_to_us(
    autojump_clock: MockClock,
) -> None:
    own = IceServer("stun:relay.example")
    relay = Relay(own)
    found = []
    async with open_peer(relay, Role.CLIENT) as client:
        for servers in (None, (), None):
            found.append(client.ice_servers)
            relay.servers = servers
            await relay.cut()
    assert found == [(own,), DEFAULT_ICE_SERVERS, ()]


async def test_of_two_answers_to_one_question_the_first_counts(autojump_clock: MockClock) -> None:
    start = Start()
    start.answer(None)
    start.answer(SignallingLost("the relay was lost a moment later"))
    assert await start.wait() is None


async def test_an_answer_that_never_comes_is_waited_for_so_long(autojump_clock: MockClock) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        with pytest.raises(ConnectTimeout, match="did not answer start_session within 10 s"):
            await start_session(evaluator)
        # Then it is too late.
        await relay.say_and_wait(of_client("s"))
        assert relay.asked() == [("start_session", None), ("end_session", "s")]


async def test_a_question_without_an_answer_is_asked_once_more_after_registering_anew(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    found: list[Route] = []
    async with open_peer(relay, Role.EVALUATOR) as evaluator, trio.open_nursery() as nursery:

        async def ask() -> None:
            found.append(await start_session(evaluator))

        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        assert relay.asked() == [("start_session", None)]
        await relay.cut()
        assert relay.asked() == [("start_session", None)]
        await relay.say_and_wait(of_client("s"))
        assert [route.session_id for route in found] == ["s"]
        assert [len(frames) for frames in relay.frames] == [1, 1]


async def test_a_relay_that_is_there_and_does_not_answer_is_registered_at_anew_and_asked_once_more(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay()

    def probe(deadline: float) -> None:
        if deadline == 0:
            relay._send.send_nowait(SocketClosed(CloseCode.ABNORMAL))

    monkeypatch.setattr(relay, "probe", probe)
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        with pytest.raises(ConnectTimeout):
            await start_session(evaluator)
        assert [len(frames) for frames in relay.frames] == [1, 1]


@pytest.mark.parametrize(("asked_for", "least", "most"), [(0, 0, 1), (30, 30, 31), (3600, 60, 61)])
async def test_who_is_asked_to_wait_does_so_but_not_for_ever(
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
    asked_for: float,
    least: float,
    most: float,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.CLIENT):
        tried: list[float] = []

        @asynccontextmanager
        async def open_socket(url: str) -> AsyncIterator[Relay]:
            tried.append(trio.current_time())
            if len(tried) == 1:
                raise UpgradeRefused("busy", obstacle=Obstacle.TOO_MANY, retry_after=asked_for)
            yield relay

        monkeypatch.setattr(relay, "open_socket", open_socket)
        await relay.cut()
        await trio.sleep(100)
        first, second = tried
        assert least <= second - first <= most


# ── a relay that can do nothing at this moment ────────────────────────────────────────────────────


def outage(event: str) -> ErrorEvent:
    return ErrorEvent(ErrorCode.UNAVAILABLE, "The relay can't reach the others.", event)


@pytest.mark.parametrize("role", Role)
async def test_whoever_registers_with_it_first_is_taken_when_it_can_again(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    relay = Relay()
    told = relay.say

    def refuse(message: FromRelay) -> None:
        if len(relay.frames) > 3:
            told(message)
        else:
            told(outage("register"))
            relay._send.send_nowait(SocketClosed(CloseCode.RELAY_FULL))

    monkeypatch.setattr(relay, "say", refuse)
    # What is left on a socket that was refused is of no use.
    monkeypatch.setattr(relay, "open_socket", emptied(relay))
    async with open_peer(relay, role):
        assert len(relay.frames) == 4


def emptied(relay: Relay) -> Callable[[str], AbstractAsyncContextManager[Relay]]:
    opened = relay.open_socket

    @asynccontextmanager
    async def open_socket(url: str) -> AsyncIterator[Relay]:
        relay._send, relay._receive = trio.open_memory_channel(64)
        async with opened(url):
            yield relay

    return open_socket


async def test_it_is_asked_again_for_a_session_that_it_could_not_look_for(
    autojump_clock: MockClock,
) -> None:
    relay = Relay()
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        route = await start(evaluator, relay, "s")
        await relay.cut()
        for times in range(1, 4):
            assert relay.asked() == [("start_session", "s")] * times
            await relay.say_and_wait(outage("start_session"))
            assert relay.asked() == [("start_session", "s")] * times
            await trio.sleep(AGAIN_PAUSE)
        await relay.say_and_wait(of_client("s", resumed=True))
        assert inputs_of(route) == [RelayLost(), RelayBack()]


@pytest.mark.parametrize("role", Role)
async def test_it_is_told_again_of_an_end_that_it_could_not_tell(
    autojump_clock: MockClock, role: Role
) -> None:
    relay = Relay()
    async with open_peer(relay, role) as peer:
        if role is Role.EVALUATOR:
            route = await start(peer, relay, "s")
        else:
            await relay.say_and_wait(of_evaluator("s"))
            route = peer.incoming.receive_nowait()
        del relay.frames[-1][:]
        route.end()
        route.close()
        await relay.say_and_wait(outage("end_session"))
        await trio.sleep(AGAIN_PAUSE)
        assert relay.asked() == [("end_session", "s")] * 2
        await relay.say_and_wait(SessionEndedEvent("s", EndReason.ENDED, "me"))
        await relay.say_and_wait(outage("webrtc_signal"))
        await trio.sleep(AGAIN_PAUSE)
        assert relay.asked() == [("end_session", "s")] * 2


# ── credentials ──────────────────────────────────────────────────────────────────────────────────


def turn_with(credential: str) -> IceServer:
    return IceServer("turn:relay.example", "me", credential)


async def test_what_the_relay_has_named_last_is_what_the_next_connection_is_made_with(
    autojump_clock: MockClock,
) -> None:
    relay = Relay(turn_with("old"))
    async with open_peer(relay, Role.CLIENT) as client:
        servers = client.servers
        await relay.say_and_wait(IceServersChanged((turn_with("new"),)))
        assert client.ice_servers == servers.current == (turn_with("new"),)
        await relay.say_and_wait(IceServersChanged(()))
        assert list(client.ice_servers) == []


async def test_who_is_refused_with_old_credentials_registers_again_for_new_ones_once(
    autojump_clock: MockClock,
) -> None:
    relay = Relay(turn_with("old"))
    async with open_peer(relay, Role.CLIENT) as client:
        await relay.say_and_wait(of_evaluator("s"))
        route = client.incoming.receive_nowait()
        client.servers.failed(Cause.TURN_UNAUTHORIZED)  # as they are new, others would be no better
        await trio.sleep(REFUSED_AGAIN)
        client.servers.failed(Cause.TURN_SILENT)
        await trio.sleep(8)
        assert len(relay.frames) == 1
        relay.servers = (turn_with("new"),)
        for _ in range(2):
            client.servers.failed(Cause.TURN_UNAUTHORIZED)
            await trio.sleep(8)
        assert len(relay.frames) == 2
        assert client.ice_servers == (turn_with("new"),)
        await relay.say_and_wait(of_evaluator("s"))
        assert inputs_of(route) == [RelayLost(), RelayBack()]


async def test_who_was_told_new_credentials_a_moment_ago_does_not_ask_for_others(
    autojump_clock: MockClock,
) -> None:
    relay = Relay(turn_with("old"))
    async with open_peer(relay, Role.EVALUATOR) as evaluator:
        await trio.sleep(80_000)
        await relay.say_and_wait(IceServersChanged((turn_with("new"),)))
        evaluator.servers.failed(Cause.TURN_UNAUTHORIZED)
        await trio.sleep(8)
        assert len(relay.frames) == 1


async def test_servers_that_cannot_be_asked_are_in_the_way_of_a_connection(
    autojump_clock: MockClock,
) -> None:
    relay = Relay(turn_with("good"), IceServer(("stun:a?", "turn:a", "turn:b:0", "stun:b")))
    async with open_peer(relay, Role.CLIENT) as client:
        assert [*client.servers.wrong()] == [
            Cause.STUN_FAILED,
            Cause.TURN_FAILED,
            Cause.TURN_FAILED,
        ]
