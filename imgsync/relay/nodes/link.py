"""A connection to Redis that is made when it is needed, and anew after each failure.

The one home of coredis. Of that, single connections are used and not its client, which sends again
what is not answered, and whose errors come in groups: here a call is sent once, and is answered or
fails by its deadline. A connection on which one was not answered in time is closed, so that an
answer that is late is nobody's.
"""

from __future__ import annotations

import math
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import trio

from imgsync.core.protocol.errors import StoreAway
from imgsync.distribution import missing_extra
from imgsync.relay.nodes.address import Address
from imgsync.tasks import Bell

if TYPE_CHECKING:
    from coredis import BaseConnection

CALL_S = 1.0
"""Seconds in which a call is answered, and the connection made if there is none."""

SILENCE_S = 5.0
"""Seconds of silence after which a connection that only listens asks whether it is heard."""

MAX_SAID = 200
"""Characters of what Redis says that are repeated."""

Word = bytes | str | int | float
Reply = Any
"""Bytes, a number, None, or a list or dict of these."""


class UnknownScript(Exception):
    """The server does not know a script by its digest: nothing was done."""


@attrs.define(eq=False)
class Attempt:
    """An attempt to connect, and what came of it: a connection, or the reason why there is none.

    :ivar server: the id of the process that answers, which no other one has.
    """

    over: trio.Event = attrs.field(factory=trio.Event)
    connection: BaseConnection | None = None
    server: str = ""
    failure: str = "it has not answered in time"

    @property
    def is_lost(self) -> bool:
        """Whether it came to nothing, or its connection did."""
        return self.over.is_set() and not (self.connection and self.connection.usable)


class Link:
    """One connection at a time, which runs in `keep`. Raises MissingExtra where coredis is not."""

    def __init__(self, address: Address) -> None:
        try:
            import coredis  # noqa: F401 (takes 0.3 s, so that it is loaded for nodes alone)
        except ImportError as exc:
            raise missing_extra("nodes can't share what they know on Redis", "relay") from exc
        self._address = address
        self._attempt: Attempt | None = None
        self._wanted = Bell()

    async def keep(self) -> NoReturn:
        """Connect whenever that is wanted, until cancelled."""
        while True:
            if self._attempt is None or self._attempt.over.is_set():
                await self._wanted.wait()
            else:
                await self._run(self._attempt)

    async def _run(self, attempt: Attempt) -> None:
        """A connection, from the attempt to its end."""
        connection = _make_connection(self._address)

        async def learn_server(_: object) -> None:
            info: Any = await connection.create_request(b"INFO", b"server")
            attempt.server = info.partition(b"run_id:")[2].split(maxsplit=1)[0].decode()

        class Status:
            def started(self, value: None = None) -> None:
                scope.deadline = math.inf
                attempt.connection = connection
                attempt.over.set()

        connection.register_connect_callback(learn_server)
        with trio.move_on_after(CALL_S) as scope:
            try:
                await connection.run(task_status=Status())
            except Exception as exc:  # coredis raises one in place of a cancellation, too
                if not scope.cancel_called:
                    attempt.failure = _explain(exc)
        attempt.over.set()

    async def connect(self) -> Attempt:
        """A connection that works, which may be that of others. Raises StoreAway."""
        attempt = self._attempt
        if attempt is None or attempt.is_lost:
            attempt = self._attempt = Attempt()
            self._wanted.ring()
        if not attempt.over.is_set():
            await attempt.over.wait()
        if attempt.connection is None:
            raise StoreAway(f"can't reach Redis at {self._address}: {attempt.failure}")
        return attempt

    async def ask(
        self,
        attempt: Attempt,
        command: bytes,
        *words: Word,
        seconds: float,
        is_alone: bool = False,
    ) -> Reply:
        """Send a command, and have its answer. Raises StoreAway and UnknownScript.

        :param is_alone: no other call uses this connection: it is closed, too, when the call is
            cancelled, and otherwise reads an answer that nobody waits for.
        """
        assert attempt.connection is not None
        try:
            return await attempt.connection.create_request(
                command,
                *words,
                timeout=max(seconds, 0.001),
                disconnect_on_cancellation=is_alone,
            )
        except Exception as exc:
            raise self._failed(attempt, exc) from exc

    def _failed(self, attempt: Attempt, exc: Exception) -> Exception:
        from coredis.exceptions import NoScriptError

        if isinstance(exc, NoScriptError):
            return UnknownScript()
        assert attempt.connection is not None
        # Also where it has only refused: another server may have taken its place.
        attempt.connection.invalidate()
        if isinstance(exc, TimeoutError):
            return StoreAway(f"Redis at {self._address} has not answered in time")
        return StoreAway(f"Redis at {self._address} is of no use: {_explain(exc)}")

    async def subscribe(self, channel: str) -> Attempt:
        """Be told what is published from now on. Raises StoreAway."""
        attempt = await self.connect()
        assert attempt.connection is not None
        try:
            attempt.connection.send_command(b"SUBSCRIBE", channel)
            with trio.move_on_after(CALL_S):
                while (await self._next_push(attempt))[0] != b"subscribe":
                    pass
                return attempt
        except Exception as exc:
            raise self._failed(attempt, exc) from exc
        raise self._failed(attempt, TimeoutError())

    async def next_published(self, attempt: Attempt) -> bytes:
        """What is published next. Raises StoreAway."""
        while True:
            try:
                with trio.move_on_after(SILENCE_S):
                    kind, *_, payload = await self._next_push(attempt)
                    if kind == b"message":
                        return bytes(payload)
                    continue
            except Exception as exc:
                raise self._failed(attempt, exc) from exc
            await self.ask(attempt, b"PING", seconds=CALL_S)

    async def _next_push(self, attempt: Attempt) -> list[Reply]:
        assert attempt.connection is not None
        # As cancellation ends a generator, each is asked but once.
        async with aclosing(attempt.connection.push_messages) as pushes:
            return await anext(pushes)


def _make_connection(address: Address) -> BaseConnection:
    from coredis import TCPConnection, UnixDomainSocketConnection
    from coredis.connection import TCPLocation, UnixDomainSocketLocation

    about: Any = {
        "db": address.database,
        "username": address.username,
        "password": address.password,
        "ssl_context": address.tls,
    }
    if address.path:
        return UnixDomainSocketConnection(UnixDomainSocketLocation(address.path), **about)
    return TCPConnection(TCPLocation(address.host, address.port), **about)


def _explain(exc: BaseException) -> str:
    """What went wrong, as the end of a sentence."""
    from coredis.exceptions import AuthenticationFailureError, AuthenticationRequiredError

    if isinstance(exc, AuthenticationFailureError):
        return "it refuses the password; see the URL or the file that has it"
    if isinstance(exc, AuthenticationRequiredError):
        return "it asks for a password; name one in the URL or in a file"
    while exc.__cause__ is not None:
        exc = exc.__cause__
    if isinstance(exc, BaseExceptionGroup):
        return _explain(exc.exceptions[0])
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return (why or type(exc).__name__)[:MAX_SAID]
