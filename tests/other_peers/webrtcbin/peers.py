"""The evaluator, the client, and what they share."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from tests.other_peers.webrtcbin.connection import LABEL, Connection
from tests.other_peers.webrtcbin.relay import JSON, Happenings, PeerError, Relay

IMAGE_BASE = "http://127.0.0.1:9/images"
"""A port where nobody listens: a client that fetches the image is told so at once."""
CLOSE_WITHIN = 3.0


def tell(stream: Any, value: JSON) -> None:
    print(json.dumps(value), file=stream, flush=True)


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
        self.connection = Connection(
            self.relay, self.happenings, self.ice_servers, tcp_alone=self.given.tcp_alone
        )
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
        elif kind not in ("stage", "display"):
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
