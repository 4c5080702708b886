"""One open channel: what comes in is read, pings are answered and sent, the other side is judged.

ping ──▶ pong, at once                       pong of a ping of ours ──▶ Ponged: measure by it
ready that names ping ──▶ a ping at once; ping ──▶ the heartbeat begins
ready without ping ──▶ the heartbeat rests
opened, with a client that the relay knows to speak ping ──▶ it begins before any ready
client not pinged for some time ──▶ Unanswered: its `ready` may be lost
image, ack, ready, ... ──▶ Heard: for whoever speaks on the channel
"""

import math

import attrs

from imgsync.core.channel.greeting import Greeting
from imgsync.core.channel.heartbeat import Heartbeat, HeartbeatOutput
from imgsync.core.channel.outputs import Drop
from imgsync.core.codec.codec import decode_channel
from imgsync.core.protocol.channel import ChannelMessage, Ping, Pong, Ready, TalkMessage
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.numbers import FEATURE_PING
from imgsync.core.protocol.signalling import Features, Milliseconds


@attrs.frozen
class SendPong:
    """Answer this ping, which came in at `t1` of our clock."""

    ping: Ping
    t1: Milliseconds


@attrs.frozen
class Ponged:
    """A ping of ours was answered, and the answer came in at `t3` of our clock."""

    pong: Pong
    t3: Milliseconds


@attrs.frozen
class Heard:
    """The other side says something, which came in at this time of our clock."""

    message: TalkMessage
    at: Milliseconds


@attrs.frozen
class Unanswered:
    """What was said when the channel opened may be lost: say it again."""


LineOutput = HeartbeatOutput | SendPong | Ponged | Heard | Unanswered | Drop


class Line:
    """Of one channel; a new one has a new line. `now` is on a clock that only goes forward, s.

    :param greets: whether ours is the client's side, which says `ready` until it is pinged.
    """

    def __init__(self, *, greets: bool = False) -> None:
        self._heartbeat = Heartbeat()
        self._greets = greets
        self._greeting = Greeting()
        #: When any message came.
        self._spoke = -math.inf

    @property
    def due(self) -> float:
        """When to call `tick`."""
        return min(self._heartbeat.due, self._greeting.due)

    @property
    def is_one_way(self) -> bool:
        """Whether what the other side says comes here, and what we say does not get there."""
        return self._heartbeat.is_one_way(self._spoke)

    def opened(self, features: Features, now: float) -> list[HeartbeatOutput]:
        """The channel is open; the other side speaks this, as far as the relay knows."""
        if self._greets:
            self._greeting.begin(now)
        return self._heartbeat.begin(now) if FEATURE_PING in features else []

    def tick(self, now: float) -> list[HeartbeatOutput | Unanswered]:
        """`due` has come."""
        unanswered = [Unanswered()] if self._greeting.tick(now) else []
        return [*self._heartbeat.tick(now), *unanswered]

    def receive(self, text: str | bytes, at: Milliseconds, now: float) -> list[LineOutput]:
        """A message came off the network at this time of our clock."""
        try:
            return self.read(decode_channel(text), at, now)
        except WireError as exc:
            self._spoke = now
            return [Drop(str(exc))]

    def read(
        self, message: ChannelMessage | None, at: Milliseconds, now: float
    ) -> list[LineOutput]:
        """The same, of what has been decoded."""
        heartbeat = self._heartbeat
        self._spoke = now
        match message:
            case Ping():
                self._greeting.answered()
                return [SendPong(message, at), *heartbeat.begin(now)]
            case Pong(id):
                measured = [Ponged(message, at)] if heartbeat.has_sent(id) else []
                return [*measured, *heartbeat.answer(id, now)]
            case Ready(features):
                # The channel's own word is newer than the relay's.
                speaks_ping = FEATURE_PING in features
                judged = heartbeat.greeted(now) if speaks_ping else heartbeat.rest()
                return [*judged, Heard(message, at)]
            case None:
                return [Drop("a message of a kind that is not known")]
            case _:
                return [Heard(message, at)]
