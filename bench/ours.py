"""The imgsync side of the benches: the library's public API under Trio.

    python bench/ours.py evaluator URL
    python bench/ours.py client URL

The relay is the real command. The evaluator obeys `{"do": ...}` on stdin: `handshake` (a session
and one image, timed, with the client `c` or the one that is named), `open`, `push` (a block of
images, each timed) and `close`; it answers when the work is done. The client only says that it is
there. The harness bounds every wait.
"""

import sys
import time
from collections.abc import AsyncIterator

import trio
from worker import Object, answer, read_commands

import imgsync


def make_image(index: int, image: Object) -> imgsync.ImageRef:
    """As a command names it."""
    return imgsync.ImageRef(
        index=index, name="a.png", image_url=image["imageUrl"], signed_url=image["signedUrl"]
    )


async def evaluator(url: str) -> None:
    """Obey commands until stdin ends."""
    async with imgsync.open_evaluator(url, user_id="e") as peer:
        commands = read_commands()
        async for command in commands:
            match command["do"]:
                case "handshake":
                    answer({"ms": await _time_handshake(peer, command)})
                case "open":
                    await _hold_session(peer, command["image"], commands)
                    answer({})
                case _:
                    answer({})


async def _time_handshake(peer: imgsync.Evaluator, command: Object) -> float:
    shown = make_image(0, command["image"])
    start = time.perf_counter()
    async with peer.open_session(command.get("client", "c")) as session:
        await session.show(shown)
        return (time.perf_counter() - start) * 1000


async def _hold_session(
    peer: imgsync.Evaluator, image: Object, commands: AsyncIterator[Object]
) -> None:
    """Keep one session open and push on it, until the command `close`."""
    async with peer.open_session("c") as session:
        await session.show(make_image(0, image))
        answer({})
        async for command in commands:
            if command["do"] == "close":
                return
            times = []
            for index in range(command["count"]):
                shown = make_image(index, command["image"])
                start = time.perf_counter()
                await session.show(shown)
                times.append((time.perf_counter() - start) * 1000)
            answer({"ms": times})


async def client(url: str) -> None:
    """Follow sessions and let imgsync ack their images, until stdin ends."""
    async with imgsync.open_client(url, user_id="c") as peer, trio.open_nursery() as nursery:
        nursery.start_soon(follow, peer)
        async for _ in read_commands():
            answer({})
        nursery.cancel_scope.cancel()


async def follow(peer: imgsync.Client) -> None:
    """Take part in all sessions, until cancelled."""
    async for session in peer.sessions():
        async with session:
            async for _ in session.images():
                pass


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator", url]:
            trio.run(evaluator, url)
        case ["client", url]:
            trio.run(client, url)
        case _:
            sys.exit(__doc__)
