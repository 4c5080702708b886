"""What a node says that can't reach what it shares, or not yet."""

from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    Register,
    StartSession,
    ToRelay,
)
from imgsync.core.relay.outputs import Close, Output, Send, Socket


def refuse_message(socket: Socket, message: ToRelay, code: ErrorCode, why: str) -> list[Output]:
    """Answer it with an error."""
    ref = message.ref if isinstance(message, StartSession) else None
    return [Send(socket, ErrorEvent(code, why, message.EVENT, ref))]


def unavailable(socket: Socket, message: ToRelay) -> list[Output]:
    """What becomes of it, nobody knows."""
    why = "The relay can't reach what it shares with others; try again."
    return refuse_message(socket, message, ErrorCode.UNAVAILABLE, why)


def turn_away(socket: Socket, message: Register) -> list[Output]:
    """Whoever wants to register tries another node, or later."""
    why = "the relay can't reach what it shares with others"
    return [*unavailable(socket, message), Close(socket, CloseCode.RELAY_FULL, why)]
