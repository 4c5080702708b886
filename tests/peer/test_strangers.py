"""Somebody who names a session before its evaluator does, at a relay that was started anew."""

import json

from trio.testing import MockClock

from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState
from imgsync.testing import MemoryNetwork, MemoryRelay, MemorySocket
from tests.kit.descriptions import CHROMIUM
from tests.kit.relays import event, register
from tests.peer.test_repair import open_scene
from tests.peer.test_sessions import image


class BelievingRelay(MemoryRelay):
    """It is told by a stranger of a session, just before the evaluator can tell of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stranger: MemorySocket | None = None
        #: What the stranger says, time and again.
        self.words: list[str] = []

    def receive(self, socket: MemorySocket, text: str) -> None:
        is_question = socket is not self.stranger and json.loads(text)["event"] == "start_session"
        if is_question and self.stranger is not None and self.words:
            super().receive(self.stranger, self.words.pop())
        super().receive(socket, text)


async def test_a_session_goes_on_and_comes_back_whoever_names_it_first(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()
    relay = network.relay = BelievingRelay()
    async with open_scene(network) as scene:
        relay.go_down()
        await scene.session.show(image(1))
        relay.come_back()
        relay.stranger = relay.connect()
        relay.stranger.post(register("mallory", "evaluator"))
        # More often than the client may not be there yet.
        start = event("start_session", clientId="c", sessionId=scene.session.id)
        relay.words = [start] * 4
        heard: list[str] = []
        while heard.count("peer_gone") < 2:
            message = json.loads(await relay.stranger.receive())
            heard.append(message["data"].get("reason", message["event"]))
        relay.words.clear()
        assert heard.count("session_started") == 2
        assert scene.session.state is SessionState.CONNECTED
        await scene.session.show(image(2))
        scene.network.links[-1].break_off()
        await scene.wait_state(SessionState.RESUMED)
        await scene.session.show(image(3))
        session_id = scene.session.id
    assert scene.seen == [0, 1, 2, 3]
    assert [session.id for session in scene.follower.sessions] == [session_id]
    assert scene.follower.ends == [EndReason.ENDED]


async def test_what_the_stranger_says_in_it_reaches_nobody(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    relay = network.relay = BelievingRelay()
    async with open_scene(network) as scene:
        relay.go_down()
        relay.come_back()
        relay.stranger = relay.connect()
        relay.stranger.post(register("mallory", "evaluator"))
        about = {"sessionId": scene.session.id}
        start = event("start_session", clientId="c", **about)
        signal = {"type": "offer", "sdp": CHROMIUM}
        offer = event("webrtc_signal", targetUserId="c", signal=signal, **about)
        end = event("end_session", reason="negotiation_failed", **about)
        relay.words = [start] * 4
        while json.loads(await relay.stranger.receive())["event"] != "session_started":
            pass
        for words in (offer, end):
            relay.stranger.post(words)
        relay.words.clear()
        await scene.session.show(image(1))
        assert scene.session.state is SessionState.CONNECTED
    assert scene.seen == [0, 1]
    assert scene.follower.ends == [EndReason.ENDED]
