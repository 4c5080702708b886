"""A client's `ready` that is lost, comes too early, or too often, over the in-memory network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync import ImageRef, SessionState, UpcomingImage
from imgsync.client.client import ClientSession
from imgsync.core.channel import line
from imgsync.core.handshake.inputs import Opened
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import MAX_UNSENT
from imgsync.core.protocol.signalling import Register
from imgsync.peer import joining
from imgsync.seams import Drained, LinkEvent, Received
from imgsync.testing import MemoryLink, MemoryNetwork
from tests.kit.channels import READY
from tests.peer.test_sessions import image
from tests.peer.test_stages import open_pair

SOON = [image(1), image(2)]


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay passes on no features."""
    monkeypatch.setattr(joining, "Register", lambda *about, features: Register(*about))


class Follower:
    """A client that shows what it is shown, and keeps what it was told will come."""

    def __init__(self) -> None:
        self.upcoming: list[UpcomingImage] = []

    async def follow(self, session: ClientSession) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, session)
            async for received in session.images():
                received.shown()

    async def _listen(self, session: ClientSession) -> None:
        async for upcoming in session.preloads():
            self.upcoming.append(upcoming)


class Wire:
    """What the client sends; some of it is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, is_lost: Callable[[int], bool]) -> None:
        self.ready_at: list[float] = []
        send = MemoryLink.send

        def send_or_lose(link: MemoryLink, text: str) -> None:
            if text == READY:
                self.ready_at.append(trio.current_time())
                if is_lost(len(self.ready_at)):
                    return
            send(link, text)

        monkeypatch.setattr(MemoryLink, "send", send_or_lose)

    @property
    def pauses(self) -> list[float]:
        return [round(at - self.ready_at[0], 3) for at in self.ready_at]


@pytest.mark.parametrize("lost", [0, 1, 2, 4])
@pytest.mark.usefixtures("untold")
async def test_a_ready_that_is_lost_is_said_again_and_nothing_is_missed(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    wire, follower = Wire(monkeypatch, lambda count: count <= lost), Follower()
    async with open_pair(follower.follow) as session:
        session.preload(SOON)
        delivery = await session.show(image(0))
        await trio.sleep(5)
        await delivery.shown()
        await trio.sleep(20)
        assert session.state is SessionState.CONNECTED
    assert wire.pauses == [0, 0.5, 1, 2, 4][: lost + 1]
    assert [one.image_url for one in follower.upcoming] == [one.image_url for one in SOON]


async def test_a_ready_that_is_lost_costs_nothing_where_the_relay_tells_what_a_client_speaks(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, follower = Wire(monkeypatch, lambda count: True), Follower()
    async with open_pair(follower.follow) as session:
        session.preload(SOON)
        await (await session.show(image(0))).shown()
        await trio.sleep(20)
    assert wire.pauses == [0]
    assert len(follower.upcoming) == len(SOON)


@pytest.mark.usefixtures("untold")
async def test_who_is_never_pinged_says_it_a_few_times_and_the_images_come_all_the_same(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, follower = Wire(monkeypatch, lambda count: False), Follower()
    monkeypatch.setattr(line, "FEATURE_PING", "no such extension")
    async with open_pair(follower.follow) as session:
        await (await session.show(image(0))).shown()
        await trio.sleep(60)
        await (await session.show(image(1))).shown()
    assert wire.pauses == [0, 0.5, 1, 2, 4]


@contextmanager
def answered_early(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The client's side is open, and speaks, before the evaluator's is."""
    order: list[str] = []
    put = MemoryLink.put
    held: list[MemoryLink] = []

    def put_late(link: MemoryLink, event: LinkEvent) -> None:
        if isinstance(event, Received):
            order.append("received")
        is_evaluator = link is link._network.links[0]
        if is_evaluator and isinstance(event, Opened) and not held:
            held.append(link)
            return
        put(link, event)
        if is_evaluator and held and link._network.links and isinstance(event, Received):
            order.append("opened")
            held.clear()
            put(link, Opened())

    monkeypatch.setattr(MemoryLink, "put", put_late)
    yield order


@pytest.mark.usefixtures("untold")
async def test_a_ready_before_our_own_side_is_open_is_heard_then(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower()
    with answered_early(monkeypatch) as order:
        async with open_pair(follower.follow) as session:
            assert order[:2] == ["received", "opened"]
            session.preload(SOON)
            await (await session.show(image(0))).shown()
            await trio.sleep(20)
            assert session.state is SessionState.CONNECTED
    assert len(follower.upcoming) == len(SOON)


async def test_a_ready_as_often_as_one_likes_brings_what_will_be_shown_once(
    autojump_clock: MockClock,
) -> None:
    follower, network = Follower(), MemoryNetwork()
    async with open_pair(follower.follow, network) as session:
        session.preload(SOON)
        await session.show(image(0))
        [_, client] = network.links
        for _ in range(100):
            client.send(READY)
        await wait_all_tasks_blocked()
        assert len(follower.upcoming) == len(SOON)
        session.preload([*SOON, image(3)])
        await wait_all_tasks_blocked()
        assert len(follower.upcoming) == 2 * len(SOON) + 1


# ── what the other side takes ────────────────────────────────────────────────────────────────────


def long(index: int, size: int) -> ImageRef:
    return ImageRef(index, f"http://h/{index}", "s" * size, f"{index}")


async def test_an_image_that_the_client_does_not_take_raises_and_the_session_goes_on(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, network = Follower(), MemoryNetwork()
    monkeypatch.setattr(MemoryLink, "max_message", 2000)
    async with open_pair(follower.follow, network) as session:
        with pytest.raises(MessageTooLarge, match="2000"):
            await session.show(long(0, 2000))
        with pytest.raises(MessageTooLarge, match="2000"):
            session.preload([long(1, 2000)])
        await (await session.show(long(0, 1000))).shown()
        session.preload([long(index, 900) for index in range(20)])
        await wait_all_tasks_blocked()
        assert len(follower.upcoming) == 20


async def test_an_image_that_is_shown_meanwhile_raises_once_the_session_is_repaired(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, network = Follower(), MemoryNetwork()
    async with open_pair(follower.follow, network) as session:
        monkeypatch.setattr(MemoryLink, "max_message", 2000)
        network.links[0].break_off()
        await wait_all_tasks_blocked()
        with pytest.raises(MessageTooLarge, match="2000"):
            await session.show(long(0, 2000))
        assert session.state is SessionState.RESUMED
        await (await session.show(image(1))).shown()


async def test_preloads_wait_while_much_waits_to_be_sent(autojump_clock: MockClock) -> None:
    follower, network = Follower(), MemoryNetwork()
    async with open_pair(follower.follow, network) as session:
        link = network.links[0]
        link.waiting = MAX_UNSENT + 1
        session.preload(SOON)
        await (await session.show(image(0))).shown()
        assert follower.upcoming == []
        link.waiting = 0
        link.put(Drained())
        await wait_all_tasks_blocked()
        assert len(follower.upcoming) == len(SOON)
