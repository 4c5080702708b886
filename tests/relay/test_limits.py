"""Each limit of the relay, exceeded through a real socket: what who exceeds it is told, that it is
counted, and that nobody else notices.
"""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from imgsync.net import websocket
from imgsync.net.limits import NetLimits
from imgsync.relay.settings import Settings
from tests.kit.relays import AT_ONCE, WITHIN, Peer, event, open_peer, open_running_relay, register
from tests.net.test_frames import CLOSE, TEXT, RawPeer, frame, open_raw, upgrade_head

BIG = "x" * 60_000

TO_FILL_A_KERNEL = 60
"""Signals of this size are more than kernels take for a peer that does not read."""

NEVER = 1e-4
"""A rate at which nothing comes back within a test; of anything, one is let through."""

Figures = dict[tuple[str, ...], float]


async def get(port: int, path: str) -> tuple[int | None, bytes]:
    """Status and body."""
    async with open_raw(port) as raw:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        await raw.send(head.encode())
        return await raw.read_status(), await raw.read_rest()


async def scrape(port: int) -> Figures:
    """What /metrics says, by name and values of labels, without the names' common beginning."""
    status, body = await get(port, "/metrics")
    assert status == 200
    return {
        (sample.name.removeprefix("imgsync_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


@attrs.frozen
class Pair:
    """A session whose sides notice whatever happens to it."""

    evaluator: Peer
    client: Peer

    async def is_undisturbed(self) -> bool:
        """Whether the session works both ways, and neither side was told more than presence."""
        ways = ((self.evaluator, self.client, "carl"), (self.client, self.evaluator, "ann"))
        for sender, receiver, target in ways:
            sender.post("webrtc_signal", targetUserId=target, signal=[target])
            with trio.fail_after(AT_ONCE):
                message = json.loads(await receiver.socket.receive())
                while message["event"] == "presence":
                    message = json.loads(await receiver.socket.receive())
            assert (message["event"], message["data"].get("signal")) == ("webrtc_signal", [target])
        return True


async def pair_up(evaluator: Peer, client: Peer) -> Pair:
    """Start a session between ann and carl."""
    evaluator.post("start_session", clientId="carl")
    await client.next("session_started")
    await evaluator.wait_for("session_started")
    await evaluator.next("presence")
    return Pair(evaluator, client)


@asynccontextmanager
async def open_pair(port: int) -> AsyncIterator[Pair]:
    async with open_peer(port, "carl") as client, open_peer(port, "ann", "evaluator") as ann:
        yield await pair_up(ann, client)


# ── how many ─────────────────────────────────────────────────────────────────────────────────────


async def test_one_more_than_there_is_room_for_is_closed_with_1013_until_one_leaves() -> None:
    settings = Settings(max_connections=2)
    async with open_running_relay(settings) as port, open_peer(port, "e", "evaluator") as watcher:
        async with open_peer(port, "c"):
            for _ in range(2):
                async with open_peer(port) as late:
                    assert (await late.wait_close()).code == 1013
            assert (await scrape(port))["connects_refused_total", "full"] == 2
        while (await watcher.wait_for("presence"))["state"] != "offline":
            pass
        async with open_peer(port, "c"):
            assert (await watcher.next("presence"))["state"] == "available"


async def test_one_socket_of_a_user_too_many_is_closed_with_4029_and_his_others_stay() -> None:
    settings = Settings(max_sockets_per_user=2)
    async with (
        open_running_relay(settings) as port,
        open_pair(port) as pair,
        open_peer(port, "ann", "evaluator") as other,
        # As a client she is somebody else.
        open_peer(port, "ann"),
    ):
        assert (await pair.evaluator.next("presence"))["userId"] == "ann"
        # Once the first window has shown that it is alive, this one is told who has the session.
        told = {json.loads(await other.socket.receive())["event"] for _ in range(2)}
        assert told == {"presence", "session_ended"}
        async with open_peer(port) as third:
            third.socket.post(register("ann", "evaluator"))
            error = await third.next("error")
            assert (error["code"], error["event"]) == ("rate_limited", "register")
            assert (await third.wait_close()).code == 4029
        assert await other.says_nothing_more()
        assert await pair.is_undisturbed()
        assert (await scrape(port))["drops_total", "rate_limited"] == 1


async def test_a_user_with_too_many_sockets_may_come_again_when_one_has_gone() -> None:
    settings = Settings(max_sockets_per_user=1)
    async with open_running_relay(settings) as port, open_peer(port, "e", "evaluator") as watcher:
        for _ in range(2):
            async with open_peer(port, "c"):
                assert (await watcher.next("presence"))["state"] == "available"
            assert (await watcher.next("presence"))["state"] == "offline"


# ── how often somebody connects ──────────────────────────────────────────────────────────────────


async def connect(
    port: int, *, address: str = "127.0.0.1", forwarded_for: bytes | None = None
) -> int | None:
    """The close code with which a WebSocket from this address is met; None if it is let in."""
    stream = await trio.open_tcp_stream("127.0.0.1", port, local_address=address)
    async with stream:
        raw = RawPeer(stream)
        await raw.send(upgrade_head(X_Forwarded_For=forwarded_for))
        assert await raw.read_status() == 101
        await raw.send(frame(TEXT, event("dance").encode()))
        found = await raw.read_frame()
        assert found is not None
        opcode, payload = found
        if opcode == CLOSE:
            return int.from_bytes(payload[:2])
        assert json.loads(payload)["data"]["code"] == "unknown_event"
        return None


async def test_who_connects_too_often_is_closed_with_4029_and_other_addresses_are_not() -> None:
    async with open_running_relay(Settings(connect_rate=0.1)) as port:
        assert [await connect(port) for _ in range(4)] == [None, None, 4029, 4029]
        assert [await connect(port, address="127.0.0.2") for _ in range(2)] == [None, None]
        assert await connect(port) == 4029
        # Who only asks over HTTP is not counted.
        assert (await get(port, "/health"))[0] == 200
        assert (await scrape(port))["connects_refused_total", "address_rate"] == 3


async def test_who_connects_too_often_may_come_again_later() -> None:
    async with open_running_relay(Settings(connect_rate=2.0)) as port:
        while await connect(port) is None:
            pass
        while await connect(port) == 4029:
            pass


async def test_no_word_for_an_address_is_believed_of_who_is_no_proxy() -> None:
    async with open_running_relay(Settings(connect_rate=NEVER)) as port:
        assert await connect(port, forwarded_for=b"192.0.2.1") is None
        assert await connect(port, forwarded_for=b"192.0.2.2") == 4029


async def test_a_proxys_word_for_an_address_is_believed_as_far_as_it_is_its_own() -> None:
    settings = Settings(connect_rate=NEVER, proxies=["127.0.0.1"])
    async with open_running_relay(settings) as port:
        assert await connect(port, forwarded_for=b"192.0.2.1") is None
        assert await connect(port, forwarded_for=b"192.0.2.1") == 4029
        assert await connect(port, forwarded_for=b"192.0.2.2") is None
        # What stands before it, the client has said of itself.
        assert await connect(port, forwarded_for=b"192.0.2.3, 192.0.2.1") == 4029
        assert await connect(port, address="127.0.0.2", forwarded_for=b"192.0.2.1") is None
        assert await connect(port, address="127.0.0.2", forwarded_for=b"192.0.2.4") == 4029


# ── how often somebody speaks ────────────────────────────────────────────────────────────────────


async def test_a_message_too_many_is_refused_and_later_ones_pass_again() -> None:
    async with open_running_relay(Settings(rate_limit=2.0)) as port, open_pair(port) as pair:
        numbers = itertools.count()
        for number in itertools.islice(numbers, 60):
            pair.client.post("webrtc_signal", targetUserId="ann", signal=number)
        passed: list[int] = []
        while not passed or passed[-1] < 60:
            pair.client.post("webrtc_signal", targetUserId="ann", signal=next(numbers))
            with trio.move_on_after(0.2):
                while True:
                    passed.append((await pair.evaluator.next("webrtc_signal"))["signal"])
        # A register was the first of those that may come at once.
        assert passed[:39] == list(range(39))
        assert passed == sorted(passed)
        for _ in range(next(numbers) - len(passed)):
            assert (await pair.client.next("error"))["code"] == "rate_limited"


async def test_who_goes_on_is_closed_with_4029_and_the_others_notice_nothing() -> None:
    texts = [register("mallory", "evaluator"), *[event("dance")] * 200]
    flood = b"".join(frame(TEXT, text.encode()) for text in texts)
    async with (
        open_running_relay(Settings(rate_limit=1.0)) as port,
        open_pair(port) as pair,
        open_raw(port) as raw,
    ):
        await raw.upgrade()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(raw.send, flood)
            answers = await read_until_close(raw)
        assert answers[0] == "registered"
        assert answers[1:20] == ["unknown_event"] * 19
        assert answers.count("rate_limited") >= 20
        assert answers[-1] == 4029
        assert await pair.is_undisturbed()
        assert (await scrape(port))["drops_total", "rate_limited"] == 1


async def read_until_close(raw: RawPeer) -> list[str | int]:
    """Events, of an error its code, and the close code in the end."""
    answers: list[str | int] = []
    while (found := await raw.read_frame()) is not None:
        opcode, payload = found
        if opcode == CLOSE:
            return [*answers, int.from_bytes(payload[:2])]
        message = json.loads(payload)
        answers.append(message["data"].get("code", message["event"]))
    return answers


async def test_without_limits_nobody_is_refused() -> None:
    settings = Settings(rate_limit=0.0, connect_rate=0.0)
    async with open_running_relay(settings) as port, open_pair(port) as pair:
        for _ in range(50):
            assert await pair.is_undisturbed()


async def test_all_sockets_of_an_address_have_one_limit_and_other_addresses_have_theirs() -> None:
    settings = Settings(address_rate=0.1, proxies=["127.0.0.1"])
    async with open_running_relay(settings) as port:
        # Four at once, of which each of these takes one.
        assert [await connect(port, forwarded_for=b"192.0.2.1") for _ in range(4)] == [None] * 4
        async with open_raw(port) as raw:
            await raw.send(upgrade_head(X_Forwarded_For=b"192.0.2.1"))
            assert await raw.read_status() == 101
            await raw.send(frame(TEXT, event("dance").encode()) * 6)
            for _ in range(4):
                found = await raw.read_frame()
                assert found is not None
                data = json.loads(found[1])["data"]
                assert data["code"] == "rate_limited"
                assert "from your address" in data["message"]
                assert data.keys() == {"code", "message"}
            assert await raw.read_close_code() == 4029
        assert await connect(port, forwarded_for=b"192.0.2.2") is None
        # The proxy itself stands for many.
        for _ in range(10):
            assert await connect(port) is None


async def test_a_long_message_counts_as_several() -> None:
    async with open_running_relay(Settings(rate_limit=1.0)) as port, open_pair(port) as pair:
        pair.client.post("webrtc_signal", targetUserId="ann", signal="x" * 50_000)
        assert len((await pair.evaluator.next("webrtc_signal"))["signal"]) == 50_000
        pair.client.post("webrtc_signal", targetUserId="ann", signal=1)
        assert (await pair.client.next("error"))["code"] == "rate_limited"


# ── how soon somebody registers ──────────────────────────────────────────────────────────────────


async def test_who_has_not_registered_in_time_is_closed_with_4008() -> None:
    settings = Settings(register_deadline=0.5)
    async with (
        open_running_relay(settings) as port,
        open_pair(port) as pair,
        open_peer(port) as mute,
        open_peer(port) as failing,
    ):
        failing.socket.post(register("u", "owner"))
        with trio.fail_after(AT_ONCE):
            assert (await mute.wait_close()).code == 4008
            assert (await failing.next("error"))["code"] == "bad_message"
            assert (await failing.wait_close()).code == 4008
        assert await pair.is_undisturbed()
        assert (await scrape(port))["drops_total", "register_timeout"] == 2


# ── how much somebody says ───────────────────────────────────────────────────────────────────────


async def test_a_message_that_is_too_long_closes_its_socket_with_1009() -> None:
    settings = Settings(net=NetLimits(max_message=2000))
    async with open_running_relay(settings) as port, open_pair(port) as pair:
        for text in ("x" * 2001, "\u00fc" * 2001):
            async with open_peer(port, "other", "evaluator") as peer:
                peer.socket.post(text[1:])
                assert (await peer.next("error"))["code"] == "bad_message"
                peer.socket.post(text)
                assert (await peer.wait_close()).code == 1009
        assert await pair.is_undisturbed()
        pair.client.post("webrtc_signal", targetUserId="ann", signal="x" * 2000)
        assert (await pair.client.wait_close()).code == 1009
        assert (await pair.evaluator.next("peer_away"))["userId"] == "carl"
        assert (await scrape(port))["drops_total", "too_large"] == 3


# ── how slowly somebody reads ────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_deaf(port: int, evaluator: Peer) -> AsyncIterator[RawPeer]:
    """A client in a session with this evaluator that reads nothing from then on."""
    async with open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(frame(TEXT, register("deaf", "client").encode()))
        await evaluator.next("presence")
        evaluator.post("start_session", clientId="deaf")
        await evaluator.next("session_started")
        await evaluator.next("presence")
        yield raw


async def shout(evaluator: Peer) -> bool:
    """Tell the deaf client more than kernels take; whether it was told to be away meanwhile."""
    for _ in range(TO_FILL_A_KERNEL):
        evaluator.post("webrtc_signal", targetUserId="deaf", signal=BIG)
        # Each is answered, so that our own outbox never fills.
        evaluator.post("dance")
        message = json.loads(await evaluator.socket.receive())
        if message["event"] == "peer_away":
            return True
        assert message["data"]["code"] == "unknown_event"
    return False


@pytest.mark.parametrize(
    "limits",
    [NetLimits(outbox_size=100_000), NetLimits(write_deadline=0.3, outbox_size=10**9)],
    ids=["too much waits for it", "it waits for too long"],
)
async def test_who_does_not_read_is_gone_in_time_and_his_evaluator_is_told(
    limits: NetLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_DEADLINE", 0.3)
    async with (
        open_running_relay(Settings(net=limits)) as port,
        open_pair(port) as pair,
        open_peer(port, "eve", "evaluator") as evaluator,
        open_deaf(port, evaluator) as deaf,
    ):
        with trio.fail_after(2 * AT_ONCE):
            if not await shout(evaluator):
                assert (await evaluator.next("peer_away"))["userId"] == "deaf"
        assert await pair.is_undisturbed()
        assert (await scrape(port))["drops_total", "too_slow"] == 1
        # There is no close frame between what was sent before and the end.
        assert await deaf.read_close_code() is None


async def test_who_reads_again_in_time_is_told_4013(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CLOSE_DEADLINE", WITHIN)
    async with (
        open_running_relay(Settings(net=NetLimits(outbox_size=100_000))) as port,
        open_pair(port) as pair,
        open_peer(port, "eve", "evaluator") as evaluator,
        open_deaf(port, evaluator) as deaf,
    ):
        assert not await shout(evaluator)
        with trio.fail_after(AT_ONCE):
            assert await deaf.read_close_code() == 4013
            deaf.reset()
            assert (await evaluator.next("peer_away"))["userId"] == "deaf"
        assert await pair.is_undisturbed()
        assert (await scrape(port))["drops_total", "too_slow"] == 1


# ── HTTP heads ───────────────────────────────────────────────────────────────────────────────────


async def test_a_head_that_is_too_long_is_answered_431() -> None:
    get_long = b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000
    room = 1000 - len(upgrade_head(X=b""))
    async with (
        open_running_relay(Settings(net=NetLimits(max_head=1000))) as port,
        open_pair(port) as pair,
    ):
        for head in (get_long, get_long + b"\r\n\r\n", upgrade_head(X=b"x" * (room + 1))):
            async with open_raw(port) as raw:
                await raw.send(head)
                assert await raw.read_status() == 431
                assert await raw.read_rest()
        async with open_raw(port) as raw:
            await raw.send(upgrade_head(X=b"x" * room))
            assert await raw.read_status() == 101
        assert await pair.is_undisturbed()
        assert (await scrape(port))["connects_refused_total", "head"] == 3


async def test_a_head_that_is_not_there_in_time_is_answered_408() -> None:
    async with (
        open_running_relay(Settings(net=NetLimits(head_deadline=0.5))) as port,
        open_pair(port) as pair,
        open_raw(port) as at_its_start,
        open_raw(port) as at_its_end,
        # As browsers do that connect ahead of need.
        open_raw(port) as silent,
    ):
        await at_its_start.send(b"G")
        await at_its_end.send(upgrade_head()[:-2])
        with trio.fail_after(AT_ONCE):
            assert await at_its_start.read_status() == 408
            assert await at_its_end.read_status() == 408
            assert await silent.read_rest() == b""
        assert await pair.is_undisturbed()
        assert (await scrape(port))["connects_refused_total", "head"] == 2
