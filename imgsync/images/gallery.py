"""The images of one session, fetched before they are shown where the evaluator announces them.

What is fetched next, and how much is here at most, is decided in `core.channel.downloads`; here it
is carried out. Who shows an image and needs its bytes whatever is shown next says so, gets them in
any case or hears why not, and says when it has done with them: what it holds is counted until then.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from imgsync.backoff import backoff
from imgsync.core.channel.downloads import (
    DownloadOutput,
    Downloads,
    Evict,
    Failure,
    GivenUp,
    Progress,
    Start,
    Stop,
)
from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.naming import image_key, name_in_key
from imgsync.images.fetch import Answer, Fetched, Fetcher, FetchFailed, Partial
from imgsync.images.receiving import Receiving
from imgsync.tasks import Bell, open_background

log = logging.getLogger(__name__)

NO_URL = Failure("bad_url", may_pass=False, detail="it has none, and was to have one")
"""Of a picture that the evaluator would send itself, though we have not named `pictures`."""


class Coming:
    """An image that is to be shown, for whoever waits for it. Made by `Gallery.show`.

    :param name: that of the image, as the core knows it.
    :param was_here: whether it was fetched before.
    """

    def __init__(self, name: str, *, was_here: bool) -> None:
        self.name = name
        self.was_here = was_here
        self._settled = trio.Event()
        self._fetched: Fetched | None = None
        self._failure = Failure("", may_pass=False)

    async def wait(self) -> Fetched:
        """The image. Raises FetchFailed."""
        await self._settled.wait()
        if self._fetched is None:
            raise FetchFailed(self._failure)
        return self._fetched

    def settle(self, outcome: Fetched | Failure) -> None:
        """It is here, or it is known that it will not be."""
        if isinstance(outcome, Fetched):
            self._fetched = outcome
        else:
            self._failure = outcome
        self._settled.set()


class Gallery:
    """Made by `open_gallery`. Images are known by `image_key`: signatures change."""

    def __init__(
        self,
        fetcher: Fetcher,
        nursery: trio.Nursery,
        progressed: Callable[[Progress], object],
        receiving: Receiving | None,
    ) -> None:
        self._fetcher = fetcher
        self._receiving = receiving
        self._nursery = nursery
        self._progressed = progressed
        self._downloads = Downloads(backoff)
        self._tries: dict[int, trio.CancelScope] = {}
        self._partials: dict[str, Partial] = {}
        self._coming: dict[str, Coming] = {}
        self._kept: dict[str, Fetched] = {}
        self._news = Bell()

    def announce(self, images: Sequence[UpcomingImage]) -> None:
        """They will be shown soon. Never waits."""
        self._perform(self._downloads.announce(images, trio.current_time()))

    def show(self, image_url: str, signed_url: str | None, *, is_needed: bool = False) -> Coming:
        """This one is to be shown now, and no other any more. Never waits.

        :param is_needed: its bytes are needed whatever is shown next. Who has got them calls
            `release`, once for each time that it was shown so.
        """
        key = image_key(image_url, signed_url)
        fetched = self._kept.get(key)
        coming = Coming(key, was_here=True)
        if fetched is not None:
            coming.settle(fetched)
        else:
            coming = self._coming.setdefault(key, Coming(key, was_here=False))
        image = UpcomingImage(image_url, signed_url)
        now = trio.current_time()
        self._perform(self._downloads.show(image, now, is_needed=is_needed))
        return coming

    def release(self, coming: Coming) -> None:
        """What was needed of it is done. Never waits."""
        self._perform(self._downloads.released(coming.name, trio.current_time()))

    def finish(self) -> None:
        """Fetch nothing more but what somebody waits for."""
        self._perform(self._downloads.withdraw(self._coming.keys(), trio.current_time()))

    async def keep_time(self) -> None:
        """Have what stands still given up, and tried again, for ever."""
        while True:
            with trio.move_on_at(self._downloads.due):
                await self._news.wait()
            now = trio.current_time()
            if now >= self._downloads.due:
                self._perform(self._downloads.tick(now))

    def _perform(self, outputs: Sequence[DownloadOutput]) -> None:
        for output in outputs:
            match output:
                case Start(number):
                    scope = self._tries[number] = trio.CancelScope()
                    self._nursery.start_soon(self._try, output, scope)
                case Stop(number):
                    self._tries.pop(number).cancel()
                case GivenUp(name, reason, detail):
                    self._give_up(name, Failure(reason, may_pass=False, detail=detail))
                case Evict(name):
                    self._kept.pop(name, None)
                    self._partials.pop(name, None)
                case Progress():
                    self._progressed(output)
        self._news.ring()

    def _give_up(self, key: str, failure: Failure) -> None:
        self._partials.pop(key, None)
        coming = self._coming.pop(key, None)
        if coming is not None:
            coming.settle(failure)
        else:
            # It may work when it is shown, with a newer signature; if not, that is reported.
            log.info("could not fetch an image ahead: %s", failure.reason)

    async def _try(self, start: Start, scope: trio.CancelScope) -> None:
        with scope:
            try:
                fetched = await self._fetch(start)
            except FetchFailed as exc:
                if not scope.cancel_called:
                    now = trio.current_time()
                    del self._tries[start.number]
                    self._perform(self._downloads.failed(start.number, exc.failure, now))
                return
            if not scope.cancel_called:
                del self._tries[start.number]
                self._arrived(start, fetched)

    async def _fetch(self, start: Start) -> Fetched:
        """Raises FetchFailed."""
        if start.offset == 0:
            self._partials.pop(start.name, None)
        partial = self._partials.setdefault(start.name, Partial())

        def hear(news: Answer | bytes) -> None:
            # One that was stopped has nothing to say any more; another may be under way.
            if start.number not in self._tries:
                return
            now = trio.current_time()
            if isinstance(news, Answer):
                at, can = news.offset, news.is_resumable
                self._downloads.answered(start.number, at, now, is_resumable=can)
            else:
                self._downloads.came(start.number, len(news), now)
            partial.hear(news)

        def park() -> None:
            if start.number in self._tries:
                self._downloads.parked(start.number)

        if start.url is not None:
            await self._fetcher.transfer(start.url, start.offset, partial.mark, hear)
        elif self._receiving is not None:
            image_url = name_in_key(start.name)
            await self._receiving.transfer(image_url, start.offset, partial.mark, hear, park)
        else:
            raise FetchFailed(NO_URL)
        return partial.finish()

    def _arrived(self, start: Start, fetched: Fetched) -> None:
        key, now = start.name, trio.current_time()
        del self._partials[key]
        self._kept[key] = fetched
        coming = self._coming.pop(key, None)
        if coming is not None:
            coming.settle(fetched)
        self._perform(self._downloads.done(start.number, now))


@asynccontextmanager
async def open_gallery(
    fetcher: Fetcher,
    progressed: Callable[[Progress], object] = lambda _: None,
    receiving: Receiving | None = None,
) -> AsyncIterator[Gallery]:
    """Fetch while the block lasts.

    :param progressed: is told, now and then, how many of those that were announced are here.
    :param receiving: gets what comes over the connection.
    """
    async with open_background() as nursery:
        if receiving is not None:
            nursery.start_soon(receiving.run)
        gallery = Gallery(fetcher, nursery, progressed, receiving)
        nursery.start_soon(gallery.keep_time)
        yield gallery
