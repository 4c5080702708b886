"""Fetching ahead: what is there when it is shown, and what it may cost."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.numbers import MAX_ANNOUNCED, MAX_FETCHES
from imgsync.images import fetch
from imgsync.images import gallery as ahead
from imgsync.images.fetch import FetchFailed
from imgsync.images.gallery import Gallery, open_gallery
from tests.images.test_kinds import PNG
from tests.kit.image_servers import WITHIN, Serve, answer, open_quick_fetcher, open_server, say
from tests.kit.processes import wait_until
from tests.net.test_frames import RawPeer


class Server:
    """Counts what is asked for, and answers when it is let."""

    def __init__(self, *answers: Serve) -> None:
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0
        self.gate = trio.Event()
        self.gate.set()
        self.news = trio.Condition()
        self.answers = answers or (answer(PNG),)

    async def serve(self, peer: RawPeer) -> None:
        number = self.asked
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self.news:
            self.news.notify_all()
        await self.gate.wait()
        self.at_once -= 1
        await self.answers[min(number, len(self.answers) - 1)](peer)

    async def wait_asked(self, times: int) -> None:
        async with self.news:
            while self.asked < times:
                await self.news.wait()


@asynccontextmanager
async def open_ahead(server: Server) -> AsyncIterator[tuple[Gallery, str]]:
    async with (
        open_server(server.serve) as url,
        open_quick_fetcher() as fetcher,
        open_gallery(fetcher) as gallery,
    ):
        yield gallery, url


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "backoff", lambda failures: 0.001 * (failures + 1))


async def wait_kept(gallery: Gallery, name: str) -> None:
    """Until it is here, or has failed."""

    def is_settled() -> bool:
        return not any(key.startswith(f"{name}\n") for key in gallery._expected)

    await wait_until(is_settled, "an image that is fetched", WITHIN)


async def test_what_was_announced_is_here_when_it_is_shown() -> None:
    server = Server()
    async with open_ahead(server) as (gallery, url):
        gallery.announce(UpcomingImage("a", url))
        gallery.announce(UpcomingImage("a", f"{url}&signed=again"))
        await wait_kept(gallery, "a")
        for _ in range(2):
            fetched, was_ahead = await gallery.get("a", f"{url}&signed=later")
            assert fetched.body == PNG
            assert was_ahead
        assert server.asked == 1
        _, was_ahead = await gallery.get("b", url)
        assert not was_ahead


async def test_what_has_the_name_of_another_image_is_not_taken_for_it() -> None:
    server = Server()
    async with open_ahead(server) as (gallery, url):
        gallery.announce(UpcomingImage("a", url))
        await wait_kept(gallery, "a")
        for address in (f"{url.partition('?')[0]}2", f"{url.partition('?')[0]}/2?{url[-9:]}"):
            _, was_ahead = await gallery.get("a", address)
            assert not was_ahead


async def test_an_image_that_is_being_fetched_ahead_is_not_fetched_twice() -> None:
    server = Server()
    server.gate = trio.Event()
    async with open_ahead(server) as (gallery, url), trio.open_nursery() as nursery:
        gallery.announce(UpcomingImage("a", url))
        await server.wait_asked(1)
        nursery.start_soon(gallery.get, "a", url)
        await trio.testing.wait_all_tasks_blocked(0.01)
        server.gate.set()
    assert server.asked == 1


async def test_no_more_than_a_few_are_fetched_ahead_at_once_and_what_is_shown_waits_for_none() -> (
    None
):
    server = Server()
    server.gate = trio.Event()
    async with open_ahead(server) as (gallery, url), trio.open_nursery() as nursery:
        for number in range(20):
            gallery.announce(UpcomingImage(f"{number}", url))
        await server.wait_asked(MAX_FETCHES)
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert server.asked == server.at_once == MAX_FETCHES
        nursery.start_soon(gallery.get, "19", url)
        await server.wait_asked(MAX_FETCHES + 1)
        server.gate.set()


async def test_what_failed_ahead_is_tried_anew_when_it_is_shown() -> None:
    server = Server(answer(b"", "403 No"), answer(PNG))
    async with open_ahead(server) as (gallery, url):
        gallery.announce(UpcomingImage("a", url))
        await wait_kept(gallery, "a")
        assert server.asked == 1
        _, was_ahead = await gallery.get("a", url)
        assert not was_ahead


@pytest.mark.parametrize("wrong", ["503 No", "500 No", "429 No"])
async def test_what_may_pass_is_tried_three_times(wrong: str) -> None:
    server = Server(answer(b"", wrong), say(b"", hang_up=True), answer(PNG))
    async with open_server(server.serve) as url, open_quick_fetcher() as fetcher:
        assert (await fetcher.fetch_persistently(url)).body == PNG
    assert server.asked == 3
    server = Server(answer(b"", wrong))
    async with open_server(server.serve) as url, open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed, match=f"http_{wrong[:3]}"):
            await fetcher.fetch_persistently(url)
    assert server.asked == 3


@pytest.mark.parametrize("wrong", [answer(b"", "403 No"), answer(b"", "404 No"), answer(b"text")])
async def test_what_will_not_pass_is_tried_once(wrong: Serve) -> None:
    server = Server(wrong)
    async with open_server(server.serve) as url, open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.fetch_persistently(url)
    assert server.asked == 1


async def test_what_is_kept_is_bounded_and_what_was_shown_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ahead, "MAX_KEPT", 2 * len(PNG))
    server = Server()
    async with open_ahead(server) as (gallery, url):

        async def is_here(*names: str) -> list[bool]:
            return [(await gallery.get(name, url))[1] for name in names]

        for name in ("a", "b", "c"):
            gallery.announce(UpcomingImage(name, url))
            await wait_kept(gallery, name)
        # There was no room for c, and nobody asked for it.
        assert server.asked == 2
        assert await is_here("a") == [True]
        gallery.announce(UpcomingImage("d", url))
        await wait_kept(gallery, "d")
        assert await is_here("a", "b", "d") == [False, True, True]


async def test_a_flood_of_announcements_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.gate = trio.Event()
    async with open_ahead(server) as (gallery, url):
        for number in range(10 * MAX_ANNOUNCED):
            gallery.announce(UpcomingImage(f"{number}", url))
        assert len(gallery._expected) == MAX_ANNOUNCED


async def test_what_is_awaited_is_fetched_after_all_when_fetching_ahead_ends() -> None:
    server = Server()
    server.gate = trio.Event()
    got = Counter[bool]()

    async def get(gallery: Gallery, url: str) -> None:
        got[(await gallery.get("a", url))[1]] += 1

    async with (
        open_server(server.serve) as url,
        open_quick_fetcher() as fetcher,
        trio.open_nursery() as nursery,
    ):
        async with open_gallery(fetcher) as gallery:
            gallery.announce(UpcomingImage("a", url))
            await server.wait_asked(1)
            nursery.start_soon(get, gallery, url)
            await trio.testing.wait_all_tasks_blocked(0.01)
        server.gate.set()
    assert got == {False: 1}
