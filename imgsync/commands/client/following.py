"""What the client's command does in a session: fetch, save, run a program, and print all of it.

What was fetched is let go of once it is saved, so that the gallery knows what is here in all: a
disk that is slower than the network holds the network up. The images that are under way, which wait
for nothing but that, are MAX_UNDER_WAY at most.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

import trio

from imgsync.client.client import ClientSession, ReceivedImage
from imgsync.commands.client.program import Program, Run, open_program
from imgsync.commands.events import (
    ExecFailed,
    Fetched,
    FetchFailed,
    Received,
    SessionBegun,
    SessionOver,
    write_states,
)
from imgsync.commands.output import Output
from imgsync.core.channel.downloads import Progress
from imgsync.core.protocol.channel import Preloaded
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import CROWDED_OUT, MAX_DETAIL
from imgsync.images import fetch
from imgsync.images.gallery import Coming, Gallery, open_gallery
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

LAST_FETCHES_DEADLINE = 10.0
"""Seconds for what is still being fetched when a session ends."""

MAX_UNDER_WAY = 1000
"""Showings that are still to be fetched or saved; the image of more is given up at once."""

SAVES = 2
"""Files that are written at a time. A disk that stands still would else take all threads, of which
others need some."""


class SessionFollower:
    """Follows one session and prints what happens in it.

    There is no screen, so nothing is reported as shown but what `program` shows.

    :param folder: where to keep the images.
    :param program: what to run for each image, and its arguments.
    """

    def __init__(
        self,
        session: ClientSession,
        *,
        fetcher: fetch.Fetcher,
        folder: Path | None,
        program: Sequence[str] | None,
        output: Output,
    ) -> None:
        self._session = session
        self._fetcher = fetcher
        self._folder = folder
        self._words = program
        self._output = output
        #: Those that are still being fetched, or saved.
        self._under_way: list[ReceivedImage] = []
        self._saves = trio.CapacityLimiter(SAVES)

    async def follow(self) -> None:
        """Take part until the session is over and its images are there."""
        session = self._session
        self._output.write(
            SessionBegun(
                session_id=session.id,
                evaluator_id=session.evaluator_id,
                evaluator_name=session.evaluator_name,
            )
        )
        with trio.CancelScope() as scope:
            # What is being fetched when the session ends goes on for a while.
            async with self._open_gallery() as gallery, trio.open_nursery() as fetching:
                async with session, self._open_equipment(gallery) as program:
                    async for image in session.images():
                        self._output.write(_received(image))
                        run = None if program is None else program.show(image)
                        if len(self._under_way) >= MAX_UNDER_WAY:
                            self._fail(image, word=CROWDED_OUT, reason=CROWDED_OUT)
                            continue
                        self._under_way.append(image)
                        coming = self._show(gallery, image)
                        fetching.start_soon(self._fetch, gallery, coming, image, run)
                gallery.finish()
                scope.deadline = trio.current_time() + LAST_FETCHES_DEADLINE
        self._give_up_late()
        assert session.end_reason is not None
        self._output.write(
            SessionOver(session_id=session.id, reason=session.end_reason, detail=session.end_detail)
        )

    def _open_gallery(self) -> AbstractAsyncContextManager[Gallery]:
        def progressed(counts: Progress) -> None:
            said = Preloaded(counts.announced, counts.there, counts.failed, counts.is_full)
            self._session.tell_preloaded(said)

        return open_gallery(self._fetcher, progressed, self._session.receiving)

    @asynccontextmanager
    async def _open_equipment(self, gallery: Gallery) -> AsyncIterator[Program | None]:
        """What images need; while the block lasts, states are written and images announced."""
        opening_program = (
            nullcontext()
            if self._words is None
            else open_program(self._words, self._complain, needs_file=self._folder is not None)
        )
        async with open_background() as watching, opening_program as program:
            watching.start_soon(write_states, self._session.changes(), self._output)
            watching.start_soon(self._announce, gallery)
            yield program

    async def _announce(self, gallery: Gallery) -> None:
        async for upcoming in self._session.preloads():
            gallery.announce([upcoming])

    def _show(self, gallery: Gallery, image: ReceivedImage) -> Coming:
        # Kept is what was shown, also where another image has taken its place by then.
        is_needed = self._folder is not None
        return gallery.show(image.image_url, image.signed_url, is_needed=is_needed)

    def _give_up_late(self) -> None:
        """What has outlived the session and its time after that."""
        if self._under_way:
            log.warning(
                "images that were still being fetched %g s after the session, and are given up: %d",
                LAST_FETCHES_DEADLINE,
                len(self._under_way),
            )
        for image in self._under_way:
            self._output.write(
                FetchFailed(
                    reason="session_over", image_index=image.index, image_url=image.image_url
                )
            )
        self._under_way.clear()

    async def _fetch(
        self, gallery: Gallery, coming: Coming, image: ReceivedImage, run: Run | None
    ) -> None:
        begin = trio.current_time()
        try:
            fetched = await coming.wait()
            image.fetched(picture=fetched.facts)
            path = await self._save(gallery, coming, image, fetched)
        except fetch.FetchFailed as exc:
            self._fail(image, word=exc.reason, reason=exc.reason, detail=exc.detail)
        except OSError as exc:
            self._fail(image, word="not_saved", reason=f"not saved: {exc.strerror}")
        else:
            if run is not None and path is not None:
                run.file_is_there(path)
            self._output.write(_fetched(image, coming, fetched, path, begin))
        self._under_way.remove(image)

    async def _save(
        self, gallery: Gallery, coming: Coming, image: ReceivedImage, fetched: fetch.Fetched
    ) -> Path | None:
        """Where it is kept now; None where that is nowhere. Raises OSError."""
        if self._folder is None:
            return None
        try:
            return await trio.to_thread.run_sync(
                partial(fetch.save_image, self._folder, image.index, image.image_url, fetched),
                limiter=self._saves,
            )
        finally:
            gallery.release(coming)

    def _fail(self, image: ReceivedImage, *, word: str, reason: str, detail: str = "") -> None:
        """The image is not here.

        :param word: why, for the evaluator.
        :param reason: the same as it is printed.
        :param detail: what else is known.
        """
        image.failed(word, detail=cut(detail, MAX_DETAIL))
        self._output.write(
            FetchFailed(
                reason=reason,
                image_index=image.index,
                image_url=image.image_url,
                detail=detail or None,
            )
        )

    def _complain(self, image: ReceivedImage, reason: str, detail: str) -> None:
        self._output.write(
            ExecFailed(
                reason=reason, detail=detail, image_index=image.index, image_url=image.image_url
            )
        )


def _fetched(
    image: ReceivedImage, coming: Coming, fetched: fetch.Fetched, path: Path | None, begin: float
) -> Fetched:
    return Fetched(
        bytes=len(fetched.body),
        kind=fetched.kind,
        sha256=fetched.facts.sha256,
        content_type=fetched.facts.content_type,
        width=fetched.facts.width,
        height=fetched.facts.height,
        took_ms=1000 * (trio.current_time() - begin),
        ahead=coming.was_here,
        path=None if path is None else str(path),
        image_index=image.index,
        image_url=image.image_url,
    )


def _received(image: ReceivedImage) -> Received:
    return Received(
        image_index=image.index,
        image_url=image.image_url,
        sent_at=image.sent_at,
        received_at=image.received_at,
    )
