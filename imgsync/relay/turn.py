"""What peers are told to use for ICE: STUN as it is, TURN with the account of its operator.

There are two kinds of accounts. Those of the TURN REST convention, which coturn calls
`use-auth-secret`, are made here for each user and expire:
https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00. Fixed ones, as hosted
services hand them out, are passed on.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Sequence
from pathlib import Path

import attrs

from imgsync.core.codec.strict import parse_json, structure
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.ice import IceKind, LeftOut, check_account, choose_ice, parse_ice_url
from imgsync.core.protocol.numbers import DEFAULT_STUN, MAX_TURN_USERNAME
from imgsync.core.protocol.signalling import IceServer, IceServersChanged, UserId

CREDENTIAL_LIFE = 7 * 24 * 3600
"""Seconds. A TURN server looks at credentials whenever a connection is made or made again, some at
each refresh of it, so that they have to outlive a session. Peers are told new ones in time; those
of other stacks, who are not, have to register again within this."""

MAX_LIST = 64 * 1024
"""Bytes of a file with ICE servers."""


@attrs.frozen
class IceOffer:
    """The servers that a relay names.

    :param turn: TURN servers that have one account, by `secret` or by `account`.
    :param secret: what the TURN server and the relay share; empty where there is none.
    :param life: seconds for which what is made with the secret is good.
    :param account: the fixed user name and credential.
    :param others: further servers, each with an account of its own.
    """

    stun: Sequence[str] = (DEFAULT_STUN,)
    turn: Sequence[str] = ()
    secret: bytes = attrs.field(default=b"", repr=False)
    life: float = CREDENTIAL_LIFE
    account: tuple[str, str] | None = attrs.field(default=None, repr=False)
    others: Sequence[IceServer] = ()

    @property
    def expires_after(self) -> float:
        """Seconds for which what a user is told is good; infinity where nothing of it expires."""
        return self.life if self.secret else math.inf

    def servers_for(self, user_id: UserId, now: float) -> list[IceServer]:
        """What a user is told.

        :param now: seconds since the Unix epoch.
        """
        servers = [IceServer(url) for url in self.stun]
        if self.turn:
            account = self.account or self._make_account(user_id, now)
            servers.append(IceServer(tuple(self.turn), *account))
        return [*servers, *self.others]

    def _make_account(self, user_id: UserId, now: float) -> tuple[str, str]:
        whole = f"{int(now + self.life)}:{user_id}".encode()
        # A TURN server goes by the expiry alone; browsers throw for a longer name.
        username = whole[:MAX_TURN_USERNAME].decode(errors="ignore")
        digest = hmac.digest(self.secret, username.encode(), hashlib.sha1)
        return username, base64.b64encode(digest).decode()

    def left_out(self) -> Sequence[LeftOut]:
        """Those that no session asks."""
        return choose_ice(self.servers_for("", 0)).left_out


def read_ice_servers(path: str) -> tuple[IceServer, ...]:
    """The servers in a file, as hosted services hand them out. Raises InputError.

    It holds a JSON list of `{urls, username, credential}`, or an object that has one as its
    `iceServers` or `ice_servers`. No message repeats a credential.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_LIST + 1)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(f"can't read the ICE servers in {path!r}: {why}") from exc
    try:
        if len(content) > MAX_LIST:
            raise ValueError(f"it has more than {MAX_LIST} bytes")
        return _parse(content.decode())
    except UnicodeDecodeError as exc:
        raise InputError(f"{path!r} has no ICE servers: it is not text in UTF-8") from exc
    except (InputError, ValueError) as exc:
        raise InputError(
            f"{path!r} has no ICE servers that can be used: {exc}; write them as"
            ' [{"urls": "turn:HOST:PORT", "username": "...", "credential": "..."}]'
        ) from None


def _parse(text: str) -> tuple[IceServer, ...]:
    found = parse_json(text)
    if isinstance(found, dict):
        found = found.get("iceServers", found.get("ice_servers", found))
    if isinstance(found, dict):
        found = [found]
    servers = structure({"iceServers": found}, IceServersChanged, "it").ice_servers
    if not servers:
        raise ValueError("the list is empty")
    for server in servers:
        for url in server.each_url:
            if parse_ice_url(url).kind is not IceKind.STUN:
                check_account(server.username, server.credential)
    return servers
