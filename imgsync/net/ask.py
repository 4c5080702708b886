"""Ask a relay's HTTP side for something short: one GET on a connection of its own. Built on h11."""

import ssl
import time

import attrs
import h11
import trio

from imgsync.core.protocol.errors import ConnectTimeout, UpgradeRefused
from imgsync.net.connect import SOCKET_DEADLINE, ClientStream, open_stream, parse_relay_url

ANSWER_DEADLINE = 10.0

MAX_BODY = 64 * 1024
"""Bytes. What we ask for is a word; some other server may answer with its whole front page."""

MAX_TEXT = 256

_READ_SIZE = 4096


@attrs.frozen
class Answer:
    """A response.

    :param text: of the body, as far as a word or a line may go.
    :param headers: names in lower case; of several of one name, the last.
    :param sent_at: when the request left, in seconds since the epoch.
    :param received_at: when the head of the response was there.
    """

    status: int
    text: str
    headers: dict[str, str]
    sent_at: float
    received_at: float


async def ask(url: str, path: str, *, tls: ssl.SSLContext | None = None) -> Answer:
    """GET a path of the server that a relay's URL leads to.

    Raises InputError for the URL and one of the ConnectErrors, each within its deadline.

    :param url: ws:// or wss://.
    :param tls: for wss; by default see `trusted_context`.
    """
    target = parse_relay_url(url)
    stream = await open_stream(target, url, tls, SOCKET_DEADLINE)
    try:
        with trio.fail_after(ANSWER_DEADLINE):
            return await _get(stream, target.host_header, path)
    except trio.TooSlowError:
        within = f"within {ANSWER_DEADLINE:g} s"
        raise ConnectTimeout(f"{url} did not answer GET {path} {within}") from None
    except (h11.ProtocolError, trio.BrokenResourceError) as exc:
        raise UpgradeRefused(
            f"{url} did not answer GET {path} with HTTP; is it a relay, and is it ws or wss?"
        ) from exc
    finally:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)


async def _get(stream: ClientStream, host: str, path: str) -> Answer:
    connection = h11.Connection(h11.CLIENT)
    headers = [("host", host), ("accept", "*/*"), ("connection", "close")]
    request = connection.send(h11.Request(method="GET", target=path, headers=headers)) or b""
    end = connection.send(h11.EndOfMessage()) or b""
    sent_at = time.time()
    await stream.send_all(request + end)
    while not isinstance(head := await _next_event(stream, connection), h11.Response):
        pass
    received_at = time.time()
    size, text = 0, b""
    while isinstance(event := await _next_event(stream, connection), h11.Data):
        size += len(event.data)
        text += event.data[: MAX_TEXT - len(text)]
        if size > MAX_BODY:
            break
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Answer(head.status_code, text.decode("latin-1"), named, sent_at, received_at)


async def _next_event(stream: ClientStream, connection: h11.Connection) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(bytes(await stream.receive_some(_READ_SIZE)))
    return event
