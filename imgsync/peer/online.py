"""Who is online, as the relay tells evaluators."""

from collections.abc import Iterable

from imgsync.core.protocol.signalling import ClientEntry, Presence, PresenceState
from imgsync.tasks import Bell


class Online:
    """The clients that are at the relay, and waiting for one."""

    def __init__(self) -> None:
        self.clients: dict[str, PresenceState] = {}
        self._has_relay = False
        self._changed = Bell()

    def registered(self, entries: Iterable[ClientEntry]) -> None:
        """The relay is there, and says who else is."""
        self.clients = {entry.user_id: entry.state for entry in entries}
        self._has_relay = True
        self._changed.ring()

    def relay_lost(self) -> None:
        """What it has said last is of no use until it is back."""
        self._has_relay = False

    def changed(self, presence: Presence) -> None:
        """A client came, went, became busy or free again."""
        if presence.state is PresenceState.OFFLINE:
            self.clients.pop(presence.user_id, None)
        else:
            self.clients[presence.user_id] = presence.state
        self._changed.ring()

    async def wait_available(self, user_id: str) -> None:
        """Wait until the relay is there, and a client online and free as far as it has said."""
        while not self._has_relay or self.clients.get(user_id) is not PresenceState.AVAILABLE:
            await self._changed.wait()
