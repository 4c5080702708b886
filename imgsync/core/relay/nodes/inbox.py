"""What stands in a node's inbox, as its sockets are told it: in the order of all decisions."""

from collections.abc import Callable, Sequence

from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.clerk import Clerk
from imgsync.core.relay.nodes.custody import Custody
from imgsync.core.relay.nodes.drafts import PROBE, SAY, TICKET
from imgsync.core.relay.nodes.outputs import NodeOutput, Pass
from imgsync.core.relay.nodes.records import load_record, user_of
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.store import Entry, Part, Stored
from imgsync.core.relay.nodes.tasks import Tasks
from imgsync.core.relay.outputs import Probe


class Inbox:
    """See the module.

    :param greet: what one that has registered is told, by a time.
    """

    def __init__(
        self,
        custody: Custody,
        clerk: Clerk,
        tasks: Tasks,
        sockets: LocalSockets,
        greet: Callable[[Peer, float], Sequence[NodeOutput]],
    ) -> None:
        self._custody = custody
        self._clerk = clerk
        self._tasks = tasks
        self._sockets = sockets
        self._greet = greet

    def read(self, entry: Entry, now: float) -> list[NodeOutput]:
        """The next one: what there is by it, what it says, and what has waited to hear of it."""
        waiters = [
            task for key, stored in entry.records.items() for task in self._custody.put(key, stored)
        ]
        outputs = [output for part in entry.parts for output in self._hear(part, entry, now)]
        self._custody.tidy(entry.records)
        return [*outputs, *self._clerk.wake(waiters)]

    def _hear(self, part: Part, entry: Entry, now: float) -> Sequence[NodeOutput]:
        what, number, *rest = part.about.split(" ")
        if what == TICKET:
            return self._clerk.heard(int(number))
        if not self._sockets.is_open(int(number)):
            return self._send_off(int(number), entry)
        if what == SAY:
            return [Pass(int(number), part.text)]
        if what == PROBE:
            return [Probe(int(number), rest[0])]
        is_back = self._sockets.peer_of(int(number)) is not None
        peer = self._sockets.admit(int(number))
        return [] if peer is None or is_back else self._greet(peer, now)

    def _send_off(self, number: int, entry: Entry) -> Sequence[NodeOutput]:
        """A socket is gone; if it was refused, as nobody knew that it would register after all,
        nothing else takes it out again."""
        name = self._sockets.name_of(number)
        user = next((user_of(key) for key, one in entry.records.items() if _has(one, name)), None)
        if user is None or self._clerk.turns.length(number):
            return []
        return self._clerk.submit(self._tasks.leave(number, name, *user))


def _has(stored: Stored, name: str) -> bool:
    return any(peer.socket == name for peer in load_record(stored.text).peers)
