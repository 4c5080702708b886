"""`python -m imgsync.client`: wait for sessions, follow them, fetch what is to be shown."""

from imgsync.interrupt import leave_on_ctrl_c, leave_with

if __name__ == "__main__":
    leave_on_ctrl_c()

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from imgsync.cli import (
    EXIT_FAILED,
    Output,
    add_peer_options,
    run_command,
    set_up_logging,
    tell_states,
    token_of,
)
from imgsync.nursery import open_background

if TYPE_CHECKING:
    from imgsync.client.client import ClientSession, ReceivedImage
    from imgsync.client.fetch import Fetcher

LAST_FETCHES_DEADLINE = 10.0
"""Seconds for what is still being fetched when a session ends."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m imgsync.client") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.INFO if options.verbose else logging.WARNING)

    async def run() -> int:
        return await _follow(options, prog)

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Wait for sessions and follow them: fetch each image and check it.",
    )
    add_peer_options(parser)
    parser.add_argument(
        "--once", action="store_true", help="leave when the first session has ended"
    )
    parser.add_argument("--save", type=Path, metavar="DIR", help="keep the images in this folder")
    return parser


async def _follow(options: argparse.Namespace, prog: str) -> int:
    # Here and not above: aiortc takes long to load, and a wrong flag should be told at once.
    from imgsync.client.client import open_client
    from imgsync.client.fetch import open_fetcher
    from imgsync.core.errors import InputError

    output = Output(as_json=options.json)
    if options.save is not None:
        try:
            await trio.Path(options.save).mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise InputError(
                f"can't make the folder {str(options.save)!r}: {exc.strerror};"
                " name another one with --save"
            ) from exc
    async with (
        open_fetcher() as fetcher,
        open_client(
            options.relay,
            user_id=options.user,
            name=options.name,
            token=token_of(options),
            ice_addresses=options.ice_address,
            ice_policy=options.ice_policy,
        ) as client,
    ):
        output.tell(
            f"waiting for an evaluator as {options.user}", "registered", userId=options.user
        )
        async for session in client.sessions():
            follower = SessionFollower(session, fetcher, options.save, output)
            await follower.follow()
            reason = session.end_reason
            assert reason is not None
            if options.once:
                if reason.in_good_order:
                    return 0
                print(f"{prog}: the session has ended: {session.end_detail}", file=sys.stderr)
                return EXIT_FAILED
    return 0


class SessionFollower:
    """Follows one session and tells what happens in it."""

    def __init__(
        self, session: "ClientSession", fetcher: "Fetcher", folder: Path | None, output: Output
    ) -> None:
        self._session = session
        self._fetcher = fetcher
        self._folder = folder
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
                async with session, open_background() as watching:
                    watching.start_soon(tell_states, session.changes(), self._output)
                    async for image in session.images():
                        self._tell_image(image)
                        nursery.start_soon(self._fetch, image)
                fetching.deadline = trio.current_time() + LAST_FETCHES_DEADLINE
        assert session.end_reason is not None
        self._output.tell(
            f"session ended: {session.end_detail}",
            "ended",
            sessionId=session.id,
            reason=session.end_reason.value,
            detail=session.end_detail,
        )

    def _tell_image(self, image: "ReceivedImage") -> None:
        self._output.tell(
            None,
            "image",
            imageIndex=image.index,
            imageUrl=image.image_url,
            sentAt=image.sent_at,
            receivedAt=image.received_at,
        )

    async def _fetch(self, image: "ReceivedImage") -> None:
        from imgsync.client.fetch import FetchFailed, save_image

        begin = trio.current_time()
        about = {"imageIndex": image.index, "imageUrl": image.image_url}
        try:
            fetched = await self._fetcher.fetch(image.signed_url)
            path = None
            if self._folder is not None:
                path = await trio.to_thread.run_sync(
                    save_image, self._folder, image.index, image.image_url, fetched
                )
        except (FetchFailed, OSError) as exc:
            reason = exc.reason if isinstance(exc, FetchFailed) else f"not saved: {exc.strerror}"
            prose = f"image {image.index}  {image.image_url}  {reason}"
            self._output.tell(prose, "fetch_failed", reason=reason, **about)
            return
        took = 1000 * (trio.current_time() - begin)
        self._output.tell(
            f"image {image.index}  {image.image_url}  {len(fetched.body)} bytes  {fetched.kind}"
            f"  {took:.0f} ms",
            "fetched",
            bytes=len(fetched.body),
            kind=fetched.kind,
            tookMs=round(took, 1),
            path=None if path is None else str(path),
            **about,
        )


if __name__ == "__main__":
    leave_with(main())
