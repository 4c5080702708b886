"""`python -m imgsync.client`: wait for sessions, follow them, fetch what is to be shown."""

import argparse
import logging
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from imgsync.commands.common import (
    EXIT_FAILED,
    add_peer_options,
    keep_what_is_loaded,
    make_folder,
    run_command,
    set_up_logging,
    token_of,
)
from imgsync.commands.events import Registered
from imgsync.commands.output import Output
from imgsync.core.protocol.numbers import FEATURE_EXPOSURE
from imgsync.core.protocol.signalling import Role


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
    parser.add_argument(
        "--exec",
        type=program_words,
        metavar="CMD",
        help="run this while an image is shown, without a shell: it is told of the image in"
        " IMGSYNC_... variables, and gets SIGTERM when the next one comes, or the end",
    )
    return parser


def program_words(text: str) -> list[str]:
    """An argparse type: a program that there is, and its arguments."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"can't be split into words: {exc}") from None
    if not words:
        raise argparse.ArgumentTypeError("names no program")
    if shutil.which(words[0]) is None:
        raise argparse.ArgumentTypeError(f"there is no program {words[0]!r} that can be run")
    return words


async def _follow(options: argparse.Namespace, prog: str) -> int:
    # Here and not above: aiortc takes long to load, and a wrong flag should be refused at once.
    from imgsync.client.client import open_client
    from imgsync.commands.client.following import SessionFollower
    from imgsync.images.fetch import open_fetcher

    keep_what_is_loaded()
    output = Output(as_json=options.json)
    if options.save is not None:
        await make_folder(options.save, "--save")
    async with (
        open_fetcher(is_needed=False) as fetcher,
        open_client(
            options.relay,
            user_id=options.user,
            name=options.name,
            token=token_of(options),
            ice_addresses=options.ice_address,
            ice_policy=options.ice_policy,
            snap=options.snap,
            log_file=options.log,
            pictures=True,
            trials=() if options.exec is None else (FEATURE_EXPOSURE,),
        ) as client,
    ):
        output.write(Registered(options.user, Role.CLIENT))
        async for session in client.sessions():
            follower = SessionFollower(
                session,
                fetcher=fetcher,
                folder=options.save,
                program=options.exec,
                output=output,
            )
            await follower.follow()
            reason = session.end_reason
            assert reason is not None
            if options.once:
                if reason.in_good_order and session.was_connected:
                    return 0
                # An end that somebody wanted is a failure where there was nothing to end.
                when = " before there was a connection" if reason.in_good_order else ""
                why = f"the session has ended{when}: {session.end_detail}"
                print(f"{prog}: {why}", file=sys.stderr)
                return EXIT_FAILED
    return 0
