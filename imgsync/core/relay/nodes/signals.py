"""Signals that change nothing, as nearly all do: passed on without a turn of their own.

Where all who are to have one are here, at once; else with what the same socket has said before it,
as long as nobody has taken that to carry it out.
"""

from collections.abc import Sequence

from imgsync.core.protocol.signalling import Role, SendSignal
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.clerk import Clerk
from imgsync.core.relay.nodes.custody import Custody
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.drafts import posts_of
from imgsync.core.relay.nodes.outputs import NodeOutput, Posted
from imgsync.core.relay.nodes.records import key_of
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.tasks import Tasks
from imgsync.core.relay.outputs import Send


class Signals:
    """See the module."""

    def __init__(
        self, desk: Desk, custody: Custody, clerk: Clerk, sockets: LocalSockets, tasks: Tasks
    ) -> None:
        self._desk = desk
        self._custody = custody
        self._clerk = clerk
        self._sockets = sockets
        self._tasks = tasks

    def pass_on(self, number: int, name: str, message: SendSignal) -> Sequence[NodeOutput] | None:
        """What is to be done; None where it takes its turn."""
        peer = self._sockets.peer_of(number)
        receivers = None if peer is None else self._find_receivers(name, peer, message)
        if not receivers:
            return None
        if self._clerk.turns.length(number):
            return self._say_more(number, name, message)
        if self._sockets.are_here(receivers):
            return [*map(self._sockets.here, self._tasks.decide(name, message))]
        return None

    def _find_receivers(
        self, name: str, sender: Peer, message: SendSignal
    ) -> Sequence[Peer] | None:
        """None where that is not all that is to be decided."""
        is_evaluator = sender.role is Role.EVALUATOR
        client_id = message.target_user_id if is_evaluator else sender.user_id
        session = self._desk.sessions.of_client(client_id)
        if session is None or not self._custody.is_free(key_of(Role.CLIENT, client_id)):
            return None
        side = session.side(sender.role)
        return session.other(side).peers if session.is_settled_by(name, side) else None

    def _say_more(self, number: int, name: str, message: SendSignal) -> Sequence[NodeOutput] | None:
        said = self._clerk.untaken(number)
        if said is None:
            return None
        task, transaction = said
        if not self._tasks.records_of(name, message) <= transaction.reads.keys():
            return None  # it is of another session, which may be over when the others are not
        outputs = self._tasks.decide(name, message)
        sends = [output for output in outputs if isinstance(output, Send)]
        posts = posts_of(sends)
        if sends != outputs or not posts.keys() <= transaction.posts.keys():
            return None
        for boot, parts in posts.items():
            transaction.posts[boot].extend(parts)
        task.messages.append(message)
        return [Posted(output.message) for output in sends]
