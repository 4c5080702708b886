"""What tests of pages ask of a browser, whichever it is: `chromium` and `firefox` answer.

One browser serves all tests of a process; each page has a context of its own, as if it were a
browser of its own: cookies, storage and cache are nobody else's.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import os
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from tests.kit.processes import WAIT_S, wait_until

JSON = dict[str, Any]

START_S = 30
ANSWER_S = WAIT_S
"""Seconds for a command's answer, and for what a page is waited for; on a loaded machine."""

PROBE_S = 20
"""Seconds for an answer of the browser's own, before it counts as lost."""

LOOK_AGAIN_S = 0.02
LOOK_SELDOM_S = 0.1
"""A look costs time in three processes: what takes long is looked at less often."""

MAX_LAST_WORDS = 4000
"""Characters."""

_MAX_MESSAGE = 64 * 1024 * 1024


# ── what tests see ───────────────────────────────────────────────────────────────────────────────


class Page(ABC):
    """One page in a context of its own. Made by `Browser.open_page`.

    :ivar errors: what the page, or the browser about it, has complained of.
    :ivar dialogs: kinds of those that it has opened; each holds it up until it is answered.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.dialogs: list[str] = []

    @abstractmethod
    async def command(self, method: str, **params: object) -> JSON:
        """A command to this page, in its browser's own protocol."""

    @abstractmethod
    async def goto(self, url: str) -> None:
        """Load what is there."""

    async def reload(self) -> None:
        """Load it again; returns when the old document is gone."""
        await self.run("void (window.isOld = true)")
        await self.begin_reload()
        await self.wait("!window.isOld")

    @abstractmethod
    async def begin_reload(self) -> None:
        """Have it loaded again, and wait for nothing."""

    @abstractmethod
    async def accept_dialog(self) -> None:
        """Say yes to what has been asked last."""

    async def reload_though_asked(self) -> None:
        """Load it again in the middle of what would be lost: the browser asks whether to."""
        asked = len(self.dialogs)
        await self.run("void (window.isOld = true)")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.begin_reload)
            await wait_until(lambda: len(self.dialogs) > asked, "a question")
            assert self.dialogs[asked:] == ["beforeunload"]
            await self.accept_dialog()
        await self.wait("!window.isOld")

    @abstractmethod
    async def tap(self, x: float, y: float) -> None:
        """Press and release there."""

    @abstractmethod
    async def press(self, key: str) -> None:
        """Press and release a key, as `KeyboardEvent.key` names it, wherever the focus is."""

    @abstractmethod
    async def insert(self, text: str) -> None:
        """Into the field that has the focus."""

    @abstractmethod
    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        """In the element for it that is there."""

    @abstractmethod
    async def resize(self, width: int, height: int) -> None:
        """What is seen of the page, in its own pixels."""

    @abstractmethod
    async def magnify(self, scale: float, zoom: float = 1) -> None:
        """A screen with so many pixels for one of the system, and the page zoomed by so much, in a
        small window."""

    @abstractmethod
    async def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""

    async def wait(self, script: str, seconds: float = ANSWER_S) -> Any:
        """The value of an expression once it is true; it may be looked at while a page loads."""
        found: Any = None
        begun = trio.current_time()
        with trio.move_on_after(seconds):
            while not found:
                # It fails while the page is being replaced by another.
                with suppress(AssertionError, CommandFailed):
                    found = await self.run(script)
                if not found:
                    waited = trio.current_time() - begun
                    await trio.sleep(min(max(LOOK_AGAIN_S, waited / 10), LOOK_SELDOM_S))
            return found
        body = await self.run("document.body?.outerHTML")
        raise AssertionError(f"{script} was not so within {seconds} s: {body}; {self.errors}")

    @abstractmethod
    async def run_early(self, script: str) -> None:
        """Have this run in each document before anything else of it does."""

    async def hide(self) -> None:
        """Have nobody look at it: its window is minimized."""
        await self.set_window("minimized")
        await self.wait("document.visibilityState === 'hidden'")

    async def unhide(self) -> None:
        """Have it looked at again."""
        await self.set_window("normal")
        await self.wait("document.visibilityState === 'visible'")

    @abstractmethod
    async def set_window(self, state: str) -> None:
        """Its window is "minimized" or "normal"."""

    async def screenshot(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(await self.capture())

    @abstractmethod
    async def capture(self) -> str:
        """The page as PNG, in base 64."""


class Browser(ABC):
    """A connection to a browser. Made by `open_browser`."""

    @abstractmethod
    def open_page(
        self, url: str = "about:blank", **context: object
    ) -> AbstractAsyncContextManager[Page]:
        """A page in a context of its own.

        :param context: what the browser's own protocol knows of contexts.
        """

    @abstractmethod
    def open_beside(
        self, page: Page, *, in_sight: bool = False
    ) -> AbstractAsyncContextManager[Page]:
        """Another tab in the context of a page, which is closed without asking anybody.

        :param in_sight: in a window of its own; of the tabs of one window all but one are hidden.
        """


@attrs.define(eq=False)
class Started:
    """A browser that runs, and how it is driven.

    :param output: the file with what it says.
    :param probe: a command that the browser answers by itself, whatever its pages do.
    :ivar is_lost: whether it answers nothing any more.
    """

    url: str
    output: Path
    drive: Callable[[Talk], AbstractAsyncContextManager[Browser]]
    probe: str
    connect: Callable[[str, int], Awaitable[trio.SocketStream]] = trio.open_tcp_stream
    is_lost: bool = False

    @property
    def last_words(self) -> str:
        """The end of what it has said."""
        return self.output.read_text(errors="replace")[-MAX_LAST_WORDS:]


@asynccontextmanager
async def open_browser(started: Started) -> AsyncIterator[Browser]:
    """Drive a browser that was started."""
    url = urlsplit(started.url)
    assert url.hostname is not None
    assert url.port is not None
    # Where the browser closes first, trio-websocket would leave a socket of its own open.
    async with (
        await started.connect(url.hostname, url.port) as stream,
        trio.open_nursery() as nursery,
    ):
        with trio.fail_after(ANSWER_S):
            socket = await wrap_client_stream(
                nursery,
                stream,
                url.netloc,
                url.path,
                max_message_size=_MAX_MESSAGE,
                message_queue_size=math.inf,  # type: ignore[arg-type]
            )
        talk = Talk(socket, started)
        nursery.start_soon(talk.receive)
        async with started.drive(talk) as browser:
            yield browser
        nursery.cancel_scope.cancel()


# ── what browsers have in common ─────────────────────────────────────────────────────────────────


@contextmanager
def run_browser(
    name: str,
    make_command: Callable[[Path], Sequence[str]],
    listening: bytes,
) -> Iterator[tuple[str, Path]]:
    """A browser's process; yields the URL that it says that it listens on, and its output.

    :param make_command: with the folder for its profile, which goes with it.
    :param listening: what stands before the URL in its output.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = make_command(Path(profile))
        # What it would leave behind in the folder for temporary files goes with the profile.
        env = os.environ | {"TMPDIR": profile}
        output = Path(profile) / "output.txt"
        # No pipe: once one is full, a browser stands still with the next word that it has to say.
        with (
            output.open("wb") as file,
            subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=env, start_new_session=True
            ) as process,
        ):
            try:
                yield _wait_url(name, process, output, listening), output
            finally:
                _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Debian starts a browser by a script that waits for it: both are to end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(START_S)
    deadline = time.monotonic() + START_S
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)


def _wait_url(name: str, process: subprocess.Popen[bytes], output: Path, listening: bytes) -> str:
    deadline = time.monotonic() + START_S
    while b"\n" not in (said := output.read_bytes()).partition(listening)[2]:
        assert process.poll() is None, f"{name} has ended: {said!r}"
        assert time.monotonic() < deadline, f"{name} says only: {said!r}"
        time.sleep(0.01)
    return said.partition(listening)[2].split()[0].decode()


class CommandFailed(Exception):
    """The browser refuses a command."""


@attrs.define(eq=False)
class _Call:
    done: trio.Event = attrs.field(factory=trio.Event)
    answer: JSON = attrs.field(factory=dict)


class Talk:
    """Commands with answers, and events: DevTools and WebDriver BiDi have this form in common.

    :ivar hear: is given each event.
    """

    def __init__(self, socket: WebSocketConnection, started: Started) -> None:
        self._socket = socket
        self._started = started
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self.hear: Callable[[JSON], None] = lambda event: None

    async def command(self, method: str, params: JSON, **address: str) -> JSON:
        """A command and its answer. Raises CommandFailed.

        :param address: whom in the browser it is for, where the protocol has that beside it.
        """
        assert not self._started.is_lost, "this browser answers nothing any more"
        answer = await self._ask(ANSWER_S, method, params, **address)
        assert answer is not None, f"no answer to {method} within {ANSWER_S} s{await self._blame()}"
        if "error" in answer:
            raise CommandFailed(f"{method}: {(answer['error'], answer.get('message'))}")
        result: JSON = answer["result"]
        return result

    async def _ask(self, seconds: float, method: str, params: JSON, **address: str) -> JSON | None:
        """None where no answer comes in time."""
        id = next(self._ids)
        call = self._calls[id] = _Call()
        message = {"id": id, "method": method, "params": params, **address}
        with trio.move_on_after(seconds):
            await self._socket.send_message(json.dumps(message))
            await call.done.wait()
        return call.answer if call.done.is_set() else None

    async def _blame(self) -> str:
        """Whether it is a page that does not answer, or the browser."""
        if await self._ask(PROBE_S, self._started.probe, {}) is not None:
            return ", though the browser itself answers"
        self._started.is_lost = True
        return f", nor does the browser itself answer; it has said: {self._started.last_words}"

    async def receive(self) -> None:
        """Hand on what the browser says, until cancelled."""
        while True:
            try:
                message = json.loads(await self._socket.get_message())
            except ConnectionClosed as exc:
                self._started.is_lost = True
                exc.add_note(f"the browser has said: {self._started.last_words}")
                raise
            if message.get("id") is None:
                self.hear(message)
            else:
                call = self._calls.pop(message["id"])
                call.answer = message
                call.done.set()
