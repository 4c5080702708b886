"""The commands as people and scripts use them: processes on loopback, their output and their end.

How a person drives is in `test_driving`, what goes wrong in `test_complaints`, `test_command_ends`
and `test_hostile_peers`, the demo in `test_demo`. Each test has users of its own on one relay.
"""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from imgsync import ImageRef, SignallingLost, open_evaluator
from imgsync.core.protocol.signalling import EndReason
from imgsync.evaluator.evaluator import Evaluator
from imgsync.images.host import open_image_host
from tests.kit.command_lines import HERE, LOOPBACK, client, evaluator, events, named
from tests.kit.forks import open_fork, run_fork_to_end, shared_relay
from tests.kit.onlookers import open_onlooker
from tests.kit.processes import (
    EXIT_S,
    LISTENING,
    LOOK_AGAIN_S,
    SAMPLES,
    SESSION_S,
    START_S,
    STRICT,
    Child,
    open_child,
    our_relay,
    wait_until,
)

#: In the order in which they are shown; they are numbered without leading zeros.
IMAGES = sorted(
    (path for path in SAMPLES.iterdir() if path.suffix in {".png", ".svg"}),
    key=lambda path: int(path.name.partition("-")[0]),
)

#: The relay's promise of how soon it is gone.
RELAY_EXIT_S = 5


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


# ── a session, from both sides ───────────────────────────────────────────────────────────────────


def is_of_state(line: str) -> bool:
    """On a busy machine a side may not be heard for a moment, which is said."""
    return line.startswith("session ")


async def wait_line_of_image(child: Child) -> str:
    while is_of_state(line := await child.wait_line(SESSION_S)):
        pass
    return line


async def test_in_prose_a_session_by_lines_is_told_image_by_image_and_each_is_saved(
    relay_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "seen" / "today"
    follow = client(relay_url, "prose", *HERE, "--once", "--save", str(folder))
    show = evaluator(relay_url, "prose", *HERE, "--name", "Dr. Lee", str(SAMPLES))
    async with open_child("client", *follow, env=STRICT) as following:
        assert await following.wait_line(START_S) == "waiting for an evaluator as prose"
        async with open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
            assert await showing.wait_line(START_S) == "connected to prose; 10 images"
            assert await following.wait_line(SESSION_S) == "session with Dr. Lee"
            acks, fetched = [], []
            for _ in IMAGES:
                await showing.write("next\n")
                acks.append(await wait_line_of_image(showing))
                fetched.append(await following.wait_line(SESSION_S))
            await showing.write("end\n")
            shown = await showing.wait_outcome()
            followed = await following.wait_outcome()

    assert shown.code == followed.code == 0
    assert shown.errors == followed.errors == []
    said = [line for line in shown.lines if not is_of_state(line)]
    assert len(said) == 1, said
    [summary] = said
    assert re.fullmatch(
        r"10 images sent, 0 shown, 10 acked; round trip \d+\.\d ms \(longest \d+\.\d\);"
        r" one way \d+\.\d ms, to \d+\.\d \(at worst \d+\.\d\)",
        summary,
    )
    for index, image in enumerate(IMAGES):
        about = rf"image {index}  \S*{re.escape(image.name)}"
        assert re.fullmatch(
            rf"{about}  acked  \d+\.\d ms  one way \d+\.\d ± \d+\.\d ms", acks[index]
        )
        size = image.stat().st_size
        assert re.fullmatch(rf"{about}  {size} bytes  \w+  \d+ ms", fetched[index])
        assert (folder / f"{index:04}-{image.name}").read_bytes() == image.read_bytes()
    assert len(list(folder.iterdir())) == len(IMAGES)
    assert followed.lines == ["session ended: one of the two sides ended it"]


async def test_as_json_both_sides_tell_the_same_of_every_image_of_a_manifest(
    relay_url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "series.csv"
    async with open_image_host(LOOPBACK, {image.name: image for image in IMAGES}) as host:
        with manifest.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["imageUrl", "signedUrl"])
            rows.writerows(
                [host.url_of(image.name), host.signed_url_of(image.name)] for image in IMAGES
            )
        follow = client(relay_url, "json", *HERE, "--once", "--json")
        show = evaluator(relay_url, "json", *HERE, "--every", "0.02", "--json", str(manifest))
        async with open_fork("client", *follow, env=STRICT) as following:
            await following.wait_event("registered")
            shown = await run_fork_to_end("evaluator", *show, env=STRICT)
            followed = await following.wait_outcome()
        urls = [host.url_of(image.name) for image in IMAGES]

    assert shown.code == followed.code == 0
    assert shown.errors == followed.errors == []
    assert "signature=" in host.signed_url_of(IMAGES[0].name)
    assert not any("signature=" in line for line in (*shown.lines, *followed.lines))

    told = events(shown.lines)
    assert [message["event"] for message in told[:2]] == ["registered", "connected"]
    acks = sorted(named("acked", told), key=lambda ack: ack["imageIndex"])
    assert [ack["imageUrl"] for ack in acks] == urls
    assert [ack["name"] for ack in acks] == [image.name for image in IMAGES]
    assert all(ack["roundTripMs"] > 0 and ack["copies"] >= 1 for ack in acks)
    summary = told[-1]
    assert (summary["event"], summary["sent"], summary["acked"]) == ("summary", 10, 10)
    trips = [ack["roundTripMs"] for ack in acks]
    assert summary["roundTripMs"]["max"] == max(trips)
    assert min(trips) <= summary["roundTripMs"]["median"] <= max(trips)

    heard = events(followed.lines)
    [session] = named("session", heard)
    assert session["sessionId"] == told[1]["sessionId"]
    assert session["evaluatorId"] == session["evaluatorName"] == "evaluator-of-json"
    images = named("image", heard)
    assert [image["imageUrl"] for image in images] == urls
    assert all(before["sentAt"] < after["sentAt"] for before, after in pairwise(images))
    for kind in ("sentAt", "receivedAt"):
        assert [image[kind] for image in images] == [ack[kind] for ack in acks]
    sizes = {fetch["imageIndex"]: fetch["bytes"] for fetch in named("fetched", heard)}
    assert sizes == {index: image.stat().st_size for index, image in enumerate(IMAGES)}
    assert heard[-1]["event"] == "ended"
    assert heard[-1]["reason"] == "ended"


# ── the relay ────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_outlives_the_relay_and_both_peers_come_back_to_its_successor() -> None:
    image = ImageRef(0, "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=x", "a.png")
    async with open_fork("relay", *our_relay(), env=STRICT) as relay:
        line = await relay.wait_line(START_S)
        assert re.fullmatch(r"listening on ws://127\.0\.0\.1:\d+/ws", line)
        url = line.removeprefix(LISTENING)
        async with (
            open_fork("client", *client(url, "C", *HERE, "--json")) as following,
            open_evaluator(url, user_id="first", ice_addresses=[LOOPBACK]) as first,
        ):
            await following.wait_event("registered")
            async with first.open_session("C") as session:
                with trio.fail_after(SESSION_S):
                    await session.show(image)
                relay.process.terminate()
                assert await relay.wait_exit(RELAY_EXIT_S) == 0
                with trio.fail_after(SESSION_S):
                    await session.show(image)
                    await session.show(image)
            # It could not be told of the end; the channel was.
            assert (await following.wait_event("ended"))["reason"] == "ended"

            port = url.rpartition(":")[2].removesuffix("/ws")
            async with open_fork("relay", *our_relay("--port", port), env=STRICT) as successor:
                assert await successor.wait_line(START_S) == line
                await _wait_available(url, "C")
                show = evaluator(url, "C", *HERE, "--every", "0.02", "--json", str(SAMPLES))
                second = await run_fork_to_end("second evaluator", *show)
                assert second.code == 0
                assert events(second.lines)[-1]["acked"] == len(IMAGES)
                assert (await following.wait_event("ended"))["reason"] == "ended"

                with trio.fail_after(SESSION_S):
                    await _show_when_back(first, image)

                successor.process.send_signal(signal.SIGINT)
                assert await successor.wait_exit(RELAY_EXIT_S) == 0


async def _wait_available(url: str, user: str) -> None:
    async with open_evaluator(url, user_id="onlooker") as onlooker:
        await wait_until(lambda: user in onlooker.clients, f"{user} at the relay", START_S)


async def _show_when_back(evaluator: Evaluator, image: ImageRef) -> None:
    while True:
        try:
            async with evaluator.open_session("C") as session:
                await session.show(image)
                return
        except SignallingLost:
            await trio.sleep(LOOK_AGAIN_S)


# ── whoever reads our output has gone ────────────────────────────────────────────────────────────


async def test_a_relay_whose_first_line_nobody_takes_ends_without_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with trio.fail_after(SESSION_S):
            done = await trio.run_process(
                our_relay(), stdout=writer, capture_stderr=True, check=False, env=STRICT
            )
    finally:
        os.close(writer)
    errors = done.stderr.decode().splitlines()
    assert [line for line in errors if " INFO " not in line] == []
    assert done.returncode == 1


async def test_an_evaluator_whose_reader_goes_ends_the_session_without_a_traceback(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "unread", *HERE, str(SAMPLES))
    async with (
        open_onlooker(relay_url, "unread") as onlooker,
        open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.wait_line(START_S)
        await showing.close_stdout()
        await showing.write("next\n" * 5)
        assert await showing.wait_exit() == 1
        assert showing.read_errors() == ""

    assert onlooker.end_reason is EndReason.ENDED


async def test_a_client_whose_reader_goes_ends_the_session_without_a_traceback(
    relay_url: str,
) -> None:
    async with (
        open_fork("client", *client(relay_url, "deaf", *HERE, "--json"), env=STRICT) as following,
        open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as evaluator,
    ):
        await following.wait_event("registered")
        async with evaluator.open_session("deaf") as session:
            await following.wait_event("session")
            await following.close_stdout()
            image = ImageRef(0, "http://127.0.0.1:9/a", "http://127.0.0.1:9/a", "a")
            with trio.move_on_after(EXIT_S):
                async with trio.open_nursery() as nursery:
                    for _ in range(5):
                        nursery.start_soon(session.show, image)
                    nursery.cancel_scope.cancel()
            with trio.fail_after(EXIT_S):
                assert await session.wait_ended() is EndReason.ENDED
        assert await following.wait_exit() == 1
        assert following.read_errors() == ""
