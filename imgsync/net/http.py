"""Plain HTTP/1.1 on a stream: requests without a body in, responses out. Built on h11.

A body is bytes, or is read as it is sent. One that comes to less than was announced ends the
connection, so that whoever gets it knows that it is not whole.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

import attrs
import h11
import trio

from imgsync.net.limits import NetLimits
from imgsync.net.pace import PAGE

log = logging.getLogger(__name__)

_READ_SIZE = 4096

# What a request to a proxy names, and some proxies pass on as it is; see RFC 9112, section 3.2.2,
# and RFC 6455, section 4.1, which has `http` there.
_ABSOLUTE = re.compile(r"(?:https?|wss?)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.I | re.S)


@attrs.frozen
class Request:
    """A request's head.

    :param path: decoded, without the query.
    :param query: as it came; may hold a signature, so it stays out of every log.
    :param headers: names in lower case; `host` is what the request's target names, where it does.
    :param remote: the IP address that it came from; an IPv4 address is never mapped into IPv6.
    """

    method: str
    path: str
    query: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    remote: str


class BodyCut(Exception):
    """The rest of a body can't be had any more."""


class Body(Protocol):
    """A body that is read as it is sent. Whoever sends it closes it, sent or not."""

    @property
    def size(self) -> int:
        """Bytes that are still to be read."""

    async def read(self) -> bytes:
        """The next of them, some PAGE at most; empty at the end. Raises BodyCut."""

    def close(self) -> None:
        """Any number of times; never waits."""


@attrs.frozen
class Response:
    """A whole response; length and connection headers are added when it is sent."""

    status: int
    body: bytes | Body = attrs.field(default=b"", repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.size

    def close(self) -> None:
        """Its body is not wanted any more."""
        if not isinstance(self.body, bytes):
            self.body.close()


Handler = Callable[[Request], Awaitable[Response]]


def refuse(status: int, why: str = "", *headers: tuple[str, str]) -> Response:
    """A response whose body says in words what its status says in a number."""
    return Response(status, f"{why or HTTPStatus(status).phrase}\n".encode(), headers=headers)


class HttpConnection:
    """One client's requests, one after the other, on a stream that bounds its writes."""

    def __init__(self, stream: trio.abc.Stream, remote: str, limits: NetLimits) -> None:
        self._stream = stream
        self.remote = remote
        self._limits = limits
        #: The status that a request was answered with that was none.
        self.fault: int | None = None
        # No event is incomplete with as much as a whole head.
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.max_head - 1)

    async def next_request(self) -> Request | None:
        """The next head; None where the client has closed, was too slow or sent no HTTP."""
        event: object = h11.NEED_DATA
        with trio.move_on_after(self._limits.head_deadline) as scope:
            try:
                while (event := self._h11.next_event()) is h11.NEED_DATA:
                    room = self._limits.max_head - self._unread_size
                    received = await self._stream.receive_some(min(room, _READ_SIZE))
                    self._h11.receive_data(bytes(received))
            except h11.RemoteProtocolError as exc:
                self.fault = exc.error_status_hint
                # Its frames hold it, and it holds them, with all that is on them.
                exc.with_traceback(None)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
        if scope.cancelled_caught and self._unread_size:
            self.fault = 408
        request = self._read_head(event) if isinstance(event, h11.Request) else None
        if self.fault is not None:
            await self.respond(refuse(self.fault), last=True)
        return request

    @property
    def _unread_size(self) -> int:
        return len(self._h11.trailing_data[0])

    def _read_head(self, event: h11.Request) -> Request | None:
        """None, and a fault, where it asks for what nobody has."""
        target, headers = event.target.decode("latin-1"), fold(event.headers)
        if absolute := _ABSOLUTE.fullmatch(target):
            target = absolute["rest"]
            headers["host"] = absolute["authority"]
            if not headers["host"] or "@" in headers["host"]:
                self.fault = 400
                return None
        path, _, query = target.partition("?")
        return Request(
            method=event.method.decode("latin-1"),
            path=unquote(path) or "/",
            query=query,
            headers=headers,
            remote=self.remote,
        )

    async def respond(
        self, response: Response, *, head_only: bool = False, last: bool = False
    ) -> bool:
        """Send a response, and close it. Returns whether another request may follow.

        :param last: tells the client that none may.
        """
        connection = self._h11
        # Of the body that is not sent again, a 304 tells neither (RFC 9110, section 15.4.5).
        about_body = [
            ("content-type", response.content_type),
            ("content-length", str(response.size)),
        ]
        headers = [
            *(about_body if response.status != HTTPStatus.NOT_MODIFIED else []),
            ("date", formatdate(usegmt=True)),
            ("x-content-type-options", "nosniff"),
            *response.headers,
            *([("connection", "close")] if last else []),
        ]
        try:
            head = connection.send(h11.Response(status_code=response.status, headers=headers))
            await self._stream.send_all(head or b"")
            if not head_only:
                await self._send_body(response.body)
        except (h11.LocalProtocolError, trio.TooSlowError):
            return False
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        except BodyCut as exc:
            log.warning("an answer was cut off: what is sent %s", exc)
            return False
        finally:
            response.close()
        return self._finish()

    async def _send_body(self, body: bytes | Body) -> None:
        start = 0
        while part := body[start : start + PAGE] if isinstance(body, bytes) else await body.read():
            start += PAGE
            await self._stream.send_all(self._h11.send(h11.Data(data=part)) or b"")

    def _finish(self) -> bool:
        connection = self._h11
        try:
            connection.send(h11.EndOfMessage())
            # A body that we did not ask for is not read: the connection ends instead.
            if not isinstance(connection.next_event(), h11.EndOfMessage):
                return False
            connection.start_next_cycle()
        except (h11.LocalProtocolError, h11.RemoteProtocolError):
            return False
        return True

    async def switch(self, *headers: tuple[str, str]) -> bytes | None:
        """Answer an upgrade with 101: from here on the stream speaks another protocol.

        Returns what came in behind the head, and None where the client is gone or sends a body.
        """
        connection = self._h11
        try:
            if not isinstance(connection.next_event(), h11.EndOfMessage):
                return None
            switching = h11.InformationalResponse(
                status_code=101, headers=list(headers), reason=b"Switching Protocols"
            )
            await self._stream.send_all(connection.send(switching) or b"")
        except (h11.LocalProtocolError, h11.RemoteProtocolError, trio.TooSlowError):
            return None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return None
        return connection.trailing_data[0]


def fold(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; one that stands several times is a list (RFC 9110, section 5.2)."""
    folded: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        folded[name] = f"{folded[name]}, {value}" if name in folded else value
    return folded
