"""One session of one peer: carries out what `core.peer` decides, over a route and links.

Inputs come from three sides, each with a task of its own: the route (what the relay passes on),
the current attempt's link, and the deadlines. Each input is one call into the core; what comes
out is performed in order. The talk on the channel belongs to the evaluator and the client, who
give three synchronous callbacks.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import assert_never

import attrs
import trio

from imgsync.core.codec import encode_signal
from imgsync.core.errors import NegotiationError, SessionEnded, SignallingLost
from imgsync.core.messages import EndReason, IceServer, Milliseconds
from imgsync.core.peer import (
    CONNECT_DEADLINE,
    AddCandidate,
    ApplyAnswer,
    Connected,
    Discard,
    Ended,
    Handshake,
    MakeAnswer,
    MakeOffer,
    Note,
    Output,
    Say,
    SetDeadline,
)
from imgsync.nursery import open_background
from imgsync.peer.route import EndCame, RelayLost, Route, SignalCame
from imgsync.seams import (
    ChannelClosed,
    Gathered,
    Link,
    LinkEvent,
    LinkLost,
    Network,
    Opened,
    Received,
)

log = logging.getLogger(__name__)

END_DEADLINE = 3.0
"""Seconds for an end in good order: the channel flushed and closed, the relay told."""


@attrs.frozen
class Talk:
    """What happens on the channel, for whoever speaks on it; all three must not wait.

    :param opened: a channel is open.
    :param received: a message came in, and when.
    :param ended: there will be no channel any more.
    """

    opened: Callable[[], None]
    received: Callable[[str | bytes, Milliseconds], None]
    ended: Callable[[], None]


@attrs.frozen
class _Attempt:
    link: Link
    scope: trio.CancelScope


class PeerSession:
    """The session behind an EvaluatorSession or a ClientSession. Made by `open_peer_session`."""

    def __init__(
        self, route: Route, network: Network, ice_servers: Sequence[IceServer], *, offers: bool
    ) -> None:
        self.route = route
        self._network = network
        self._ice_servers = ice_servers
        self._handshake = Handshake(offers=offers)
        self._talk: Talk | None = None
        self._attempts: dict[int, _Attempt] = {}
        self._connected = trio.Event()
        self._ended = trio.Event()
        #: Why the session ended; None while it lives.
        self.end: Ended | None = None

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
        attempt = self._attempts.get(self._handshake.attempt)
        if attempt is not None:
            attempt.link.send(text)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    async def run(self, talk: Talk, nursery: trio.Nursery) -> None:
        """Handle what comes in from the relay until the session is over."""
        self._talk = talk
        await self._perform(self._handshake.start(resumed=self.route.resumed), nursery)
        async for item in self.route.inputs:
            match item:
                case SignalCame(raw):
                    outputs = self._handshake.receive(raw)
                case EndCame(reason):
                    outputs = self._handshake.session_ended(reason)
                case RelayLost():
                    outputs = self._handshake.signalling_lost()
                case _:
                    assert_never(item)
            await self._perform(outputs, nursery)
        if self.end is None:
            flood = "the other side sent more signals than can be handled"
            await self._perform(self._fail(self._handshake.attempt, flood), nursery)

    async def _run_link(
        self,
        number: int,
        nursery: trio.Nursery,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with trio.CancelScope() as scope:
            async with self._network.open_link(self._ice_servers) as link:
                self._attempts[number] = _Attempt(link, scope)
                task_status.started()
                while True:
                    outputs = self._on_link_event(number, await link.next_event())
                    await self._perform(outputs, nursery)

    def _on_link_event(self, number: int, event: LinkEvent) -> list[Output]:
        match event:
            case Gathered(line):
                return self._handshake.gathered(number, line)
            case Opened():
                return self._handshake.opened(number)
            case Received(text, at):
                if self._talk is not None and number == self._handshake.attempt:
                    self._talk.received(text, at)
                return []
            case ChannelClosed():
                return self._handshake.lost(number, EndReason.ENDED)
            case LinkLost(why):
                return self._handshake.lost(number, EndReason.CONNECTION_LOST, why)
            case _:
                assert_never(event)

    async def _run_deadline(self, number: int, nursery: trio.Nursery) -> None:
        await trio.sleep(CONNECT_DEADLINE)
        await self._perform(self._handshake.timed_out(number), nursery)

    # ── outputs ──────────────────────────────────────────────────────────────────────────────────

    async def _perform(self, outputs: list[Output], nursery: trio.Nursery) -> None:
        for output in outputs:
            match output:
                case MakeOffer(number):
                    await nursery.start(self._run_link, number, nursery)
                    sdp = await self._attempts[number].link.make_offer()
                    await self._perform(self._handshake.described(number, sdp), nursery)
                case MakeAnswer() | ApplyAnswer():
                    await self._perform(await self._take_description(output, nursery), nursery)
                case AddCandidate(number, candidate):
                    if self.end is None:
                        self._attempts[number].link.add_candidate(candidate)
                case SetDeadline(number):
                    nursery.start_soon(self._run_deadline, number, nursery)
                case Discard(number):
                    if number in self._attempts:
                        self._attempts.pop(number).scope.cancel()
                case _:
                    self._perform_at_once(output)

    async def _take_description(
        self, output: MakeAnswer | ApplyAnswer, nursery: trio.Nursery
    ) -> list[Output]:
        number = output.attempt
        try:
            if isinstance(output, ApplyAnswer):
                await self._attempts[number].link.apply_answer(output.answer)
                return []
            await nursery.start(self._run_link, number, nursery)
            sdp = await self._attempts[number].link.make_answer(output.offer)
            return self._handshake.described(number, sdp)
        except NegotiationError as exc:
            return self._fail(number, str(exc))

    def _fail(self, number: int, detail: str) -> list[Output]:
        return self._handshake.lost(number, EndReason.NEGOTIATION_FAILED, detail)

    def _perform_at_once(self, output: Say | Connected | Ended | Note) -> None:
        match output:
            case Say(signal):
                try:
                    self.route.say(encode_signal(signal))
                except SignallingLost:
                    # The route says so, too, and that decides what it means.
                    log.debug("session %s: a signal was not sent", self.route.session_id)
            case Connected():
                self._connected.set()
                if self._talk is not None:
                    self._talk.opened()
            case Ended():
                self._finish(output)
            case Note(text):
                log.info("session %s: %s", self.route.session_id, text)
            case _:
                assert_never(output)

    def _finish(self, end: Ended) -> None:
        log.info("session %s ended: %s", self.route.session_id, end.detail or end.reason.sentence)
        self.end = end
        self._ended.set()
        self._connected.set()
        if self._talk is not None:
            self._talk.ended()

    async def close(self) -> None:
        """End it in good order: the channel first, flushed, then the relay is told."""
        if self.end is None:
            self._handshake.session_ended(EndReason.ENDED)
            attempt = self._attempts.get(self._handshake.attempt)
            if attempt is not None:
                await attempt.link.close_channel()
            self._finish(Ended(EndReason.ENDED))
        try:
            self.route.end()
        except SignallingLost:
            log.info("session %s: the relay can't be told of its end", self.route.session_id)
        self.route.close()


@asynccontextmanager
async def open_peer_session(
    route: Route,
    network: Network,
    ice_servers: Sequence[IceServer],
    make_talk: Callable[[PeerSession], Talk],
    *,
    offers: bool,
) -> AsyncIterator[PeerSession]:
    """Own everything of one session; leaving the block ends it in good order, under a deadline.

    :param make_talk: called once with the session, before anything can be received.
    """
    session = PeerSession(route, network, ice_servers, offers=offers)
    async with open_background() as nursery:
        nursery.start_soon(session.run, make_talk(session), nursery)
        try:
            yield session
        finally:
            with trio.move_on_after(END_DEADLINE) as scope:
                scope.shield = True
                await session.close()
