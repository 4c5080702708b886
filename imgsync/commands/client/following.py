"""What the client's command does in a session: fetch, save, run a program, and tell of it."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import trio

from imgsync.client.client import ClientSession, ReceivedImage
from imgsync.commands.client.program import Run, open_program
from imgsync.commands.common import Output, tell_states
from imgsync.images.fetch import Fetched, Fetcher, FetchFailed, save_image
from imgsync.images.gallery import Gallery, open_gallery
from imgsync.tasks import open_background

LAST_FETCHES_DEADLINE = 10.0
"""Seconds for what is still being fetched when a session ends."""


class SessionFollower:
    """Follows one session and tells what happens in it.

    There is no screen, so nothing is reported as shown but what `program` shows.

    :param folder: where to keep the images.
    :param program: what to run for each image, and its arguments.
    """

    def __init__(
        self,
        session: ClientSession,
        fetcher: Fetcher,
        folder: Path | None,
        program: Sequence[str] | None,
        output: Output,
    ) -> None:
        self._session = session
        self._fetcher = fetcher
        self._folder = folder
        self._words = program
        self._output = output

    async def follow(self) -> None:
        """Take part until the session is over and its images are there."""
        session = self._session
        who = session.evaluator_name or session.evaluator_id
        self._output.tell(
            f"session with {who}",
            "session",
            sessionId=session.id,
            evaluatorId=session.evaluator_id,
            evaluatorName=session.evaluator_name,
        )
        with trio.CancelScope() as fetching:
            async with trio.open_nursery() as nursery:
                async with session:
                    await self._follow_images(nursery)
                fetching.deadline = trio.current_time() + LAST_FETCHES_DEADLINE
        assert session.end_reason is not None
        self._output.tell(
            f"session ended: {session.end_detail}",
            "ended",
            sessionId=session.id,
            reason=session.end_reason.value,
            detail=session.end_detail,
        )

    async def _follow_images(self, fetching: trio.Nursery) -> None:
        """Until the session is over; what is being fetched then goes on.

        :param fetching: for that.
        """
        session = self._session
        opening_program = (
            nullcontext()
            if self._words is None
            else open_program(self._words, self._complain, needs_file=self._folder is not None)
        )
        async with (
            open_background() as watching,
            open_gallery(self._fetcher) as gallery,
            opening_program as program,
        ):
            watching.start_soon(tell_states, session.changes(), self._output)
            watching.start_soon(self._announce, gallery)
            async for image in session.images():
                self._output.tell(
                    None,
                    "image",
                    imageIndex=image.index,
                    imageUrl=image.image_url,
                    sentAt=image.sent_at,
                    receivedAt=image.received_at,
                )
                run = None if program is None else program.show(image)
                fetching.start_soon(self._fetch, gallery, image, run)

    async def _announce(self, gallery: Gallery) -> None:
        async for upcoming in self._session.preloads():
            gallery.announce(upcoming)

    async def _fetch(self, gallery: Gallery, image: ReceivedImage, run: Run | None) -> None:
        begin = trio.current_time()
        try:
            fetched, was_ahead = await gallery.get(image.image_url, image.signed_url)
        except FetchFailed as exc:
            self._tell_fetch_failed(image, exc.reason, exc.reason)
            return
        image.fetched()
        try:
            path = await self._save(image, fetched)
        except OSError as exc:
            self._tell_fetch_failed(image, "not_saved", f"not saved: {exc.strerror}")
            return
        if run is not None and path is not None:
            run.file_is_there(path)
        took = 1000 * (trio.current_time() - begin)
        self._output.tell(
            f"image {image.index}  {image.image_url}  {len(fetched.body)} bytes  {fetched.kind}"
            f"  {took:.0f} ms",
            "fetched",
            bytes=len(fetched.body),
            kind=fetched.kind,
            tookMs=round(took, 1),
            ahead=was_ahead,
            path=None if path is None else str(path),
            imageIndex=image.index,
            imageUrl=image.image_url,
        )

    async def _save(self, image: ReceivedImage, fetched: Fetched) -> Path | None:
        if self._folder is None:
            return None
        return await trio.to_thread.run_sync(
            save_image, self._folder, image.index, image.image_url, fetched
        )

    def _tell_fetch_failed(self, image: ReceivedImage, word: str, reason: str) -> None:
        image.failed(word)
        self._output.tell(
            f"image {image.index}  {image.image_url}  {reason}",
            "fetch_failed",
            reason=reason,
            imageIndex=image.index,
            imageUrl=image.image_url,
        )

    def _complain(self, image: ReceivedImage, reason: str, detail: str) -> None:
        self._output.tell(
            f"image {image.index}  {image.image_url}  the command {detail}",
            "exec_failed",
            reason=reason,
            detail=detail,
            imageIndex=image.index,
            imageUrl=image.image_url,
        )
