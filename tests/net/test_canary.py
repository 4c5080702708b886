"""What we rely on in trio-websocket that it promises to nobody; see `rtc/test_canary`."""

from typing import Any, cast

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.connection import Connection, ConnectionState, ConnectionType

from tests.net.test_frames import CLOSE, TEXT, frame


async def test_a_websocket_begins_behind_the_upgrade_and_tells_the_state_of_its_frames() -> None:
    near, far = trio.testing.memory_stream_pair()
    protocol = Connection(ConnectionType.SERVER)
    connection = WebSocketConnection(far, cast(Any, protocol))
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection._reader_task)
            await near.send_all(frame(TEXT, b"hello"))
            assert await connection.get_message() == "hello"
            assert connection._wsproto.state == ConnectionState.OPEN
            await near.send_all(frame(CLOSE, (4000).to_bytes(2)))
            with pytest.raises(ConnectionClosed):
                await connection.get_message()
            assert connection.closed is not None
            assert connection.closed.code == 4000
            assert connection._wsproto.state.name == "CLOSED"


async def test_a_queue_is_filled_by_name_and_what_is_written_passes_one_lock() -> None:
    near, far = trio.testing.memory_stream_pair()
    connection = WebSocketConnection(far, cast(Any, Connection(ConnectionType.SERVER)))
    assert isinstance(connection._send_channel, trio.MemorySendChannel)
    assert isinstance(connection._recv_channel, trio.MemoryReceiveChannel)
    assert connection._stream is far
    assert connection._close_reason is connection.closed is None
    async with trio.open_nursery() as nursery, connection._stream_lock:
        nursery.start_soon(connection.send_message, "held up")
        await trio.testing.wait_all_tasks_blocked()
        assert connection._stream_lock.statistics().tasks_waiting == 1
    await near.aclose()
    await connection._abort_web_socket()
    assert connection.closed is not None
    assert connection.closed.code == 1006
