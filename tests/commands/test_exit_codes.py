"""What the evaluator's command says of a series when it is over, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync import ClientSession, open_client
from tests.images.test_kinds import PNG
from tests.kit.command_lines import HERE, LOOPBACK, client, evaluator, events, imgsync, named
from tests.kit.forks import open_fork, shared_relay
from tests.kit.image_servers import answer, open_server
from tests.kit.processes import JSON, Outcome

Tell = Callable[[ClientSession], Awaitable[None]]


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


def write_manifest(folder: Path, urls: Sequence[str]) -> str:
    file = folder / "series.json"
    file.write_text(json.dumps([{"imageUrl": url, "signedUrl": url} for url in urls]))
    return str(file)


async def present(url: str, user: str, source: str, *options: str, typed: str = "") -> Outcome:
    """What becomes of the evaluator's command."""
    show = evaluator(url, user, *HERE, *options, source)
    async with open_fork("evaluator", *show, stdin=subprocess.PIPE) as showing:
        await showing.write(typed)
        await showing.close_stdin()
        return await showing.wait_outcome()


def summary_of(outcome: Outcome) -> JSON:
    [summary] = named("summary", events(outcome.lines))
    return summary


def counts(summary: JSON) -> list[int]:
    return [summary[name] for name in ("sent", "shown", "acked", "failed")]


# ── the client's command ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["every", "typed"])
@pytest.mark.parametrize("reason", ["http_403", "http_404", "not_an_image", "unreachable"])
async def test_ten_images_of_which_none_was_seen_are_a_failure_with_its_reason(
    relay_url: str, tmp_path: Path, reason: str, way: str
) -> None:
    status = f"{reason[5:]} No" if reason.startswith("http") else "200 OK"
    user = f"{reason}-{way}"
    async with open_server(answer(b"no image", status)) as url:
        if reason == "unreachable":
            url = "http://127.0.0.1:1/x.png"
        source = write_manifest(tmp_path, [f"{url}&{index}" for index in range(10)])
        every = ("--every", "0.02") if way == "every" else ()
        typed = "" if every else "next\n" * 10 + "end\n"
        async with open_fork("client", *client(relay_url, user, *HERE, "--json")) as following:
            await following.wait_event("registered")
            outcome = await present(relay_url, user, source, "--json", *every, typed=typed)
    assert outcome.code == 1
    [complaint] = outcome.errors
    assert f"of 10 images 10 failed by {user}: {reason} (" in complaint
    assert counts(summary_of(outcome)) == [10, 0, 10, 10]


async def test_a_client_without_a_screen_shows_nothing_and_that_is_no_failure(
    relay_url: str, tmp_path: Path
) -> None:
    async with open_server(answer(PNG)) as url:
        source = write_manifest(tmp_path, [url] * 3)
        async with open_fork("client", *client(relay_url, "blind", *HERE, "--json")) as following:
            await following.wait_event("registered")
            outcome = await present(relay_url, "blind", source, typed="next\n" * 3 + "end\n")
    assert (outcome.code, outcome.errors) == (0, [])
    assert outcome.lines[-1].startswith("3 images sent, 0 shown, 3 acked; round trip ")


# ── clients that tell what they like ─────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_telling(url: str, user: str, tell: Tell) -> AsyncIterator[None]:
    """A client that does this in each session."""

    async def follow(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(url, user_id=user, ice_addresses=[LOOPBACK]) as library:
            task_status.started()
            async for session in library.sessions():
                async with session:
                    await tell(session)

    async with trio.open_nursery() as nursery:
        await nursery.start(follow)
        yield
        nursery.cancel_scope.cancel()


def tell_each(*fates: str) -> Tell:
    """One after the other, of one image after the other: stages, or reasons of failures."""

    async def tell(session: ClientSession) -> None:
        async for image in session.images():
            for word in fates[image.index].split():
                if word in ("fetched", "shown", "hidden"):
                    getattr(image, word)()
                else:
                    image.failed(word)

    return tell


@pytest.mark.parametrize(
    ("fates", "code", "counted", "superseded", "why"),
    [
        (["fetched shown", "shown"], 0, [2, 2, 2, 0], [], ""),
        (["superseded", "fetched shown", "superseded", "shown"], 0, [4, 2, 4, 0], [0, 2], ""),
        (["hidden_tab shown hidden", "hidden_tab shown"], 0, [2, 2, 2, 0], [], ""),
        (["shown hidden shown hidden shown"], 0, [1, 1, 1, 0], [], ""),
        (["hidden_tab", "shown"], 1, [2, 1, 2, 1], [], "1 failed by {}: hidden_tab (nobody looked"),
        (["shown", "decode", "shown"], 1, [3, 2, 3, 1], [], "of 3 images 1 failed by {}: decode ("),
        (["fetched exec", "exec", "http_403", "superseded"], 1, [4, 0, 4, 3], [3], ": exec ("),
        (["fetched odd_word"], 1, [1, 0, 1, 1], [], "of 1 images 1 failed by {}: odd_word"),
    ],
)
async def test_the_summary_tells_what_the_client_told(
    relay_url: str,
    tmp_path: Path,
    fates: list[str],
    code: int,
    counted: list[int],
    superseded: list[int],
    why: str,
) -> None:
    source = write_manifest(tmp_path, [f"http://h/{index}.png" for index in range(len(fates))])
    typed = "next\n" * len(fates) + "end\n"
    user = re.sub(r"\W", "-", "+".join(fates))
    log = str(tmp_path / "e.jsonl")
    async with open_telling(relay_url, user, tell_each(*fates)):
        outcome = await present(relay_url, user, source, "--json", "--log", log, typed=typed)
        prose = await present(relay_url, user, source, typed=typed)
    assert outcome.code == prose.code == code
    assert len(outcome.errors) == len(prose.errors) == code
    if why:
        assert why.format(user) in outcome.errors[0]
    summary = summary_of(outcome)
    assert (counts(summary), summary["superseded"]) == (counted, superseded)
    listed = f"; superseded: {', '.join(map(str, superseded))}" if superseded else ""
    assert prose.lines[-1].endswith(listed)
    passed = [line for line in prose.lines if line.endswith("  superseded")]
    assert passed == [f"image {index}  {index}.png  superseded" for index in superseded]
    # The record, and the report of it, say the same.
    async with open_fork(
        "report", *imgsync("report", log, "--out", str(tmp_path), "--json")
    ) as one:
        report = await one.wait_outcome()
    [reported] = named("session", events(report.lines))
    assert counts(reported) == counted
    assert reported["superseded"] == len(superseded)


async def test_what_is_not_acked_is_a_failure_with_its_reason(
    relay_url: str, tmp_path: Path
) -> None:
    async def leave(session: ClientSession) -> None:
        await session.next_image()

    source = write_manifest(tmp_path, [f"http://h/{index}.png" for index in range(3)])
    async with open_telling(relay_url, "leaver", leave):
        outcome = await present(relay_url, "leaver", source, "--json", "--every", "5")
    assert outcome.code == 1
    assert len(outcome.errors) == 1
    assert summary_of(outcome)["shown"] == 0
