"""The imgsync side of `pictures.py`: the library under Trio, with what the client's command has.

    python bench/pictures_ours.py evaluator URL CLIENTS FOLDER
    python bench/pictures_ours.py client URL CLIENTS

The evaluator shows one small picture of the folder over and over, and announces a large one. The
client says when it has all of that, for each of the clients that it is.
"""

import json
import os
import struct
import sys
import time
import zlib
from pathlib import Path

import trio
from worker import answer, read_commands

import imgsync
from imgsync.core.channel.downloads import Progress
from imgsync.images.fetch import Fetcher, open_fetcher
from imgsync.images.gallery import Coming, Gallery, open_gallery


def draw(size: int) -> bytes:
    """A PNG of noise, not compressed, of about so many bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    width = max(1, int(size**0.5))
    rows = b"".join(b"\0" + os.urandom(width) for _ in range(width))
    head = struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


# The evaluator


class Show:
    """All sessions, and how long acks take in them."""

    def __init__(self, nursery: trio.Nursery, small: imgsync.ImageRef) -> None:
        self._nursery = nursery
        self._small = small
        self.sessions: list[imgsync.EvaluatorSession] = []
        self._times: list[float] = []
        self._scope = trio.CancelScope()
        self._waiting = 0
        self._all_acked = trio.Event()

    async def open(self, evaluator: imgsync.Evaluator, count: int) -> None:
        async with trio.open_nursery() as opening:
            for number in range(count):
                opening.start_soon(self._nursery.start, self._hold, evaluator, f"c{number}")

    async def _hold(
        self,
        evaluator: imgsync.Evaluator,
        client: str,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with evaluator.open_session(client) as session:
            await session.show(self._small)
            self.sessions.append(session)
            task_status.started()
            await trio.sleep_forever()

    async def talk(self, every: float) -> None:
        """Until `hush`."""
        with trio.CancelScope() as self._scope:
            while True:
                for session in self.sessions:
                    self._nursery.start_soon(self._time_ack, session)
                    await trio.sleep(every / len(self.sessions))

    async def hush(self) -> list[float]:
        """How long acks took since the last time; waits for those that are on their way."""
        self._scope.cancel()
        while self._waiting:
            await self._all_acked.wait()
        times, self._times = self._times, []
        return times

    async def _time_ack(self, session: imgsync.EvaluatorSession) -> None:
        self._waiting += 1
        start = time.perf_counter()
        await session.show(self._small)
        self._times.append((time.perf_counter() - start) * 1000)
        self._waiting -= 1
        if self._waiting == 0:
            self._all_acked.set()
            self._all_acked = trio.Event()


async def evaluator(url: str, count: int, folder: Path) -> None:
    """Obey commands until stdin ends."""
    commands = read_commands()
    command = await anext(commands)
    (folder / "small.png").write_bytes(draw(1000))
    large = draw(command["bytes"])
    (folder / "large.png").write_bytes(large)
    size = len(large)
    del large
    async with (
        imgsync.open_images(folder, via="peer") as images,
        imgsync.open_evaluator(url, user_id="e") as peer,
        trio.open_nursery() as nursery,
    ):
        show = Show(nursery, images[1])
        await show.open(peer, count)
        answer({})
        async for command in commands:
            match command["do"]:
                case "talk":
                    nursery.start_soon(show.talk, command["every"])
                    answer({})
                case "hush":
                    print(json.dumps(await show.hush()), flush=True)
                case "send":
                    answer({"at": time.monotonic(), "bytes": size})
                    for session in show.sessions:
                        session.preload(images[:1])
        nursery.cancel_scope.cancel()


# The client


async def client(url: str, count: int) -> None:
    """Follow the sessions of so many clients until stdin ends."""
    async with open_fetcher() as fetcher, trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(_follow, fetcher, url, f"c{number}")
        async for _ in read_commands():
            answer({})
        nursery.cancel_scope.cancel()


async def _follow(
    fetcher: Fetcher,
    url: str,
    user: str,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    def progressed(counts: Progress) -> None:
        if counts.there == counts.announced > 0:
            answer({"at": time.monotonic()})

    async with imgsync.open_client(url, user_id=user, pictures=True) as peer:
        task_status.started()
        async for session in peer.sessions():
            receiving = session.receiving
            async with (
                session,
                open_gallery(fetcher, progressed, receiving) as gallery,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(_announce, session, gallery)
                async for image in session.images():
                    coming = gallery.show(image.image_url, image.signed_url)
                    nursery.start_soon(_tell_fetched, coming, image)


async def _announce(session: imgsync.ClientSession, gallery: Gallery) -> None:
    async for upcoming in session.preloads():
        gallery.announce([upcoming])


async def _tell_fetched(coming: Coming, image: imgsync.ReceivedImage) -> None:
    await coming.wait()
    image.fetched()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator", url, count, folder]:
            trio.run(evaluator, url, int(count), Path(folder))
        case ["client", url, count]:
            trio.run(client, url, int(count))
        case _:
            sys.exit(__doc__)
