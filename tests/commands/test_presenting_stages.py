"""Series: what is announced, and what is printed of what became of the images."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from imgsync import ClientSession, ImageRef, Recording, open_images
from imgsync.commands.evaluator.presenting import Series
from imgsync.commands.output import Output
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.numbers import AHEAD
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.sources import ManifestImages
from tests.commands.test_presenting import Typed, open_stage, told
from tests.kit.processes import wait_until


def index_of(image_url: str) -> int:
    return int(image_url.rpartition("/")[2].removesuffix(".png"))


class Announcements:
    """A client that takes every image, and notes what it was told of until it had shown each."""

    def __init__(self) -> None:
        self.heard: list[list[int]] = [[]]

    async def follow(self, session: ClientSession) -> None:
        async def listen() -> None:
            async for upcoming in session.preloads():
                self.heard[-1].append(index_of(upcoming.image_url))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            async for _ in session.images():
                await trio.testing.wait_all_tasks_blocked()
                self.heard.append([])


async def report(session: ClientSession) -> None:
    """Shows even images, and can't show odd ones."""
    async for received in session.images():
        received.fetched(10)
        if received.index % 2:
            received.failed("http_403", 20)
        else:
            received.shown(20)


async def test_how_the_participant_is_recorded_is_told_at_each_change(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async def follow(session: ClientSession) -> None:
        async for received in session.images():
            troubles = ("camera_ended",) if received.index == 1 else ()
            session._peer.send(encode_channel(Recording(("microphone",), troubles, received.index)))

    async with open_stage(3, follow) as stage:
        await stage.series.show_every(1)
    told_of = [event for event in told(capsys) if event["event"] == "recording"]
    assert [(event["at"], event["troubles"]) for event in told_of] == [
        (0, []),
        (1, ["camera_ended"]),
        (2, []),
    ]


async def test_what_becomes_of_images_is_told_and_counted(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(3, report) as stage:
        await stage.series.show_every(1)
        stage.output.write(stage.series.summary)
        assert stage.series.score.complaint("c") == (
            "of 3 images 1 failed by c: http_403 (its signature is wrong, or its time is over:"
            " sign the URLs anew)"
        )
    *events, summary = told(capsys)
    stages = [event for event in events if event["event"] == "stage"]
    assert [(one["imageIndex"], one["stage"], one["reason"]) for one in stages] == [
        (0, "fetched", None),
        (0, "shown", None),
        (1, "fetched", None),
        (1, "failed", "http_403"),
        (2, "fetched", None),
        (2, "shown", None),
    ]
    acked = {event["imageIndex"]: event["sentAt"] for event in events if event["event"] == "acked"}
    for one in stages:
        assert one["name"] == f"{one['imageIndex']}.png"
        assert one["sentAt"] == acked[one["imageIndex"]]
        assert one["at"] == (10 if one["stage"] == "fetched" else 20)
    assert summary["stages"] == {"fetched": 3, "shown": 2, "failed": 1}
    assert [summary[n] for n in ("sent", "shown", "acked", "failed")] == [3, 2, 3, 1]


@pytest.mark.parametrize("is_moving", [True, False])
async def test_the_end_waits_for_a_picture_that_is_on_its_way(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, is_moving: bool
) -> None:
    async def take_slowly(session: ClientSession) -> None:
        received = await anext(session.images())
        await trio.sleep(30)
        received.fetched()
        await trio.sleep_forever()

    sent = property(lambda _: int(trio.current_time()) if is_moving else 0)
    monkeypatch.setattr(EvaluatorSession, "bytes_sent", sent)
    async with open_stage(1, follow=take_slowly) as stage:
        await stage.series.show_every(1)
        await stage.series.hear_out()
        assert stage.series.score.is_all_told is is_moving
        assert stage.elapsed < 32 if is_moving else stage.elapsed < 7


async def test_in_prose_only_failures_are_told(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(2, report) as stage:
        output = Output(as_json=False)
        series = Series(stage.session, stage.images, output)
        await series.show_every(1)
        output.write(series.summary)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "acked" not in line] == ["image 1  1.png  failed: http_403"]
    assert lines[-1].startswith("2 images sent, 1 shown, 2 acked, 1 failed; round trip ")


async def test_a_client_that_tells_nothing_leaves_the_summary_as_it_was(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(2) as stage:
        await stage.series.show_every(1)
        stage.output.write(stage.series.summary)
    assert "stages" not in told(capsys)[-1]


async def test_a_short_series_is_announced_once_and_as_a_whole(autojump_clock: MockClock) -> None:
    client = Announcements()
    async with open_stage(5, client.follow) as stage:
        await stage.series.show_every(1)
    assert client.heard == [[0, 1, 2, 3, 4], [], [], [], [], []]


async def test_a_long_series_is_announced_as_it_comes_near(autojump_clock: MockClock) -> None:
    client = Announcements()
    count = 3 * AHEAD
    async with open_stage(count, client.follow) as stage:
        await stage.series.show_every(1)
    assert client.heard[0] == list(range(AHEAD))
    known: set[int] = set()
    for index, heard in enumerate(client.heard[:count]):
        known.update(heard)
        # By the time that an image is shown, what comes half a window later is known.
        assert known >= set(range(index, min(index + AHEAD // 2, count)))
    assert sum(map(len, client.heard)) < 3 * count


async def test_a_jump_is_announced_and_what_stands_before_it_comes_last(
    autojump_clock: MockClock,
) -> None:
    client = Announcements()
    count = 2 * AHEAD
    async with open_stage(count, client.follow) as stage:
        await stage.series.obey(Typed([f"goto {count - 11}"]))
        await trio.testing.wait_all_tasks_blocked()
    first, jumped = client.heard[0][:AHEAD], client.heard[0][AHEAD:]
    assert first == list(range(AHEAD))
    assert jumped == [*range(count - 10, count), *range(AHEAD - 10)]


async def test_an_image_that_can_not_be_announced_hinders_no_other(
    autojump_clock: MockClock,
) -> None:
    async with open_stage(3) as stage:
        stage.images.images[2] = ImageRef(2, "http://h/2", "http://h/" + "x" * 70_000, "2")
        await stage.series.obey(Typed(["next", "next"]))
        assert stage.seen == [0, 1]


EXPIRED, FRESH, BAD = "?time=over", "?time=now", "?time=never"


def write_manifest(path: Path, *signatures: str) -> Path:
    urls = [f"http://h/{index}.png" for index in range(len(signatures))]
    signed = [
        {"imageUrl": url, "signedUrl": url + signature}
        for url, signature in zip(urls, signatures, strict=True)
    ]
    path.write_text(json.dumps(signed))
    return path


async def go_on(*awaited: Callable[[], bool]) -> AsyncIterator[str]:
    """The next image each time that something is so; a file is read on a thread, in real time."""
    for is_so in awaited:
        yield "next"
        await wait_until(is_so, "what an image leads to")


async def test_a_manifest_is_read_again_at_the_first_refusal_and_what_it_was_is_shown_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = write_manifest(tmp_path / "m.json", FRESH, EXPIRED, EXPIRED, EXPIRED)
    asked: list[tuple[int, str]] = []

    async def refuse(session: ClientSession) -> None:
        async for received in session.images():
            url = received.signed_url or ""
            asked.append((received.index, url.partition(".png")[2]))
            if url.endswith(FRESH):
                received.shown(20)
            else:
                # It was signed anew meanwhile, but for one.
                if received.index == 1:
                    write_manifest(manifest, FRESH, FRESH, FRESH, BAD)
                received.failed("http_403", 20)

    async with open_stage(4, refuse) as stage, open_images(manifest) as images:
        series = Series(stage.session, images, stage.output)
        last = series.score.showings
        await series.obey(
            go_on(
                lambda: len(asked) == 1,
                lambda: len(asked) == 3,
                lambda: len(asked) == 4,
                lambda: last[-1].failed is not None,
            )
        )
        assert asked == [(0, FRESH), (1, EXPIRED), (1, FRESH), (2, FRESH), (3, BAD)]
        score = [(one.index, one.is_shown, one.failed) for one in series.score.showings]
        wanted = [(0, True, None), (1, False, None), (1, True, None), (2, True, None)]
        assert score == [*wanted, (3, False, "http_403")]
    manifest.write_text("[")
    asked.clear()
    async with open_stage(1, refuse) as stage:
        write_manifest(manifest, EXPIRED)
        async with open_images(manifest) as images:
            series = Series(stage.session, images, stage.output)
            manifest.write_text("[")
            await series.obey(go_on(lambda: "are still in use" in caplog.text))
    assert asked == [(0, EXPIRED)]


async def test_what_is_refused_while_the_manifest_is_read_again_is_shown_again_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path / "m.json", EXPIRED, EXPIRED)
    asked: list[tuple[int, str]] = []
    reading, may_read = trio.Event(), trio.Event()
    read_again = ManifestImages.read_again

    async def read_slowly(images: ManifestImages) -> None:
        reading.set()
        await may_read.wait()
        await read_again(images)

    async def refuse(session: ClientSession) -> None:
        async for received in session.images():
            url = received.signed_url or ""
            asked.append((received.index, url.partition(".png")[2]))
            if url.endswith(FRESH):
                received.shown(20)
            else:
                received.failed("http_403", 20)

    monkeypatch.setattr(ManifestImages, "read_again", read_slowly)
    async with open_stage(2, refuse) as stage, open_images(manifest) as images:
        series = Series(stage.session, images, stage.output)
        showings = series.score.showings

        def is_refused_as_well() -> bool:
            if showings[-1].index == 1 and showings[-1].failed is not None:
                write_manifest(manifest, FRESH, FRESH)
                may_read.set()
            return may_read.is_set()

        await series.obey(
            go_on(reading.is_set, is_refused_as_well, lambda: showings[-1].is_shown),
        )
    assert asked == [(0, EXPIRED), (1, EXPIRED), (1, FRESH)]
    assert [(one.index, one.is_shown) for one in showings] == [(0, False), (1, False), (1, True)]
