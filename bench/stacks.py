"""With which WebRTC stacks do sessions come about, how often, and how quickly?

Peers of `tests/other_peers`, which share none of our stack, have N sessions each, one after the
other, as the client of our evaluator and as the evaluator of our client. A session counts in which
every image was acked and the other side had no complaint. The times are from `start_session` to the
first ack, at the evaluator. The other peer is a new process in each session, and ours, here, is
opened anew. The exit code is 1 where a session failed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import harness
import trio

import imgsync

ROLES = ("client", "evaluator")
SESSIONS, QUICK_SESSIONS = 20, 1
SESSION_WITHIN = 40.0  # s


@attrs.frozen
class Trial:
    """One session: its time to the first ack, or why there was none."""

    ms: float | None
    failure: str = ""


@attrs.frozen
class Row:
    """The sessions with one stack in one role."""

    stack: str
    role: str
    trials: list[Trial]

    @property
    def times(self) -> list[float]:
        return [trial.ms for trial in self.trials if trial.ms is not None]

    @property
    def failures(self) -> list[str]:
        return [trial.failure for trial in self.trials if trial.ms is None]

    def figures(self) -> dict[str, Any]:
        times = self.times
        percentiles = {
            f"p{percent}": round(harness.percentile(times, percent), 1) if times else None
            for percent in (50, 95)
        }
        counts = {"sessions": len(self.trials), "succeeded": len(times)}
        return {"stack": self.stack, "role": self.role, **counts, **percentiles}


async def try_client(url: str, command: tuple[str, ...], count: int) -> Trial:
    """Show images to a foreign client."""
    from tests.kit.processes import open_child

    images = [
        imgsync.ImageRef(
            index=index,
            name=f"{index}.png",
            image_url=harness.IMAGE["imageUrl"],
            signed_url=harness.IMAGE["signedUrl"],
        )
        for index in range(count)
    ]
    async with (
        imgsync.open_evaluator(url, user_id="E") as evaluator,
        open_child("client", *command) as client,
    ):
        await client.wait_event("registered")
        begin = time.perf_counter()
        async with evaluator.open_session("C") as session:
            await session.show(images[0])
            ms = (time.perf_counter() - begin) * 1000
            for image in images[1:]:
                await session.show(image)
        [result] = await client.wait_success()
    seen = [showing["imageIndex"] for showing in result["showings"]]
    return judge(ms, seen, count, result)


async def try_evaluator(url: str, command: tuple[str, ...], count: int) -> Trial:
    """Follow a foreign evaluator."""
    from tests.kit.processes import open_child

    async with (
        imgsync.open_client(url, user_id="C") as client,
        open_child("evaluator", *command) as evaluator,
    ):
        async for session in client.sessions():
            async with session:
                async for image in session.images():
                    image.shown()
            break
        [_registered, result] = await evaluator.wait_success()
    acked = [ack["imageIndex"] for ack in result["acks"]]
    return judge(result["firstAckMs"], acked, count, result)


def judge(ms: float, indices: list[int], count: int, result: dict[str, Any]) -> Trial:
    if result["complaints"]:
        return Trial(None, "; ".join(result["complaints"]))
    if indices != list(range(count)):
        return Trial(None, f"the images were {indices}")
    return Trial(ms)


async def measure(stack: str, role: str, sessions: int, url: str) -> Row:
    from tests.kit.foreign import IMAGES, MissingError, find_command

    try:
        command = find_command(stack)(role, url)
    except MissingError as exc:
        raise harness.BenchError(str(exc)) from None
    attempt = try_client if role == "client" else try_evaluator
    trials = [await bounded(attempt, url, command, IMAGES) for _ in range(sessions)]
    return Row(stack, role, trials)


async def bounded(
    attempt: Callable[[str, tuple[str, ...], int], Awaitable[Trial]], *args: Any
) -> Trial:
    try:
        with trio.fail_after(SESSION_WITHIN):
            return await attempt(*args)
    except (imgsync.ImgsyncError, trio.TooSlowError, AssertionError) as exc:
        return Trial(None, describe(exc))


def describe(exc: BaseException) -> str:
    """In one line, with the end of what the other process said."""
    notes = [note.strip().splitlines()[-1] for note in getattr(exc, "__notes__", [])]
    return " | ".join([str(exc) or type(exc).__name__, *notes])


def tables(rows: list[Row]) -> dict[str, Any]:
    """A line for each stack, of both roles."""
    cells = []
    for stack in dict.fromkeys(row.stack for row in rows):
        line: list[Any] = [stack]
        these = {row.role: row.figures() for row in rows if row.stack == stack}
        for role in ROLES:
            median = these[role]["p50"]
            line.append("-" if median is None else [median, "ms"])
        count, succeeded = (
            sum(one[name] for one in these.values()) for name in ("sessions", "succeeded")
        )
        cells.append([*line, [succeeded, f"of {count}"]])
    heads = ["the other side", "as the client", "as the evaluator", "came about"]
    return {"stacks": {"heads": heads, "rows": cells}}


def main() -> None:
    harness.use_tests()
    from tests.kit.foreign import STACKS

    parser = harness.make_parser(__doc__)
    parser.add_argument("--sessions", type=int, metavar="N", help="per stack and role")
    parser.add_argument("--only", choices=STACKS, help="this stack alone")
    args = parser.parse_args()
    if args.sessions is None:
        args.sessions = QUICK_SESSIONS if args.quick else SESSIONS
    if args.sessions < 1:
        parser.error("--sessions must be at least 1")
    harness.clean_up_on_kill()
    rows = []
    with harness.open_relay() as url:
        for stack in [args.only] if args.only else STACKS:
            rows += [trio.run(measure, stack, role, args.sessions, url) for role in ROLES]
    figures = [row.figures() | {"failures": row.failures} for row in rows]
    harness.emit(
        {"bench": "stacks", "unit": "ms", "rows": figures, "tables": tables(rows)}, args.json
    )
    for row in rows:
        for failure in row.failures:
            print(f"{row.stack} as {row.role}: {failure}", file=sys.stderr)
    if any(row.failures for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    harness.run(main)
