"""The relay: is it there, does it take WebSockets, does it let us in, and what time has it?"""

import base64
import json
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import attrs
import trio

from imgsync.commands.doctor.clock import MAX_OFFSET, Interval, Probe, WrongDate, clock_offset
from imgsync.commands.doctor.findings import Finding, Result
from imgsync.core.protocol.errors import ConnectError, ImgsyncError
from imgsync.core.protocol.numbers import PACKAGE
from imgsync.core.protocol.signalling import IceServer, Register, Role
from imgsync.net.ask import ask
from imgsync.net.connect import open_relay_socket, parse_relay_url
from imgsync.peer.signalling import open_signalling
from imgsync.peer.token_source import TokenSource, read_token
from imgsync.seams import Network

CLOCK_PROBES = 12
CLOCK_PROBE_INTERVAL = 0.09
"""Seconds. A dozen questions, spread over just more than a second, meet the moment at which the
relay's clock, which has whole seconds, goes on to the next."""


@attrs.frozen
class Account:
    """Whom the doctor registers as.

    :param user_id: None for whoever the token says, or somebody who is nobody else.
    :param role: None for what the token says, or an evaluator, who is on nobody's list.
    """

    user_id: str | None
    role: Role | None
    token: TokenSource


async def check_relay(url: str) -> Finding:
    """Whether something answers where the relay should be, and whether it is one."""
    path = _health_path(url)
    try:
        answer = await ask(url, path)
    except ConnectError as exc:
        return Finding("relay", Result.FAILED, str(exc))
    took = 1000 * (answer.received_at - answer.sent_at)
    seen = f"{url} answers GET {path} with HTTP {answer.status} in {took:.1f} ms"
    match answer.status:
        case 200:
            return Finding("relay", Result.OK, seen)
        case 503:
            advice = "it is shutting down or full; try again in a moment"
            return Finding("relay", Result.WARNING, seen, advice)
        case _:
            advice = "another server stands there, or a proxy that does not pass this path on"
            return Finding("relay", Result.WARNING, seen, advice)


async def check_websocket(url: str) -> Finding:
    """Whether a WebSocket can be opened."""
    before = time.perf_counter()
    try:
        async with open_relay_socket(url):
            took = 1000 * (time.perf_counter() - before)
    except ConnectError as exc:
        advice = "a proxy in front of it has to pass on the headers Upgrade and Connection"
        return Finding("websocket", Result.FAILED, str(exc), advice)
    return Finding("websocket", Result.OK, f"{url} takes WebSockets, in {took:.1f} ms")


async def check_token(
    network: Network, url: str, account: Account
) -> tuple[Finding, Sequence[IceServer] | None]:
    """Whether we can register, and which ICE servers the relay names then."""
    try:
        claims = read_claims(read_token(account.token))
        register = _register(account, claims)
        async with open_signalling(network, url, register, account.token) as signalling:
            servers = signalling.ice_servers
    except ImgsyncError as exc:
        return Finding("token", Result.FAILED, str(exc)), None
    detail = f"registered as the {register.role.value} {register.user_id!r}"
    if account.token is None:
        return Finding("token", Result.OK, f"{detail}; this relay asks for no token"), servers
    expires = claims.get("exp")
    if isinstance(expires, int | float):
        left = expires - time.time()
        detail += f"; the token is good for another {left / 60:.0f} minutes"
    return Finding("token", Result.OK, detail), servers


async def check_clock(url: str) -> Finding:
    """How far our clock is from the relay's."""
    probes: list[Probe] = []
    try:
        while len(probes) < CLOCK_PROBES:
            answer = await ask(url, _health_path(url))
            date = answer.headers.get("date", "")
            probes.append(Probe(sent_at=answer.sent_at, date=date, received_at=answer.received_at))
            await trio.sleep(CLOCK_PROBE_INTERVAL)
        return _judge(clock_offset(probes))
    except (ConnectError, WrongDate) as exc:
        return Finding("clock", Result.SKIPPED, f"the relay does not tell the time: {exc}")


def _judge(offset: Interval) -> Finding:
    middle, bound = offset.middle, offset.bound
    side = "behind" if middle > 0 else "ahead of"
    detail = f"this machine's clock is {abs(middle):.1f} s {side} the relay's (to {bound:.1f} s)"
    if offset.distance <= MAX_OFFSET:
        return Finding("clock", Result.OK, detail)
    advice = "let both keep time by NTP: tokens and TURN credentials end by the clock"
    return Finding("clock", Result.FAILED, detail, advice)


def read_claims(token: str | None) -> dict[str, Any]:
    """What a JSON Web Token says, unchecked, as only the relay can check it; {} for any other."""
    try:
        payload = (token or "").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _register(account: Account, claims: dict[str, Any]) -> Register:
    roles = {role.value: role for role in Role}
    role = account.role or roles.get(str(claims.get("role")), Role.EVALUATOR)
    user_id = account.user_id or claims.get("sub")
    return Register(
        # Of a user's connections one may hold a session; this user has to be nobody else.
        user_id=str(user_id or f"doctor-{token_hex(4)}"),
        role=role,
        package=PACKAGE,
    )


def _health_path(url: str) -> str:
    """Beside where the WebSocket is, which a proxy may have put below some path."""
    folder, _, _ = parse_relay_url(url).resource.partition("?")[0].rpartition("/")
    return f"{folder}/health"
