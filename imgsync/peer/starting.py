"""What is asked of the relay: sessions, and those again that it may have forgotten.

With each question we look whether the relay is still there. Whoever asks for a session waits for
one that is not, and asks once more.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

import trio

from imgsync.core.handshake.sessions import Asked, Sessions, SessionsOutput
from imgsync.core.protocol.errors import ConnectTimeout, RelayError, SignallingLost
from imgsync.core.protocol.numbers import START_DEADLINE
from imgsync.core.protocol.signalling import StartSession, ToRelay
from imgsync.peer.route import Route
from imgsync.tasks import Bell

log = logging.getLogger(__name__)


class Start:
    """A start_session that waits for its answer."""

    def __init__(self) -> None:
        #: Whether the relay was there to be asked.
        self.is_put = False
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
    :param post: sends to the relay; raises SignallingLost.
    :param probe: looks whether the relay is still there.
    :param reconnect: it does not answer: register at it anew.
    """

    def __init__(
        self,
        sessions: Sessions,
        perform: Callable[[Sequence[SessionsOutput]], None],
        post: Callable[[ToRelay], None],
        probe: Callable[[], None],
        reconnect: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._perform = perform
        self._post = post
        self._probe = probe
        self._reconnect = reconnect
        self._lock = trio.Lock()
        self._start: Start | None = None
        self._due = Bell()
        self._registrations = 0
        self._is_registered = Bell()

    async def start_session(self, client_id: str) -> Route:
        """Ask for a session. Raises RelayError, SignallingLost and ConnectTimeout."""
        async with self._lock:
            start, before = Start(), self._registrations
            try:
                return await self._ask_for(client_id, start)
            except (SignallingLost, ConnectTimeout):
                # Neither is it known whether it has heard that, nor does it matter: a session that
                # it has begun is replaced.
                if not start.is_put or not await self._is_back(before):
                    raise
            return await self._ask_for(client_id, Start())

    async def _ask_for(self, client_id: str, start: Start) -> Route:
        try:
            route = await self._ask_and_wait(start, self._sessions.ask(client_id))
        except BaseException:
            start.abandon()
            raise
        assert route is not None
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
            try:
                await self._ask_and_wait(Start(), asked)
            except RelayError as exc:
                # What may pass is tried again when it has: presence tells of it.
                passing, taken = exc.code.may_pass, exc.code.is_taken
                self._perform(self._sessions.refused(asked, may_pass=passing, is_taken=taken))
            except (SignallingLost, ConnectTimeout) as exc:
                log.info("session %s was not taken up: %s", asked.session_id, exc)
        return True

    async def _ask_and_wait(self, start: Start, asked: Asked) -> Route | None:
        self._start = start
        try:
            self._post(StartSession(asked.client_id, asked.session_id))
            start.is_put = True
            self._probe()
            return await start.wait()
        except ConnectTimeout:
            self._reconnect()
            raise
        finally:
            self._start = None
            self._sessions.ask_no_more()
