"""How many round trips a session takes from its start to the first ack, over a wire that delays.

Relay, evaluator and client are on hosts of their own, each two of them RTT apart. What the machine
needs is taken off with OWN, and is little beside a round trip of this length; other work on it can
only add, so that the least of some attempts is what counts. `bench/wan.py` has the times.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs

from tests.faults.hosts import WITH_RELAY, Hosts, open_hosts
from tests.kit.processes import LISTENING, SAMPLES, START_S, STRICT, Child, open_child

PEER = SAMPLES.parents[1] / "bench" / "ours.py"

RTT = 0.3  # s
OWN = 0.06  # s
ATTEMPTS = 12

MAX_ROUND_TRIPS = 5.3
"""To be lowered by whoever saves one. Half of one more would be seen, and a machine that has other
work to do in all attempts is not."""

MAX_FRAMES, MAX_BYTES = 118, 29_000
"""Of a whole session with one image, as they come to the three hosts, with TCP's own; a tenth more
than what was counted."""


@attrs.frozen
class Start:
    """What one session took."""

    round_trips: float
    frames: int
    size: int


@attrs.frozen
class Scene:
    """An evaluator and a client that are registered."""

    hosts: Hosts
    evaluator: Child

    async def start(self) -> Start:
        before = await self._count()
        image = {"imageUrl": "http://10.77.0.1/a.png", "signedUrl": "http://10.77.0.1/a.png"}
        took = await ask(self.evaluator, do="handshake", image=image)
        after = await self._count()
        frames, size = (now - then for then, now in zip(before, after, strict=True))
        return Start((took["ms"] / 1000 - OWN) / RTT, frames, size)

    async def _count(self) -> tuple[int, int]:
        found = (await self.hosts.count()).values()
        return sum(one.frames for one in found), sum(one.size for one in found)


async def ask(child: Child, **command: object) -> dict[str, float]:
    """A command, and its answer."""
    await child.write(json.dumps(command) + "\n")
    answer: dict[str, float] = json.loads(await child.wait_line(START_S))
    return answer


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    async with open_hosts(WITH_RELAY) as hosts:
        host = ("--host", hosts.addresses["relay"], "--port", "0")
        relay = ("-m", "imgsync.relay", *host, "--stun", "none", "--no-auth")

        def open_python(role: str, *words: str) -> AbstractAsyncContextManager[Child]:
            command = (*hosts.on(role), sys.executable, *words)
            return open_child(role, *command, env=STRICT, stdin=subprocess.PIPE)

        async with open_python("relay", *relay) as listening:
            url = (await listening.wait_line(START_S)).removeprefix(LISTENING)
            async with (
                open_python("client", str(PEER), "client", url) as client,
                open_python("evaluator", str(PEER), "evaluator", url) as evaluator,
            ):
                for peer in (client, evaluator):
                    await ask(peer, do="hello")
                scene = Scene(hosts, evaluator)
                # The first one loads what it needs.
                await scene.start()
                await hosts.delay(RTT / 2)
                yield scene


async def test_a_session_starts_within_so_many_round_trips_and_frames() -> None:
    async with open_scene() as scene:
        starts: list[Start] = []
        while len(starts) < ATTEMPTS and over(starts):
            starts.append(await scene.start())
    assert over(starts) == {}


def over(starts: list[Start]) -> dict[str, float]:
    """What even the least of them has more of than it may have; all of it where there is none."""
    ceilings = {"round_trips": MAX_ROUND_TRIPS, "frames": MAX_FRAMES, "size": MAX_BYTES}
    least = {
        what: min((getattr(start, what) for start in starts), default=float("inf"))
        for what in ceilings
    }
    return {what: found for what, found in least.items() if found > ceilings[what]}
