"""One peer connection of a session, and the heart that beats on its channel."""

import attrs
import trio

from imgsync.core.channel.heartbeat import Heartbeat
from imgsync.seams import Link


@attrs.define(eq=False)
class Attempt:
    """A link while its session has use for it.

    :param scope: of the task that holds it open.
    """

    link: Link
    scope: trio.CancelScope
    heartbeat: Heartbeat = attrs.field(factory=Heartbeat)
    #: Set when the heartbeat's deadline may have changed; made anew by its task.
    news: trio.Event = attrs.field(factory=trio.Event)

    def discard(self) -> None:
        """Have it closed, and its heart stop."""
        self.scope.cancel()
        self.news.set()
