"""What a node sees of where clients stand, in records and by what all nodes are told of it."""

from collections.abc import Mapping

from imgsync.core.protocol.signalling import Role, UserId
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.presences import Presences
from imgsync.core.relay.nodes.records import user_of
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.store import Hint, Key
from imgsync.core.relay.online import Online


class Lookout:
    """Whoever is to be told of it hears from `online`, which finds it in `presences`."""

    def __init__(
        self, desk: Desk, sockets: LocalSockets, presences: Presences, online: Online
    ) -> None:
        self._desk = desk
        self._sockets = sockets
        self._presences = presences
        self._online = online

    def laid_out(self, key: Key) -> None:
        """A record is known as it is: what that says of this node's sockets, and of where a client
        stands."""
        role, user_id = user_of(key)
        if role is Role.EVALUATOR:
            return
        for peer in self._sockets.sent_back(user_id):
            self._online.sent_back(peer)
        sheet = self._desk.known(key)
        self._presences.put(user_id, sheet.stored.version, sheet.standing)
        self._online.update(user_id)

    def hinted(self, hint: Hint) -> None:
        """A client stands elsewhere."""
        if self._presences.hint(hint):
            self._online.update(hint.client_id)

    def placed(self, version: int, standings: Mapping[UserId, tuple[int, str]]) -> None:
        """Where all clients stood, by this version."""
        for client_id in self._presences.replace(version, standings):
            self._online.update(client_id)
