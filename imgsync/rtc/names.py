"""Names of servers to addresses, and which of several addresses to use: the first that answers.

The loop's own executor is not used: it is waited for when the loop closes, and a look-up can take
long.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from aioice import stun

from imgsync.core.protocol.addresses import is_of_one_host

T = TypeVar("T")

MAX_ADDRESSES = 4
"""Of one name; each that does not answer takes its time."""

NEXT_AFTER = 0.5
"""Seconds that an address has before the next one is tried beside it. RFC 8305, section 5, has half
of it, for TCP alone: an allocation takes two or three times there and back, and who is given up
while it is made leaves it to the server until it expires."""

_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


async def resolve(host: str) -> list[str]:
    """The addresses of a name, in the order in which to try them, asked for in a thread that nobody
    waits for. Raises OSError.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def finish(addresses: list[str]) -> None:
        if not answer.done():
            if addresses:
                answer.set_result(addresses)
            else:
                answer.set_exception(OSError("no host has this name"))

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            found = []
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(finish, by_turns([str(entry[4][0]) for entry in found]))

    threading.Thread(target=look_up, daemon=True, name="imgsync-resolve").start()
    return await answer


def by_turns(addresses: Sequence[str]) -> list[str]:
    """Each once, the two families by turns, the system's first choice first (RFC 8305, section 4);
    no more of them than are tried, and none that is of no host.
    """
    known = list(dict.fromkeys(map(plain_address, filter(is_of_one_host, addresses))))
    first = [one for one in known if is_ipv6(one) == is_ipv6(known[0])]
    other = [one for one in known if one not in first]
    return [one for one in chain(*zip_longest(first, other)) if one][:MAX_ADDRESSES]


def is_ipv6(address: str) -> bool:
    """Whether it is one of IPv6."""
    return ipaddress.ip_address(address).version == 6


def plain_address(address: str) -> str:
    """An IPv4 address that is written as one of IPv6 as what it is."""
    mapped = getattr(ipaddress.ip_address(address), "ipv4_mapped", None)
    return str(mapped or address)


async def first_answer(tries: Sequence[Callable[[], Awaitable[T]]], drop: Callable[[T], None]) -> T:
    """What the first one returns that succeeds; the next begins when one fails, or takes long.

    Raises what says most of why none did. What a STUN or TURN server refuses is its answer.

    :param drop: given what another one has come to all the same.
    """
    waiting, failures = deque(tries), list[BaseException]()
    running = set[asyncio.Task[T]]()
    best: asyncio.Task[T] | None = None
    try:
        while best is None and (waiting or running):
            if waiting:
                running.add(asyncio.create_task(_await(waiting.popleft())))
            patience = NEXT_AFTER if waiting else None
            done, _ = await asyncio.wait(
                running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                failure = task.exception()
                if failure is None or isinstance(failure, stun.TransactionFailed):
                    best = best or task
                else:
                    running.discard(task)
                    failures.append(failure)
    finally:
        await _end(running - {best}, best, drop)
    if best is not None:
        return best.result()
    raise next((one for one in failures if not _is_no_way(one)), failures[0])


async def _end(
    others: set[asyncio.Task[T]], best: asyncio.Task[T] | None, drop: Callable[[T], None]
) -> None:
    """Drop what has come of the others; of the best, too, where nobody wants it any more."""
    for task in others:
        task.cancel()
    try:
        if others:
            await asyncio.wait(others)
    except asyncio.CancelledError:
        if best is not None and best.exception() is None:
            drop(best.result())
        raise
    finally:
        for task in others:
            if task.done() and not task.cancelled() and task.exception() is None:
                drop(task.result())


async def _await(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _is_no_way(failure: BaseException) -> bool:
    """Whether it says no more than that this machine has no way to addresses of that family."""
    return isinstance(failure, OSError) and failure.errno in _NO_WAY
