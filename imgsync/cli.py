"""What the commands share: signals, exit codes, one line for each error, output for either reader.

Exit codes: 0 done, 1 failed with one line on stderr, 2 usage (argparse), 130 Ctrl-C, 143 SIGTERM.
"""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from imgsync.core.errors import ImgsyncError
from imgsync.nursery import find_lone, open_background

EXIT_FAILED = 1
_EXIT_BY_SIGNAL = 128


def run_command(main: Callable[[], Awaitable[int]], prog: str) -> int:
    """Run a command to its exit code; an error of ours becomes one line on stderr."""
    try:
        return trio.run(_run_until_signal, main)
    except ImgsyncError as exc:
        print(f"{prog}: {exc}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_BY_SIGNAL + signal.SIGINT
    except BaseExceptionGroup as group:
        lone = find_lone(group)
        raise lone from lone.__cause__


async def _run_until_signal(main: Callable[[], Awaitable[int]]) -> int:
    """The exit code of main, or of the signal that ended it in good order."""
    by_signal = 0

    async def watch(signals: Any, scope: trio.CancelScope) -> None:
        nonlocal by_signal
        async for number in signals:
            if by_signal:  # twice: now, whatever is left behind
                os._exit(by_signal)
            by_signal = _EXIT_BY_SIGNAL + number
            scope.cancel()

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_background() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(watch, signals, scope)
                code = await main()
    return by_signal if scope.cancelled_caught else code


async def wait_for_signal() -> None:
    """Wait for Ctrl-C or SIGTERM, for a command whose good end they are."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return


class Output:
    """A command's stdout: prose for people, or one JSON object per line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, prose: str | None, event: str, **values: object) -> None:
        """Say something. `prose` None: only who reads JSON wants to know.

        :param values: what JSON readers get; names in camelCase, times in ms.
        """
        if self._as_json:
            print(json.dumps({"event": event, **values}), flush=True)
        elif prose is not None:
            print(prose, flush=True)


def set_up_logging(level: int) -> None:
    """Logs go to stderr; those of the libraries only where something is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("imgsync").setLevel(level)
    # aiortc and aioice warn of what a peer may well do; what matters of it is in our own logs.
    logging.getLogger("aioice").setLevel(logging.ERROR)
    logging.getLogger("aiortc").setLevel(logging.ERROR)


def add_peer_options(parser: argparse.ArgumentParser) -> None:
    """The options that evaluator and client share."""
    parser.add_argument("--relay", required=True, metavar="URL", help="ws://HOST:PORT/ws")
    parser.add_argument("--user", required=True, metavar="ID", help="who this is")
    parser.add_argument("--name", help="what the other side is shown; the user id by default")
    parser.add_argument(
        "--ice-address",
        action="append",
        default=[],
        metavar="ADDR",
        help="use only this local address for WebRTC (repeatable; may be loopback)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="log to stderr what happens")


def positive_seconds(text: str) -> float:
    """An argparse type."""
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError
    return value


positive_seconds.__name__ = "number of seconds"
