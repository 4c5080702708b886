"""What holds for a relay, whether it is alone or one of several nodes."""

import math
from collections.abc import Callable, Sequence

import attrs

from imgsync.core.codec.codec import MAX_FRAME
from imgsync.core.protocol.signalling import IceServer, Url, UserId
from imgsync.core.relay.identity import Claims, ReadToken
from imgsync.core.relay.online import Telling
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER


def _no_servers(_: UserId) -> Sequence[IceServer]:
    return ()


def _for_ever(_: Claims) -> float:
    return math.inf


@attrs.frozen
class Terms:
    """See the module.

    :param grace: seconds that a session waits for a side that has lost the relay.
    :param ice_servers: what a user is told to use.
    :param ice_life: seconds that the credentials in it are good for.
    :param recording_url: where clients are told to post what they record; None for nowhere.
    :param read_token: takes tokens apart; None where everybody is believed.
    :param until: when what a token says no longer carries a session; by default it outlives that.
    :param max_frame: characters of one frame.
    :param telling: how evaluators are told of clients that come and go.
    """

    grace: float = math.inf
    ice_servers: Callable[[UserId], Sequence[IceServer]] = _no_servers
    ice_life: float = math.inf
    recording_url: Url | None = None
    read_token: ReadToken | None = None
    until: Callable[[Claims], float] = _for_ever
    max_sockets_per_user: int = MAX_SOCKETS_PER_USER
    max_frame: int = MAX_FRAME
    telling: Telling = Telling()  # noqa: RUF009 -- it is frozen
