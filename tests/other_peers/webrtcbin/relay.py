"""What happens to a peer, in one queue; and the relay's events, which come through a WebSocket."""

from __future__ import annotations

import base64
import json
import os
import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

JSON = dict[str, Any]


class PeerError(Exception):
    """The run can't go on."""


class Happenings:
    """The one queue, and what the run found fault with."""

    def __init__(self, deadline: float) -> None:
        self.complaints: list[str] = []
        self._queue: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._deadline = time.monotonic() + deadline

    def put(self, name: str, value: Any = None) -> None:
        self._queue.put((name, value))

    def wait(self, missing: str, seconds: float = float("inf")) -> tuple[str, Any]:
        """The next one; `("timeout", None)` after so many seconds without any."""
        left = self._deadline - time.monotonic()
        try:
            return self._queue.get(timeout=max(0.0, min(left, seconds)))
        except queue.Empty:
            if seconds < left:
                return "timeout", None
            raise PeerError(f"gave up, still missing: {missing} ({self.complaints})") from None


class WebSocket:
    """As much of RFC 6455 as a client of the relay needs: text frames, whole ones, and pings."""

    TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._socket = socket.create_connection((place.hostname, place.port or 80))
        self._incoming = self._socket.makefile("rb")
        self._lock = threading.Lock()
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = self._incoming.readline()
        if status.split()[1:2] != [b"101"]:
            raise PeerError(f"the relay answered {status!r}")
        while self._incoming.readline().strip():
            pass

    def send(self, text: str) -> None:
        self._send(self.TEXT, text.encode())

    def texts(self) -> Iterator[str]:
        """Each as it comes, until the relay closes."""
        while True:
            head = self._incoming.read(2)
            if len(head) < 2:
                return
            opcode, length = head[0] & 15, head[1] & 127
            if length > 125:
                length = int.from_bytes(self._incoming.read(2 if length == 126 else 8), "big")
            payload = self._incoming.read(length)
            if opcode == self.PING:
                self._send(self.PONG, payload)
            elif opcode == self.CLOSE:
                return
            elif opcode == self.TEXT:
                yield payload.decode()

    def _send(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        size = bytes([length]) if length < 126 else bytes([126]) + length.to_bytes(2, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        frame = bytes([0x80 | opcode, size[0] | 0x80]) + size[1:] + mask + masked
        with self._lock:
            self._socket.sendall(frame)


class Relay:
    """The signalling: each event that comes is put into the queue under its name."""

    def __init__(self, url: str, happenings: Happenings) -> None:
        self._happenings = happenings
        self._socket = WebSocket(url)
        self.other_user = ""
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, event: str, **values: Any) -> None:
        self._socket.send(json.dumps({"event": event, "data": values}))

    def signal(self, signal: JSON | None) -> None:
        self.send("webrtc_signal", targetUserId=self.other_user, signal=signal)

    def _read(self) -> None:
        for text in self._socket.texts():
            frame = json.loads(text)
            self._happenings.put(frame["event"], frame["data"])
        self._happenings.put("relay closed")
