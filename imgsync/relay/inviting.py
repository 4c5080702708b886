"""Tokens for those whom an evaluator invites from a page, which has no secret to make them with.

    GET /invite?user=ID&seconds=N      Authorization: Bearer TOKEN-OF-THE-EVALUATOR

The answer is JSON: `token`, and `expiresAt` in milliseconds since the Unix epoch; both null where
the relay asks for none. An evaluator may invite whose own token says for how long at most
(`invites`). What it gets says less than that: it is a client's, of the evaluator's own group, and
of one whom the evaluator may see. The evaluator's token comes in a header, so that no log of a
proxy has it and no page of another origin can send it unasked.
"""

import logging
import math
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import attrs

from imgsync.core.codec.strict import dump_json, structure
from imgsync.core.protocol.errors import InputError, Unauthorized
from imgsync.core.protocol.signalling import Role, UserId
from imgsync.core.relay.identity import Claims, ReadToken
from imgsync.net.http import Request, Response, refuse
from imgsync.relay.logs import about

log = logging.getLogger(__name__)

SignClaims = Callable[[Claims], str]
"""Makes a token of claims. Raises InputError."""

_SECONDS = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)

_NOT_KEPT = ("cache-control", "no-store")


@attrs.frozen
class _Asked:
    user: UserId


class Inviting:
    """Of one relay.

    :param read_token: takes tokens apart; None where the relay asks for none.
    :param sign: makes them; None where the relay only reads those of others.
    """

    def __init__(self, read_token: ReadToken | None, sign: SignClaims | None) -> None:
        self._read_token = read_token
        self._sign = sign

    def answer(self, request: Request, remote: str) -> Response:
        """To a request for one, from that address."""
        try:
            user, seconds = _read_query(request.query)
        except ValueError as exc:
            return refuse(400, f"This invites nobody ({exc}).", _NOT_KEPT)
        if self._read_token is None:
            return _grant(None, None)
        bearer = _BEARER.fullmatch(request.headers.get("authorization", ""))
        try:
            if bearer is None:
                raise Unauthorized("the token of an evaluator is missing")
            claims = self._read_token(bearer[1])
        except Unauthorized as exc:
            asks = ("www-authenticate", "Bearer")
            return refuse(401, f"You can invite nobody: {exc}.", _NOT_KEPT, asks)
        why = _why_not(claims, user)
        if why is not None or claims.invites is None or self._sign is None:
            why = why or "this relay makes no tokens"
            return refuse(403, f"You can't invite {user}: {why}.", _NOT_KEPT)
        expires_at = math.ceil(time.time() + min(seconds, claims.invites))
        invited = Claims(user, Role.CLIENT, group=claims.group, expires_at=expires_at)
        try:
            token = self._sign(invited)
        except InputError as exc:
            return refuse(400, f"You can't invite {user}: {exc}.", _NOT_KEPT)
        who = about(user=claims.user_id, peer=user, role=claims.role, remote=remote)
        log.info("invited", extra=who)
        return _grant(token, 1000 * expires_at)


def _read_query(query: str) -> tuple[str, int]:
    """Raises ValueError."""
    fields = parse_qs(query, keep_blank_values=True, errors="strict")
    user = structure({"user": fields.get("user", [""])[0]}, _Asked, "it").user
    seconds = _SECONDS.fullmatch(fields.get("seconds", [""])[0])
    if seconds is None:
        raise ValueError("it.seconds: expected a whole number")
    return user, int(seconds[0])


def _why_not(claims: Claims, user: UserId) -> str | None:
    if claims.role is not Role.EVALUATOR or claims.invites is None:
        return "your token does not say that you may; ask for one made with --invites"
    if claims.clients is not None and user not in claims.clients:
        return "your token does not let you see who that is"
    return None


def _grant(token: str | None, expires_at: int | None) -> Response:
    body = dump_json({"token": token, "expiresAt": expires_at})
    return Response(200, body.encode(), "application/json", (_NOT_KEPT,))
