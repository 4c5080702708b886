"""Trio's bridge to one asyncio loop in one thread of its own.

`Bridge.call` awaits a coroutine over there; cancellation and errors cross both ways. What comes
back by itself is told, in order; nothing that is told raises, because it is done inside callbacks
of aiortc, where an exception would end the connection. What lives on the loop is touched on the
loop thread alone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from threading import get_ident
from typing import TypeVar

import trio
from anyio.from_thread import BlockingPortal, start_blocking_portal

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP_DEADLINE = 5.0
"""Seconds for what still runs on the loop when the bridge is left."""


class Bridge:
    """The way to the loop thread. Made by `open_bridge`."""

    def __init__(
        self, portal: BlockingPortal, loop: asyncio.AbstractEventLoop, thread: int
    ) -> None:
        self._portal = portal
        self._loop = loop
        self._thread = thread

    async def call(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """Await a coroutine function on the loop. Cancelling us cancels it there and waits."""
        # Whoever is cancelled already starts nothing: it would come after what cleans up behind it.
        await trio.lowlevel.checkpoint_if_cancelled()
        return await self._portal.call_async(function, *args)

    def post(self, function: Callable[..., object], *args: object) -> None:
        """Run a function on the loop soon, in the order of posting; in any thread, never waits."""
        if get_ident() == self._thread:
            self._loop.call_soon(function, *args)
            return
        with suppress(RuntimeError):  # the loop is closed, and with it all that could care
            self._loop.call_soon_threadsafe(function, *args)


@asynccontextmanager
async def open_bridge() -> AsyncIterator[Bridge]:
    """Own an asyncio loop in a thread.

    Entering and leaving block the thread that does it, so that a worker thread does it.
    """
    starting = start_blocking_portal("asyncio", name="imgsync-webrtc")
    with trio.CancelScope(shield=True):  # a cancelled start would leave the thread behind
        portal = await trio.to_thread.run_sync(starting.__enter__)
        loop, thread, portal_tasks = await portal.call_async(_prepare_loop)
    try:
        yield Bridge(portal, loop, thread)
    finally:
        with trio.CancelScope(shield=True):
            with suppress(RuntimeError):  # the portal has died before
                await portal.call_async(_cancel_tasks, portal_tasks)
            # An exception makes anyio cancel what is left instead of waiting for it.
            stop = _StopPortal()
            with suppress(_StopPortal):
                await trio.to_thread.run_sync(starting.__exit__, _StopPortal, stop, None)


class _StopPortal(Exception):
    pass


async def _prepare_loop() -> tuple[asyncio.AbstractEventLoop, int, set[asyncio.Task[object]]]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_error)
    return loop, get_ident(), asyncio.all_tasks()


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """aioice leaves timers and tasks behind that fail after a close; they are for the debug log."""
    log.debug("on the WebRTC loop: %s", context.get("message"), exc_info=context.get("exception"))  # type: ignore[arg-type]


async def _cancel_tasks(portal_tasks: set[asyncio.Task[object]]) -> None:
    """End the tasks that aiortc started by itself; the portal knows nothing of them."""
    tasks = asyncio.all_tasks() - portal_tasks - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=STOP_DEADLINE)
        for task in stubborn:
            log.warning("a task on the WebRTC loop ignores its cancellation: %r", task)
