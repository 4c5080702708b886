"""One session as the relay knows it: whom it is with, what comes in, and the way back."""

import logging
from collections.abc import Callable

import attrs
import trio

from imgsync.core.protocol.signalling import EndReason, RawJson, SendSignal, ToRelay

log = logging.getLogger(__name__)

MAX_INPUTS = 256
"""Inputs that may wait. A session handles one in microseconds, so that only a flood fills this."""


@attrs.frozen
class SignalCame:
    """The other peer says something in the handshake."""

    raw: RawJson


@attrs.frozen
class EndCame:
    """The relay says that the session is over."""

    reason: EndReason


@attrs.frozen
class RelayLost:
    """The connection to the relay is gone; it is being made again."""


@attrs.frozen
class RelayBack:
    """We are registered again, and the relay has us in the session."""


@attrs.frozen
class PeerWent:
    """The other side has lost the relay."""


@attrs.frozen
class PeerCame:
    """The other side is at the relay again."""


RouteInput = SignalCame | EndCame | RelayLost | RelayBack | PeerWent | PeerCame


class Route:
    """Made by Signalling when the relay says that a session has started.

    :param resumed: whether it is an old session, which this process may know nothing of.
    :param is_disputed: whether another process of the same user may be in it.
    :param post: sends to the relay; raises SignallingLost.
    :param end: tells the relay that a session is over; raises SignallingLost.
    :param take_up: has the relay take a session up again that it has forgotten.
    :param probe: see the attribute.
    :param forget: told when nothing more is wanted of the session.
    """

    def __init__(
        self,
        session_id: str,
        peer_id: str,
        peer_name: str,
        *,
        resumed: bool,
        is_disputed: bool,
        post: Callable[[ToRelay], None],
        end: Callable[[str], None],
        take_up: Callable[[str], None],
        probe: Callable[[], None],
        forget: Callable[[str], None],
    ) -> None:
        self.session_id = session_id
        self.peer_id = peer_id
        self.peer_name = peer_name
        self.resumed = resumed
        self.is_disputed = is_disputed
        self._post = post
        self._end = end
        self._take_up = take_up
        #: Looks whether the relay is still there; RelayLost comes if it is not.
        self.probe = probe
        self._forget = forget
        self._send, self.inputs = trio.open_memory_channel[RouteInput](MAX_INPUTS)

    def put(self, item: RouteInput) -> None:
        """Hand the session an input. One that falls behind sees its inputs end."""
        try:
            self._send.send_nowait(item)
        except trio.WouldBlock:
            log.warning("session %s: more signals than can be handled", self.session_id)
            self._send.close()
        except (trio.ClosedResourceError, trio.BrokenResourceError):
            log.debug("session %s: over, dropping %r", self.session_id, item)

    def say(self, raw: RawJson) -> None:
        """Send a signal to the other peer. Raises SignallingLost."""
        self._post(SendSignal(self.peer_id, raw, self.session_id))

    def end(self) -> None:
        """Tell the relay that the session is over. Raises SignallingLost."""
        self._end(self.session_id)

    def take_up(self) -> None:
        """Have the relay take the session up again; RelayBack comes when it has."""
        self._take_up(self.session_id)

    def close(self) -> None:
        """Nothing more is wanted of this session."""
        self._forget(self.session_id)
        self._send.close()
        self.inputs.close()
