"""One question to the relay: start a session, or take one up again."""

import trio

from imgsync.core.protocol.errors import ConnectTimeout, RelayError, SignallingLost
from imgsync.core.protocol.numbers import START_DEADLINE
from imgsync.peer.route import Route


class Start:
    """A start_session that waits for its answer.

    :param session_id: of the session that is to be taken up; None for a new one.
    """

    def __init__(self, client_id: str, session_id: str | None = None) -> None:
        self.client_id = client_id
        self.session_id = session_id
        self._answered = trio.Event()
        self._result: Route | RelayError | SignallingLost | None = None

    def answer(self, result: Route | RelayError | SignallingLost) -> None:
        """The session that came of it, or why none did."""
        self._result = result
        self._answered.set()

    async def wait(self) -> Route:
        """Wait for that. Raises RelayError, SignallingLost and ConnectTimeout."""
        with trio.move_on_after(START_DEADLINE):
            await self._answered.wait()
        match self._result:
            case Route() as route:
                return route
            case None:
                why = f"the relay did not answer start_session within {START_DEADLINE:g} s"
                raise ConnectTimeout(why)
            case error:
                raise error
