"""One session as the relay knows it: whom it is with, what comes in, and the way back."""

import logging
from collections.abc import Callable

import attrs

from imgsync.core.handshake.inputs import Begun, OwnEnd, RouteInput, Start
from imgsync.core.protocol.numbers import MAX_INPUTS
from imgsync.core.protocol.signalling import (
    EndReason,
    EndSession,
    Features,
    RawJson,
    Ref,
    SendSignal,
    SessionId,
    ToRelay,
)

log = logging.getLogger(__name__)


@attrs.define
class _Name:
    """How the relay knows the session, and what is done once it has an id."""

    #: Empty until the relay has told it.
    session_id: SessionId
    #: What stands for it until then.
    ref: Ref | None
    said: list[RawJson] = attrs.field(factory=list)
    when_known: Callable[[], None] = attrs.field(default=lambda: None)


class Route:
    """Made by Signalling when the relay says that a session has started, or is asked for it.

    :param session_id: empty where the relay has not told it; then there is a `ref`.
    :param resumed: whether it is an old session, which this process may know nothing of.
    :param owner_unknown: whether another process of the same user may be in it.
    :param features: what the client speaks, as far as the relay knows; it may change.
    :param post: sends to the relay; raises SignallingLost.
    :param end: tells the relay that a session is over, as soon as it has an id; raises
        SignallingLost.
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
        ref: Ref | None = None,
        post: Callable[[ToRelay], None],
        end: Callable[[EndSession], None],
        take_up: Callable[[str], None],
        probe: Callable[[], None],
        forget: Callable[[str], None],
    ) -> None:
        self._name = _Name(session_id, ref)
        self.peer_id = peer_id
        self.peer_name = peer_name
        #: What the session begins with.
        self.start = Start(resumed, owner_unknown, is_early=ref is not None)
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

    @property
    def session_id(self) -> SessionId:
        """Empty until the relay has told it."""
        return self._name.session_id

    @property
    def label(self) -> str:
        """What the log calls it."""
        return self.session_id or f"{self._name.ref} to come with {self.peer_id}"

    def when_known(self, tell: Callable[[], None]) -> None:
        """Have told that the session has an id, now or later."""
        if self.session_id:
            tell()
        else:
            self._name.when_known = tell

    def name(self, session_id: SessionId, features: Features, *, says_again: bool) -> None:
        """The relay has told the id of the session, in which it may have said nothing of ours."""
        self.features = features
        name, self._name = self._name, _Name(session_id, None)
        for raw in name.said if says_again else ():
            self.say(raw)
        name.when_known()
        self.put(Begun())

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
            log.warning("session %s: more signals than can be handled", self.label)
            flood = "the other side sent more signals than can be handled"
            self._waiting = [OwnEnd(EndReason.NEGOTIATION_FAILED, flood)]
            self._take = self._drop

    def _drop(self, item: RouteInput) -> None:
        log.debug("session %s: over, dropping %r", self.label, item)

    def say(self, raw: RawJson) -> None:
        """Send a signal to the other peer. Raises SignallingLost."""
        if not self.session_id:
            self._name.said.append(raw)
        self._post(SendSignal(self.peer_id, raw, self.session_id or None, self._name.ref))

    def end(self, message: EndSession | None = None) -> None:
        """Tell the relay that the session is over, and why. Raises SignallingLost."""
        self._end(message or EndSession(self.session_id))

    def take_up(self) -> None:
        """Have the relay take the session up again; RelayBack comes when it has."""
        self._take_up(self.session_id)

    def close(self) -> None:
        """Nothing more is wanted of this session."""
        self._forget(self.session_id)
        self._take = self._drop
