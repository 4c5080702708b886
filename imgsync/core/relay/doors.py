"""What windows that wait before their door are told: where their user stands by all others.

So each can say where the participant is already, and that it is needed when that one is gone.
"""

from collections.abc import Callable, Sequence

from imgsync.core.protocol.signalling import PresenceState, UserId, Waiting
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send, Socket


class Doors:
    """Each is told at once: it is one person who goes from one window to the other.

    :param windows_of: those of a client.
    :param state_of: where it stands by those that have entered.
    """

    def __init__(
        self,
        windows_of: Callable[[UserId], Sequence[Peer]],
        state_of: Callable[[UserId], PresenceState],
    ) -> None:
        self._windows_of = windows_of
        self._state_of = state_of
        #: Of those that wait, what they know.
        self._told: dict[Socket, PresenceState] = {}
        #: To whom something is to be told, in order, and whether it had entered.
        self._behind: dict[Socket, bool] = {}

    def update(self, client_id: UserId) -> None:
        """Look where a client stands now."""
        others = self._state_of(client_id)
        for peer in self._windows_of(client_id):
            if not peer.is_waiting:
                self.gone(peer.socket)
            elif self._told.get(peer.socket) is not others:
                self._told[peer.socket] = others
                self._behind.setdefault(peer.socket, False)

    def sent_back(self, socket: Socket) -> None:
        """It had entered, and waits again."""
        self._behind[socket] = True

    def gone(self, socket: Socket) -> None:
        """It waits no more."""
        self._told.pop(socket, None)
        self._behind.pop(socket, None)

    def tell(self) -> list[Output]:
        """What is news to them."""
        outputs: list[Output] = [
            Send(one, Waiting(self._told[one], again)) for one, again in self._behind.items()
        ]
        self._behind.clear()
        return outputs
