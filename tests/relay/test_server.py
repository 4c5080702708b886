"""The relay over real sockets: what it passes on, and what it says to bad frames."""

import json
from contextlib import AsyncExitStack

import attrs
import pytest
import trio

from imgsync.net.limits import NetLimits
from imgsync.relay.settings import Settings
from tests.kit.relays import AT_ONCE, Peer, event, open_peer, open_running_relay, register
from tests.net.test_frames import BINARY, TEXT, RawPeer, frame, open_raw

# ── passing on ───────────────────────────────────────────────────────────────────────────────────


async def test_a_session_is_started_signalled_and_ended() -> None:
    signal = '{"sdp":"v=0\\r\\n\\u00fc","type":"offer","n":1.50,"n":1E400}'
    async with (
        open_running_relay() as port,
        open_peer(port, "c") as client,
        open_peer(port) as evaluator,
    ):
        evaluator.socket.post(register("e", "evaluator", name="Eva"))
        registered = await evaluator.next("registered")
        assert registered["iceServers"] == [{"urls": "stun:stun.example"}]
        assert registered["clients"] == [{"userId": "c", "name": "c", "state": "available"}]

        evaluator.post("start_session", clientId="c")
        started = await client.next("session_started")
        assert (started["evaluatorId"], started["evaluatorName"]) == ("e", "Eva")
        told = await evaluator.next("session_started")
        assert (told["clientId"], told["sessionId"]) == ("c", started["sessionId"])
        assert (await evaluator.next("presence"))["state"] == "busy"

        evaluator.socket.post(
            f'{{"event":"webrtc_signal","data":{{"signal":{signal},"targetUserId":"c",'
            '"fromUserId":"somebody else"}}'
        )
        text = await client.socket.receive()
        assert isinstance(text, str)
        assert signal in text
        assert '"fromUserId":"e"' in text

        client.post("end_session", sessionId=started["sessionId"])
        for peer in (client, evaluator):
            ended = await peer.next("session_ended")
            assert (ended["reason"], ended["byUserId"]) == ("ended", "c")


@pytest.mark.parametrize("role", ["client", "evaluator"])
async def test_clients_alone_are_told_where_to_post_their_recordings(role: str) -> None:
    url = "https://lab.example/recordings"
    settings = Settings(recording_url=url)
    async with open_running_relay(settings) as port, open_peer(port) as peer:
        peer.socket.post(register("u", role))
        registered = await peer.next("registered")
    assert registered.get("recordingUrl") == (url if role == "client" else None)


async def test_the_loss_of_a_socket_is_told_to_the_others() -> None:
    settings = Settings(grace=0.1)
    async with open_running_relay(settings) as port, open_peer(port, "e", "evaluator") as evaluator:
        async with open_raw(port) as raw:
            await raw.upgrade()
            await raw.send(frame(TEXT, register("c", "client").encode()))
            assert (await evaluator.next("presence"))["state"] == "available"
            evaluator.post("start_session", clientId="c")
            await evaluator.wait_for("presence")
            raw.reset()
        assert (await evaluator.next("peer_away"))["userId"] == "c"
        assert (await evaluator.next("presence"))["state"] == "offline"
        assert (await evaluator.next("session_ended"))["reason"] == "peer_gone"


async def test_a_burst_of_ten_clients_at_once_does_not_close_their_evaluator() -> None:
    clients, signals = 10, 100

    async def trickle(raw: RawPeer) -> None:
        texts = [event("webrtc_signal", targetUserId="e", signal=n) for n in range(signals)]
        await raw.send(b"".join(frame(TEXT, text.encode()) for text in texts))

    async with (
        open_running_relay() as port,
        open_peer(port, "e", "evaluator") as evaluator,
        AsyncExitStack() as stack,
    ):
        raws = []
        for number in range(clients):
            raw = await stack.enter_async_context(open_raw(port))
            await raw.upgrade()
            await raw.send(frame(TEXT, register(f"c{number}", "client").encode()))
            await evaluator.wait_for("presence")
            evaluator.post("start_session", clientId=f"c{number}")
            await evaluator.wait_for("session_started")
            raws.append(raw)
        async with trio.open_nursery() as nursery:
            for raw in raws:
                nursery.start_soon(trickle, raw)
            seen: dict[str, list[int]] = {f"c{number}": [] for number in range(clients)}
            for _ in range(clients * signals):
                content = await evaluator.wait_for("webrtc_signal")
                seen[content["fromUserId"]].append(content["signal"])
        assert all(numbers == list(range(signals)) for numbers in seen.values())


async def test_a_signal_of_the_largest_size_reaches_the_other_peer() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "c") as client,
        open_peer(port, "e", "evaluator") as evaluator,
    ):
        evaluator.post("start_session", clientId="c")
        await client.next("session_started")
        room = 64 * 1024 - len(event("webrtc_signal", targetUserId="c", signal=""))
        evaluator.post("webrtc_signal", targetUserId="c", signal="x" * room)
        assert (await client.next("webrtc_signal"))["signal"] == "x" * room


async def test_a_client_with_an_endless_name_does_not_close_an_evaluator() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "e", "evaluator") as evaluator,
        open_peer(port) as client,
    ):
        client.socket.post(
            f'{{"event":"register","data":{{"userId":"c","role":"client","package":"webrtc",'
            f'"name":"{"é" * 60_000}"}}}}'
        )
        await client.socket.receive()
        evaluator.post("end_session", sessionId="none")
        await evaluator.wait_for("error")


async def test_the_metrics_are_for_this_machine_alone() -> None:
    ask = b"GET /metrics HTTP/1.1\r\nHost: %b\r\n%bConnection: close\r\n\r\n"
    async with open_running_relay() as port:
        for host, more, status in (
            (b"localhost:%d" % port, b"", 200),
            (b"localhost", b"X-Forwarded-For: 192.0.2.1\r\n", 403),
            (b"evil.example", b"", 403),
        ):
            async with open_raw(port) as raw:
                await raw.send(ask % (host, more))
                assert await raw.read_status() == status


async def test_an_evaluator_is_told_of_all_clients_however_many_there_are() -> None:
    settings = Settings(net=NetLimits(outbox_size=2048))
    async with open_running_relay(settings) as port, AsyncExitStack() as stack:
        users = ["\N{GRINNING FACE}" * 90 + str(number) for number in range(10)]
        for user in users:
            await stack.enter_async_context(open_peer(port, user))
        async with open_peer(port) as evaluator:
            evaluator.socket.post(register("e", "evaluator"))
            clients = (await evaluator.next("registered"))["clients"]
            while len(clients) < len(users):  # the rest comes as it is read
                clients.append(await evaluator.next("presence"))
            assert [client["userId"] for client in clients] == users
            await evaluator.says_nothing_more()


# ── bad frames ───────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Bad:
    """A frame, and the code and event of its answer; None for an event that can't be read."""

    name: str
    text: str
    code: str
    event: str | None = None


UNREGISTERED = [
    Bad("not JSON", "hello", "bad_message"),
    Bad("nothing", "", "bad_message"),
    Bad("half an object", '{"event":', "bad_message"),
    Bad("a number", "1", "bad_message"),
    Bad("a list", "[]", "bad_message"),
    Bad("NaN", '{"event":NaN}', "bad_message"),
    Bad("deep nesting", "[" * 30_000, "bad_message"),
    Bad("an object", "{}", "bad_message"),
    Bad("an event that is no name", '{"event":1,"data":{}}', "bad_message"),
    Bad("an unknown event", event("dance"), "unknown_event", "dance"),
    Bad("no content", '{"event":"register"}', "bad_message", "register"),
    Bad("content that is a list", '{"event":"register","data":[]}', "bad_message", "register"),
    Bad("a missing field", event("register", userId="u", role="client"), "bad_message", "register"),
    Bad("an ill-typed field", register("u", "client", name=1), "bad_message", "register"),
    Bad("an unknown role", register("u", "owner"), "bad_message", "register"),
    Bad("an empty user id", register("", "client"), "bad_message", "register"),
    Bad("a long user id", register("u" * 129, "client"), "bad_message", "register"),
    Bad(
        "a start before registering",
        event("start_session", clientId="c"),
        "not_registered",
        "start_session",
    ),
    Bad(
        "a signal before registering",
        event("webrtc_signal", targetUserId="c", signal=1),
        "not_registered",
        "webrtc_signal",
    ),
    Bad(
        "an end before registering",
        event("end_session", sessionId="s"),
        "not_registered",
        "end_session",
    ),
]

REGISTERED = [
    Bad("a second register", register("c", "client"), "already_registered", "register"),
    Bad("a register as another", register("x", "evaluator"), "already_registered", "register"),
    Bad("a start by a client", event("start_session", clientId="c"), "forbidden", "start_session"),
    Bad(
        "a signal without a session",
        event("webrtc_signal", targetUserId="e", signal={}),
        "no_session",
        "webrtc_signal",
    ),
    Bad(
        "a signal without a signal",
        event("webrtc_signal", targetUserId="e"),
        "bad_message",
        "webrtc_signal",
    ),
    Bad("an end of nothing", event("end_session", sessionId="none"), "no_session", "end_session"),
    Bad("an unknown event", event("dance"), "unknown_event", "dance"),
    Bad("not JSON", "hello", "bad_message"),
]


async def check_refusal(peer: Peer, bad: Bad) -> None:
    peer.socket.post(bad.text)
    error = await peer.next("error")
    assert error["code"] == bad.code
    assert error["message"].endswith(".")
    assert error.get("event") == bad.event


@pytest.mark.parametrize("bad", UNREGISTERED, ids=lambda bad: bad.name)
async def test_a_bad_frame_before_register_is_answered_and_the_socket_goes_on(bad: Bad) -> None:
    async with open_running_relay() as port, open_peer(port) as peer:
        await check_refusal(peer, bad)
        peer.socket.post(register("u", "client"))
        assert (await peer.next("registered"))["userId"] == "u"


async def test_bad_frames_after_register_are_answered_and_the_socket_goes_on() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "e", "evaluator") as evaluator,
        open_peer(port, "c") as client,
    ):
        for bad in REGISTERED:
            await check_refusal(client, bad)
        evaluator.post("start_session", clientId="c")
        await client.next("session_started")


async def test_a_binary_frame_is_answered_and_the_socket_goes_on() -> None:
    async with open_running_relay() as port, open_raw(port) as raw:
        await raw.upgrade()
        for opcode, payload in [(BINARY, b"\x00\xff"), (BINARY, register("u", "client").encode())]:
            await raw.send(frame(opcode, payload))
            found = await raw.read_frame()
            assert found is not None
            assert json.loads(found[1])["data"]["code"] == "bad_message"
        await raw.send(frame(TEXT, register("u", "client").encode()))
        found = await raw.read_frame()
        assert found is not None
        assert json.loads(found[1])["event"] == "registered"


async def test_an_evaluator_is_told_who_is_not_there_and_who_is_busy() -> None:
    async with (
        open_running_relay() as port,
        open_peer(port, "c"),
        open_peer(port, "e1", "evaluator") as first,
        open_peer(port, "e2", "evaluator") as second,
    ):
        first.post("start_session", clientId="nobody")
        assert (await first.next("error"))["code"] == "unknown_client"
        first.post("start_session", clientId="c")
        await first.next("session_started")
        await second.next("presence")
        second.post("start_session", clientId="c")
        assert (await second.next("error"))["code"] == "client_busy"


async def test_a_message_over_the_limit_closes_its_socket_with_1009() -> None:
    async with open_running_relay() as port, open_peer(port, "c") as other, open_peer(port) as peer:
        peer.socket.post("x" * (64 * 1024 + 1))
        assert (await peer.wait_close()).code == 1009
        other.post("dance")
        await other.next("error")


# ── registering in time ──────────────────────────────────────────────────────────────────────────


async def test_a_socket_that_does_not_register_is_closed_with_4008() -> None:
    async with open_running_relay(Settings(register_deadline=0.1)) as port, open_raw(port) as raw:
        await raw.upgrade()
        with trio.fail_after(AT_ONCE):
            assert await raw.read_close_code() == 4008


async def test_bad_frames_do_not_put_off_the_end() -> None:
    async def chatter(peer: Peer) -> None:
        while True:
            peer.post("dance")
            await trio.sleep(0.02)

    async with (
        open_running_relay(Settings(register_deadline=0.2)) as port,
        open_peer(port) as peer,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(chatter, peer)
        with trio.fail_after(AT_ONCE):
            assert (await peer.wait_close()).code == 4008
        nursery.cancel_scope.cancel()


async def test_a_socket_that_has_registered_stays() -> None:
    async with (
        open_running_relay(Settings(register_deadline=0.2)) as port,
        open_peer(port, "c") as registered,
        open_peer(port) as other,
    ):
        with trio.fail_after(AT_ONCE):
            assert (await other.wait_close()).code == 4008
        registered.post("dance")
        await registered.next("error")
