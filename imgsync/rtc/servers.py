"""The ICE servers that are asked, as sockets need them; which these are is decided in the core."""

import logging
from collections.abc import Sequence

import attrs

from imgsync.core.protocol.ice import IceKind, IceUrl, choose_ice
from imgsync.core.protocol.signalling import IceServer

log = logging.getLogger(__name__)


@attrs.frozen
class StunServer:
    """Where to ask for our own address."""

    host: str
    port: int

    def __str__(self) -> str:
        return str(IceUrl(IceKind.STUN, self.host, self.port))


@attrs.frozen
class TurnServer:
    """Where to ask for a relayed address, and with which credential.

    :param transport: "udp" or "tcp", which is how we talk to the server; what it relays is UDP.
    :param tls: whether TCP is wrapped in TLS (`turns:`).
    """

    host: str
    port: int
    transport: str
    tls: bool
    username: str | None
    credential: str | None = attrs.field(repr=False)

    def __str__(self) -> str:
        kind = IceKind.TURN_UDP if self.transport == "udp" else IceKind.TURN_TCP
        return str(IceUrl(IceKind.TURN_TLS if self.tls else kind, self.host, self.port))


@attrs.frozen
class Servers:
    """Those that one connection asks.

    :param turn: in order of preference.
    """

    stun: StunServer | None
    turn: Sequence[TurnServer]


def choose_servers(ice_servers: Sequence[IceServer]) -> Servers:
    """Those of the core's choice; what is left out is told in the log."""
    choice = choose_ice(ice_servers)
    for left_out in choice.left_out:
        level = logging.WARNING if left_out.is_wrong else logging.INFO
        log.log(level, "the relay names %s, which is not asked: %s", left_out.url, left_out.why)
    stun = None
    if choice.stun is not None:
        stun = StunServer(choice.stun.url.host, choice.stun.url.port)
    turn = [
        TurnServer(
            server.url.host,
            server.url.port,
            "udp" if server.url.kind is IceKind.TURN_UDP else "tcp",
            server.url.kind is IceKind.TURN_TLS,
            server.username,
            server.credential,
        )
        for server in choice.turn
    ]
    return Servers(stun, turn)
