"""The images of one session: fetched before they are shown, where the evaluator announces them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.numbers import MAX_ANNOUNCED, MAX_FETCHES
from imgsync.images.fetch import Fetched, Fetcher, FetchFailed
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

MAX_KEPT = 256 * 1024 * 1024
"""Bytes. When they are full, images that were shown go first, and others are not fetched ahead."""


class Gallery:
    """Made by `open_gallery`. Images are known by their `imageUrl`: signatures change."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._send, self._announced = trio.open_memory_channel[UpcomingImage](MAX_ANNOUNCED)
        #: What waits to be fetched, or is being fetched.
        self._expected: set[str] = set()
        self._under_way: dict[str, trio.Event] = {}
        self._kept: dict[str, Fetched] = {}
        #: Those of them that were shown, the longest ago first.
        self._used: dict[str, None] = {}
        self._size = 0

    def announce(self, upcoming: UpcomingImage) -> None:
        """It will be shown soon. Never waits."""
        url = upcoming.image_url
        if url in self._kept or url in self._expected:
            return
        try:
            self._send.send_nowait(upcoming)
        except trio.WouldBlock:
            log.info("too many images are announced; one will be fetched when it is shown")
        else:
            self._expected.add(url)

    async def get(self, image_url: str, signed_url: str) -> tuple[Fetched, bool]:
        """An image that is to be shown, and whether it was here before. Raises FetchFailed."""
        under_way = self._under_way.get(image_url)
        if under_way is not None:
            await under_way.wait()
        kept = self._kept.get(image_url)
        if kept is None:
            return await self._fetcher.fetch_persistently(signed_url), False
        self._used.pop(image_url, None)
        self._used[image_url] = None
        return kept, True

    async def fetch_announced(self) -> None:
        """Fetch what is announced, in that order, for ever."""
        async for upcoming in self._announced:
            try:
                await self._fetch_ahead(upcoming)
            finally:
                self._expected.discard(upcoming.image_url)

    async def _fetch_ahead(self, upcoming: UpcomingImage) -> None:
        if self._size - self._size_of_used() >= MAX_KEPT:
            log.info("no room to fetch ahead; an image will be fetched when it is shown")
            return
        done = self._under_way[upcoming.image_url] = trio.Event()
        try:
            self._keep(
                upcoming.image_url, await self._fetcher.fetch_persistently(upcoming.signed_url)
            )
        except FetchFailed as exc:
            # It may work when it is shown, with a newer signature; if not, that is reported.
            log.info("could not fetch an image ahead: %s", exc.reason)
        finally:
            del self._under_way[upcoming.image_url]
            done.set()

    def _keep(self, url: str, fetched: Fetched) -> None:
        for used in list(self._used):
            if self._size + len(fetched.body) <= MAX_KEPT:
                break
            del self._used[used]
            self._size -= len(self._kept.pop(used).body)
        if self._size + len(fetched.body) <= MAX_KEPT:
            self._kept[url] = fetched
            self._size += len(fetched.body)

    def _size_of_used(self) -> int:
        return sum(len(self._kept[url].body) for url in self._used)


@asynccontextmanager
async def open_gallery(fetcher: Fetcher) -> AsyncIterator[Gallery]:
    """Fetch ahead while the block lasts; what is kept can be got for longer."""
    gallery = Gallery(fetcher)
    async with open_background() as nursery:
        for _ in range(MAX_FETCHES):
            nursery.start_soon(gallery.fetch_announced)
        yield gallery
