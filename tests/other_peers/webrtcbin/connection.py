"""One webrtcbin: its descriptions, its candidates and its channel."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import gi

from tests.other_peers.webrtcbin.relay import JSON, Happenings, PeerError, Relay

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402 (the versions come first)

Gst.init(None)

LABEL = "image-sync"


class Connection:
    """One webrtcbin, its descriptions and candidates: in either role."""

    def __init__(
        self, relay: Relay, happenings: Happenings, ice_servers: list[JSON], *, tcp_alone: bool
    ) -> None:
        #: Whether the other side is to come to us, by TCP.
        self._tcp_alone = tcp_alone
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
        if self._tcp_alone:
            return
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
        if self._tcp_alone and " UDP " in candidate:
            return
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
