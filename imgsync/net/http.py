"""Plain HTTP/1.1 on a stream: requests without a body in, small responses out. Built on h11."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import unquote

import attrs
import h11
import trio

MAX_HEAD = 16 * 1024
HEAD_DEADLINE = 10.0
"""Seconds for a request's head, and for the next request on a connection that is kept open."""

WRITE_DEADLINE = 60.0
"""Seconds for one response; 10 MiB need this much at 1.4 Mbit/s."""

_CHUNK = 64 * 1024


@attrs.frozen
class Request:
    """A request's head.

    :param path: decoded, without the query.
    :param query: as it came; may hold a signature, so it stays out of every log.
    :param headers: names in lower case.
    """

    method: str
    path: str
    query: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)


@attrs.frozen
class Response:
    """A whole response; length and connection headers are added when it is sent."""

    status: int
    body: bytes = attrs.field(default=b"", repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Awaitable[Response]]


def refuse(status: int, why: str = "", *headers: tuple[str, str]) -> Response:
    """A response whose body says in words what its status says in a number."""
    return Response(status, f"{why or HTTPStatus(status).phrase}\n".encode(), headers=headers)


class HttpConnection:
    """One client's requests, one after the other.

    Keeps the bytes of the current request's head, so that a WebSocket library can read it again.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        #: What was read from the start of the current request on.
        self.raw = b""

    async def next_request(self) -> Request | None:
        """The next head; None where the client has closed, was too slow or sent no HTTP."""
        event: object = h11.NEED_DATA
        with trio.move_on_after(HEAD_DEADLINE):
            try:
                while (event := self._h11.next_event()) is h11.NEED_DATA:
                    received = bytes(await self._stream.receive_some(4096))
                    self.raw += received
                    self._h11.receive_data(received)
            except h11.RemoteProtocolError as exc:
                await self.respond(refuse(exc.error_status_hint))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
        return _read_head(event) if isinstance(event, h11.Request) else None

    async def respond(self, response: Response, *, head_only: bool = False) -> bool:
        """Send a response. Returns whether another request may follow."""
        connection = self._h11
        headers = [
            ("content-type", response.content_type),
            ("content-length", str(len(response.body))),
            ("x-content-type-options", "nosniff"),
            *response.headers,
        ]
        try:
            head = connection.send(h11.Response(status_code=response.status, headers=headers))
            with trio.fail_after(WRITE_DEADLINE):
                await self._stream.send_all(head or b"")
                for start in range(0, 0 if head_only else len(response.body), _CHUNK):
                    part = connection.send(h11.Data(data=response.body[start : start + _CHUNK]))
                    await self._stream.send_all(part or b"")
        except (h11.LocalProtocolError, trio.TooSlowError):
            return False
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return self._finish()

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
        self.raw = connection.trailing_data[0]
        return True


def _read_head(event: h11.Request) -> Request:
    path, _, query = event.target.decode("latin-1").partition("?")
    return Request(
        method=event.method.decode("latin-1"),
        path=unquote(path),
        query=query,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers},
    )
