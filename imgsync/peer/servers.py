"""The ICE servers that the relay has named last, and what is done when its credentials are old."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence

import trio

from imgsync.core.handshake.causes import Cause, asks_anew
from imgsync.core.protocol.ice import choose_ice
from imgsync.core.protocol.signalling import IceServer

log = logging.getLogger(__name__)


class NamedServers:
    """What sessions use. Each connection asks anew, as credentials expire.

    :param default: those that are used where the relay names no list.
    :param renew: has us register again, which sessions survive.
    """

    def __init__(self, default: Sequence[IceServer], renew: Callable[[], None]) -> None:
        self._default = default
        self.current = default
        self._renew = renew
        self._named_at = -math.inf

    def named(self, servers: Sequence[IceServer] | None) -> None:
        """The relay has named these from now on, or no list."""
        self.current = self._default if servers is None else servers
        self._named_at = trio.current_time()

    def wrong(self) -> Iterator[Cause]:
        """A cause for each of them that can't be asked."""
        for left_out in choose_ice(self.current).left_out:
            if left_out.is_wrong:
                yield Cause.TURN_FAILED if left_out.is_turn else Cause.STUN_FAILED

    def failed(self, cause: Cause) -> None:
        """One has given no address."""
        if asks_anew(cause, trio.current_time() - self._named_at):
            log.info("TURN credentials were refused; registering again for new ones")
            self._renew()
