"""One session as the relay knows it: whom it is with, what comes in, and the way back."""

import logging
from collections.abc import Callable

from imgsync.core.handshake.inputs import EndCame, RouteInput, Start
from imgsync.core.protocol.numbers import MAX_INPUTS
from imgsync.core.protocol.signalling import EndReason, Features, RawJson, SendSignal, ToRelay

log = logging.getLogger(__name__)


class Route:
    """Made by Signalling when the relay says that a session has started.

    :param resumed: whether it is an old session, which this process may know nothing of.
    :param owner_unknown: whether another process of the same user may be in it.
    :param features: what the client speaks, as far as the relay knows; it may change.
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
        owner_unknown: bool,
        features: Features = (),
        post: Callable[[ToRelay], None],
        end: Callable[[str], None],
        take_up: Callable[[str], None],
        probe: Callable[[], None],
        forget: Callable[[str], None],
    ) -> None:
        self.session_id = session_id
        self.peer_id = peer_id
        self.peer_name = peer_name
        #: What the session begins with.
        self.start = Start(resumed, owner_unknown)
        self.features = features
        self._post = post
        self._end = end
        self._take_up = take_up
        #: Looks whether the relay is still there; RelayLost comes if it is not.
        self.probe = probe
        self._forget = forget
        #: What has come in before anybody listens.
        self._waiting: list[RouteInput] = []
        self._take: Callable[[RouteInput], None] = self._wait

    def listen(self, take: Callable[[RouteInput], None]) -> None:
        """Have all inputs given to the session, those that waited for it first."""
        self._take = take
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            take(item)

    def put(self, item: RouteInput) -> None:
        """Hand the session an input."""
        self._take(item)

    def _wait(self, item: RouteInput) -> None:
        self._waiting.append(item)
        if len(self._waiting) > MAX_INPUTS:
            log.warning("session %s: more signals than can be handled", self.session_id)
            flood = "the other side sent more signals than can be handled"
            self._waiting = [EndCame(EndReason.NEGOTIATION_FAILED, flood)]
            self._take = self._drop

    def _drop(self, item: RouteInput) -> None:
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
        self._take = self._drop
