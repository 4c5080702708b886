"""What an operator can choose; every limit says what happens to who exceeds it."""

from collections.abc import Collection

import attrs

from imgsync.core.relay.identity import ReadToken
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER
from imgsync.net.limits import NetLimits
from imgsync.relay.inviting import SignClaims
from imgsync.relay.own_texts import OwnTexts
from imgsync.relay.turn import IceOffer

DEFAULT_PREFIX = "imgsync"


@attrs.frozen
class Shared:
    """Where a relay that is one of several nodes shares what it knows with the others.

    :param url: of Redis.
    :param prefix: of all keys; nodes of one relay have the same.
    :param password: where it is not to stand in the URL.
    """

    url: str = attrs.field(repr=False)
    prefix: str = DEFAULT_PREFIX
    password: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Settings:
    """How a relay is run.

    :param read_token: takes the tokens of peers apart; None lets everybody register as anybody.
    :param sign_claims: makes tokens, for those whom evaluators invite; None where others make them.
    :param end_at_expiry: whether a session ends when the token of one of its two sides expires.
    :param ice: the STUN and TURN servers that peers are told of.
    :param recording_url: where pages that record post their recordings; None lets participants
        save them on their own disks.
    :param texts: what the study says itself on the participants' pages.
    :param origins: pages from elsewhere that may connect; others get HTTP 403.
    :param proxies: addresses of reverse proxies whose X-Forwarded-For is believed.
    :param grace: seconds that a session waits for a side that has lost the relay.
    :param register_deadline: seconds from the WebSocket to its register; then close code 4008.
    :param max_connections: WebSockets at a time; the next ones are closed with 1013.
    :param max_sockets_per_user: those that register beyond are closed with 4029.
    :param rate_limit: messages per second of one socket, twenty times as many at once; a long one
        counts as one for each 2 KiB, and ten that are sent because of one as one more. Beyond it
        they are answered with `rate_limited`, and who goes on is closed with 4029. 0 for no limit.
    :param address_rate: the same of all sockets of one address together, forty times as many at
        once; loopback and proxies have no such limit.
    :param connect_rate: WebSockets per second from one address, twenty times as many at once;
        those beyond are closed with 4029. 0 for no limit.
    :param net: the limits of the port itself.
    :param shared: what makes it one of several nodes; None where it is alone.
    """

    read_token: ReadToken | None = None
    sign_claims: SignClaims | None = None
    end_at_expiry: bool = False
    ice: IceOffer = attrs.field(factory=IceOffer)
    recording_url: str | None = None
    texts: OwnTexts = attrs.field(factory=dict)
    origins: Collection[str] = ()
    proxies: Collection[str] = ()
    grace: float = 60.0
    register_deadline: float = 10.0
    max_connections: int = 5000
    max_sockets_per_user: int = MAX_SOCKETS_PER_USER
    rate_limit: float = 100.0
    address_rate: float = 1000.0
    connect_rate: float = 20.0
    net: NetLimits = attrs.field(factory=NetLimits)
    shared: Shared | None = None
