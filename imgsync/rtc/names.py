"""Names of servers to addresses, without the loop's own executor.

That one is waited for when the loop closes, and a look-up can take long.
"""

import asyncio
import contextlib
import socket
import threading


async def resolve(host: str) -> str:
    """The IPv4 address of a name, asked for in a thread that nobody waits for. Raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def finish(address: str | None) -> None:
        if not answer.done():
            if address is None:
                answer.set_exception(OSError("no such name"))
            else:
                answer.set_result(address)

    def look_up() -> None:
        try:
            address = socket.gethostbyname(host)
        except (OSError, UnicodeError):
            address = None
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(finish, address)

    threading.Thread(target=look_up, daemon=True, name="imgsync-resolve").start()
    return await answer
