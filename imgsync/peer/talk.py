"""What a session tells to whoever speaks on its channel: the evaluator, or the client."""

from collections.abc import Callable

import attrs

from imgsync.core.protocol.signalling import Milliseconds


@attrs.frozen
class Talk:
    """What happens on the channel, for whoever speaks on it; none of these may wait.

    :param opened: a channel is open.
    :param received: a message came in, and when.
    :param closed: it is open no more; another one may follow.
    :param ended: no other one will follow.
    """

    opened: Callable[[], None]
    received: Callable[[str | bytes, Milliseconds], None]
    closed: Callable[[], None]
    ended: Callable[[], None]
