"""Sessions of real peers over the in-memory relay and links, with the autojump clock."""

import pytest
import trio
from trio.testing import MockClock

import imgsync
from imgsync import ImageRef, RelayError, SessionEnded, SignallingLost, open_client, open_evaluator
from imgsync.client.client import ClientSession, ReceivedImage
from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.errors import ConnectRefused, MessageTooLarge
from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    PresenceState,
    RawJson,
    Register,
    Role,
    SendSignal,
    StartSession,
)
from imgsync.testing import MemoryNetwork

URL = "memory:"


def image(index: int) -> ImageRef:
    return ImageRef(index, f"http://h/{index}.png", f"http://h/{index}.png?s", f"{index}.png")


class FollowingClient:
    """A client that takes every session and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[ReceivedImage] = []
        self.sessions: list[ClientSession] = []

    async def run(
        self,
        network: MemoryNetwork,
        user_id: str = "c",
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with open_client(URL, user_id=user_id, network=network) as client:
            task_status.started()
            async for session in client.sessions():
                self.sessions.append(session)
                async with session:
                    async for received in session.images():
                        self.seen.append(received)

    @property
    def ends(self) -> list[EndReason | None]:
        return [session.end_reason for session in self.sessions]


async def test_images_arrive_once_in_order_and_are_acked(autojump_clock: MockClock) -> None:
    network, follower = MemoryNetwork(latency=0.05), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            async with evaluator.open_session("c") as session:
                assert session.client_id == "c"
                deliveries = [await session.show(image(index)) for index in range(5)]
            with pytest.raises(SessionEnded):
                await session.show(image(9))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0, 1, 2, 3, 4]
    assert follower.seen[0].signed_url == "http://h/0.png?s"
    for delivery, seen in zip(deliveries, follower.seen, strict=True):
        assert delivery.sent_at == seen.sent_at
        assert delivery.received_at == seen.received_at
        assert delivery.sent_at <= delivery.received_at <= delivery.acked_at
        assert delivery.round_trip == delivery.acked_at - delivery.sent_at
    assert follower.ends == [EndReason.ENDED]


async def test_one_evaluator_runs_sessions_with_many_clients_at_once(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork(latency=0.01)
    followers = {f"c{number}": FollowingClient() for number in range(4)}
    async with trio.open_nursery() as nursery:
        for user_id, follower in followers.items():
            await nursery.start(follower.run, network, user_id)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:

            async def present(user_id: str) -> None:
                async with evaluator.open_session(user_id) as session:
                    for index in range(10):
                        await session.show(image(index))

            async with trio.open_nursery() as presenting:
                for user_id in followers:
                    presenting.start_soon(present, user_id)
        nursery.cancel_scope.cancel()
    for follower in followers.values():
        assert [seen.index for seen in follower.seen] == list(range(10))


async def test_an_unknown_client_and_a_busy_one_are_errors_of_the_relay(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e1", network=network) as first,
            open_evaluator(URL, user_id="e2", network=network) as second,
        ):
            with pytest.raises(RelayError) as unknown:
                async with first.open_session("nobody"):
                    pass
            assert unknown.value.code is ErrorCode.UNKNOWN_CLIENT
            async with first.open_session("c"):
                assert second.clients == {"c": PresenceState.BUSY}
                with pytest.raises(RelayError) as busy:
                    async with second.open_session("c"):
                        pass
                assert busy.value.code is ErrorCode.CLIENT_BUSY
            await trio.testing.wait_all_tasks_blocked()
            assert second.clients == {"c": PresenceState.AVAILABLE}
            async with second.open_session("c") as session:
                await session.show(image(0))
        nursery.cancel_scope.cancel()


async def test_a_client_that_leaves_ends_the_session_for_the_evaluator(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery, trio.open_nursery() as clients:
        await clients.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
            clients.cancel_scope.cancel()
            assert await session.wait_ended() is EndReason.ENDED
            with pytest.raises(SessionEnded):
                await session.show(image(1))
        nursery.cancel_scope.cancel()


async def test_show_that_waits_for_an_ack_ends_with_the_session(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()

    async def idle_client(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async for session in client.sessions():
                async with session:
                    await trio.sleep(5)  # never asks for images, so none is acked

    async with trio.open_nursery() as nursery:
        await nursery.start(idle_client)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            begin = trio.current_time()
            with pytest.raises(SessionEnded):
                await session.show(image(0))
            assert trio.current_time() - begin == pytest.approx(5)
        nursery.cancel_scope.cancel()


async def test_giving_up_the_wait_for_an_ack_leaves_the_session_usable(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            with trio.CancelScope() as scope:
                scope.cancel()
                await session.show(image(0))
            assert scope.cancelled_caught
            with pytest.raises(MessageTooLarge):
                await session.show(ImageRef(1, "http://h/" + "x" * 70_000, "http://h/"))
            await session.show(image(2))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0, 2]


async def test_no_path_between_the_two_is_told_after_the_deadline(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    network.is_blocked = True
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            begin = trio.current_time()
            with pytest.raises(SessionEnded, match="no path") as failure:
                async with evaluator.open_session("c"):
                    pass
            assert failure.value.reason is EndReason.CONNECT_TIMEOUT
            assert trio.current_time() - begin == pytest.approx(20)
            network.is_blocked = False
            async with evaluator.open_session("c") as session:
                await session.show(image(0))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0]


async def test_an_evaluator_that_starts_again_replaces_its_session(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as old,
            evaluator.open_session("c") as new,
        ):
            assert await old.wait_ended() is EndReason.REPLACED
            await new.show(image(0))
        nursery.cancel_scope.cancel()
    assert follower.ends == [EndReason.REPLACED, EndReason.ENDED]


async def test_a_lost_relay_comes_back_by_itself_and_the_open_channel_carries_on(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            async with evaluator.open_session("c") as session:
                network.relay.go_down()
                await session.show(image(0))
                await trio.sleep(60)
                await session.show(image(1))
                with pytest.raises(SignallingLost):
                    async with evaluator.open_session("c"):
                        pass
                network.relay.come_back()
                await trio.sleep(8)  # the longest backoff is 7 s
                # The new relay has been told of the session.
                assert evaluator.clients == {"c": PresenceState.BUSY}
                await session.show(image(2))
            async with evaluator.open_session("c") as session:
                await session.show(image(3))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0, 1, 2, 3]


async def test_a_relay_lost_during_the_handshake_ends_the_session_with_that_reason(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(latency=1), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:

            async def cut() -> None:
                await trio.sleep(0.5)
                network.relay.go_down()

            nursery.start_soon(cut)
            with pytest.raises(SessionEnded) as failure:
                async with evaluator.open_session("c"):
                    pass
            assert failure.value.reason is EndReason.SIGNALLING_LOST
        nursery.cancel_scope.cancel()


async def test_without_a_relay_opening_fails_at_once(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    network.relay.go_down()
    with pytest.raises(ConnectRefused):
        async with open_evaluator(URL, user_id="e", network=network):
            pass
    with pytest.raises(ConnectRefused):
        async with open_client(URL, user_id="c", network=network):
            pass


async def test_an_offer_that_makes_no_sense_ends_that_session_and_not_the_client(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with network.open_socket(URL) as rogue:
            rogue.post(encode_event(Register("rogue", Role.EVALUATOR, "webrtc")))
            for nonsense in ('{"type":"offer","sdp":"v=0"}', '{"sdp":17}', "17"):
                rogue.post(encode_event(StartSession("c")))
                rogue.post(encode_event(SendSignal("c", RawJson('{"candidate":17}'))))
                rogue.post(encode_event(SendSignal("c", RawJson(nonsense))))
                await trio.testing.wait_all_tasks_blocked()
        assert follower.ends == [EndReason.NEGOTIATION_FAILED] * 3
        assert "v=0" not in follower.sessions[0].end_detail
        assert "data-channel" in follower.sessions[0].end_detail
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(0))
        nursery.cancel_scope.cancel()


async def test_cancelling_the_evaluator_ends_the_session_in_good_order(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        with trio.move_on_after(3):
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("c") as session,
            ):
                await session.show(image(0))
                await trio.sleep_forever()
        await trio.testing.wait_all_tasks_blocked()
        assert follower.ends == [EndReason.ENDED]
        nursery.cancel_scope.cancel()


async def test_an_error_in_the_block_comes_out_as_itself(autojump_clock: MockClock) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        with pytest.raises(ValueError, match="the application's own"):
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("c"),
            ):
                raise ValueError("the application's own")
        nursery.cancel_scope.cancel()


async def test_a_session_that_nobody_takes_is_refused_in_the_end(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()
    async with (
        open_client(URL, user_id="c", network=network),
        open_evaluator(URL, user_id="e", network=network) as evaluator,
    ):
        with pytest.raises(SessionEnded, match="answer never came"):
            async with evaluator.open_session("c"):
                pass


async def test_a_new_offer_in_a_live_session_replaces_the_connection(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            await session.show(image(7))
            # What a client without a connection says, put into our session's socket by hand.
            follower.sessions[0]._peer.route.say(RawJson('{"type":"request_offer"}'))
            await trio.testing.wait_all_tasks_blocked()
            assert len(network.links) == 4
            await session.show(image(8))
        nursery.cancel_scope.cancel()
    # The current image came again on the new channel, was acked, and was shown once.
    assert [seen.index for seen in follower.seen] == [7, 8]


def test_the_public_names_are_all_there() -> None:
    for name in imgsync.__all__:
        assert getattr(imgsync, name) is not None
