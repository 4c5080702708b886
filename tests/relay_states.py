"""A RelayState as the tests of its decisions talk to it. Sockets are texts or numbers here."""

import itertools
import json
from typing import Any

import attrs

from imgsync.core.messages import (
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    PresenceState,
    RawJson,
    Role,
)
from imgsync.core.relay import RelayState, Send, Socket

EVALUATOR, CLIENT = Role.EVALUATOR, Role.CLIENT
AVAILABLE, BUSY, OFFLINE = PresenceState.AVAILABLE, PresenceState.BUSY, PresenceState.OFFLINE


def frame(event: str, **data: Any) -> str:
    return json.dumps({"event": event, "data": data})


@attrs.define
class Relay:
    """A RelayState that numbers its sessions s1, s2, ...; outputs as (socket, message)."""

    state: RelayState = attrs.field(
        factory=lambda: RelayState(
            map("s{}".format, itertools.count(1)).__next__, [IceServer("stun:a")]
        )
    )

    def tell(self, socket: Socket, event: str, **data: Any) -> list[tuple[Socket, FromRelay]]:
        return unpacked(self.state.receive(socket, frame(event, **data)))

    def register(
        self, socket: Socket, role: Role, user: str, **more: str
    ) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "register", userId=user, role=role.value, package="webrtc", **more)

    def start(self, socket: Socket, client: str) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "start_session", clientId=client)

    def signal(
        self, socket: Socket, target: str, signal: Any = 1, **more: str
    ) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "webrtc_signal", targetUserId=target, signal=signal, **more)

    def lose(self, socket: Socket) -> list[tuple[Socket, FromRelay]]:
        return unpacked(self.state.lost(socket))


def unpacked(outputs: list[Send]) -> list[tuple[Socket, FromRelay]]:
    return [(output.socket, output.message) for output in outputs]


def relay_with(**sockets: str) -> Relay:
    """`relay_with(e1="eve", c2="carl")`: sockets "e1" and "c2", an evaluator's and a client's."""
    relay = Relay()
    for socket, user in sockets.items():
        relay.register(socket, EVALUATOR if socket.startswith("e") else CLIENT, user)
    return relay


def refused(
    outputs: list[tuple[Socket, FromRelay]], socket: Socket, code: ErrorCode, event: str | None
) -> bool:
    match outputs:
        case [(receiver, ErrorEvent(said, message, answered))]:
            is_sentence = message[-1] == "." and message != "."
            return (receiver, said, answered, is_sentence) == (socket, code, event, True)
    return False


def signal_from(user: str, session: str, signal: Any = 1) -> ForwardedSignal:
    return ForwardedSignal(user, RawJson(json.dumps(signal)), session)
