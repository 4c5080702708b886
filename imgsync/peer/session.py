"""One session of one peer: carries out what `core.handshake` decides, over a route and links.

    route ─── what the relay says ──▶ ┐
    links ─── what happens to them ─▶ ├ one inbox ──▶ one task: decides, and performs in order
    the clock ────────── due ───────▶ ┘                 │
                                                         └──▶ route, links, the talk, the journal

A PeerSession is what evaluator and client speak through; it is built first. What drives it lives in
`open_peer_session`. Each link has a task of its own, in which it is described and given what comes
from the other side; what comes of that goes into the inbox.
"""

import logging
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import assert_never

import attrs
import trio

from imgsync.core.channel.early import Early
from imgsync.core.channel.heartbeat import Health, Judged, SendPing
from imgsync.core.channel.line import Heard, Line, LineOutput, Ponged, SendPong, Unanswered
from imgsync.core.channel.outputs import Drop
from imgsync.core.channel.prompt import Prompt
from imgsync.core.codec.codec import encode_channel, encode_signal
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.inputs import (
    ChannelClosed,
    Described,
    FromAttempt,
    Hindered,
    Input,
    LinkLost,
    NotMade,
    Opened,
    OwnEnd,
    RouteInput,
)
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
from imgsync.core.handshake.packets import WRAPPED, PathMeasured
from imgsync.core.handshake.telling import last_words
from imgsync.core.protocol.channel import Image, Ping, Pong
from imgsync.core.protocol.errors import (
    InputError,
    NegotiationError,
    SessionEnded,
    SignallingLost,
)
from imgsync.core.protocol.numbers import (
    LAST_WORDS_DEADLINE,
    MAX_CANDIDATES,
    MAX_CHANNEL_MESSAGE,
)
from imgsync.core.protocol.signalling import EndReason, Milliseconds
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.peer.route import Route
from imgsync.peer.servers import NamedServers
from imgsync.peer.session_journal import SessionJournal, Write
from imgsync.peer.talk import Talk
from imgsync.seams import (
    CarriedEvent,
    Drained,
    Link,
    LinkEvent,
    Network,
    Received,
    ServerFailed,
    Shared,
    Unshared,
)
from imgsync.tasks import Bell, Inbox, Pull, open_background
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

END_DEADLINE = 3.0
"""Seconds for an end in good order: the channel flushed and closed, the relay told."""

_SILENCE = "the other side has not answered for too long"


# ── where the session stands ─────────────────────────────────────────────────────────────────────


class History:
    """Of one session."""

    def __init__(self) -> None:
        self._changes = [StateChange(SessionState.CONNECTING, now_ms())]
        #: Why the session ended; None while it lives.
        self.end: Ended | None = None
        self._news = Bell()

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._changes[-1].state

    @property
    def last(self) -> StateChange:
        """The last change."""
        return self._changes[-1]

    @property
    def so_far(self) -> Sequence[StateChange]:
        """All changes until now."""
        return self._changes

    @property
    def was_connected(self) -> bool:
        """Whether there was a channel."""
        return any(change.state is SessionState.CONNECTED for change in self._changes)

    @property
    def is_in_good_order(self) -> bool:
        """Whether nothing has failed, also where somebody has ended it."""
        return self.end is None or self.end.reason is EndReason.ENDED

    def add(self, state: SessionState, reason: EndReason | None, detail: str) -> None:
        """The session is in another state."""
        self._changes.append(StateChange(state, now_ms(), reason, detail))
        self._news.ring()

    def finish(self, end: Ended) -> None:
        """The session is over."""
        self.end = end
        self.add(SessionState.ENDED, end.reason, end.detail)

    def raise_if_ended(self) -> None:
        """Raise SessionEnded if the session is over."""
        if self.end is not None:
            raise SessionEnded(self.end.reason, self.end.detail)

    async def wait_connected(self) -> None:
        """Wait for the channel. Raises SessionEnded."""
        while not self.was_connected:
            self.raise_if_ended()
            await self._news.wait()
        self.raise_if_ended()

    async def wait_ended(self) -> EndReason:
        """Wait until the session is over, for whatever reason."""
        await trio.lowlevel.checkpoint()
        while self.end is None:
            await self._news.wait()
        return self.end.reason

    def changes(self) -> AsyncIterator[StateChange]:
        """Every change from the beginning, as it comes; stops at the end."""
        told = 0

        async def next_change() -> StateChange | None:
            nonlocal told
            while told == len(self._changes):
                if self.end is not None:
                    return None
                await self._news.wait()
            told += 1
            return self._changes[told - 1]

        return Pull(next_change)


class PeerSession:
    """The session behind an EvaluatorSession or a ClientSession, which both speak through it."""

    def __init__(self, route: Route, write: Write) -> None:
        self.route = route
        self.history = History()
        self._write = write
        self.journal = SessionJournal(route.session_id, write)
        #: Whose channel is open.
        self._link: Link | None = None

    def send(self, text: str) -> None:
        """Send on the open channel; without one it goes nowhere."""
        if self._link is not None:
            self._link.send(text)

    def share(self) -> None:
        """Open the channel of pictures beside the open one."""
        if self._link is not None:
            self._link.share()

    def carry(self, hear: Callable[[CarriedEvent], None]) -> None:
        """Have what comes on the channel of pictures told there; see `imgsync.seams.Link`."""
        if self._link is not None:
            self._link.carry(hear)

    def send_data(self, message: str | bytes) -> None:
        """Send on the channel of pictures, from any thread; without one it goes nowhere."""
        if self._link is not None:
            self._link.send_data(message)

    @property
    def max_message(self) -> int:
        """Bytes of a message that the other side of the open channel takes."""
        return MAX_CHANNEL_MESSAGE if self._link is None else self._link.max_message

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent on the open channel."""
        return 0 if self._link is None else self._link.waiting

    def opened(self, link: Link, warning: str) -> None:
        """A link's channel is open."""
        self._link = link
        again = self.history.was_connected
        self.tell(SessionState.RESUMED if again else SessionState.CONNECTED, detail=warning)

    def closed(self) -> None:
        """There is no open channel any more."""
        self._link = None

    def tell(self, state: SessionState, reason: EndReason | None = None, detail: str = "") -> None:
        """The session is in another state."""
        self.history.add(state, reason, detail)
        self._write_down_state()

    def finish(self, end: Ended) -> None:
        """The session is over."""
        self.history.finish(end)
        self._write_down_state()

    def begin(self) -> None:
        """The session lives, and has an id."""
        self.journal = SessionJournal(self.route.session_id, self._write)
        self.journal.began(self.route.peer_id, resumed=self.route.start.resumed)
        for change in self.history.so_far:
            self.journal.changed(change)

    def _write_down_state(self) -> None:
        change = self.history.last
        log.info("session %s %s", self.route.label, change.sentence)
        if self.route.session_id:
            self.journal.changed(change)


# ── links ────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class _FromLink:
    """Something happened to the link of an attempt."""

    attempt: int
    event: LinkEvent | Described | NotMade


@attrs.frozen
class _NoAddress:
    """The link of an attempt finds no address to use."""

    attempt: int
    error: InputError


@attrs.frozen
class _Answered:
    """An image came in on the link of an attempt, and was acked at once."""

    attempt: int
    image: Image
    at: Milliseconds


_Item = RouteInput | _FromLink | _Answered | _NoAddress

_LinkTask = MakeOffer | MakeAnswer | ApplyAnswer | AddCandidate

_MAX_TASKS = MAX_CANDIDATES + 3
"""Of one link: the two descriptions, as many candidates as a handshake lets through, their end."""


class _HeldLink:
    """The link of one attempt, while the session has use for it."""

    def __init__(self, *, offers: bool) -> None:
        self.line = Line(greets=not offers)
        self.early = Early()
        self.scope = trio.CancelScope()
        self.give, self.tasks = trio.open_memory_channel[_LinkTask](_MAX_TASKS)
        #: Given, and not done yet.
        self.unfinished = 0
        #: Once it is opened.
        self.link: Link | None = None
        #: While its channel is the one that is open.
        self.prompt: Prompt | None = None
        #: What is told once an answer has left; touched in the thread of the channel alone.
        self.late: deque[_Item] = deque()
        #: Messages that have come, counted in that thread; and had their turn, in Trio's.
        self.came = self.turned = 0


class _Links:
    """The links of one session, each with a task of its own."""

    def __init__(
        self,
        network: Network,
        servers: NamedServers,
        put: Callable[[_Item], None],
        *,
        offers: bool,
    ) -> None:
        self._offers = offers
        self._network = network
        self._servers = servers
        self._put = put
        self._held: dict[int, _HeldLink] = {}
        self._newest = 0
        # Unbounded: each is a decision of ours, which counts those that the other side asks for.
        self._prepare, self._to_hold = trio.open_memory_channel[_HeldLink](math.inf)
        self._next = self._prepare_next()

    @property
    def current(self) -> _HeldLink | None:
        """The link of the current attempt, unless it was discarded."""
        return self._held.get(self._newest)

    def find(self, attempt: int) -> _HeldLink | None:
        """The link of an attempt; one that is being replaced has no say any more."""
        return self._held.get(attempt) if attempt == self._newest else None

    def ends_one_way(self, attempt: int, event: LinkEvent | Described | NotMade) -> bool:
        """Whether a link ends of which the other side does not hear us, though we hear it."""
        held = self.find(attempt)
        is_end = isinstance(event, LinkLost | ChannelClosed)
        return is_end and held is not None and held.line.is_one_way

    def _prepare_next(self) -> _HeldLink:
        """Its task is there by the time at which it is wanted."""
        held = _HeldLink(offers=self._offers)
        self._prepare.send_nowait(held)
        return held

    def give(self, task: _LinkTask) -> None:
        """Have a link described, or given something; the first opens it."""
        if isinstance(task, MakeOffer | MakeAnswer):
            self.quiet()
            self._newest = task.attempt
            self._held[task.attempt], self._next = self._next, self._prepare_next()
        held = self._held.get(task.attempt)
        if held is None:
            return
        if isinstance(task, AddCandidate) and held.link is not None and not held.unfinished:
            held.link.add_candidate(task.candidate)
        else:
            held.unfinished += 1
            held.give.send_nowait(task)

    def cause_of(self, event: ServerFailed | PathMeasured, label: str) -> Cause | None:
        """What a link tells of that may be in the way of the session."""
        match event:
            case ServerFailed(server, code, why, cause):
                log.info("session %s: %s gave no candidate: %s %s", label, server, code, why)
                self._servers.failed(cause)
                return cause
            case PathMeasured(largest, lost) if lost:
                what = "session %s: packets of %d bytes arrive, and of %d do not"
                log.warning(what, label, largest + WRAPPED, lost + WRAPPED)
                return Cause.PATH_MTU
            case _:
                return None

    async def close_channel(self) -> None:
        """Close the current one's, with what was said on it."""
        held = self.current
        if held is not None and held.link is not None:
            await held.link.close_channel()

    def discard(self, attempt: int) -> None:
        """Have a link closed."""
        if attempt in self._held:
            held = self._held.pop(attempt)
            held.prompt = None
            held.scope.cancel()

    def quiet(self) -> None:
        """Nothing is answered on the current one any more but what has its turn."""
        if self.current is not None:
            self.current.prompt = None

    async def run(self) -> None:
        """Hold them open until cancelled."""
        async with trio.open_nursery() as nursery:
            async for held in self._to_hold:
                nursery.start_soon(self._hold, held)

    async def _hold(self, held: _HeldLink) -> None:
        first = await held.tasks.receive()
        attempt = first.attempt
        with held.scope, self._translated_errors(attempt):
            for cause in self._servers.wrong():
                self._put(_FromLink(attempt, Hindered(cause)))
            async with self._network.open_link(self._servers.current) as link:
                link.listen(partial(self._hear, held, link, attempt))
                held.link = link
                await self._carry_out(held, first)
                async for task in held.tasks:
                    await self._carry_out(held, task)

    def _hear(self, held: _HeldLink, link: Link, attempt: int, event: LinkEvent) -> None:
        """In the thread of the channel."""
        item: _Item = _FromLink(attempt, event)
        prompt = held.prompt  # the other thread may take it away
        if isinstance(event, Received):
            # What waits for its turn may be an image, which is to be acked before this one.
            is_next = held.came == held.turned
            held.came += 1
            answered = None
            if prompt and is_next:
                answered = prompt.hear(event.text, event.at, lambda: link.is_clear)
            if answered is not None:
                image, ack = answered
                held.late.append(_Answered(attempt, image, event.at))
                link.reply(ack, partial(self._put_late, held))
                return
        if held.late:
            held.late.append(item)
        else:
            self._put(item)

    def _put_late(self, held: _HeldLink) -> None:
        while held.late:
            self._put(held.late.popleft())

    async def _carry_out(self, held: _HeldLink, task: _LinkTask) -> None:
        link = held.link
        assert link is not None
        with self._translated_errors(task.attempt):
            match task:
                case MakeOffer(attempt, leads):
                    self._put(_FromLink(attempt, Described(await link.make_offer(leads=leads))))
                case MakeAnswer(attempt, offer):
                    self._put(_FromLink(attempt, Described(await link.make_answer(offer))))
                case ApplyAnswer(_, answer):
                    await link.apply_answer(answer)
                case AddCandidate(_, candidate):
                    link.add_candidate(candidate)
        held.unfinished -= 1

    @contextmanager
    def _translated_errors(self, attempt: int) -> Iterator[None]:
        """What makes an attempt come to nothing goes into the inbox."""
        try:
            yield
        except NegotiationError as exc:
            self._put(_FromLink(attempt, NotMade(str(exc))))
        except InputError as exc:
            self._put(_NoAddress(attempt, exc))


# ── what drives it ───────────────────────────────────────────────────────────────────────────────


class _Departure:
    """Nothing more is wanted of a session: the relay is told, once, how it has ended."""

    def __init__(self, route: Route, core: Handshake, *, offers: bool) -> None:
        self._route = route
        self._core = core
        self._offers = offers
        self._has_left = False

    def leave(self, end: Ended | None) -> None:
        """It has ended like this; None: as somebody wanted it."""
        if self._has_left:
            return
        self._has_left = True
        try:
            if self._core.is_ours:
                said = end or Ended(EndReason.ENDED)
                self._route.end(last_words(self._route.session_id, said, offers=self._offers))
        except SignallingLost:
            log.info("session %s: its end could not be told", self._route.label)
        self._route.close()


class _Driver:
    """Decides and performs, one thing after the other."""

    def __init__(
        self,
        peer: PeerSession,
        talk: Talk,
        links: _Links,
        inbox: Inbox[_Item],
        *,
        offers: bool,
    ) -> None:
        self._peer = peer
        self._route = peer.route
        self._talk = talk
        self._links = links
        self._inbox = inbox
        self._core = Handshake(offers=offers, chance=random.random)
        self.leave = _Departure(peer.route, self._core, offers=offers).leave
        #: For when the alarm is set, and what is rung when something is due before that.
        self._alarm_at = math.inf
        self._sooner = Bell()

    async def run(self) -> None:
        """Handle what comes in until cancelled."""
        self._handle(self._route.start)
        self._route.listen(self._inbox.put)
        await self._inbox.serve(self._receive)

    async def run_alarm(self) -> None:
        """Do what is due when it is, until cancelled."""
        while True:
            held = self._links.current
            line_due = math.inf if held is None else held.line.due
            self._alarm_at = min(self._core.due, line_due)
            with trio.move_on_at(self._alarm_at):
                await self._sooner.wait()
            self._tick()

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def _receive(self, item: _Item) -> None:
        match item:
            case _FromLink(attempt, event):
                self._on_link_event(attempt, event)
            case _Answered(attempt, image, at):
                if (held := self._links.find(attempt)) is not None:
                    self._perform_line(held, held.line.read(image, at, trio.current_time()))
                    held.turned += 1
                else:
                    self._talk.heard(image, at)  # what was acked is handed out
            case _NoAddress(attempt, error):
                # Addresses can go, and come back, in the middle of a session.
                if not self._core.was_connected:
                    self.leave(Ended(EndReason.UNSUPPORTED, "this side has no address to use"))
                    raise error
                self._handle(FromAttempt(attempt, NotMade(str(error))))
            case _:
                self._handle(item)

    def _on_link_event(self, attempt: int, event: LinkEvent | Described | NotMade) -> None:
        match event:
            case Received(text, at):
                if (held := self._links.find(attempt)) is not None:
                    self._read(held, held.early.come(text, at))
                    held.turned += 1
            case Drained():
                if self._links.find(attempt) is not None:
                    self._talk.drained()
            case Shared() | Unshared():
                if self._links.find(attempt) is not None:
                    self._talk.shared(event)
            case ServerFailed() | PathMeasured():
                if cause := self._links.cause_of(event, self._route.label):
                    self._handle(FromAttempt(attempt, Hindered(cause)))
            case _:
                if isinstance(event, Opened) and attempt == self._core.attempt:
                    self._peer.journal.connected(event.path)
                if self._links.ends_one_way(attempt, event):
                    self._handle(FromAttempt(attempt, Hindered(Cause.PATH_MTU)))
                self._handle(FromAttempt(attempt, event))
                if isinstance(event, LinkLost) or event == ChannelClosed(is_reset=True):
                    self._links.discard(attempt)  # whatever was decided, it is of no more use

    def _read(self, held: _HeldLink, came: Sequence[tuple[str | bytes, Milliseconds]]) -> None:
        for text, at in came:
            self._perform_line(held, held.line.receive(text, at, trio.current_time()))

    def _handle(self, given: Input) -> None:
        self._perform(self._core.handle(given, trio.current_time()))
        self._expect(self._core.due)

    def _expect(self, due: float) -> None:
        """Something is due at this time, as it may not have been before."""
        if due < self._alarm_at:
            self._sooner.ring()

    def _tick(self) -> None:
        now = trio.current_time()
        self._perform(self._core.tick(now))
        held = self._links.current
        if held is not None:
            self._perform_line(held, held.line.tick(now))

    # ── outputs ──────────────────────────────────────────────────────────────────────────────────

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case MakeOffer() | MakeAnswer() | ApplyAnswer() | AddCandidate():
                    self._links.give(output)
                case Discard(attempt):
                    self._links.discard(attempt)
                case Say(signal):
                    try:
                        self._route.say(encode_signal(signal))
                    except SignallingLost:
                        # The route says so, too, and that decides what it means.
                        log.debug("session %s: a signal was not sent", self._route.label)
                case TakeUp():
                    self._route.take_up()
                case Connected(attempt):
                    held = self._links.find(attempt)
                    assert held is not None
                    assert held.link is not None
                    self._peer.opened(held.link, self._core.warning)
                    beat = held.line.opened(self._route.features, trio.current_time())
                    self._perform_line(held, beat)
                    self._expect(held.line.due)
                    self._talk.opened()
                    self._read(held, held.early.opened())
                    held.prompt = self._talk.prompt if held.link.lives_apart else None
                case Interrupted(reason, detail):
                    self._links.quiet()
                    self._peer.closed()
                    self._route.probe()
                    self._peer.tell(SessionState.INTERRUPTED, reason, detail)
                    self._talk.closed()
                case Ended():
                    self._finish(output)
                case Note(text):
                    log.info("session %s: %s", self._route.label, text)
                case _:
                    assert_never(output)

    def _perform_line(self, held: _HeldLink, outputs: Sequence[LineOutput]) -> None:
        for output in outputs:
            assert held.link is not None  # there is a channel
            match output:
                case Heard(message, at):
                    self._talk.heard(message, at)
                case SendPing(id):
                    held.link.send_stamped(partial(_make_ping, id))
                    self._expect(held.line.due)
                case SendPong():
                    held.link.send_stamped(partial(_make_pong, output))
                case Ponged(pong, t3):
                    self._peer.journal.ponged(pong, t3)
                case Judged(health):
                    # One whose channel is closed is kept while it may turn out to have failed.
                    if self._core.phase is Phase.CONNECTED or health is Health.LOST:
                        self._judge(health)
                case Unanswered():
                    self._talk.unanswered()
                case Drop(why):
                    log.info("session %s: dropped a message: %s", self._route.label, why)
                case _:
                    assert_never(output)

    def _judge(self, health: Health) -> None:
        match health:
            case Health.ALIVE:
                self._peer.tell(SessionState.CONNECTED)
            case Health.SUSPECT:
                self._route.probe()
                self._peer.tell(SessionState.SUSPECT, detail=self._core.warning)
            case Health.LOST:
                self._on_link_event(self._core.attempt, LinkLost(_SILENCE))

    def _finish(self, end: Ended) -> None:
        self._peer.finish(end)
        self._talk.ended(end)

    async def close(self) -> None:
        """End it in good order: the channel first, flushed, then the relay is told."""
        if self._talk.is_seen and self._core.is_ours:
            self.leave(None)  # so the other side takes it down, and has a channel to say so
            with trio.move_on_after(LAST_WORDS_DEADLINE):
                await self._talk.wait_unseen()
        self._core.handle(OwnEnd(), trio.current_time())
        try:
            if self._peer.history.is_in_good_order:
                await self._links.close_channel()
        finally:
            if self._peer.history.end is None:
                self._finish(Ended(EndReason.ENDED))
        self.leave(self._peer.history.end)


def _make_ping(id: int, t0: Milliseconds) -> str:
    return encode_channel(Ping(id, t0))


def _make_pong(answer: SendPong, t2: Milliseconds) -> str:
    ping = answer.ping
    return encode_channel(Pong(ping.id, ping.t0, answer.t1, t2))


@asynccontextmanager
async def open_peer_session(
    peer: PeerSession,
    talk: Talk,
    network: Network,
    servers: NamedServers,
    *,
    offers: bool,
) -> AsyncIterator[None]:
    """Own everything of one session; leaving the block ends it in good order, under a deadline."""
    inbox = Inbox[_Item]()
    links = _Links(network, servers, inbox.put, offers=offers)
    driver = _Driver(peer, talk, links, inbox, offers=offers)
    peer.route.when_known(peer.begin)
    try:
        async with open_background() as nursery:
            nursery.start_soon(links.run)
            nursery.start_soon(driver.run)
            nursery.start_soon(driver.run_alarm)
            try:
                yield
            finally:
                with trio.move_on_after(END_DEADLINE) as scope:
                    scope.shield = True
                    await driver.close()
    finally:
        driver.leave(None)  # where the block was cancelled before it was entered
