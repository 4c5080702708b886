"""The relay: is it there, does it take WebSockets, does it let us in, and what time has it?"""

import base64
import json
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import attrs
import trio

from imgsync.commands.doctor.clock import Interval, Probe, WrongDate, clock_offset
from imgsync.commands.doctor.findings import Finding, Result
from imgsync.core.protocol.errors import (
    ConnectError,
    ImgsyncError,
    SocketClosed,
    UpgradeRefused,
)
from imgsync.core.protocol.numbers import MAX_CLOCK_OFFSET, PACKAGE, PROBE_DEADLINE
from imgsync.core.protocol.obstacles import Obstacle, obstacle_at_health
from imgsync.core.protocol.signalling import CloseCode, IceServer, Register, Role
from imgsync.net.ask import ask
from imgsync.net.connect import open_relay_socket, parse_relay_url
from imgsync.net.refusals import describe
from imgsync.net.websocket import WebSocket
from imgsync.peer.signalling import DEFAULT_ICE_SERVERS, register_on
from imgsync.peer.token_source import TokenSource, read_token
from imgsync.seams import Network

CLOCK_PROBES = 12
CLOCK_PROBE_INTERVAL = 0.09
"""Seconds. A dozen questions, spread over just more than a second, meet the moment at which the
relay's clock, which has whole seconds, goes on to the next."""


_AFTER_CLOSE: dict[int, str] = {
    CloseCode.RATE_LIMITED: "too many connect from here; wait a moment, or raise --connect-rate of"
    " the relay; behind a reverse proxy, name that with --forwarded-by",
    CloseCode.RELAY_FULL: "try again in a moment, or raise --max-connections of the relay",
    CloseCode.GOING_AWAY: "it is shutting down; try again in a moment",
}


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
    match obstacle_at_health(answer.status, answer.text):
        case None:
            return Finding("relay", Result.OK, seen)
        case Obstacle.DRAINING | Obstacle.UNAVAILABLE:
            advice = "it is shutting down or full; try again in a moment"
        case Obstacle.NOT_FOUND:
            advice = "another server stands there, or a proxy that does not pass this path on"
        case obstacle:
            what, advice = describe(url, obstacle, answer.headers)
            seen += f": {what}" if what else ""
    return Finding("relay", Result.WARNING, seen, advice)


async def check_websocket(url: str) -> Finding:
    """Whether a WebSocket can be opened, and stays so."""
    before = time.perf_counter()
    try:
        async with open_relay_socket(url) as socket:
            took = 1000 * (time.perf_counter() - before)
            closed = await _wait_closed(socket)
    except ConnectError as exc:
        obstacle = exc.obstacle if isinstance(exc, UpgradeRefused) else None
        is_told = obstacle not in (None, Obstacle.NOT_FOUND)
        advice = "a proxy in front of it has to pass on the headers Upgrade and Connection"
        return Finding("websocket", Result.FAILED, str(exc), "" if is_told else advice)
    if closed is not None:
        what = f"{url} takes a WebSocket, and then: {closed}"
        advice = _AFTER_CLOSE.get(closed.code, "the log of the relay says more")
        return Finding("websocket", Result.FAILED, what, advice)
    return Finding("websocket", Result.OK, f"{url} takes WebSockets, in {took:.1f} ms")


async def _wait_closed(socket: WebSocket) -> SocketClosed | None:
    """Why it is closed as soon as it is open; None once the relay has answered a ping on it."""
    with trio.CancelScope() as scope:
        socket.probe(PROBE_DEADLINE, scope.cancel)
        while True:
            try:
                await socket.receive()
            except SocketClosed as exc:
                return exc
    return None


async def check_origin(url: str) -> Finding | None:
    """Whether a page that the relay serves is refused, as its browser says where it is from."""
    target = parse_relay_url(url)
    origin = f"{'https' if target.tls else 'http'}://{target.host_header}"
    try:
        async with open_relay_socket(url, origin=origin):
            return None
    except ConnectError as exc:
        if not isinstance(exc, UpgradeRefused) or exc.obstacle is not Obstacle.BARRED:
            return Finding("origin", Result.FAILED, f"as a page of {origin}: {exc}")
    what = f"pages of {origin} may not connect, and programs may (HTTP status 403)"
    advice = (
        f"run the relay with --allow-origin {origin}, or with --auth-secret-file; a proxy in front"
        " of it has to pass on the header Host"
    )
    return Finding("origin", Result.FAILED, what, advice)


async def check_token(
    network: Network, url: str, account: Account
) -> tuple[Finding, Sequence[IceServer] | None]:
    """Whether we can register, and which ICE servers the relay names then."""
    try:
        claims = read_claims(read_token(account.token))
        register = attrs.evolve(_register(account, claims), token=read_token(account.token))
        # Once: a relay that can't take us now is a finding, and nothing to wait for.
        async with network.open_socket(url) as socket:
            registered = await register_on(socket, register)
    except ImgsyncError as exc:
        return Finding("token", Result.FAILED, str(exc)), None
    named = registered.ice_servers
    servers = DEFAULT_ICE_SERVERS if named is None else named
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
    if offset.distance <= MAX_CLOCK_OFFSET:
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
