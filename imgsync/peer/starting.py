"""What is asked of the relay: sessions, and those again that it may have forgotten.

With each question we look whether the relay is still there. Whoever asks for a session waits for
one that is not, and asks once more. Where the offer need not wait for the answer, the session is
opened before there is one, and closed if none comes of it.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import TypeVar

import trio

from imgsync.core.handshake.sessions import Asked, Named, Sessions, SessionsOutput
from imgsync.core.protocol.errors import ConnectTimeout, RelayError, SignallingLost
from imgsync.core.protocol.numbers import START_DEADLINE
from imgsync.core.protocol.signalling import StartSession, ToRelay
from imgsync.peer.route import Route
from imgsync.tasks import Bell

log = logging.getLogger(__name__)

T = TypeVar("T")

OpenOn = Callable[[Route], AbstractAsyncContextManager[T]]
"""Owns what a session is to whoever asked for it, on the way that there is to it."""


class Start:
    """A start_session that waits for its answer."""

    def __init__(self) -> None:
        #: Whether the relay was there to be asked.
        self.is_put = False
        #: The way of an offer that does not wait for it.
        self.early: Route | None = None
        self._answered = trio.Event()
        self._result: Route | RelayError | SignallingLost | None = None

    def answer(self, result: Route | RelayError | SignallingLost | None) -> None:
        """The session that came of it, if any, or why none did. The first answer counts."""
        if not self._answered.is_set():
            self._result = result
            self._answered.set()

    def abandon(self) -> None:
        """Nobody takes what may have come of it in the very moment."""
        if isinstance(self._result, Route):
            with suppress(SignallingLost):
                self._result.end()
            self._result.close()

    async def wait(self) -> Route | None:
        """Wait for that. Raises RelayError, SignallingLost and ConnectTimeout."""
        with trio.move_on_after(START_DEADLINE):
            await self._answered.wait()
        if not self._answered.is_set():
            why = f"the relay did not answer start_session within {START_DEADLINE:g} s"
            raise ConnectTimeout(why)
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


class Starting:
    """One question after the other; what they are is decided by `Sessions`.

    :param perform: carries out what is decided.
    :param make_early: makes the way of an offer that goes out right behind what is asked.
    :param post: sends to the relay; raises SignallingLost.
    :param probe: looks whether the relay is still there.
    :param reconnect: it does not answer: register at it anew.
    """

    def __init__(
        self,
        sessions: Sessions,
        perform: Callable[[Sequence[SessionsOutput]], None],
        make_early: Callable[[Asked], Route],
        post: Callable[[ToRelay], None],
        probe: Callable[[], None],
        reconnect: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._perform = perform
        self._make_early = make_early
        self._post = post
        self._probe = probe
        self._reconnect = reconnect
        self._lock = trio.Lock()
        self._start: Start | None = None
        self._due = Bell()
        self._registrations = 0
        self._is_registered = Bell()

    @asynccontextmanager
    async def open_session(self, client_id: str, open_on: OpenOn[T]) -> AsyncIterator[T]:
        """Ask for a session, and open it. Raises RelayError, SignallingLost and ConnectTimeout."""
        async with AsyncExitStack() as stack:
            yield await self._begin(client_id, open_on, stack)

    async def _begin(self, client_id: str, open_on: OpenOn[T], stack: AsyncExitStack) -> T:
        async with self._lock:
            start, before = Start(), self._registrations
            try:
                return await self._ask_for(client_id, start, open_on, stack)
            except (SignallingLost, ConnectTimeout):
                # Neither is it known whether it has heard that, nor does it matter: a session that
                # it has begun is replaced.
                if not start.is_put or not await self._is_back(before):
                    raise
            return await self._ask_for(client_id, Start(), open_on, stack)

    async def _ask_for(
        self, client_id: str, start: Start, open_on: OpenOn[T], stack: AsyncExitStack
    ) -> T:
        """Ask once; what was opened before the answer goes on `stack` once that is there."""
        asked = self._sessions.ask(client_id)
        if asked.ref is not None:
            start.early = self._make_early(asked)
        async with AsyncExitStack() as tried:
            with self._asking(start, asked):
                if start.early is not None:
                    opened = await tried.enter_async_context(open_on(start.early))
                    await start.wait()
                else:
                    opened = await tried.enter_async_context(open_on(await _route_of(start)))
            stack.push_async_exit(tried.pop_all())
        return opened

    def name(self, named: Named) -> Route | None:
        """The session that was offered for has an id. Returns its way, if it is still wanted."""
        route = None if self._start is None else self._start.early
        if route is not None:
            route.name(named.session_id, named.features, says_again=named.says_again)
        return route

    def registered(self) -> None:
        """The relay is there, or there again."""
        self._registrations += 1
        self._is_registered.ring()

    async def _is_back(self, before: int) -> bool:
        """Wait until we have registered again; whether that was in time."""
        with trio.move_on_after(START_DEADLINE):
            while self._registrations == before:
                await self._is_registered.wait()
        return self._registrations > before

    def answer(self, result: Route | RelayError | SignallingLost | None) -> bool:
        """Answer what is asked. Returns whether anything is."""
        if self._start is None:
            return False
        self._start.answer(result)
        return True

    def ask(self) -> None:
        """Some of the forgotten sessions may be due."""
        self._due.ring()

    def say_again(self) -> None:
        """The relay could not carry out something some time ago."""
        with suppress(SignallingLost):
            self._perform(self._sessions.say_again())
        self.ask()

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        while True:
            while await self._take_up_next():
                pass
            await self._due.wait()

    async def _take_up_next(self) -> bool:
        async with self._lock:
            asked = self._sessions.take_up_next()
            if asked is None:
                return False
            start = Start()
            try:
                with self._asking(start, asked):
                    await start.wait()
            except RelayError as exc:
                # What may pass is tried again when it has: presence tells of it.
                passing, taken = exc.code.may_pass, exc.code.is_taken
                self._perform(self._sessions.refused(asked, may_pass=passing, is_taken=taken))
            except (SignallingLost, ConnectTimeout) as exc:
                log.info("session %s was not taken up: %s", asked.session_id, exc)
        return True

    @contextmanager
    def _asking(self, start: Start, asked: Asked) -> Iterator[None]:
        """The relay is asked, and may answer until the block is left."""
        self._start = start
        try:
            self._post(StartSession(asked.client_id, asked.session_id, asked.ref))
            start.is_put = True
            self._probe()
            yield
        except ConnectTimeout:
            self._reconnect()
            raise
        finally:
            self._start = None
            self._sessions.ask_no_more()


async def _route_of(start: Start) -> Route:
    """Wait for the session that comes of it."""
    try:
        route = await start.wait()
    except BaseException:
        start.abandon()
        raise
    assert route is not None
    return route
