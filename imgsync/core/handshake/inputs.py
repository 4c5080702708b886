"""What a handshake is told: by the relay, and by the connections of its attempts."""

import attrs

from imgsync.core.handshake.causes import Cause
from imgsync.core.protocol.signalling import EndReason, RawJson

# ── of the relay ─────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Start:
    """The session has begun.

    :param resumed: it is an old one, whose offer may have gone to another process.
    :param owner_unknown: another window may have it, and has time to claim it before we act.
    :param is_hidden: nobody looks at this window; one that is looked at goes first.
    :param is_early: the relay was asked for it and has not answered; `Begun` follows.
    """

    resumed: bool = False
    owner_unknown: bool = False
    is_hidden: bool = False
    is_early: bool = False


@attrs.frozen
class Begun:
    """The relay has begun the session that an offer was made for: now both sides' time runs."""


@attrs.frozen
class SignalCame:
    """The other peer says something in the handshake."""

    raw: RawJson


@attrs.frozen
class EndCame:
    """The session is over, as the relay says."""

    reason: EndReason
    detail: str = ""


@attrs.frozen
class OwnEnd:
    """The session is over, as our own side wants it."""

    reason: EndReason = EndReason.ENDED
    detail: str = ""


@attrs.frozen
class RelayLost:
    """The connection to the relay is gone; it is being made again."""


@attrs.frozen
class RelayBack:
    """The relay has us in the session, again; it tells us next if the other side is away."""


@attrs.frozen
class PeerWent:
    """The other side has lost the relay."""


@attrs.frozen
class PeerCame:
    """The other side is at the relay again."""


@attrs.frozen
class PeerTaken:
    """The other side is in a session with somebody else, as the relay says that refuses us ours."""


# ── of an attempt ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Described:
    """The description that was asked for is made."""

    sdp: str


@attrs.frozen
class NotMade:
    """The connection could not be made: as the descriptions have it, or on this side at all."""

    why: str
    reason: EndReason = EndReason.NEGOTIATION_FAILED


@attrs.frozen
class Gathered:
    """A candidate of our own was found (its line without `candidate:`), or None: all are."""

    line: str | None


@attrs.frozen
class Opened:
    """The data channel is open.

    :param path: the types of the ICE candidates in use, ours and theirs ("host", "srflx", "prflx"
        or "relay"); None where there are none.
    """

    path: tuple[str, str] | None = None


@attrs.frozen
class ChannelClosed:
    """The data channel is closed.

    :param is_reset: the other side closed it alone, and the connection stands. Where a stack can't
        tell that, it may be the connection that has gone; if it has failed, LinkLost follows.
    """

    is_reset: bool = True


@attrs.frozen
class LinkLost:
    """The connection is gone, or could not be made.

    :param by_peer: the other side closed it on purpose, as does a page that is reloaded or a
        process that quits; otherwise it has gone silent, or there never was a connection.
    """

    why: str
    by_peer: bool = False


@attrs.frozen
class Hindered:
    """Something is in the way of a connection on our side, which may come about all the same."""

    cause: Cause


@attrs.frozen
class Fruitless:
    """Our side has no address for this attempt, and will find none: all is to go through a TURN
    server, and none can be reached. Pages, who always may use addresses of theirs, don't tell it.
    """


AttemptEvent = (
    Described | NotMade | Gathered | Hindered | Fruitless | Opened | ChannelClosed | LinkLost
)


@attrs.frozen
class FromAttempt:
    """Something happened to the connection of an attempt, current or not."""

    attempt: int
    event: AttemptEvent


RouteInput = (
    Begun | SignalCame | EndCame | OwnEnd | RelayLost | RelayBack | PeerWent | PeerCame | PeerTaken
)
Input = Start | RouteInput | FromAttempt
