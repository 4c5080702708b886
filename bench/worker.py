"""What the workers share: they are asked on stdin, and answer on stdout."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import trio

Object = dict[str, Any]


def answer(content: Any) -> None:
    """One JSON text on a line."""
    print(json.dumps(content), flush=True)


async def read_commands() -> AsyncIterator[Object]:
    """The JSON objects on stdin, one per line, until it ends."""
    unread = b""
    async for chunk in trio.lowlevel.FdStream(sys.stdin.fileno()):
        *lines, unread = (unread + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)


async def read_commands_aio() -> AsyncIterator[Object]:
    """The same on asyncio."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        yield json.loads(line)
