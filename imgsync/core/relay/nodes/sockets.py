"""The sockets that are open at one node, by their numbers, and by the names that all nodes use."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from imgsync.core.protocol.signalling import Door, Register, Role, UserId
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.records import name_socket, place_of
from imgsync.core.relay.nodes.store import Boot
from imgsync.core.relay.outputs import Output, Send, Socket
from imgsync.core.relay.registry import Registry
from imgsync.core.relay.session import Session


class LocalSockets:
    """See the module.

    :param boot: of this node.
    :param registry: of all that stand in the records that are before it.
    :param registered: those that were, under another boot of it, by their numbers.
    """

    def __init__(self, boot: Boot, registry: Registry, registered: Mapping[int, Peer]) -> None:
        self._boot = boot
        self._registry = registry
        #: Whom they have registered as, or are about to.
        self._users = {number: (peer.role, peer.user_id) for number, peer in registered.items()}
        #: Those that have registered, under their numbers.
        self._peers = {**registered}
        self._numbers: dict[Socket, int] = {self.name_of(number): number for number in registered}

    @property
    def registered(self) -> Mapping[int, Peer]:
        """Those that have, by their numbers."""
        return self._peers

    def open(self, number: int, message: Register) -> str:
        """One wants to register. Returns its name."""
        if number not in self._peers:
            self._users[number] = message.role, message.user_id
        return self.name_of(number)

    def close(self, number: int) -> tuple[str, Role, UserId] | None:
        """One is gone. Returns who it was, or wanted to be, if anybody."""
        self._peers.pop(number, None)
        self._numbers.pop(self.name_of(number), None)
        user = self._users.pop(number, None)
        return None if user is None else (self.name_of(number), *user)

    def is_open(self, number: int) -> bool:
        """Whether it has registered, or is about to."""
        return number in self._users

    def name_of(self, number: int) -> str:
        """As other nodes know it."""
        return name_socket(self._boot, number)

    def are_here(self, peers: Sequence[Peer]) -> bool:
        """Whether all of these are open here."""
        return self._numbers.keys() >= {peer.socket for peer in peers}

    def here(self, output: Output) -> Output:
        """It is for one of our sockets, which whoever drives us knows by its number."""
        if isinstance(output, Send):
            return Send(self._numbers[output.socket], output.message)
        return output

    def count_begun_here(self, sessions: Iterable[Session]) -> int:
        """Those whose evaluator is here, by the one of its sockets that registered last."""
        return sum(one.evaluator.newest.socket in self._numbers for one in sessions)

    def peer_of(self, number: int) -> Peer | None:
        """Who has registered so."""
        return self._peers.get(number)

    def find(self, number: int) -> Peer | None:
        """Who it is by the records that are before this node, if anybody."""
        return self._registry.peers.get(self.name_of(number))

    def admit(self, number: int) -> Peer | None:
        """It has registered, if it still stands in its user's record."""
        peer = self.find(number)
        if peer is not None:
            self._numbers[peer.socket] = number
            self._peers[number] = peer = attrs.evolve(peer, socket=number)
        return peer

    def windows_of(self, client_id: UserId) -> Sequence[Peer]:
        """Those of a client that are open here."""
        peers = self._registry.peers_of(Role.CLIENT, client_id)
        places = (place_of(peer.socket) for peer in peers)
        numbers = [number for boot, number in places if boot == self._boot]
        return [self._peers[number] for number in numbers if number in self._peers]

    def sent_back(self, client_id: UserId) -> Sequence[Peer]:
        """Its record is another: who stands elsewhere by it. Returns those that had entered, and
        wait again."""
        back: list[Peer] = []
        for before in self.windows_of(client_id):
            number = before.socket
            assert isinstance(number, int)
            after = self.admit(number)
            assert after is not None
            if before.door is Door.ENTERED and after.door is Door.WAITING:
                back.append(after)
        return back
