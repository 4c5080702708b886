"""Run one foreign peer on GStreamer's webrtcbin, with the Python that has `gi`:

    /usr/bin/python3 tests/other_peers/webrtcbin.py evaluator|client --relay URL --user ID
        [--client ID] [--images N] [--deadline SECONDS]

On stdout stands one JSON line once the relay has registered the peer, and one with the result; the
steps go to stderr. Exit 0 with a complete result, 1 with the reason on stderr, 2 for usage.

Everything that happens, on GStreamer's threads or on the socket's, goes into one queue, and one
loop reads it. Nothing is imported but GStreamer and the standard library, so that the system's
Python runs it. It speaks no extension of the protocol.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402 (the versions come first)

JSON = dict[str, Any]

LABEL = "image-sync"
IMAGE_BASE = "http://127.0.0.1:9/images"
"""A port where nobody listens: a client that fetches the image is told so at once."""
CLOSE_WITHIN = 3.0


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


class Connection:
    """One webrtcbin, its descriptions and candidates: in either role."""

    def __init__(self, relay: Relay, happenings: Happenings, ice_servers: list[JSON]) -> None:
        self.local_candidates: list[str] = []
        self.remote_candidates = 0
        self.remote_ends = 0
        self._relay = relay
        self._happenings = happenings
        self._early: list[JSON] | None = []
        self._pipeline = Gst.Pipeline.new("peer")
        self._bin = Gst.ElementFactory.make("webrtcbin", None)
        if self._bin is None:
            raise PeerError("GStreamer has no webrtcbin")
        self._bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._use(ice_servers)
        self._pipeline.add(self._bin)
        self._bin.connect("on-ice-candidate", self._tell_candidate)
        self._bin.connect("notify::ice-gathering-state", self._tell_end)
        self._bin.connect("notify::connection-state", self._look)
        self._bin.connect("on-data-channel", lambda _bin, channel: self._adopt(channel))
        self._pipeline.set_state(Gst.State.PLAYING)

    def create_channel(self) -> Any:
        channel = self._bin.emit("create-data-channel", LABEL, None)
        self._listen(channel)
        return channel

    def offer(self) -> None:
        self._bin.emit("create-offer", None, self._when_made("offer"))

    def apply(self, description: JSON) -> None:
        """Set the other side's description, then the candidates that waited; answer an offer."""
        kind = description["type"]
        result, message = GstSdp.SDPMessage.new_from_text(description["sdp"])
        if result != GstSdp.SDPResult.OK:
            raise PeerError(f"the {kind} can't be read")
        types = {"offer": GstWebRTC.WebRTCSDPType.OFFER, "answer": GstWebRTC.WebRTCSDPType.ANSWER}
        session = GstWebRTC.WebRTCSessionDescription.new(types[kind], message)
        promise = Gst.Promise.new()
        self._bin.emit("set-remote-description", session, promise)
        self._finish(promise)
        early, self._early = self._early or [], None
        for candidate in early:
            self._add(candidate)
        if kind == "offer":
            self._bin.emit("create-answer", None, self._when_made("answer"))

    def take_candidate(self, candidate: JSON | None) -> None:
        if not candidate or not candidate["candidate"]:
            self.remote_ends += 1
            return
        self.remote_candidates += 1
        if self._early is None:
            self._add(candidate)
        else:
            self._early.append(candidate)

    def close(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)

    def report(self) -> JSON:
        return {
            "localCandidates": self.local_candidates,
            "remoteCandidates": self.remote_candidates,
            "remoteEnds": self.remote_ends,
            "complaints": self._happenings.complaints,
        }

    def _use(self, ice_servers: list[JSON]) -> None:
        for server in ice_servers:
            urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
            for url in urls:
                scheme, _, place = url.partition(":")
                if scheme == "stun":
                    self._bin.set_property("stun-server", f"stun://{place}")
                elif scheme in ("turn", "turns"):
                    words = [
                        quote(server.get(key, ""), safe="") for key in ("username", "credential")
                    ]
                    self._bin.emit("add-turn-server", f"{scheme}://{':'.join(words)}@{place}")

    def _add(self, candidate: JSON) -> None:
        self._bin.emit("add-ice-candidate", candidate["sdpMLineIndex"], candidate["candidate"])

    def _when_made(self, kind: str) -> Any:
        # What the promise holds lives as long as that: a Python reference alone does not keep it.
        return Gst.Promise.new_with_change_func(
            lambda made: self._happenings.put("made", (kind, made))
        )

    def set_local(self, kind: str, made: Any) -> None:
        """Set what was made, and send it; webrtcbin gathers from then on."""
        reply = made.get_reply()
        description = reply.get_value(kind)
        promise = Gst.Promise.new()
        self._bin.emit("set-local-description", description, promise)
        self._finish(promise)
        self._relay.signal({"type": kind, "sdp": description.sdp.as_text()})

    @staticmethod
    def _finish(promise: Any) -> None:
        promise.wait()
        reply = promise.get_reply()
        error = reply.get_value("error") if reply is not None and reply.has_field("error") else None
        if error is not None:
            raise PeerError(str(error.message))

    def _tell_candidate(self, _bin: Any, index: int, candidate: str) -> None:
        # The line alone, without a mid or a fragment: all that webrtcbin says of it.
        self._happenings.put("candidate", {"candidate": candidate, "sdpMLineIndex": index})

    def send_candidate(self, candidate: JSON) -> None:
        self.local_candidates.append(candidate["candidate"])
        self._relay.signal(candidate)

    def _tell_end(self, *_: Any) -> None:
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self._bin.get_property("ice-gathering-state") == complete:
            self._happenings.put("gathered")

    def _look(self, *_: Any) -> None:
        failed = GstWebRTC.WebRTCPeerConnectionState.FAILED
        if self._bin.get_property("connection-state") == failed:
            self._happenings.put("failed")

    def _adopt(self, channel: Any) -> None:
        self._listen(channel)
        self._happenings.put("channel", channel)

    def _listen(self, channel: Any) -> None:
        put = self._happenings.put
        channel.connect("on-message-string", lambda _channel, text: put("message", text))
        channel.connect("on-close", lambda _channel: put("channel closed"))
        channel.connect("on-open", lambda _channel: put("open"))
        if channel.get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            put("open")


class Peer:
    """What both roles share: up to the open channel, and its end."""

    role: str

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.happenings = Happenings(given.deadline)
        self.relay = Relay(given.relay, self.happenings)
        self.session: JSON = {}
        self.connection: Connection | None = None
        self.channel: Any = None
        self.is_open = False

    def run(self) -> JSON:
        self.relay.send("register", userId=self.given.user, role=self.role, package="webrtc")
        self.on_registered(self.wait("registered"))
        self.session = self.wait("session_started")
        key = "clientId" if self.role == "evaluator" else "evaluatorId"
        self.relay.other_user = self.session[key]
        try:
            result = self.have_session()
        finally:
            if self.connection is not None:
                self.connection.close()
        assert self.connection is not None
        return {"event": "result", "role": self.role, **result, **self.connection.report()}

    def on_registered(self, registered: JSON) -> None:
        self.ice_servers = registered.get("iceServers", [{"urls": "stun:stun.l.google.com:19302"}])
        tell(sys.stdout, {"event": "registered", "userId": self.given.user})

    def have_session(self) -> JSON:
        raise NotImplementedError

    def receive(self, message: JSON) -> None:
        raise NotImplementedError

    def connect(self) -> Connection:
        self.connection = Connection(self.relay, self.happenings, self.ice_servers)
        return self.connection

    def wait(self, *names: str) -> Any:
        """Take what happens, until one of these does; its value."""
        while True:
            name, value = self.happenings.wait(" or ".join(names))
            if name == "error":
                raise PeerError(f"the relay answered {value}, while waiting for {names}")
            if name in names:
                return value
            self.take(name, value)

    def take(self, name: str, value: Any) -> None:
        if name == "webrtc_signal":
            self.take_signal(value["signal"])
        elif name == "made":
            assert self.connection is not None
            self.connection.set_local(*value)
        elif name == "candidate":
            assert self.connection is not None
            self.connection.send_candidate(value)
        elif name == "gathered":
            self.relay.signal(None)
        elif name == "message":
            self.receive(json.loads(value))
        elif name == "open":
            self.is_open = True
        elif name in ("failed", "relay closed", "channel closed", "session_ended"):
            raise PeerError(f"{name}: {value}")

    def take_signal(self, signal: JSON | None) -> None:
        if self.connection is None:
            self.connect()
        assert self.connection is not None
        if signal is not None and "type" in signal:
            self.connection.apply(signal)
        else:
            self.connection.take_candidate(signal)

    def send(self, message: JSON) -> None:
        self.channel.emit("send-string", json.dumps(message))


class Evaluator(Peer):
    """Shows all images, each after the ack of the one before, and ends the session."""

    role = "evaluator"

    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__(given)
        self.acks: list[JSON] = []
        self.current: JSON | None = None
        self.began = self.shown_at = 0.0
        self.first_ack_ms = 0.0
        self.extra_acks = self.readies = 0

    def on_registered(self, registered: JSON) -> None:
        super().on_registered(registered)
        self.began = time.monotonic()
        self.relay.send("start_session", clientId=self.given.client)

    def have_session(self) -> JSON:
        connection = self.connect()
        self.channel = connection.create_channel()
        connection.offer()
        self.wait("open")
        for index in range(self.given.images):
            self.show(index)
            while len(self.acks) <= index:
                self.take(*self.happenings.wait(f"the ack of image {index}"))
        closed = self.close()
        self.relay.send("end_session", sessionId=self.session["sessionId"])
        name, value = self.happenings.wait("`session_ended`")
        while name != "session_ended":
            name, value = self.happenings.wait("`session_ended`")
        return {
            "sessionId": self.session["sessionId"],
            "acks": self.acks,
            "extraAcks": self.extra_acks,
            "readies": self.readies,
            "firstAckMs": self.first_ack_ms,
            "channelClosed": closed,
            "endReason": value["reason"],
        }

    def show(self, index: int) -> None:
        tell(sys.stderr, {"event": "show", "imageIndex": index})
        url = f"{IMAGE_BASE}/{index}.png"
        image = {"imageIndex": index, "imageUrl": url, "signedUrl": f"{url}?signature=none"}
        self.current = image | {"sentAt": time.time() * 1000}
        self.shown_at = time.monotonic()
        self.send(self.current)

    def close(self) -> bool:
        """Whether the other side closed its half in time."""
        self.channel.emit("close")
        name = ""
        while name not in ("channel closed", "timeout"):
            name, _ = self.happenings.wait("the channel's close", CLOSE_WITHIN)
        return name == "channel closed"

    def receive(self, message: JSON) -> None:
        kind = message.get("type")
        if kind == "ready":
            self.readies += 1
            if self.current is not None:
                self.send(self.current)
        elif kind == "ack":
            self.receive_ack(message)
        elif kind != "stage":
            self.happenings.complaints.append(f"the client sent {message} unasked")

    def receive_ack(self, message: JSON) -> None:
        assert self.current is not None
        if any(ack["sentAt"] == message["sentAt"] for ack in self.acks):
            self.extra_acks += 1
            return
        if message["sentAt"] != self.current["sentAt"]:
            raise PeerError(f"an ack says sentAt {message['sentAt']}, which no image had")
        now = time.monotonic()
        if not self.acks:
            self.first_ack_ms = (now - self.began) * 1000
        self.acks.append(
            {
                "imageIndex": self.current["imageIndex"],
                "sentAt": message["sentAt"],
                "receivedAt": message["receivedAt"],
                "roundTripMs": (now - self.shown_at) * 1000,
            }
        )


class Client(Peer):
    """Follows one session: acks every copy of an image, and keeps the distinct showings."""

    role = "client"

    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__(given)
        self.showings: dict[float, JSON] = {}
        self.copies = 0

    def have_session(self) -> JSON:
        self.channel = self.wait("channel")
        label, ordered = (self.channel.get_property(name) for name in ("label", "ordered"))
        if label != LABEL or not ordered:
            self.happenings.complaints.append(f"the channel is {label}, ordered: {ordered}")
        if not self.is_open:
            self.wait("open")
        self.send({"type": "ready"})
        return {
            "sessionId": self.session["sessionId"],
            "evaluatorId": self.session["evaluatorId"],
            "endedBy": self.wait_end(),
            "showings": list(self.showings.values()),
            "copies": self.copies,
        }

    def wait_end(self) -> str:
        while True:
            name, value = self.happenings.wait("the end of the session")
            if name == "channel closed":
                return "the channel closed"
            if name == "session_ended" and value["reason"] != "peer_gone":
                return f"session_ended, {value['reason']}"
            if name != "session_ended":
                self.take(name, value)

    def receive(self, message: JSON) -> None:
        received_at = time.time() * 1000
        if "type" in message or "imageIndex" not in message:
            # Without `features` in our ready, the evaluator is to use no extension.
            self.happenings.complaints.append(f"the evaluator sent {message} unasked")
            return
        self.copies += 1
        shown = self.showings.setdefault(message["sentAt"], message | {"receivedAt": received_at})
        if any(shown[name] != value for name, value in message.items()):
            self.happenings.complaints.append(f"a resend of image {shown['imageIndex']} changed it")
        self.send({"type": "ack", "sentAt": message["sentAt"], "receivedAt": received_at})


def tell(stream: Any, value: JSON) -> None:
    print(json.dumps(value), file=stream, flush=True)


def leave(code: int) -> NoReturn:
    """Without what GStreamer's threads still have to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("evaluator", "client"))
    parser.add_argument("--relay", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--client")
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--deadline", type=float, default=30.0)
    given = parser.parse_args()
    Gst.init(None)
    try:
        result = {"evaluator": Evaluator, "client": Client}[given.role](given).run()
    except (PeerError, OSError) as exc:
        print(f"{given.role}: {exc}", file=sys.stderr)
        leave(1)
    tell(sys.stdout, result)
    leave(0)


if __name__ == "__main__":
    main()
