"""A connection to Redis that is made when it is needed, and anew after each failure.

Single connections of coredis are used and not its client, which sends again what is not answered,
and whose errors come in groups: here a call is sent once, and is answered or fails by its deadline.
A connection on which one was not answered in time is closed, so that an answer that is late is
nobody's.
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
    from imgsync.relay.nodes.connection import Connection

CALL_S = 1.0
"""Seconds in which a call is answered, and the connection made if there is none."""

SILENCE_S = 5.0
"""Seconds of silence after which a connection that only listens asks whether it is heard."""

Word = bytes | str | int | float
Reply = Any
"""Bytes, a number, None, or a list or dict of these."""


class UnknownScript(Exception):
    """The server does not know a script by its digest: nothing was done."""


@attrs.define(eq=False)
class Attempt:
    """An attempt to connect, and what came of it."""

    over: trio.Event = attrs.field(factory=trio.Event)
    connection: Connection | None = None
    failure: str = "it has not answered in time"

    @property
    def is_lost(self) -> bool:
        """Whether it came to nothing, or its connection did."""
        return self.over.is_set() and not (self.connection and self.connection.usable)


class Link:
    """One connection at a time, which runs in `keep`. Raises MissingExtra where coredis is not."""

    def __init__(self, address: Address) -> None:
        try:
            from imgsync.relay.nodes import connection
        except ImportError as exc:
            raise missing_extra("nodes can't share what they know on Redis", "relay") from exc
        self._coredis = connection
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

        class Status:
            def started(self, value: None = None) -> None:
                scope.deadline = math.inf
                attempt.connection = connection
                attempt.over.set()

        with trio.move_on_after(CALL_S) as scope:
            try:
                stream = await self._coredis.open_stream(self._address)
                connection = self._coredis.Connection(self._address, stream)
                await connection.run(task_status=Status())
            except Exception as exc:  # coredis raises one in place of a cancellation, too
                if not scope.cancel_called:
                    attempt.failure = self._coredis.explain(exc)
        attempt.over.set()

    async def connect(self) -> Connection:
        """A connection that works, which may be that of others. Raises StoreAway."""
        attempt = self._attempt
        if attempt is None or attempt.is_lost:
            attempt = self._attempt = Attempt()
            self._wanted.ring()
        if not attempt.over.is_set():
            await attempt.over.wait()
        if attempt.connection is None:
            raise StoreAway(f"can't reach Redis at {self._address}: {attempt.failure}")
        return attempt.connection

    def drop(self) -> None:
        """The next call has a new connection."""
        if self._attempt is not None and self._attempt.connection is not None:
            self._attempt.connection.invalidate()

    async def ask(
        self,
        connection: Connection,
        command: bytes,
        *words: Word,
        seconds: float,
        is_alone: bool = False,
    ) -> Reply:
        """Send a command, and have its answer. Raises StoreAway and UnknownScript.

        :param is_alone: no other call uses this connection: it is closed, too, when the call is
            cancelled, and otherwise reads an answer that nobody waits for.
        """
        try:
            return await connection.create_request(
                command,
                *words,
                timeout=max(seconds, 0.001),
                disconnect_on_cancellation=is_alone,
            )
        except Exception as exc:
            raise self._failed(connection, exc) from exc

    def _failed(self, connection: Connection, exc: Exception) -> Exception:
        if self._coredis.knows_no_script(exc):
            return UnknownScript()
        # Also where it has only refused: another server may have taken its place.
        connection.invalidate()
        if isinstance(exc, TimeoutError):
            return StoreAway(f"Redis at {self._address} has not answered in time")
        return StoreAway(f"Redis at {self._address} is of no use: {self._coredis.explain(exc)}")

    async def subscribe(self, channel: str) -> Connection:
        """Be told what is published from now on, by this connection. Raises StoreAway."""
        connection = await self.connect()
        try:
            connection.send_command(b"SUBSCRIBE", channel)
            with trio.move_on_after(CALL_S):
                while (await _next_push(connection))[0] != b"subscribe":
                    pass
                return connection
        except Exception as exc:
            raise self._failed(connection, exc) from exc
        raise self._failed(connection, TimeoutError())

    async def next_published(self, connection: Connection) -> bytes:
        """What is published next. Raises StoreAway."""
        while True:
            try:
                with trio.move_on_after(SILENCE_S):
                    kind, *_, payload = await _next_push(connection)
                    if kind == b"message":
                        return bytes(payload)
                    continue
            except Exception as exc:
                raise self._failed(connection, exc) from exc
            await self.ask(connection, b"PING", seconds=CALL_S)


async def _next_push(connection: Connection) -> list[Reply]:
    # As cancellation ends a generator, each is asked but once.
    async with aclosing(connection.push_messages) as pushes:
        return await anext(pushes)
