"""What tasks are made of here: background nurseries, bells to wait for, iterators.

Every `open_x` that owns tasks is built on `open_background`, so that a caller's `except SomeError`
works whether the error was raised by its own code or by a task behind it, and so that what stands
in the `finally` of a block can still rely on the tasks behind it, whatever ended the block.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import get_ident
from typing import Generic, NoReturn, TypeVar

import trio

T = TypeVar("T")


@asynccontextmanager
async def open_background() -> AsyncIterator[trio.Nursery]:
    """A nursery whose tasks are cancelled when the block is left, and not before.

    A cancellation from outside reaches the block alone; its tasks go on until it has cleaned up.
    A lone exception comes out as itself; several that happened together stay a group.
    """
    with lone_errors():
        async with trio.open_nursery() as outer:
            scope = trio.CancelScope()
            nursery: trio.Nursery = await outer.start(_hold_nursery, scope)
            # One that was cancelled in the very moment in which it started is closed by now.
            await trio.lowlevel.checkpoint_if_cancelled()
            # Not before: a start that is cancelled half-way waits for its task to end.
            scope.shield = True
            try:
                yield nursery
            finally:
                scope.cancel()


async def _hold_nursery(
    scope: trio.CancelScope, *, task_status: trio.TaskStatus[trio.Nursery]
) -> None:
    with scope:
        async with trio.open_nursery() as nursery:
            task_status.started(nursery)
            await trio.sleep_forever()


@contextmanager
def lone_errors() -> Iterator[None]:
    """Stands around a nursery: a lone exception comes out as itself, several stay a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        lone = find_lone(group)
        if lone is group:
            raise
        # The group would be chained as the context of what it holds.
        raise lone from lone.__cause__


def find_lone(exc: BaseException) -> BaseException:
    """The one exception inside nested groups, or the group itself where there are several."""
    inner = exc
    while isinstance(inner, BaseExceptionGroup):
        if len(inner.exceptions) > 1:
            return exc
        inner = inner.exceptions[0]
    return inner


class Bell:
    """Wakes whoever waits at this moment, as often as it is rung.

    What is waited for is looked at first: nothing is missed if no checkpoint lies between the look
    and `wait`.
    """

    def __init__(self) -> None:
        #: While somebody waits.
        self._rung: trio.Event | None = None

    def ring(self) -> None:
        """Wake all that wait now."""
        if self._rung is not None:
            rung, self._rung = self._rung, None
            rung.set()

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._rung is None:
            self._rung = trio.Event()
        await self._rung.wait()


class Inbox(Generic[T]):
    """From any thread to one task, in the order in which it comes, without loss.

    Unbounded: whoever puts can't wait, and to drop is worse. What comes in is bounded by what the
    other peer sends, as nothing on the way here can slow it down.
    """

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._thread = get_ident()
        self._items: deque[T] = deque()
        self._reader: trio.lowlevel.Task | None = None
        #: Whether Trio's thread has been called, and has not come yet.
        self._is_called = False
        #: What is done with each, while somebody serves; and what went wrong with one.
        self._handle: Callable[[T], object] | None = None
        self._failure: BaseException | None = None

    def put(self, item: T) -> None:
        """From any thread; never raises, never waits."""
        self._items.append(item)
        if get_ident() == self._thread:
            self._wake()
        elif not self._is_called:  # a burst costs one call, which is a write to a socket
            self._is_called = True
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._come)

    def _come(self) -> None:
        self._is_called = False  # before the look, so that what is put behind it calls again
        if self._handle is not None and self._reader is not None and self._items:
            try:
                self._handle(self._items.popleft())
            except BaseException as exc:  # an exception in here would end Trio's run
                self._handle, self._failure = None, exc
        if self._items or self._failure is not None:
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            trio.lowlevel.reschedule(reader)

    async def get(self) -> T:
        """The next item. One task at a time."""
        if self._items:
            # Before the item is taken, so that none is lost; a flood must not starve other tasks.
            await trio.lowlevel.checkpoint()
        while not self._items:
            await self._wait()
        return self._items.popleft()

    async def serve(self, handle: Callable[[T], object]) -> NoReturn:
        """Have each item handled in its turn, until cancelled. One task at a time.

        What comes from another thread is handled as it comes to Trio's, between the steps of two
        tasks: waking a task for it would take a turn more. Of several, each has a turn of its own,
        so that the tasks that they wake run in the same order. What `handle` raises is raised here,
        and ends it.
        """
        self._handle = handle
        try:
            while self._failure is None:
                if not self._items:
                    await self._wait()
                    continue
                await trio.lowlevel.checkpoint()
                if self._items:
                    handle(self._items.popleft())
            raise self._failure
        finally:
            self._handle = None

    async def _wait(self) -> None:
        self._reader = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._reader = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


class Pull(Generic[T]):
    """Iterates by asking for one item after the other, until there is none: that is None.

    No generator: one that is left half-way needs no closing.
    """

    def __init__(self, next_item: Callable[[], Awaitable[T | None]]) -> None:
        self._next_item = next_item

    def __aiter__(self) -> "Pull[T]":
        return self

    async def __anext__(self) -> T:
        item = await self._next_item()
        if item is None:
            raise StopAsyncIteration
        return item
