"""A TCP connection that says whatever it is told to, and its frames held against RFC 6455.

`RawPeer` is what the tests of `imgsync.net` and of the relay attack with: it keeps no rule that
its test does not make it keep.
"""

import hashlib
import os
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from socket import SO_LINGER, SOL_SOCKET

import trio

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""Of section 1.3 of RFC 6455."""

UPGRADE_HEADERS = {
    b"Host": b"127.0.0.1",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}


def upgrade_head(path: bytes = b"/ws", method: bytes = b"GET", **changes: bytes | None) -> bytes:
    """An upgrade request; a header is changed or, with None, left out: `Sec_WebSocket_Key=None`."""
    headers: dict[bytes, bytes | None] = dict(UPGRADE_HEADERS)
    headers |= {name.replace("_", "-").encode(): value for name, value in changes.items()}
    lines = [name + b": " + value for name, value in headers.items() if value is not None]
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", *lines, b"", b""])


def accepting(key: bytes) -> bytes:
    """The response that turns a connection into a WebSocket, by section 1.3 of RFC 6455."""
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + b64encode(digest),
    ]
    return b"\r\n".join([*lines, b"", b""])


def frame(
    opcode: int, payload: bytes = b"", *, first: int = FIN, mask: bytes | None = b"\x37\xfa\x21\x3d"
) -> bytes:
    """One frame. `first` holds the bits beside the opcode; a server's frames have no mask."""
    size = len(payload)
    length = size if size < 126 else 126 if size < 65536 else 127
    head = bytes([first | opcode, length | (0x80 if mask else 0)])
    head += b"" if size < 126 else struct.pack("!H" if size < 65536 else "!Q", size)
    if mask is None:
        return head + payload
    return head + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    stream = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(len(payload))


class RawPeer:
    """One end of a TCP connection, byte by byte."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._unread = bytearray()

    async def send(self, data: bytes) -> None:
        """Send; that the other side has hung up is no error here."""
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)

    async def read_exactly(self, size: int) -> bytes:
        """So many bytes, or fewer where the other side ends before."""
        while len(self._unread) < size and (more := await self._receive()):
            self._unread += more
        found = bytes(self._unread[:size])
        del self._unread[:size]
        return found

    async def read_rest(self) -> bytes:
        """Whatever comes until the other side ends, in good order or not."""
        while more := await self._receive():
            self._unread += more
        return await self.read_exactly(len(self._unread))

    async def read_head(self) -> bytes:
        """Up to and with the empty line; what there is where the other side ends before."""
        while b"\r\n\r\n" not in self._unread and (more := await self._receive()):
            self._unread += more
        at = self._unread.find(b"\r\n\r\n")
        return await self.read_exactly(len(self._unread) if at < 0 else at + 4)

    async def read_status(self) -> int | None:
        """The status of the next response; None where there is none."""
        head = await self.read_head()
        return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else None

    async def upgrade(self, path: bytes = b"/ws") -> None:
        """Become a WebSocket."""
        await self.send(upgrade_head(path))
        assert await self.read_status() == 101

    async def accept(self) -> None:
        """Become the other end of a WebSocket."""
        lines = (await self.read_head()).split(b"\r\n")
        key = next(line[19:] for line in lines if line.lower().startswith(b"sec-websocket-key: "))
        await self.send(accepting(key))

    async def read_frame(self) -> tuple[int, bytes] | None:
        """The next frame's opcode and payload; None where there is none."""
        head = await self.read_exactly(2)
        if len(head) < 2:
            return None
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.read_exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.read_exactly(8))
        mask = await self.read_exactly(4) if head[1] & 0x80 else bytes(4)
        return head[0] & 0x0F, _masked(await self.read_exactly(size), mask)

    async def read_close_code(self) -> int | None:
        """The code of the next close frame, whatever comes before; None where there is none."""
        while (found := await self.read_frame()) is not None:
            opcode, payload = found
            if opcode == CLOSE:
                return int.from_bytes(payload[:2])
        return None

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        self.stream.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.socket.close()

    async def _receive(self) -> bytes:
        try:
            return bytes(await self.stream.receive_some())
        except trio.BrokenResourceError:
            return b""


@asynccontextmanager
async def open_raw(port: int) -> AsyncIterator[RawPeer]:
    """Connect to a port of this machine."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        yield RawPeer(stream)


@asynccontextmanager
async def open_server(behave: Callable[[RawPeer], Awaitable[object]]) -> AsyncIterator[int]:
    """Listen, and let every connection be treated like this. Yields the port."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await behave(RawPeer(stream))

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, serve, listeners)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def open_descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def test_its_frames_are_those_of_the_standards_examples() -> None:
    assert frame(TEXT, b"Hello") == bytes.fromhex("818537fa213d7f9f4d5158")
    assert frame(TEXT, b"Hello", mask=None) == b"\x81\x05Hello"
    assert frame(TEXT, b"Hel", first=0, mask=None) == b"\x01\x03Hel"
    assert frame(0, b"lo", mask=None) == b"\x80\x02lo"
    longer, longest = bytes(256), bytes(65536)
    assert frame(BINARY, longer, mask=None) == b"\x82\x7e\x01\x00" + longer
    assert frame(BINARY, longest, mask=None) == b"\x82\x7f" + (65536).to_bytes(8) + longest


def test_it_accepts_the_key_of_the_standards_example() -> None:
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in accepting(KEY)


async def test_it_reads_back_the_frames_that_it_writes() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    written = [(TEXT, b""), (PING, b"x" * 125), (BINARY, os.urandom(126)), (TEXT, bytes(65536))]
    with trio.fail_after(5):
        async with (
            listeners[0],
            open_raw(port) as writer,
            await listeners[0].accept() as accepted,
            trio.open_nursery() as nursery,
        ):
            reader = RawPeer(accepted)
            nursery.start_soon(writer.send, b"".join(frame(*one) for one in written))
            assert [await reader.read_frame() for _ in written] == written
            writer.reset()
            assert await reader.read_frame() is None
