"""Pictures that go over the connection, from files to a gallery, over in-memory links."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import attrs
import pytest
import trio

from imgsync import (
    ClientSession,
    EvaluatorSession,
    ImageRef,
    InputError,
    SessionState,
    StageKind,
    open_client,
    open_evaluator,
)
from imgsync.core.protocol.numbers import LARGEST_WINDOW, MAX_UNSENT, MAX_WANTS
from imgsync.images.fetch import Answer, Fetched, Fetcher, FetchFailed, Mark
from imgsync.images.gallery import open_gallery
from imgsync.images.receiving import Receiving
from imgsync.testing import MemoryLink, MemoryNetwork
from tests.kit.own_pictures import bmp_of, make_pictures
from tests.peer.test_sessions import URL, FollowingClient

DEADLINE = 30.0
"""Seconds; files are read in threads, so that the clock is a real one."""

LARGE = 20_000_000


class _NoFetcher(Fetcher):
    """Nothing here is at a URL."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def transfer(self, signed_url: str, *_: object) -> None:
        self.asked.append(signed_url)
        raise AssertionError(f"{signed_url} was asked for")


@attrs.define
class Client:
    """Takes each image into a gallery, and tells what becomes of it."""

    fetcher: _NoFetcher = attrs.field(factory=_NoFetcher)
    #: By `imageUrl`, the SHA-256 of what has come, or why nothing has.
    got: dict[str, str] = attrs.field(factory=dict)
    sessions: list[ClientSession] = attrs.field(factory=list)
    #: Of those that were shown, in order.
    signed_urls: list[str | None] = attrs.field(factory=list)

    async def run(
        self,
        network: MemoryNetwork,
        user_id: str = "c",
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with open_client(URL, user_id=user_id, network=network, pictures=True) as client:
            task_status.started()
            async for session in client.sessions():
                self.sessions.append(session)
                await self._follow(session)

    async def _follow(self, session: ClientSession) -> None:
        async with (
            open_gallery(self.fetcher, receiving=session.receiving) as gallery,
            session,
            trio.open_nursery() as nursery,
        ):

            async def announce() -> None:
                async for upcoming in session.preloads():
                    gallery.announce([upcoming])

            nursery.start_soon(announce)
            async for image in session.images():
                self.signed_urls.append(image.signed_url)
                coming = gallery.show(image.image_url, image.signed_url)
                try:
                    fetched: Fetched = await coming.wait()
                except FetchFailed as exc:
                    self.got[image.image_url] = exc.reason
                    image.failed(exc.reason, detail=exc.detail)
                else:
                    self.got[image.image_url] = sha256(fetched.body).hexdigest()
                    image.fetched()
                    image.shown()


@asynccontextmanager
async def open_pair(
    network: MemoryNetwork | None = None,
) -> AsyncIterator[tuple[EvaluatorSession, Client]]:
    """A connected session with a client that takes pictures."""
    over, follower = network or MemoryNetwork(), Client()
    with trio.fail_after(DEADLINE):
        async with trio.open_nursery() as nursery:
            await nursery.start(follower.run, over)
            async with (
                open_evaluator(URL, user_id="e", network=over) as evaluator,
                evaluator.open_session("c") as session,
            ):
                yield session, follower
            nursery.cancel_scope.cancel()


def hashes_of(images: list[ImageRef]) -> dict[str, str]:
    return {one.image_url: one.picture.facts.sha256 for one in images if one.picture is not None}


async def show(session: EvaluatorSession, image: ImageRef) -> None:
    """Show it and wait until it is on the screen. Raises ImageFailed."""
    await (await session.show(image)).shown()


async def test_a_folder_is_shown_byte_for_byte(tmp_path: Path) -> None:
    images = make_pictures(tmp_path, 10, 200_000)
    async with open_pair() as (session, client):
        session.preload(images)
        for image in images:
            await show(session, image)
    assert client.got == hashes_of(images)
    assert client.fetcher.asked == []
    assert client.signed_urls == [None] * len(images)


def when_sent(
    monkeypatch: pytest.MonkeyPatch, count: int, act: Callable[[MemoryLink], object]
) -> list[int]:
    """Do this once so many bytes of pictures have gone out; returns the sizes of all that go."""
    sizes: list[int] = []
    send_data = MemoryLink.send_data
    is_done = False

    def send(link: MemoryLink, message: str | bytes) -> None:
        nonlocal is_done
        if isinstance(message, bytes):
            sizes.append(len(message) - 12)
        send_data(link, message)
        if not is_done and sum(sizes) >= count:
            is_done = True
            act(link)

    monkeypatch.setattr(MemoryLink, "send_data", send)
    return sizes


@pytest.mark.parametrize("is_whole", [True, False], ids=["the connection", "the channel alone"])
async def test_what_is_interrupted_goes_on_from_its_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    [image] = make_pictures(tmp_path, 1, LARGE)
    sizes = when_sent(monkeypatch, LARGE // 2, MemoryLink.break_off if is_whole else unshare_both)
    async with open_pair() as (session, client):
        await show(session, image)
        assert session.bytes_sent == sum(sizes)
    assert image.picture is not None
    assert client.got == hashes_of([image])
    assert 0 <= sum(sizes) - image.picture.facts.bytes <= LARGEST_WINDOW


def unshare_both(link: MemoryLink) -> None:
    """The channel goes first, and then the rest."""
    link.unshare()
    link.break_off()


@pytest.mark.parametrize("reason", ["changed", "unreadable"])
async def test_a_file_that_goes_while_it_is_sent_is_told_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    images = make_pictures(tmp_path, 2, 5_000_000)
    path = tmp_path / images[0].name

    def spoil(_: MemoryLink) -> None:
        if reason == "changed":
            path.write_bytes(bmp_of(5_000_000))
        else:
            path.unlink()

    when_sent(monkeypatch, 1_000_000, spoil)
    async with open_pair() as (session, client):
        await session.show(images[0])
        report = await anext(session.stages())
        assert (report.stage, report.reason) == (StageKind.FAILED, reason)
        assert str(tmp_path) not in report.detail
        lost = await anext(session.not_sent())
        assert (lost.image, lost.reason) == (images[0], reason)
        await show(session, images[1])
    assert client.got == {**hashes_of(images), images[0].image_url: reason}
    assert [one async for one in session.not_sent()] == [lost]


async def test_nothing_is_read_but_what_was_shown_or_announced_in_this_session(
    tmp_path: Path,
) -> None:
    images = make_pictures(tmp_path, 3, 10_000)
    async with open_pair() as (session, client):
        await show(session, images[0])
        session.preload([images[1]])
        receiving = client.sessions[0].receiving
        for name in (images[2].image_url, "/etc/passwd", "../00.bmp", str(tmp_path / "00.bmp")):
            with pytest.raises(FetchFailed) as failed:
                await take(receiving, name)
            assert failed.value.reason == "not_offered"
        for image in images[:2]:
            assert image.picture is not None
            assert await take(receiving, image.image_url) == image.picture.path.read_bytes()
        with pytest.raises(FetchFailed) as failed:
            await take(receiving, images[0].image_url, offset=10**9)
        assert failed.value.reason == "bad_offset"


async def test_what_was_refused_to_be_announced_can_not_be_asked_for(tmp_path: Path) -> None:
    images = make_pictures(tmp_path, 2, 3000)
    another = attrs.evolve(images[1], signed_url="http://elsewhere/a.png")
    async with open_pair() as (session, client):
        await show(session, images[0])
        with pytest.raises(InputError):
            session.preload([images[1], another])
        with pytest.raises(FetchFailed) as failed:
            await take(client.sessions[0].receiving, images[1].image_url)
        assert failed.value.reason == "not_offered"


async def test_what_is_on_its_way_when_the_session_ends_is_given_up_at_once(
    tmp_path: Path,
) -> None:
    [image] = make_pictures(tmp_path, 1, LARGE)
    async with open_pair() as (session, client):
        await session.show(image)
        receiving = client.sessions[0].receiving
    for _ in range(2):  # also what is asked for later
        with trio.fail_after(1), pytest.raises(FetchFailed) as failed:
            await take(receiving, image.image_url)
        assert failed.value.reason == "session_over"


async def take(receiving: Receiving, image_url: str, offset: int = 0) -> bytes:
    """What comes of one try. Raises FetchFailed."""
    parts: list[bytes] = []

    def hear(news: Answer | bytes) -> None:
        if isinstance(news, bytes):
            parts.append(news)

    await receiving.transfer(image_url, offset, Mark(), hear, lambda: None)
    return b"".join(parts)


async def test_a_client_that_breaks_all_rules_costs_little_and_the_session_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = make_pictures(tmp_path, 2, 500_000)
    network = MemoryNetwork()
    async with open_pair(network) as (session, _):
        await show(session, images[0])
        sharing = session._presenting.sharing
        [link] = [one for one in network.links if one._number % 2 == 0]
        for id in range(1000, 2000):
            want = {"type": "want", "id": id, "imageUrl": images[0].image_url, "offset": 0}
            link.send_data(json.dumps(want))
            link.send_data(bytes(50))
            link.send_data("[" * 20_000)
            link.send_data(json.dumps({"type": "got", "id": id, "offset": 10**9}))
        await session.show(images[1])
        sender = sharing._sender
        assert sender is not None
        waiting = len(sender._waiting) + len(sender._sent)
        assert waiting <= MAX_WANTS
        assert sender._unsent < 2 * MAX_UNSENT
        assert session.state is SessionState.CONNECTED
    assert "no chunk" not in caplog.text


async def test_who_takes_no_pictures_has_their_urls_beside_one_who_does(tmp_path: Path) -> None:
    images = make_pictures(tmp_path, 2, 10_000)
    network, follower, foreign = MemoryNetwork(), Client(), FollowingClient()
    with trio.fail_after(DEADLINE):
        async with trio.open_nursery() as nursery:
            await nursery.start(follower.run, network)
            await nursery.start(foreign.run, network, "foreign")
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("c") as session,
                evaluator.open_session("foreign") as other,
            ):
                for image in images:
                    await show(session, image)
                    await other.show(image)
            nursery.cancel_scope.cancel()
    assert follower.got == hashes_of(images)
    assert [one.signed_url for one in foreign.seen] == [one.signed_url for one in images]
    assert [one.image_url for one in foreign.seen] == [one.image_url for one in images]
    assert sum(link._is_shared for link in network.links) == 2
