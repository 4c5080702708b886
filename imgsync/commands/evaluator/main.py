"""`python -m imgsync.evaluator`: show a folder or a manifest to one client."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING

from imgsync.commands.common import (
    EXIT_FAILED,
    WAYS,
    add_peer_options,
    keep_what_is_loaded,
    positive_seconds,
    run_command,
    set_up_logging,
    token_of,
)
from imgsync.commands.events import AtDoor, Connected, Registered, SessionOver, Waiting
from imgsync.commands.output import Output
from imgsync.core.protocol.numbers import MAX_IMAGE

if TYPE_CHECKING:
    from imgsync.commands.evaluator.presenting import Series
    from imgsync.commands.evaluator.score import Score
    from imgsync.core.protocol.errors import SessionEnded
    from imgsync.evaluator.evaluator import Evaluator, EvaluatorSession
    from imgsync.images.sources import Images

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None, prog: str = "python -m imgsync.evaluator") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.INFO if options.verbose else logging.WARNING)

    async def run() -> int:
        return await _present(options, prog)

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Show images to a remote client, one after the other.",
        epilog="Without --every, lines on stdin drive the session: next, prev, goto N (from 0),"
        " mark TEXT, score NUMBER [TEXT], end. On a terminal, keys do: n or space, p, N and Enter,"
        " m or s and what is noted and Enter, q.",
    )
    parser.add_argument("source", metavar="SOURCE", help="folder, or .json or .csv manifest")
    add_peer_options(parser)
    parser.add_argument("--client", required=True, metavar="ID", help="whom to show them to")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--every",
        type=positive_seconds,
        metavar="SECONDS",
        help="show all in order, one each so many seconds",
    )
    pace.add_argument(
        "--auto",
        action="store_true",
        help="show all in order, each when the one before is over: when it was up for as long as"
        " the study says, or was answered; lines and keys work beside",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="shuffle a study by this number, in the place of its own or of any",
    )
    parser.add_argument(
        "--lsl",
        nargs="?",
        const="imgsync",
        metavar="NAME",
        help="send markers of what becomes of the images to the Lab Streaming Layer, as a stream of"
        " this name (imgsync)",
    )
    parser.add_argument(
        "--pictures",
        choices=WAYS,
        default=WAYS[0],
        help="how clients get them: peer sends a folder's over the connection itself, url has all"
        " fetched from web addresses, for which a folder is served from here; auto (the default)"
        " sends a folder's, and has those of a manifest fetched",
    )
    parser.add_argument(
        "--limit",
        type=picture_size,
        default=MAX_IMAGE,
        metavar="MIB",
        help=f"refuse a folder with a picture that is larger (default: {MAX_IMAGE >> 20}, which is"
        " what clients take)",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait for the client to be online and free, instead of giving up where it is not",
    )
    return parser


def picture_size(text: str) -> int:
    """An argparse type: MiB, as bytes."""
    most = MAX_IMAGE >> 20
    try:
        size = round(float(text) * (1 << 20))
    except (ValueError, OverflowError):
        size = 0
    if not 1 <= size <= MAX_IMAGE:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size in MiB; give a number above 0, and {most} at most"
        )
    return size


async def _present(options: argparse.Namespace, prog: str) -> int:
    # Here and not above: aiortc takes long to load, and a wrong flag should be refused at once.
    from imgsync.commands.evaluator.course import refuse_endless
    from imgsync.commands.evaluator.intake import Checking, tell_of_images
    from imgsync.commands.evaluator.markers import open_following, open_markers
    from imgsync.commands.evaluator.progress import find_console, open_progress
    from imgsync.core.protocol.errors import SessionEnded
    from imgsync.evaluator.evaluator import open_evaluator
    from imgsync.images.sources import open_images
    from imgsync.net.connect import local_address_towards_relay, place_of_relay

    keep_what_is_loaded()
    output = Output(as_json=options.json)
    console = find_console(output)
    address = await local_address_towards_relay(options.relay)
    relay = await place_of_relay(options.relay)
    async with AsyncExitStack() as stack:
        markers = None
        if options.lsl is not None:
            # Long before the first of them: who records has to find the stream.
            markers = stack.enter_context(open_markers(options.lsl, options.user))
        images = await stack.enter_async_context(
            open_images(
                options.source,
                address=address,
                via=options.pictures,
                limit=options.limit,
                checked=Checking().tell,
                seed=options.seed,
            )
        )
        if options.auto:
            refuse_endless(images)
        evaluator = await stack.enter_async_context(
            open_evaluator(
                options.relay,
                user_id=options.user,
                name=options.name,
                token=token_of(options),
                ice_addresses=options.ice_address,
                ice_policy=options.ice_policy,
                snap=options.snap,
                log_file=options.log,
            )
        )
        tell_of_images(images, relay, output, prog)
        output.write(Registered(options.user))
        try:
            opening = open_progress(output, console, len(images))
            following = open_following(markers)
            score = await _show_all(images, evaluator, options, output, opening, following)
        except SessionEnded as exc:
            print(f"{prog}: {exc}", file=sys.stderr)
            return EXIT_FAILED
        complaint = score.complaint(options.client)
        if complaint is not None:
            print(f"{prog}: {complaint}", file=sys.stderr)
            return EXIT_FAILED
        return 0


async def _show_all(
    images: "Images",
    evaluator: "Evaluator",
    options: argparse.Namespace,
    output: Output,
    opening: AbstractAsyncContextManager[Output],
    following: "AbstractAsyncContextManager[Callable[[EvaluatorSession], None]]",
) -> "Score":
    """In one session; returns what became of them. Raises SessionEnded.

    :param opening: where events of the series go.
    :param following: what follows the session.
    """
    from imgsync.commands.evaluator.course import Asked, record_study
    from imgsync.commands.evaluator.presenting import Series
    from imgsync.core.protocol.errors import SessionEnded

    asked = Asked.of(images)
    series = None
    try:
        async with AsyncExitStack() as stack:
            follow = await stack.enter_async_context(following)
            session = await _enter_session(stack, evaluator, options, output)
            output.write(
                Connected(session_id=session.id, client_id=options.client, image_count=len(images))
            )
            follow(session)
            if images.study is not None:
                record_study(session, images.study)
            async with opening as view:
                series = Series(session, images, view, asked)
                await _run_series(session.id, series, view, options)
    except SessionEnded as exc:
        if series is None:
            _tell_end(output, None, exc)
        raise
    return series.score


def _tell_end(output: Output, session_id: str | None, end: "SessionEnded") -> None:
    """To programs; people read it on stderr."""
    if output.as_json:
        detail = end.reason.in_words(end.detail)
        output.write(SessionOver(session_id=session_id, reason=end.reason, detail=detail))


async def _run_series(
    session_id: str, series: "Series", output: Output, options: argparse.Namespace
) -> None:
    """By the clock, or by what is typed. Raises SessionEnded."""
    from imgsync.commands.evaluator.keyboard import open_lines
    from imgsync.core.protocol.errors import SessionEnded

    try:
        if options.every is not None:
            await series.show_every(options.every)
        else:
            with open_lines(output.show_typing) as lines:
                await (series.go_on_by_itself if options.auto else series.obey)(lines)
        await series.hear_out()
    except SessionEnded as exc:
        _tell_end(output, session_id, exc)
        raise
    finally:
        output.write(series.summary)


async def _enter_session(
    stack: AsyncExitStack, evaluator: "Evaluator", options: argparse.Namespace, output: Output
) -> "EvaluatorSession":
    """A session with the client, which ends with the stack; with --wait, as soon as one can be."""
    import trio

    from imgsync.backoff import backoff
    from imgsync.core.protocol.errors import ConnectTimeout, RelayError, SignallingLost

    outages = 0
    while True:
        # Asked first: who is busy may be so with us, with a process before this one.
        try:
            return await stack.enter_async_context(evaluator.open_session(options.client))
        except RelayError as exc:
            if not (options.wait and exc.code.may_pass):
                raise
            if exc.code.is_outage:
                # Nothing tells when it is over; the client may be there all the time.
                log.warning("no session can be started yet, and will be tried again: %s", exc)
                await trio.sleep(backoff(outages))
                outages += 1
                continue
        except (SignallingLost, ConnectTimeout):
            if not options.wait:
                raise
        output.write(Waiting(options.client))
        # Whoever else waits learns it at the same moment, and may be quicker.
        await _wait_available(evaluator, options.client, output)


async def _wait_available(evaluator: "Evaluator", client: str, output: Output) -> None:
    """And say so where its page is there, and nobody has touched it."""
    import trio

    from imgsync.core.protocol.signalling import PresenceState

    async def tell_door() -> None:
        await evaluator.wait_state(client, PresenceState.WAITING)
        output.write(AtDoor(client))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell_door)
        await evaluator.wait_available(client)
        nursery.cancel_scope.cancel()
