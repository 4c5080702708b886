"""What peers are told to use for ICE: STUN as it is, TURN with credentials that expire.

The credentials follow the TURN REST convention, which coturn calls `use-auth-secret`:
https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

import attrs

from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.core.protocol.signalling import IceServer, UserId

CREDENTIAL_LIFE = 7 * 24 * 3600
"""Seconds from registering. A TURN server looks at them whenever a connection is made or made
again, so that they have to outlive the wait for a session, which on a ward's tablet may be days,
and the session itself. Only who may register gets them, and could have new ones at any time."""


@attrs.frozen
class IceOffer:
    """The servers that a relay names.

    :param secret: what the TURN server and the relay share.
    """

    stun: Sequence[str] = (DEFAULT_STUN,)
    turn: Sequence[str] = ()
    secret: bytes = attrs.field(default=b"", repr=False)

    def servers_for(self, user_id: UserId, now: float) -> list[IceServer]:
        """What users are told when they register.

        :param now: seconds since the Unix epoch.
        """
        servers = [IceServer(url) for url in self.stun]
        if self.turn:
            username = f"{int(now) + CREDENTIAL_LIFE}:{user_id}"
            digest = hmac.digest(self.secret, username.encode(), hashlib.sha1)
            credential = base64.b64encode(digest).decode()
            servers.append(IceServer(tuple(self.turn), username, credential))
        return servers
