"""One life of a node: all that it knows and does under one boot.

When that boot is lost, the next one has all sockets of the one before, which come back by the
records that were before it.
"""

from collections.abc import Callable, Mapping, Sequence

from imgsync.core.protocol.signalling import UserId
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.clerk import Clerk
from imgsync.core.relay.nodes.custody import Custody
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.inbox import Inbox
from imgsync.core.relay.nodes.lookout import Lookout
from imgsync.core.relay.nodes.outputs import NodeOutput, Retire
from imgsync.core.relay.nodes.presences import Presences
from imgsync.core.relay.nodes.records import place_of
from imgsync.core.relay.nodes.refusals import unavailable
from imgsync.core.relay.nodes.returns import Former, Returning, User, formers_of
from imgsync.core.relay.nodes.signals import Signals
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.store import Boot, Key
from imgsync.core.relay.nodes.tasks import Tasks
from imgsync.core.relay.online import Online
from imgsync.core.relay.outputs import Output, Socket
from imgsync.core.relay.registry import Admission
from imgsync.core.relay.rules import FromPeer, Rules
from imgsync.core.relay.state import not_registered
from imgsync.core.relay.terms import Terms


class Unnoted:
    """Nothing is told of what is decided until it has been carried out."""

    def update(self, client_id: UserId) -> None:
        """It may still come to nothing."""

    def sent_back(self, peer: Peer) -> None:
        """The same."""


class Life:
    """See the module.

    :param before: the life before this one, if any.
    """

    def __init__(
        self,
        boot: Boot,
        new_id: Callable[[], str],
        terms: Terms,
        presences: Presences,
        online: Online,
        before: "Life | None" = None,
    ) -> None:
        desk = Desk(terms.grace)
        self.desk = desk
        registered: Mapping[int, Peer] = {} if before is None else before.sockets.registered
        self.sockets: LocalSockets = LocalSockets(boot, desk.registry, registered)
        admission = Admission(
            desk.registry, terms.read_token, terms.until, terms.max_sockets_per_user
        )
        # What is news by a decision is seen when it has been carried out.
        rules = Rules(desk.registry, desk.sessions, desk.standings, admission, new_id, Unnoted())
        returning = Returning(rules, self.sockets)
        self.tasks = Tasks(desk, rules, returning, self._unheard)
        self.lookout = Lookout(desk, self.sockets, presences, online)
        self.custody = Custody(desk, boot, self.lookout.laid_out)
        self.clerk = Clerk(desk, boot, self.custody)
        self.signals = Signals(desk, rules, self.custody, self.clerk, self.sockets)
        #: Whose sockets are not back yet.
        self._pending: dict[User, Former] = {}

    def _unheard(self, name: Socket, message: FromPeer) -> list[Output]:
        """One says something that stands in no record."""
        is_back_soon = self.sockets.peer_of(place_of(name)[1]) is not None
        return unavailable(name, message) if is_back_soon else not_registered(name, message)

    def make_inbox(self, greet: Callable[[Peer, float], Sequence[NodeOutput]]) -> Inbox:
        """What stands in the inbox of this boot.

        :param greet: what one that has registered is told, by a time.
        """
        return Inbox(self.custody, self.clerk, self.tasks, self.sockets, greet)

    def take_over(self, before: "Life", *, is_lost: bool) -> list[NodeOutput]:
        """Have all sockets of the life before this one come back.

        :param is_lost: whether the store knows nothing any more of what was before.
        """
        formers = formers_of(before.sockets, before.desk, before._pending, is_lost=is_lost)
        self._pending = {former.user: former for former in formers}
        return [output for former in formers for output in self._bring_back(former)]

    def _bring_back(self, former: Former) -> list[NodeOutput]:
        def end() -> list[NodeOutput]:
            del self._pending[former.user]
            return []

        return self.clerk.submit(self.tasks.come_back(former, end))

    def sweep(self, boot: Boot, keys: Sequence[Key]) -> list[NodeOutput]:
        """A boot is dead that had sockets in these records."""

        def end() -> list[NodeOutput]:
            return [Retire(boot), *self.clerk.wake(self.clerk.burials.end(boot))]

        if not keys:
            return end()
        tasks = self.tasks.sweep(boot, keys, end)
        return [output for task in tasks for output in self.clerk.submit(task)]
