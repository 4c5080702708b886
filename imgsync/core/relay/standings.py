"""Where a client stands, by who of its user is registered and whether it is in a session."""

from collections.abc import Callable

import attrs

from imgsync.core.protocol.signalling import ClientEntry, Group, PresenceState, Role, UserId
from imgsync.core.relay.identity import Peer, common_features
from imgsync.core.relay.registry import Registry


@attrs.frozen
class Standing:
    """Where a client that is online stands, and the group that its newest token says."""

    entry: ClientEntry
    group: Group | None


class Standings:
    """Where clients stand now.

    :param is_busy: whether a client is in a session.
    """

    def __init__(self, registry: Registry, is_busy: Callable[[UserId], bool]) -> None:
        self._registry = registry
        self._is_busy = is_busy

    def find(self, client_id: UserId) -> Standing | None:
        """As evaluators are told of it; None where it is not online."""
        entered = self._registry.entered(client_id)
        peers = entered or self._registry.peers_of(Role.CLIENT, client_id)
        if not peers:
            return None
        state = self.state_of(client_id) if entered else PresenceState.WAITING
        newest = peers[-1]
        entry = ClientEntry(client_id, state, newest.name, common_features(peers))
        return Standing(entry, newest.group)

    def state_of(self, client_id: UserId) -> PresenceState:
        """By those of its connections that have entered, as those that wait are told of it."""
        if not self._registry.entered(client_id):
            return PresenceState.OFFLINE
        return PresenceState.BUSY if self._is_busy(client_id) else PresenceState.AVAILABLE

    def shows(self, client_id: UserId, evaluator: Peer) -> bool:
        """Whether a client is online, as far as this evaluator may know."""
        standing = self.find(client_id)
        return standing is not None and evaluator.sees(client_id, standing.group)
