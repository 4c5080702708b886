"""The sessions of one peer: carries out what `core.handshake.sessions` decides of them."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import assert_never

import trio

from imgsync.core.handshake.sessions import (
    Answered,
    Back,
    Begin,
    End,
    Gone,
    Invited,
    Leave,
    Sessions,
    SessionsOutput,
)
from imgsync.core.protocol.errors import RelayError, SignallingLost
from imgsync.core.protocol.numbers import MAX_INCOMING
from imgsync.core.protocol.signalling import (
    EndReason,
    EndSession,
    ForwardedSignal,
    SessionStarted,
    ToRelay,
)
from imgsync.peer.route import EndCame, RelayBack, RelayLost, Route, RouteInput, SignalCame
from imgsync.peer.starting import Starting

log = logging.getLogger(__name__)


class Routes:
    """One for each session that somebody here has use for.

    :param starts: whether this is an evaluator, who asks for sessions.
    :param post: sends to the relay; raises SignallingLost.
    :param probe: looks whether the relay is still there.
    """

    def __init__(
        self, *, starts: bool, post: Callable[[ToRelay], None], probe: Callable[[], None]
    ) -> None:
        self._post = post
        self._probe = probe
        self._routes: dict[str, Route] = {}
        self._sessions = Sessions(starts=starts)
        self._starting = Starting(self._sessions, post, self._perform)
        #: Sessions that evaluators have started with us.
        self._invite, self.incoming = trio.open_memory_channel[Route](MAX_INCOMING)

    # ── what is wanted of the relay ──────────────────────────────────────────────────────────────

    async def start_session(self, client_id: str) -> Route:
        """Ask for a session. Raises RelayError, SignallingLost and ConnectTimeout."""
        return await self._starting.start_session(client_id)

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        await self._starting.take_up_sessions()

    def end_all(self) -> None:
        """End those that nobody has entered, and will not any more."""
        for session_id in [*self._routes]:
            with suppress(SignallingLost):
                self._end(session_id)

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def registered(self) -> None:
        """The relay is there, or there again."""
        self._sessions.registered()
        self._starting.ask()

    def relay_lost(self) -> None:
        """There is no relay, until it is registered at again."""
        self._sessions.relay_lost()
        self._starting.answer(SignallingLost("the relay was lost before it answered; try again"))
        for route in self._routes.values():
            route.put(RelayLost())

    def started(self, message: SessionStarted) -> None:
        """We are in a session."""
        self._perform(self._sessions.started(message))

    def refused(self, error: RelayError) -> bool:
        """No session is started. Returns whether one was asked for."""
        return self._starting.answer(error)

    def may_ask(self) -> None:
        """What was refused before may be taken up by now."""
        self._sessions.may_ask()
        self._starting.ask()

    def signal_came(self, message: ForwardedSignal) -> None:
        """The other side of one says something."""
        session_id = self._sessions.find(message.session_id, message.from_user_id)
        if session_id is not None:
            self.put(session_id, SignalCame(message.signal))

    def put(self, session_id: str, item: RouteInput) -> None:
        """Hand it to a session, if that is known."""
        if session_id in self._routes:
            self._routes[session_id].put(item)

    # ── what is decided ──────────────────────────────────────────────────────────────────────────

    def _perform(self, outputs: Sequence[SessionsOutput]) -> None:
        for output in outputs:
            match output:
                case Begin(session_id):
                    self._routes[session_id] = self._make_route(output)
                case Invited(session_id):
                    self._offer(self._routes[session_id])
                case Answered(session_id):
                    self._starting.answer(None if session_id is None else self._routes[session_id])
                case Back(session_id):
                    self.put(session_id, RelayBack())
                case Gone(session_id):
                    self.put(session_id, EndCame(EndReason.PEER_GONE))
                case End(session_id):
                    log.info("ending session %s, which nobody waits for any more", session_id)
                    self._end(session_id)
                case Leave(session_id):
                    log.info("leaving session %s alone, which was not started here", session_id)
                case _:
                    assert_never(output)

    def _make_route(self, begin: Begin) -> Route:
        return Route(
            begin.session_id,
            begin.peer_id,
            begin.peer_name,
            resumed=begin.resumed,
            is_disputed=begin.is_disputed,
            post=self._post,
            end=self._end,
            take_up=self._take_up,
            probe=self._probe,
            forget=self._forget,
        )

    def _offer(self, route: Route) -> None:
        try:
            self._invite.send_nowait(route)
        except trio.WouldBlock:
            log.warning("refusing session %s: none of those before was taken", route.session_id)
            route.end()
            route.close()

    def _end(self, session_id: str) -> None:
        """Tell the relay; where it is lost, it is told when it takes the session up again."""
        self._sessions.over(session_id)
        self._post(EndSession(session_id))
        self._sessions.told(session_id)

    def _take_up(self, session_id: str) -> None:
        self._sessions.take_up(session_id)
        self._starting.ask()

    def _forget(self, session_id: str) -> None:
        self._sessions.forget(session_id)
        self._routes.pop(session_id, None)
