"""Registering at a relay: from the first packet to its answer."""

import logging

import trio

from imgsync.core.codec.codec import decode_from_relay, encode_event
from imgsync.core.protocol.errors import ConnectTimeout, RelayError, SocketClosed, WireError
from imgsync.core.protocol.numbers import REGISTER_DEADLINE
from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    FromRelay,
    Register,
    Registered,
)
from imgsync.seams import Socket

log = logging.getLogger(__name__)


async def register_on(socket: Socket, register: Register) -> Registered:
    """Register, and wait for the answer. Raises RelayError, ConnectTimeout and SocketClosed."""
    socket.post(encode_event(register))
    with trio.move_on_after(REGISTER_DEADLINE):
        while True:
            try:
                message = await receive_message(socket)
            except SocketClosed as exc:
                if exc.code != CloseCode.UNAUTHORIZED:
                    raise
                # Of a relay that closes without an error event.
                why = f"{exc.reason or 'unauthorized'}; ask whoever runs it for a token"
                raise _refusal(ErrorCode.UNAUTHORIZED, why, register) from None
            match message:
                case Registered():
                    return message
                case ErrorEvent(code, why):
                    raise _refusal(code, why, register)
    raise ConnectTimeout(f"the relay did not answer register within {REGISTER_DEADLINE:g} s")


def _refusal(code: ErrorCode, message: str, register: Register) -> RelayError:
    """What the relay answers to our register, without the token, and how to send one."""
    if register.token is not None:
        message = message.replace(register.token, "(token)")
    elif code is ErrorCode.UNAUTHORIZED:
        message = message.removesuffix(".")
        message += " (it is given with --token-file, --token or IMGSYNC_TOKEN)"
    return RelayError(code, f"the relay refused to register us: {message}")


async def receive_message(socket: Socket) -> FromRelay:
    """The next message of the relay that can be read. Raises SocketClosed."""
    while True:
        frame = await socket.receive()
        try:
            return decode_from_relay(frame)
        except WireError as exc:
            log.warning("ignoring a frame of the relay: %s", exc)
