"""Fetching in the order that the core decides: what is there when it is shown, at which cost."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from imgsync.core.channel import downloads
from imgsync.core.channel.downloads import Progress
from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.numbers import MAX_FETCHES
from imgsync.images import gallery as ahead
from imgsync.images.fetch import FetchFailed
from imgsync.images.gallery import Coming, Gallery, open_gallery
from tests.images.test_kinds import PNG
from tests.kit.image_servers import WITHIN, Serve, answer, open_quick_fetcher, open_server, say
from tests.kit.processes import wait_until
from tests.net.test_frames import RawPeer

# httpx gives up its generators where it is stopped in the middle of a body; they are harmless.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

HALF = len(PNG) // 2
REST = answer(PNG[HALF:], "206 Partial", f"content-range: bytes {HALF}-{len(PNG) - 1}/{len(PNG)}")


class Server:
    """Notes what is asked for, and answers when it is let."""

    def __init__(self, *answers: Serve) -> None:
        self.heads: list[bytes] = []
        self.asked = 0
        self.gate = trio.Event()
        self.gate.set()
        self.news = trio.Condition()
        self.answers = answers or (answer(PNG),)

    async def serve(self, peer: RawPeer) -> None:
        number = self.asked
        self.asked += 1
        async with self.news:
            self.news.notify_all()
        await self.gate.wait()
        await self.answers[min(number, len(self.answers) - 1)](peer)

    async def wait_asked(self, times: int) -> None:
        async with self.news:
            while self.asked < times:
                await self.news.wait()


class Ahead:
    """A gallery, and what it has told of its progress."""

    def __init__(self, gallery: Gallery, url: str) -> None:
        self.gallery = gallery
        self.url = url
        self.progress = Progress()
        self.news = trio.Condition()

    def announce(self, *names: str) -> None:
        self.gallery.announce([UpcomingImage(name, self.url) for name in names])

    async def show(self, name: str, signature: str = "") -> bool:
        """Whether it was here."""
        coming = self.gallery.show(name, f"{self.url}{signature}")
        assert (await coming.wait()).body == PNG
        return coming.was_here

    async def wait_settled(self) -> None:
        await wait_until(lambda: self.progress.is_settled, "all that was announced", WITHIN)

    async def wait_there(self, count: int) -> None:
        def is_settled() -> bool:
            return self.progress.there + self.progress.failed >= count

        await wait_until(is_settled, f"{count} images that are fetched or have failed", WITHIN)


@asynccontextmanager
async def open_ahead(server: Server) -> AsyncIterator[Ahead]:
    def progressed(progress: Progress) -> None:
        one.progress = progress

    async with (
        open_server(server.serve, server.heads) as url,
        open_quick_fetcher() as fetcher,
        open_gallery(fetcher, progressed) as gallery,
    ):
        one = Ahead(gallery, url)
        yield one


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "backoff", lambda failures: 0.001 * (failures + 1))
    monkeypatch.setattr(downloads, "PRELOADED_INTERVAL", 0.01)


async def test_what_was_announced_is_here_when_it_is_shown() -> None:
    server = Server()
    async with open_ahead(server) as one:
        one.announce("a", "a")
        await one.wait_there(1)
        assert one.progress == Progress(1, 1, 0)
        assert await one.show("a", "&signed=later")
        assert await one.show("a")
        assert server.asked == 1
        assert not await one.show("b")


async def test_what_has_the_name_of_another_image_is_not_taken_for_it() -> None:
    server = Server()
    async with open_ahead(server) as one:
        one.announce("a")
        await one.wait_there(1)
        for address in (f"{one.url.partition('?')[0]}2", f"{one.url.partition('?')[0]}/2?x"):
            coming = one.gallery.show("a", address)
            await coming.wait()
            assert not coming.was_here


async def test_what_is_to_be_shown_is_fetched_alone_and_what_was_stopped_goes_on() -> None:
    head = f'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: {len(PNG)}\r\n\r\n'.encode()
    cut = say(head + PNG[:HALF])
    server = Server(cut, cut, answer(PNG), REST, REST)
    async with open_ahead(server) as one:
        one.announce("0", "1")
        await server.wait_asked(MAX_FETCHES)

        def are_halfway() -> bool:
            parts = one.gallery._partials.values()
            return sum(partial.here for partial in parts) == 2 * HALF

        await wait_until(are_halfway, "two images of which half is here", WITHIN)
        assert server.asked == MAX_FETCHES
        assert not await one.show("19")
        await server.wait_asked(5)
        assert [b"range: bytes" in head for head in server.heads[:5]] == [False] * 3 + [True] * 2
        for part in (f"range: bytes={HALF}-", 'if-range: "1"'):
            assert part.encode() in server.heads[3].lower()
        await one.wait_there(2)
        assert await one.show("0")
        assert await one.show("1")


@pytest.mark.parametrize(
    "second",
    [
        answer(PNG),
        answer(PNG[HALF:], "206 Partial", f"content-range: bytes 0-{HALF}/{len(PNG)}"),
        answer(PNG[HALF:], "206 Partial"),
        answer(b"", "416 No"),
    ],
    ids=["anew", "another part", "no part", "none"],
)
async def test_what_is_not_the_rest_is_not_put_behind_what_is_here(second: Serve) -> None:
    head = f'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: {len(PNG)}\r\n\r\n'.encode()
    server = Server(say(head + PNG[:HALF], hang_up=True), second, answer(PNG))
    async with open_ahead(server) as one:
        assert not await one.show("a")


async def test_what_breaks_off_goes_on_from_there() -> None:
    head = f'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: {len(PNG)}\r\n\r\n'.encode()
    server = Server(say(head + PNG[:HALF], hang_up=True), REST)
    async with open_ahead(server) as one:
        assert not await one.show("a")
    assert server.asked == 2


async def test_what_nobody_has_announced_is_given_up_where_another_takes_its_place() -> None:
    server = Server()
    server.gate = trio.Event()
    async with open_ahead(server) as one:
        one.announce("known")
        known, unknown = (one.gallery.show(name, one.url) for name in ("known", "unknown"))
        last = one.gallery.show("last", one.url)
        server.gate.set()
        with pytest.raises(FetchFailed, match="superseded"):
            await unknown.wait()
        assert (await last.wait()).body == (await known.wait()).body == PNG


async def test_what_failed_ahead_is_tried_anew_when_it_is_shown() -> None:
    server = Server(answer(b"", "403 No"), answer(PNG))
    async with open_ahead(server) as one:
        one.announce("a")
        await one.wait_there(1)
        assert one.progress == Progress(1, 0, 1)
        assert server.asked == 1
        assert not await one.show("a")


@pytest.mark.parametrize("wrong", ["503 No", "500 No", "429 No"])
async def test_what_may_pass_is_tried_three_times(wrong: str) -> None:
    server = Server(answer(b"", wrong), say(b"", hang_up=True), answer(PNG))
    async with open_ahead(server) as one:
        assert not await one.show("a")
    assert server.asked == 3
    server = Server(answer(b"", wrong))
    async with open_ahead(server) as one:
        with pytest.raises(FetchFailed, match=f"http_{wrong[:3]}"):
            await one.show("a")
    assert server.asked == 3


@pytest.mark.parametrize("wrong", [answer(b"", "403 No"), answer(b"", "404 No"), answer(b"text")])
async def test_what_will_not_pass_is_tried_once(wrong: Serve) -> None:
    server = Server(wrong)
    async with open_ahead(server) as one:
        with pytest.raises(FetchFailed):
            await one.show("a")
    assert server.asked == 1


@pytest.mark.parametrize(("size", "times"), [(0, 1), (20, 3)])
async def test_what_stands_still_is_given_up_and_tried_again_where_something_came(
    monkeypatch: pytest.MonkeyPatch, size: int, times: int
) -> None:
    monkeypatch.setattr(downloads, "FETCH_STALL", 0.05)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" if size else b""
    server = Server(say(head + PNG[:size]))
    async with open_ahead(server) as one:
        with pytest.raises(FetchFailed, match="timeout"):
            await one.show("a")
    assert server.asked == times


async def test_what_is_kept_is_bounded_and_what_was_shown_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "MAX_KEPT", 2 * len(PNG))
    server = Server()
    async with open_ahead(server) as one:
        one.announce("a", "b", "c", "d")
        # One may be under way when the others have filled it.
        await wait_until(lambda: one.progress.is_full, "no room for more", WITHIN)
        await one.wait_there(2)
        assert await one.show("a")
        assert await one.show("b")
        await one.wait_settled()
        assert await one.show("c")
        assert await one.show("d")
        assert server.asked == 4
        assert [await one.show(name) for name in ("e", "a")] == [False, False]


async def test_what_is_awaited_is_fetched_after_all_when_nothing_more_is_fetched_ahead() -> None:
    server = Server()
    server.gate = trio.Event()
    async with open_ahead(server) as one:
        one.announce("a", "b", "c")
        passed = one.gallery.show("a", one.url)
        coming = one.gallery.show("z", one.url)
        one.gallery.finish()
        server.gate.set()
        assert (await coming.wait()).body == PNG
        with trio.move_on_after(1):
            await passed.wait()
    assert server.asked <= 3


async def test_a_picture_without_a_url_fails_where_none_was_to_come_over_the_connection() -> None:
    async with open_quick_fetcher() as fetcher, open_gallery(fetcher) as gallery:
        with pytest.raises(FetchFailed, match="has none") as failed:
            await gallery.show("images/0a1b2c3d/a.png", None).wait()
    assert failed.value.reason == "bad_url"


# ── what is needed whatever is shown next ────────────────────────────────────────────────────────


def picture_of(size: int) -> bytes:
    """A black picture of at least so many bytes."""
    side = int((size / 3) ** 0.5) // 4 * 4 + 4
    pixels = bytes(3 * side * side)
    head = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return head + pixels


async def test_all_that_is_needed_comes_and_no_more_of_it_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = picture_of(100_000)
    room = 4 * len(picture)
    monkeypatch.setattr(downloads, "MAX_KEPT", room)
    server = Server(answer(picture, "200 OK", 'etag: "1"'))
    arrived: list[str] = []
    most = 0
    disk = trio.Event()

    async def save(gallery: Gallery, coming: Coming) -> None:
        nonlocal most
        assert (await coming.wait()).body == picture
        arrived.append(coming.name)
        bodies = [one.body for one in gallery._kept.values()]
        parts = [one.here for one in gallery._partials.values()]
        most = max(most, sum(map(len, bodies)) + sum(parts))
        await disk.wait()
        gallery.release(coming)

    async with open_ahead(server) as one, trio.open_nursery() as nursery:
        for number in range(20):
            coming = one.gallery.show(f"{number}", one.url, is_needed=True)
            nursery.start_soon(save, one.gallery, coming)
        await wait_until(lambda: len(arrived) >= 4, "as many as there is room for", WITHIN)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert len(arrived) <= 4 + MAX_FETCHES
        disk.set()
    assert len({*arrived}) == 20
    assert most <= room + (MAX_FETCHES + 1) * len(picture)
    assert server.asked <= 20 + MAX_FETCHES


async def test_a_part_that_has_to_go_is_fetched_from_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "MAX_KEPT", HALF)
    head = f'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: {len(PNG)}\r\n\r\n'.encode()
    cut = say(head + PNG[:HALF])
    server = Server(cut, cut, answer(PNG))
    async with open_ahead(server) as one:
        one.announce("0", "1")
        await server.wait_asked(MAX_FETCHES)

        def here() -> list[int]:
            return [partial.here for partial in one.gallery._partials.values()]

        await wait_until(lambda: here() == [HALF, HALF], "two halves", WITHIN)
        coming = one.gallery.show("2", one.url)
        assert sum(here()) == HALF
        await coming.wait()
        await one.show("1")
    assert sum(b"range: bytes" in head for head in server.heads) <= 1
