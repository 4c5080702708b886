"""Sessions that outlive a socket, and the relay: by real sockets, with real timers."""

import pytest
import trio

from imgsync.relay import delivery
from imgsync.relay.settings import Settings
from tests.kit.relays import AT_ONCE, Peer, event, open_peer, open_running_relay, register
from tests.net.test_frames import TEXT, RawPeer, frame, open_raw


async def start(evaluator: Peer, client: Peer, **more: object) -> str:
    """A session between the two; returns its id."""
    evaluator.post("start_session", clientId="c", **more)
    session_id: str = (await client.wait_for("session_started"))["sessionId"]
    assert (await evaluator.wait_for("session_started"))["sessionId"] == session_id
    return session_id


async def exchange(one: Peer, of: str, other: Peer, to: str, session_id: str) -> None:
    """A signal each way, in this session."""
    for sender, receiver, target, said in ((one, other, to, of), (other, one, of, to)):
        sender.post("webrtc_signal", targetUserId=target, signal=[said])
        content = await receiver.wait_for("webrtc_signal")
        assert content == {"fromUserId": said, "signal": [said], "sessionId": session_id}


async def register_raw(raw: RawPeer, user: str, role: str) -> None:
    await raw.upgrade()
    await raw.send(frame(TEXT, register(user, role).encode()))
    await raw.read_frame()


async def test_a_client_whose_socket_is_killed_has_its_session_back_when_it_registers() -> None:
    async with open_running_relay() as port, open_peer(port, "e", "evaluator") as evaluator:
        async with open_raw(port) as raw:
            await register_raw(raw, "c", "client")
            await evaluator.wait_for("presence")
            evaluator.post("start_session", clientId="c")
            session_id = (await evaluator.wait_for("session_started"))["sessionId"]
            raw.reset()
        about = {"sessionId": session_id, "userId": "c"}
        assert await evaluator.wait_for("peer_away") == about
        async with open_peer(port, "c") as client:
            assert await client.next("session_started") == {
                "sessionId": session_id,
                "evaluatorId": "e",
                "evaluatorName": "e",
                "resumed": True,
            }
            assert await evaluator.wait_for("peer_back") == about
            await exchange(evaluator, "e", client, "c", session_id)


async def test_an_evaluator_whose_socket_is_killed_has_its_sessions_back() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "c") as client,
        open_peer(port, "d") as other_client,
    ):
        async with open_raw(port) as raw:
            await register_raw(raw, "e", "evaluator")
            started = []
            for user, peer in (("c", client), ("d", other_client)):
                await raw.send(frame(TEXT, event("start_session", clientId=user).encode()))
                started.append((await peer.next("session_started"))["sessionId"])
            raw.reset()
        for peer in (client, other_client):
            assert (await peer.next("peer_away"))["userId"] == "e"
        async with open_peer(port, "e", "evaluator") as evaluator:
            for user, session_id in zip("cd", started, strict=True):
                assert await evaluator.next("session_started") == {
                    "sessionId": session_id,
                    "clientId": user,
                    "resumed": True,
                }
            for peer in (client, other_client):
                assert (await peer.next("peer_back"))["userId"] == "e"
            await exchange(evaluator, "e", client, "c", started[0])


async def test_who_does_not_come_back_in_time_is_given_up() -> None:
    settings = Settings(grace=0.2)
    async with open_running_relay(settings) as port, open_peer(port, "c") as client:
        async with open_peer(port, "e", "evaluator") as evaluator:
            session_id = await start(evaluator, client)
        about = {"sessionId": session_id, "userId": "e"}
        assert await client.next("peer_away") == about
        with trio.fail_after(AT_ONCE):
            ended = await client.next("session_ended")
        assert ended == {"sessionId": session_id, "reason": "peer_gone", "byUserId": "e"}
        async with open_peer(port, "e", "evaluator") as evaluator:
            assert await evaluator.says_nothing_more()
            await start(evaluator, client)


async def test_who_has_come_back_is_not_given_up_later() -> None:
    settings = Settings(grace=1.0)
    async with open_running_relay(settings) as port, open_peer(port, "c") as client:
        async with open_peer(port, "e", "evaluator") as evaluator:
            session_id = await start(evaluator, client)
        async with open_peer(port, "d") as timer, open_peer(port, "e", "evaluator") as evaluator:
            # Another session whose grace time begins after the first one's would have.
            evaluator.post("start_session", clientId="d")
            await timer.next("session_started")
            await timer.socket.flush_and_close()
            assert (await evaluator.wait_for("session_ended"))["reason"] == "peer_gone"
            await exchange(evaluator, "e", client, "c", session_id)


async def test_a_signal_to_who_is_away_is_refused_and_not_lost_in_silence() -> None:
    async with open_running_relay() as port, open_peer(port, "e", "evaluator") as evaluator:
        async with open_peer(port, "c") as client:
            session_id = await start(evaluator, client)
        await evaluator.wait_for("peer_away")
        evaluator.post("webrtc_signal", targetUserId="c", signal=1)
        error = await evaluator.wait_for("error")
        assert (error["code"], error["event"]) == ("no_session", "webrtc_signal")
        assert "peer_back" in error["message"]
        async with open_peer(port, "c") as client:
            await client.next("session_started")
            await exchange(evaluator, "e", client, "c", session_id)


async def test_a_session_is_taken_up_again_at_a_relay_that_has_never_heard_of_it() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "c") as client,
        open_peer(port, "e", "evaluator") as evaluator,
    ):
        evaluator.post("start_session", clientId="c", sessionId="from-before")
        to_client = await client.next("session_started")
        assert (to_client["sessionId"], to_client["resumed"]) == ("from-before", True)
        to_evaluator = await evaluator.next("session_started")
        assert (to_evaluator["sessionId"], to_evaluator["resumed"]) == ("from-before", True)
        await exchange(evaluator, "e", client, "c", "from-before")


@pytest.mark.parametrize("role", ["client", "evaluator"])
async def test_a_connection_that_died_without_a_word_gives_way_to_a_new_one(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ALIVE_DEADLINE", 0.2)
    user, other_user = ("c", "e") if role == "client" else ("e", "c")
    other_role = "evaluator" if role == "client" else "client"
    async with (
        open_running_relay() as port,
        open_peer(port, other_user, other_role) as other,
        open_raw(port) as dead,
    ):
        await register_raw(dead, user, role)
        if role == "client":
            await other.wait_for("presence")
            other.post("start_session", clientId="c")
        else:
            await dead.send(frame(TEXT, event("start_session", clientId="c").encode()))
        session_id = (await other.wait_for("session_started"))["sessionId"]
        # From here on it reads and answers nothing, as behind a network that is gone.
        async with open_peer(port, user, role) as new:
            with trio.fail_after(AT_ONCE):
                started = await new.wait_for("session_started")
            assert (started["sessionId"], started["resumed"]) == (session_id, True)
            await exchange(new, user, other, other_user, session_id)


async def test_another_window_of_the_same_user_leaves_the_session_where_it_is() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "e", "evaluator") as evaluator,
        open_peer(port, "c") as client,
    ):
        session_id = await start(evaluator, client)
        async with open_peer(port, "c") as window:
            # The client's pong, to the relay's question whether it lives, goes before its signal.
            await exchange(evaluator, "e", client, "c", session_id)
            await client.socket.flush_and_close()
            await evaluator.wait_for("peer_away")
            told = await window.next("session_ended")
            assert (told["sessionId"], told["reason"]) == (session_id, "claimed_elsewhere")
            assert await window.says_nothing_more()
            async with open_peer(port, "c") as back:
                assert (await back.next("session_started"))["resumed"] is True
                await exchange(evaluator, "e", back, "c", session_id)
