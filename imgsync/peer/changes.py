"""The states of a session, one after the other, for whoever wants to know."""

from imgsync.core.protocol.states import StateChange
from imgsync.peer.session import PeerSession


class Changes:
    """Iterates over the changes of a session's state; left half-way, it needs no closing."""

    def __init__(self, session: PeerSession) -> None:
        self._session = session
        self._next = 0

    def __aiter__(self) -> "Changes":
        return self

    async def __anext__(self) -> StateChange:
        change = await self._session.change(self._next)
        if change is None:
            raise StopAsyncIteration
        self._next += 1
        return change
