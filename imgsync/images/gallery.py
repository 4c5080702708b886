"""The images of one session: fetched before they are shown, where the evaluator announces them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.naming import image_key
from imgsync.core.protocol.numbers import MAX_ANNOUNCED, MAX_FETCHES
from imgsync.images.fetch import Fetched, Fetcher, FetchFailed
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

MAX_KEPT = 256 * 1024 * 1024
"""Bytes. When they are full, images that were shown go first, and others are not fetched ahead."""


class Gallery:
    """Made by `open_gallery`. Images are known by `image_key`: signatures change."""

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
        key = _key_of(upcoming)
        if key in self._kept or key in self._expected:
            return
        try:
            self._send.send_nowait(upcoming)
        except trio.WouldBlock:
            log.info("too many images are announced; one will be fetched when it is shown")
        else:
            self._expected.add(key)

    async def get(self, image_url: str, signed_url: str) -> tuple[Fetched, bool]:
        """An image that is to be shown, and whether it was here before. Raises FetchFailed."""
        key = image_key(image_url, signed_url)
        under_way = self._under_way.get(key)
        if under_way is not None:
            await under_way.wait()
        kept = self._kept.get(key)
        if kept is None:
            return await self._fetcher.fetch_persistently(signed_url), False
        self._used.pop(key, None)
        self._used[key] = None
        return kept, True

    async def fetch_announced(self) -> None:
        """Fetch what is announced, in that order, for ever."""
        async for upcoming in self._announced:
            try:
                await self._fetch_ahead(upcoming)
            finally:
                self._expected.discard(_key_of(upcoming))

    async def _fetch_ahead(self, upcoming: UpcomingImage) -> None:
        if self._size - self._size_of_used() >= MAX_KEPT:
            log.info("no room to fetch ahead; an image will be fetched when it is shown")
            return
        key = _key_of(upcoming)
        done = self._under_way[key] = trio.Event()
        try:
            self._keep(key, await self._fetcher.fetch_persistently(upcoming.signed_url))
        except FetchFailed as exc:
            # It may work when it is shown, with a newer signature; if not, that is reported.
            log.info("could not fetch an image ahead: %s", exc.reason)
        finally:
            del self._under_way[key]
            done.set()

    def _keep(self, key: str, fetched: Fetched) -> None:
        for used in list(self._used):
            if self._size + len(fetched.body) <= MAX_KEPT:
                break
            del self._used[used]
            self._size -= len(self._kept.pop(used).body)
        if self._size + len(fetched.body) <= MAX_KEPT:
            self._kept[key] = fetched
            self._size += len(fetched.body)

    def _size_of_used(self) -> int:
        return sum(len(self._kept[key].body) for key in self._used)


def _key_of(image: UpcomingImage) -> str:
    return image_key(image.image_url, image.signed_url)


@asynccontextmanager
async def open_gallery(fetcher: Fetcher) -> AsyncIterator[Gallery]:
    """Fetch ahead while the block lasts; what is kept can be got for longer."""
    gallery = Gallery(fetcher)
    async with open_background() as nursery:
        for _ in range(MAX_FETCHES):
            nursery.start_soon(gallery.fetch_announced)
        yield gallery
