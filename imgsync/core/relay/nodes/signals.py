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
from imgsync.core.relay.outputs import Send
from imgsync.core.relay.rules import Rules
from imgsync.core.relay.session import Session


class Signals:
    """See the module."""

    def __init__(
        self,
        desk: Desk,
        rules: Rules,
        custody: Custody,
        clerk: Clerk,
        sockets: LocalSockets,
    ) -> None:
        self._desk = desk
        self._rules = rules
        self._custody = custody
        self._clerk = clerk
        self._sockets = sockets

    def pass_on(self, number: int, name: str, message: SendSignal) -> Sequence[NodeOutput] | None:
        """What is to be done; None where it takes its turn."""
        sender = self._sockets.peer_of(number)
        session = None if sender is None else self._find_session(sender, message)
        if sender is None or session is None:
            return None
        side = session.side(sender.role)
        receivers = session.other(side).peers
        if not receivers or not session.is_settled_by(name, side):
            return None
        [own] = side.peers
        if self._clerk.turns.length(number):
            return self._say_more(number, session, own, message)
        if not self._sockets.are_here(receivers):
            return None
        return [*map(self._sockets.here, self._rules.signal_in(session, own, message))]

    def _find_session(self, sender: Peer, message: SendSignal) -> Session | None:
        """None also where something is under way that changes it."""
        is_evaluator = sender.role is Role.EVALUATOR
        client_id = message.target_user_id if is_evaluator else sender.user_id
        is_free = self._custody.is_free(key_of(Role.CLIENT, client_id))
        return self._desk.sessions.of_client(client_id) if is_free else None

    def _say_more(
        self, number: int, session: Session, own: Peer, message: SendSignal
    ) -> Sequence[NodeOutput] | None:
        said = self._clerk.untaken(number)
        if said is None:
            return None
        task, transaction = said
        if key_of(Role.CLIENT, session.client.user_id) not in transaction.reads:
            return None  # it is of another session, which may be over when the others are not
        outputs = self._rules.signal_in(session, own, message)
        sends = [output for output in outputs if isinstance(output, Send)]
        posts = posts_of(sends)
        if sends != outputs or not posts.keys() <= transaction.posts.keys():
            return None
        for boot, parts in posts.items():
            transaction.posts[boot].extend(parts)
        task.messages.append(message)
        return [Posted(output.message) for output in sends]
