"""Which of the ICE servers that the relay names are asked: one STUN server, a few TURN servers."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from aiortc.rtcicetransport import parse_stun_turn_uri

from imgsync.core.protocol.signalling import IceServer

log = logging.getLogger(__name__)

MAX_TURN_SERVERS = 4
"""UDP, TCP and TLS of one server and one more; each costs a socket here and a port over there."""


@attrs.frozen
class StunServer:
    """Where to ask for our own address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"stun:{self.host}:{self.port}"


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
        scheme = "turns" if self.tls else "turn"
        return f"{scheme}:{self.host}:{self.port}?transport={self.transport}"


def choose_stun(ice_servers: Sequence[IceServer]) -> StunServer | None:
    """The first STUN server that can be used; a second one would tell us the same."""
    for _, url in _each_url(ice_servers):
        if url["scheme"] == "stun":
            return StunServer(url["host"], url["port"])
    return None


def choose_turn(ice_servers: Sequence[IceServer]) -> list[TurnServer]:
    """The TURN servers that can be used, the best way to talk to them first: UDP, TCP, TLS."""
    servers: list[TurnServer] = []
    for entry, url in _each_url(ice_servers):
        tls = url["scheme"] == "turns"
        if url["scheme"] not in ("turn", "turns"):
            continue
        if url["transport"] not in (("tcp",) if tls else ("tcp", "udp")):
            log.warning("no TURN server is asked over %s", "DTLS" if tls else "such a transport")
            continue
        where = (url["host"], url["port"], url["transport"], tls)
        servers.append(TurnServer(*where, entry.username, entry.credential))
    servers.sort(key=lambda server: (server.tls, server.transport == "tcp"))
    for server in servers[MAX_TURN_SERVERS:]:
        log.info("more than %d TURN servers; %s is not asked", MAX_TURN_SERVERS, server)
    return servers[:MAX_TURN_SERVERS]


def _each_url(ice_servers: Sequence[IceServer]) -> Iterator[tuple[IceServer, dict[str, Any]]]:
    """The parts of each URL: scheme, host, port and, for TURN, transport."""
    for entry in ice_servers:
        for url in entry.each_url:
            try:
                parts = parse_stun_turn_uri(url)
            except ValueError as exc:
                log.warning("the relay names an ICE server that can't be used: %s", exc)
            else:
                yield entry, parts
