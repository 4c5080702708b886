"""The imgsync side of `loss.py`: the library's public API under Trio.

    python bench/loss_ours.py evaluator URL COUNT
    python bench/loss_ours.py client URL COUNT

The evaluator has a session with each of so many clients, and obeys `talk`; see `loss.py`.
"""

import sys
import time
from collections import defaultdict

import trio
from harness import IMAGE
from ours import follow
from worker import Object, answer, read_commands

import imgsync

PICTURE = imgsync.ImageRef(0, "a.png", IMAGE["imageUrl"], IMAGE["signedUrl"])


class Talk:
    """What is shown, and what came of it."""

    def __init__(self) -> None:
        self.sessions: list[imgsync.EvaluatorSession] = []
        self.failures: list[str] = []
        self.repaired = 0
        self._times: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._asked: dict[str, int] = defaultdict(int)

    async def run(self, every: list[float], seconds: float, patience: float) -> Object:
        """Show for so long, each session at one of the rates in turn; acks have so long to come."""
        with trio.move_on_after(seconds + patience):
            async with trio.open_nursery() as nursery:
                for number, session in enumerate(self.sessions):
                    pause = every[number % len(every)]
                    nursery.start_soon(self._show, nursery, session, pause, seconds)
        rates = {
            rate: {"times": self._times[rate], "asked": asked}
            for rate, asked in self._asked.items()
        }
        return {"rates": rates, "failures": self.failures, "repaired": self.repaired}

    async def _show(
        self,
        nursery: trio.Nursery,
        session: imgsync.EvaluatorSession,
        pause: float,
        seconds: float,
    ) -> None:
        begin = trio.current_time()
        for number in range(round(seconds / pause)):
            await trio.sleep_until(begin + pause * number)
            self._asked[f"{pause:g}"] += 1
            nursery.start_soon(self._time_one, session, f"{pause:g}")

    async def _time_one(self, session: imgsync.EvaluatorSession, rate: str) -> None:
        start, sent_at = time.perf_counter(), time.time() * 1000
        try:
            delivery = await session.show(PICTURE)
        except imgsync.ImgsyncError as exc:
            self.failures.append(repr(exc))
            return
        self.repaired += delivery.copies > 1
        there = (time.perf_counter() - start) * 1000
        self._times[rate].append((delivery.received_at - sent_at, there))


async def evaluator(url: str, count: int) -> None:
    """Obey commands until stdin ends."""
    talk = Talk()
    async with imgsync.open_evaluator(url, user_id="e") as peer, trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(_hold, peer, f"c{number}", talk)
        answer({})
        async for command in read_commands():
            found = await talk.run(command["every"], command["seconds"], command["patience"])
            answer(found)
        nursery.cancel_scope.cancel()


async def _hold(
    peer: imgsync.Evaluator,
    client: str,
    talk: Talk,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    try:
        async with peer.open_session(client) as session:
            await session.show(PICTURE)
            talk.sessions.append(session)
            task_status.started()
            await trio.sleep_forever()
    except imgsync.ImgsyncError as exc:
        talk.failures.append(repr(exc))


async def client(url: str, count: int) -> None:
    """Follow the sessions of so many clients, and let imgsync ack, until stdin ends."""
    async with trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(_follow, url, f"c{number}")
        answer({})
        async for _ in read_commands():
            answer({})
        nursery.cancel_scope.cancel()


async def _follow(
    url: str, user: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    async with imgsync.open_client(url, user_id=user) as peer:
        task_status.started()
        await follow(peer)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator", url, count]:
            trio.run(evaluator, url, int(count))
        case ["client", url, count]:
            trio.run(client, url, int(count))
        case _:
            sys.exit(__doc__)
