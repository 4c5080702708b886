"""The peers of `scale.py`: an evaluator that has many sessions at once, and clients for it.

    python bench/scale_peer.py evaluator URL
    python bench/scale_peer.py clients URL FIRST COUNT

The evaluator obeys `{"do": ...}` on stdin and has one answer for each: `open` (so many sessions, in
the place of those before), `show` (images, each session at a rate of its own, however long acks
take), `push` (images on one session, each after the ack of the one before). The clients only say
that they are there. The harness bounds every wait.
"""

import gc
import sys
import time
from contextlib import AsyncExitStack

import trio
from ours import follow, make_image
from worker import Object, answer, read_commands

import imgsync
from imgsync.peer.network import open_internet


def _resident() -> int:
    """Bytes of this process."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


async def evaluator(url: str) -> None:
    """Obey commands until stdin ends."""
    async with imgsync.open_evaluator(url, user_id="e") as peer, AsyncExitStack() as stack:
        sessions: list[imgsync.EvaluatorSession] = []
        async for command in read_commands():
            match command["do"]:
                case "open":
                    await stack.aclose()
                    before = _resident()
                    sessions = [
                        await stack.enter_async_context(peer.open_session(f"c{number}"))
                        for number in range(command["sessions"])
                    ]
                    for session in sessions:
                        await session.show(make_image(0, command["image"]))
                    answer({"bytes": _resident() - before})
                case "show":
                    answer(await _show(sessions, command))
                case "push":
                    answer(await _push(sessions[0], command))
                case _:
                    answer({})


async def _show(sessions: list[imgsync.EvaluatorSession], command: Object) -> Object:
    """So many images a second on each session, evenly apart on all of them together."""
    times: list[float] = []
    every, count = 1 / command["rate"], command["count"]

    async def show_one(session: imgsync.EvaluatorSession, index: int) -> None:
        start = time.perf_counter()
        await session.show(make_image(index, command["image"]))
        times.append((time.perf_counter() - start) * 1000)

    async def show_all(number: int, session: imgsync.EvaluatorSession) -> None:
        begin = trio.current_time() + every * number / len(sessions)
        for index in range(count):
            await trio.sleep_until(begin + every * index)
            nursery.start_soon(show_one, session, index)

    cpu = time.process_time()
    async with trio.open_nursery() as nursery:
        for number, session in enumerate(sessions):
            nursery.start_soon(show_all, number, session)
    return {"ms": times, "cpu_us": (time.process_time() - cpu) * 1e6 / len(times)}


async def _push(session: imgsync.EvaluatorSession, command: Object) -> Object:
    before, cpu = _resident(), time.process_time()
    for index in range(command["count"]):
        await session.show(make_image(index, command["image"]))
    used = time.process_time() - cpu
    return {"cpu_us": used * 1e6 / command["count"], "bytes": _resident() - before}


async def clients(url: str, first: int, count: int) -> None:
    """Follow sessions and let imgsync ack their images, until stdin ends."""
    async with open_internet() as network, trio.open_nursery() as nursery:
        for number in range(first, first + count):
            await nursery.start(_follow, url, f"c{number}", network)
        async for _ in read_commands():
            answer({})
        nursery.cancel_scope.cancel()


async def _follow(
    url: str,
    user_id: str,
    network: "imgsync.seams.Network",
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    async with imgsync.open_client(url, user_id=user_id, network=network) as peer:
        task_status.started()
        await follow(peer)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator", url]:
            trio.run(evaluator, url)
        case ["clients", url, first, count]:
            trio.run(clients, url, int(first), int(count))
        case _:
            sys.exit(__doc__)
