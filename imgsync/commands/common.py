"""What the commands share: signals, exit codes, one line for each error, options, logs.

Exit codes: 0 done, 1 failed with one line on stderr, 2 usage (argparse), 128 and the number of the
signal that ended it: 130 Ctrl-C, 143 SIGTERM, 129 the terminal was closed.
"""

import argparse
import gc
import logging
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import trio

from imgsync.commands.output import OutputLost, accept_any_text, finish_stdout
from imgsync.core.protocol.errors import ImgsyncError
from imgsync.files import input_errors
from imgsync.lines import FLUSH_DEADLINE, LineHandler
from imgsync.peer.token_source import TokenSource, token_file
from imgsync.tasks import open_background

EXIT_FAILED = 1
TOKEN_VARIABLE = "IMGSYNC_TOKEN"
WAYS = ("auto", "peer", "url")
"""How pictures come to clients, as `open_images` has it."""
_EXIT_BY_SIGNAL = 128
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def run_command(
    main: Callable[[], Awaitable[int]],
    prog: str,
    *,
    until_signal: bool = False,
    ends_on_hangup: bool = True,
) -> int:
    """Run a command to its exit code; an error of ours becomes one line on stderr.

    :param until_signal: a signal is the good end of this command: exit code 0.
    :param ends_on_hangup: whether SIGHUP is such a signal; else it is main's to hear.
    """
    accept_any_text()
    try:
        by_signal, code = trio.run(_run_until_signal, main, _ends(ends_on_hangup))
        # Who is asked to end does not wait for long; others do, until Ctrl-C.
        finish_stdout(FLUSH_DEADLINE if by_signal else None)
    except KeyboardInterrupt:
        return _EXIT_BY_SIGNAL + signal.SIGINT
    except BaseException as exc:
        ours = _first_of_ours(exc)
        if ours is None:
            raise
        if isinstance(ours, OutputLost):
            _forget_stdout()
        if not (isinstance(ours, OutputLost) and ours.reader_left):
            with suppress(OutputLost):
                finish_stdout(FLUSH_DEADLINE)
            _flush_logs()
            print(f"{prog}: {ours}", file=sys.stderr)
        return EXIT_FAILED
    return 0 if by_signal and until_signal else code


def keep_what_is_loaded() -> None:
    """To be called when a command has imported what it needs, which stays for good.

    Who looks for garbage leaves it alone from now on: 70,000 objects, for which a session would
    stand still for 40 ms now and then, and the command several times at its exit.
    """
    gc.freeze()


def _first_of_ours(exc: BaseException) -> ImgsyncError | None:
    """Of errors that happened together, the one to print; None where one of them is not ours."""
    while isinstance(exc, BaseExceptionGroup) and exc.split(ImgsyncError)[1] is None:
        exc = exc.exceptions[0]
    return exc if isinstance(exc, ImgsyncError) else None


def _flush_logs() -> None:
    """What is said last is to stand last."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def _forget_stdout() -> None:
    """Else the interpreter would try to flush it once more, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _run_until_signal(
    main: Callable[[], Awaitable[int]], ends: Sequence[signal.Signals]
) -> tuple[bool, int]:
    """Whether a signal ended main in good order, and the exit code."""
    by_signal = 0

    async def watch(signals: Any, scope: trio.CancelScope) -> None:
        nonlocal by_signal
        async for number in signals:
            # A second one changes nothing: each step of a good end has a deadline of its own.
            by_signal = by_signal or _EXIT_BY_SIGNAL + number
            scope.cancel()

    with trio.open_signal_receiver(*ends) as signals:
        async with open_background() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(watch, signals, scope)
                code = await main()
    return (True, by_signal) if scope.cancelled_caught else (False, code)


def _ends(on_hangup: bool) -> list[signal.Signals]:
    """Those that ask a command to end; a hang-up may, unless it is ignored (nohup)."""
    asking = [signal.SIGINT, signal.SIGTERM]
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)  # not so on Windows
    if on_hangup and hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        asking.append(hangup)
    return asking


async def make_folder(folder: Path, option: str) -> None:
    """Make a folder, if there is none. Raises InputError.

    :param option: how another one is named.
    """
    make = partial(folder.mkdir, parents=True, exist_ok=True)
    with input_errors(f"can't make the folder {str(folder)!r}", f"name another one with {option}"):
        await trio.to_thread.run_sync(make, abandon_on_cancel=True)


def set_up_logging(level: int) -> None:
    """Logs go to stderr; those of the libraries only where something is wrong.

    A session waits for a terminal, on which a live line may stand, and for nobody else who reads
    them.
    """
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    handler = logging.StreamHandler() if is_terminal else LineHandler(sys.stderr)
    text = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=text, handlers=[handler])
    logging.getLogger("imgsync").setLevel(level)
    # They warn of what a peer may well do; what matters of it is in our own logs.
    for library in ("aioice", "aiortc"):
        logging.getLogger(library).setLevel(logging.ERROR)


def add_peer_options(parser: argparse.ArgumentParser) -> None:
    """The options that evaluator and client share."""
    parser.add_argument("--relay", required=True, metavar="URL", help="ws://HOST:PORT/ws")
    parser.add_argument("--user", required=True, metavar="ID", help="who this is")
    parser.add_argument("--name", help="what the other side is shown; the user id by default")
    add_token_options(parser)
    add_ice_address(parser)
    parser.add_argument(
        "--ice-policy",
        choices=("all", "relay"),
        default="all",
        help="relay: WebRTC goes through a TURN server alone, and tells no address of ours",
    )
    parser.add_argument(
        "--no-snap",
        dest="snap",
        action="store_false",
        help="have SCTP's own handshake, also where the other side can do without",
    )
    parser.add_argument(
        "--log", metavar="FILE.jsonl", help="add a record of all that happens; see 'imgsync report'"
    )
    add_output_options(parser)


def add_ice_address(parser: argparse.ArgumentParser) -> None:
    """Which local addresses WebRTC may use."""
    parser.add_argument(
        "--ice-address",
        action="append",
        default=[],
        metavar="ADDR",
        help="use only this local address for WebRTC (repeatable; may be loopback)",
    )


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """What is printed, and how much is logged."""
    parser.add_argument("--json", action="store_true", help="one JSON object per line on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="log to stderr what happens")


def add_token_options(parser: argparse.ArgumentParser) -> None:
    """How a token is given; read by `token_of`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--token",
        type=_token,
        metavar="T",
        help="token for a relay that asks for one; other users of this machine see it in the list"
        f" of processes, so rather set {TOKEN_VARIABLE} or use --token-file",
    )
    group.add_argument(
        "--token-file",
        metavar="F",
        help="file that holds the token; read anew at each registration, so it can be replaced",
    )


def _token(text: str) -> str:
    """An argparse type, whose complaint never repeats the token."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "the token is empty; leave the option out if there is none"
        )
    return text


def token_of(options: argparse.Namespace) -> TokenSource:
    """What a peer's options say, or else the environment."""
    if options.token_file is not None:
        return token_file(options.token_file)
    return options.token or os.environ.get(TOKEN_VARIABLE, "").strip() or None


def positive_seconds(text: str) -> float:
    """An argparse type."""
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError
    return value


positive_seconds.__name__ = "number of seconds"


def time_to_live(text: str) -> int:
    """An argparse type: seconds."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time to live; write a number and s, m, h or d, such as 2h"
        )
    return int(match[1]) * _UNITS[match[2]]
