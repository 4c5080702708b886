"""One question to a relay's HTTP side, and servers that answer it with something else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from imgsync.core.protocol.errors import ConnectRefused, ConnectTimeout, UpgradeRefused
from imgsync.net import ask as asking
from imgsync.net.ask import MAX_BODY, Answer, ask
from imgsync.tasks import open_background
from tests.kit.ports import find_free_port
from tests.kit.relays import WITHIN, open_running_relay

Handler = Callable[[trio.SocketStream], Awaitable[None]]


def say(answer: bytes) -> Handler:
    async def handle(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)

    return handle


async def ask_who(handle: Handler) -> Answer:
    """What comes of asking a server that does this."""
    async with open_background() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        with trio.fail_after(WITHIN):
            return await ask(f"ws://127.0.0.1:{port}/ws", "/health")


async def test_a_relay_tells_its_status_and_the_time() -> None:
    async with open_running_relay() as port:
        answer = await ask(f"ws://127.0.0.1:{port}/ws", "/health")
    assert answer.status == 200
    assert answer.headers["date"].endswith(" GMT")
    assert answer.sent_at <= answer.received_at <= answer.sent_at + WITHIN


async def test_where_nobody_listens_there_is_no_answer() -> None:
    with pytest.raises(ConnectRefused):
        await ask(f"ws://127.0.0.1:{find_free_port()}/ws", "/health")


async def test_an_interim_response_is_not_the_answer() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    answer = await ask_who(say(interim + b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"))
    assert (answer.status, answer.headers) == (204, {"x-a": "b"})


async def test_a_whole_front_page_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    answer = await ask_who(say(head + bytes(2 * MAX_BODY)))
    assert answer.status == 200


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="another protocol"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x28", id="TLS"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", id="half of it"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000, id="an endless header"),
    ],
)
async def test_what_is_no_answer_is_told_as_such(words: bytes) -> None:
    with pytest.raises(UpgradeRefused, match="did not answer GET /health with HTTP; is it a relay"):
        await ask_who(say(words))


async def test_a_server_that_stays_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "ANSWER_DEADLINE", 0.1)

    async def stay_silent(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    with pytest.raises(ConnectTimeout, match=r"did not answer GET /health within 0.1 s"):
        await ask_who(stay_silent)
