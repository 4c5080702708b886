"""What the relay's state asks of whoever drives it."""

from collections.abc import Hashable

import attrs

from imgsync.core.protocol.signalling import (
    CloseCode,
    EndReason,
    FromRelay,
    Role,
    SessionId,
    UserId,
)

Socket = Hashable


@attrs.frozen
class Send:
    """Put a message on a socket's outbox."""

    socket: Socket
    message: FromRelay


@attrs.frozen
class Close:
    """Close a socket behind what was sent to it; nothing more is to be read from it."""

    socket: Socket
    code: CloseCode
    why: str


@attrs.frozen
class Probe:
    """Find out now whether a socket is still alive, and call `alive` with these if it is.

    `successor` is the one that the same user has opened since.
    """

    socket: Socket
    successor: Socket


@attrs.frozen
class Sooner:
    """Something may be due sooner than before."""


@attrs.frozen
class AwaitRoom:
    """Call `drained` with this socket once most of what was sent to it has been written.

    That is not so now; of a socket that is lost before, nobody needs to hear.
    """

    socket: Socket


@attrs.frozen
class Admitted:
    """A socket has registered."""

    socket: Socket


@attrs.frozen
class SessionBegan:
    """A session lives, from now on or again."""

    session_id: SessionId
    evaluator_id: UserId
    client_id: UserId
    resumed: bool


@attrs.frozen
class SessionAnswered:
    """The client has said something in the session for the first time."""

    session_id: SessionId


@attrs.frozen
class SignalDropped:
    """A signal was to a session that its sender's start has not begun, and went to nobody."""


@attrs.frozen
class SideAway:
    """A side is away from now on; its grace time runs."""

    session_id: SessionId
    role: Role
    user_id: UserId


@attrs.frozen
class SideBack:
    """The side is back."""

    session_id: SessionId
    role: Role
    user_id: UserId


@attrs.frozen
class SessionOver:
    """A session has ended."""

    session_id: SessionId
    reason: EndReason


News = SessionBegan | SessionAnswered | SideAway | SideBack | SessionOver
"""What has become of a session."""

Output = Send | Close | Probe | Sooner | AwaitRoom | Admitted | News | SignalDropped
