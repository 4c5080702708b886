"""Which window of a client takes part, where they have a door: the one that was touched last.

    before its door ── enter ──▶ entered ── another one enters, or has the session ──▶ before it

What has no door, as any client that is no page, has neither state: nothing here concerns it, but
that it loses a session to a window that somebody touches.
"""

from typing import Protocol

from imgsync.core.protocol.signalling import (
    Door,
    EndReason,
    Enter,
    ErrorCode,
    Role,
    SessionEndedEvent,
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send
from imgsync.core.relay.registry import Registry, refuse
from imgsync.core.relay.sessions import Sessions


class Noted(Protocol):
    """Is told where something may have changed, by whoever has changed it."""

    def update(self, client_id: UserId) -> None:
        """Where this client stands."""

    def sent_back(self, peer: Peer) -> None:
        """The same, where one that had entered waits again."""


class Entering:
    """See the module."""

    def __init__(self, registry: Registry, sessions: Sessions, noted: Noted) -> None:
        self._registry = registry
        self._sessions = sessions
        self._noted = noted

    def enter(self, peer: Peer, now: float) -> list[Output]:
        """Somebody has touched this window: it takes part, and has the session of its user."""
        if peer.role is not Role.CLIENT:
            why = "Only a client can enter."
            return refuse(peer.socket, ErrorCode.FORBIDDEN, why, Enter.EVENT)
        others = [one for one in self._registry.entered(peer.user_id) if one != peer]
        if peer.is_waiting:
            peer = self._registry.move(peer, Door.ENTERED)
        outputs = self._sessions.enter(peer, now)
        for other in others:
            # One that is in a session still is in one with which this window may not be.
            if not self._sessions.has(other):
                self._send_back(other)
        self._noted.update(peer.user_id)
        return outputs

    def alive(self, peer: Peer, successor: Peer) -> list[Output]:
        """A window has answered a probe that was asked for when another one of it registered."""
        outputs = self._sessions.alive(peer, successor)
        if peer.door is Door.ENTERED:
            self._send_back(successor)
        return outputs

    def see(self, outputs: list[Output]) -> None:
        """Whoever has lost a session to another window does not take part any more."""
        for output in outputs:
            match output:
                case Send(socket, SessionEndedEvent(reason=EndReason.CLAIMED_ELSEWHERE)):
                    self._send_back(self._registry.peers[socket])
                case _:
                    pass

    def _send_back(self, peer: Peer) -> None:
        """A window waits before its door, if it has one."""
        if peer.door is not Door.ENTERED:
            return
        self._sessions.give_up(peer)
        self._noted.sent_back(self._registry.move(peer, Door.WAITING))
