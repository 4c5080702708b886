"""One session of one peer: carries out what `core.handshake` decides, over a route and links.

Each side that inputs come from has a task: the route (what the relay passes on), the current link,
its heartbeat, the deadlines. An input is one call into the core; what comes out is performed in
order. The talk on the channel belongs to evaluator and client, who give synchronous callbacks.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import assert_never

import trio

from imgsync.core.channel.heartbeat import Health, HeartbeatOutput, Judged, SendPing
from imgsync.core.channel.outputs import PeerSpeaks, Pinged, Ponged
from imgsync.core.codec.codec import encode_channel, encode_signal
from imgsync.core.handshake.handshake import Handshake
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
    Say,
    SetAbsence,
    SetAnswerDeadline,
    SetDeadline,
    SetGiveUp,
    SetRetry,
    TakeUp,
)
from imgsync.core.protocol.channel import Ping, Pong
from imgsync.core.protocol.errors import InputError, NegotiationError, SessionEnded, SignallingLost
from imgsync.core.protocol.numbers import FEATURE_PING
from imgsync.core.protocol.signalling import EndReason, IceServer, Milliseconds
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.peer.account import Account, Write
from imgsync.peer.attempt import Attempt
from imgsync.peer.route import EndCame, PeerCame, PeerWent, RelayBack, RelayLost, Route, SignalCame
from imgsync.peer.talk import Talk
from imgsync.peer.timers import timer_of
from imgsync.seams import (
    ChannelClosed,
    Gathered,
    LinkEvent,
    LinkLost,
    Network,
    Opened,
    Received,
    ServerFailed,
)
from imgsync.tasks import open_background
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

END_DEADLINE = 3.0
"""Seconds for an end in good order: the channel flushed and closed, the relay told."""


class PeerSession:
    """The session behind an EvaluatorSession or a ClientSession. Made by `open_peer_session`."""

    def __init__(
        self,
        route: Route,
        network: Network,
        ice_servers: Sequence[IceServer],
        write: Write,
        *,
        offers: bool,
    ) -> None:
        self.route = route
        self.account = Account(route.session_id, write)
        self._network = network
        self._ice_servers = ice_servers
        self._handshake = Handshake(offers=offers)
        self._talk: Talk | None = None
        self._attempts: dict[int, Attempt] = {}
        self._connected = trio.Event()
        self._ended = trio.Event()
        #: Why the session ended; None while it lives.
        self.end: Ended | None = None
        self._changes = [StateChange(SessionState.CONNECTING, now_ms())]
        #: Of the next change.
        self._changed = trio.Event()

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._changes[-1].state

    async def change(self, number: int) -> StateChange | None:
        """The so manieth change of state, from 0; None where there will be no such one."""
        while number >= len(self._changes):
            if self.state is SessionState.ENDED:
                return None
            await self._changed.wait()
        return self._changes[number]

    async def wait_connected(self) -> None:
        """Wait for the channel. Raises SessionEnded."""
        await self._connected.wait()
        if self.end is not None:
            raise SessionEnded(self.end.reason, self.end.detail)

    async def wait_ended(self) -> EndReason:
        """Wait until the session is over, for whatever reason."""
        await self._ended.wait()
        assert self.end is not None
        return self.end.reason

    def send(self, text: str) -> None:
        """Send on the open channel; without one it goes nowhere."""
        attempt = self._current
        if attempt is not None:
            attempt.link.send(text)

    def beat(self, output: Pinged | Ponged | PeerSpeaks, at: Milliseconds) -> None:
        """Something of the heartbeat came in on the channel.

        :param at: when it came off the network.
        """
        attempt = self._current
        if attempt is None:
            return
        now, heart = trio.current_time(), attempt.heartbeat
        match output:
            case Pinged(Ping(id, t0)):
                attempt.link.send_stamped(lambda t2: encode_channel(Pong(id, t0, at, t2)))
                outputs = heart.begin(now)
            case Ponged(Pong(id) as pong):
                if heart.has_sent(id):
                    self.account.ponged(pong, at)
                outputs = heart.answered(id, now)
            case PeerSpeaks(features):
                outputs = heart.begin(now) if FEATURE_PING in features else []
            case _:
                assert_never(output)
        self._perform_beat(attempt, outputs)
        attempt.news.set()

    @property
    def _current(self) -> Attempt | None:
        return self._attempts.get(self._handshake.attempt)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    async def run(self, talk: Talk, nursery: trio.Nursery) -> None:
        """Handle what comes in from the relay until the session is over."""
        self._talk = talk
        self.account.began(self.route.peer_id, resumed=self.route.resumed)
        self.account.changed(self._changes[0])
        about = {"resumed": self.route.resumed, "is_disputed": self.route.is_disputed}
        await self._perform(self._handshake.start(**about), nursery)
        async for item in self.route.inputs:
            match item:
                case SignalCame(raw):
                    outputs = self._handshake.receive(raw)
                case EndCame(reason):
                    outputs = self._handshake.session_ended(reason)
                case RelayLost():
                    outputs = self._handshake.signalling_lost()
                case RelayBack():
                    outputs = self._handshake.signalling_back()
                case PeerWent():
                    outputs = self._handshake.peer_away()
                case PeerCame():
                    outputs = self._handshake.peer_back()
                case _:
                    assert_never(item)
            await self._perform(outputs, nursery)
        if self.end is None:
            flood = "the other side sent more signals than can be handled"
            await self._perform(self._fail(self._handshake.attempt, flood), nursery)
        if self.end is None:  # it would be repaired, but there is nobody left to hear
            outputs = self._handshake.session_ended(EndReason.NEGOTIATION_FAILED)
            await self._perform(outputs, nursery)

    async def _run_link(
        self,
        number: int,
        nursery: trio.Nursery,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with trio.CancelScope() as scope:
            async with self._network.open_link(self._ice_servers) as link:
                self._attempts[number] = attempt = Attempt(link, scope)
                task_status.started()
                nursery.start_soon(self._run_heartbeat, number, attempt, nursery)
                while True:
                    event = await link.next_event()
                    outputs = self._on_link_event(number, event)
                    if isinstance(event, ChannelClosed | LinkLost):
                        # Elsewhere: what is to be done then may well begin with our own end.
                        nursery.start_soon(self._perform, outputs, nursery)
                        return
                    await self._perform(outputs, nursery)

    def _on_link_event(self, number: int, event: LinkEvent) -> list[Output]:
        match event:
            case Gathered(line):
                return self._handshake.gathered(number, line)
            case ServerFailed(server, code, why):
                session_id = self.route.session_id
                log.info("session %s: %s gave no candidate: %s %s", session_id, server, code, why)
                return []
            case Opened(path):
                self.account.connected(path)
                return self._handshake.opened(number)
            case Received(text, at):
                if self._talk is not None and number == self._handshake.attempt:
                    self._talk.received(text, at)
                return []
            case ChannelClosed():
                return self._handshake.lost(number, EndReason.ENDED)
            case LinkLost(_, True):
                return self._handshake.left(number)
            case LinkLost(why):
                return self._handshake.lost(number, EndReason.CONNECTION_LOST, why)
            case _:
                assert_never(event)

    async def _run_heartbeat(self, number: int, attempt: Attempt, nursery: trio.Nursery) -> None:
        heart = attempt.heartbeat
        while not attempt.scope.cancel_called:
            attempt.news = trio.Event()
            with trio.move_on_at(heart.due):
                await attempt.news.wait()
            self._perform_beat(attempt, heart.tick(trio.current_time()))
            if heart.health is Health.LOST:
                silence = "the other side has not answered for too long"
                outputs = self._handshake.lost(number, EndReason.CONNECTION_LOST, silence)
                await self._perform(outputs, nursery)
                return

    def _perform_beat(self, attempt: Attempt, outputs: list[HeartbeatOutput]) -> None:
        if attempt is not self._current:
            return  # one that is being replaced has no say any more
        for output in outputs:
            match output:
                case SendPing(id):
                    attempt.link.send_stamped(partial(_make_ping, id))
                case Judged(Health.SUSPECT):
                    self.route.probe()
                    self._tell(SessionState.SUSPECT)
                case Judged(Health.ALIVE):
                    self._tell(SessionState.CONNECTED)
                case Judged():
                    pass
                case _:
                    assert_never(output)

    async def _run_timer(
        self, seconds: float, due: Callable[[], list[Output]], nursery: trio.Nursery
    ) -> None:
        await trio.sleep(seconds)
        await self._perform(due(), nursery)

    # ── outputs ──────────────────────────────────────────────────────────────────────────────────

    async def _perform(self, outputs: list[Output], nursery: trio.Nursery) -> None:
        for output in outputs:
            match output:
                case MakeOffer() | MakeAnswer() | ApplyAnswer():
                    await self._perform(await self._negotiate(output, nursery), nursery)
                case AddCandidate(number, candidate):
                    if number in self._attempts:
                        self._attempts[number].link.add_candidate(candidate)
                case SetDeadline() | SetAnswerDeadline() | SetRetry() | SetAbsence() | SetGiveUp():
                    timer = timer_of(output, self._handshake)
                    nursery.start_soon(self._run_timer, *timer, nursery)
                case Discard(number):
                    if number in self._attempts:
                        self._attempts.pop(number).discard()
                case _:
                    self._perform_at_once(output)

    async def _negotiate(
        self, output: MakeOffer | MakeAnswer | ApplyAnswer, nursery: trio.Nursery
    ) -> list[Output]:
        number = output.attempt
        try:
            if isinstance(output, ApplyAnswer):
                if number in self._attempts:
                    await self._attempts[number].link.apply_answer(output.answer)
                return []
            await nursery.start(self._run_link, number, nursery)
            link = self._attempts[number].link
            if isinstance(output, MakeOffer):
                return self._handshake.described(number, await link.make_offer())
            return self._handshake.described(number, await link.make_answer(output.offer))
        except NegotiationError as exc:
            return self._fail(number, str(exc))
        except InputError as exc:
            # Addresses can go, and come back, in the middle of a session.
            if not self._handshake.was_connected:
                raise
            return self._fail(number, str(exc))

    def _fail(self, number: int, detail: str) -> list[Output]:
        return self._handshake.lost(number, EndReason.NEGOTIATION_FAILED, detail)

    def _perform_at_once(
        self, output: Say | Connected | Interrupted | Ended | TakeUp | Note
    ) -> None:
        match output:
            case Say(signal):
                try:
                    self.route.say(encode_signal(signal))
                except SignallingLost:
                    # The route says so, too, and that decides what it means.
                    log.debug("session %s: a signal was not sent", self.route.session_id)
            case Connected():
                again = self._connected.is_set()
                self._connected.set()
                self._tell(SessionState.RESUMED if again else SessionState.CONNECTED)
                if self._talk is not None:
                    self._talk.opened()
            case Interrupted(reason, detail):
                self.route.probe()
                self._tell(SessionState.INTERRUPTED, reason, detail)
                if self._talk is not None:
                    self._talk.closed()
            case TakeUp():
                self.route.take_up()
            case Ended():
                self._finish(output)
            case Note(text):
                log.info("session %s: %s", self.route.session_id, text)
            case _:
                assert_never(output)

    def _finish(self, end: Ended) -> None:
        self.end = end
        self._tell(SessionState.ENDED, end.reason, end.detail)
        self._ended.set()
        self._connected.set()
        if self._talk is not None:
            self._talk.ended()

    def _tell(self, state: SessionState, reason: EndReason | None = None, detail: str = "") -> None:
        change = StateChange(state, now_ms(), reason, detail)
        log.info("session %s %s", self.route.session_id, change.sentence)
        self._changes.append(change)
        self.account.changed(change)
        self._changed.set()
        self._changed = trio.Event()

    async def close(self) -> None:
        """End it in good order: the channel first, flushed, then the relay is told."""
        if self.end is None:
            self._handshake.session_ended(EndReason.ENDED)
            if self._current is not None:
                await self._current.link.close_channel()
            self._finish(Ended(EndReason.ENDED))
        try:
            if self._handshake.is_ours:
                self.route.end()
        except SignallingLost:
            log.info("session %s: its end could not be told", self.route.session_id)
        self.route.close()


def _make_ping(id: int, t0: Milliseconds) -> str:
    return encode_channel(Ping(id, t0))


@asynccontextmanager
async def open_peer_session(
    route: Route,
    network: Network,
    ice_servers: Sequence[IceServer],
    make_talk: Callable[[PeerSession], Talk],
    write: Write,
    *,
    offers: bool,
) -> AsyncIterator[PeerSession]:
    """Own everything of one session; leaving the block ends it in good order, under a deadline.

    :param make_talk: called once with the session, before anything can be received.
    :param write: takes what is to be written down.
    """
    session = PeerSession(route, network, ice_servers, write, offers=offers)
    async with open_background() as nursery:
        nursery.start_soon(session.run, make_talk(session), nursery)
        try:
            yield session
        finally:
            with trio.move_on_after(END_DEADLINE) as scope:
                scope.shield = True
                await session.close()
