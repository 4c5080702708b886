"""The evaluator's console in Chromium, with clients of ours: a page, and the command."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from imgsync.journal.lines import decode_line
from tests.kit.browsers import JSON, Browser
from tests.kit.console_pages import (
    SECRET,
    ConsolePage,
    Images,
    open_console,
    open_images,
)
from tests.kit.forks import open_fork, open_relay
from tests.kit.middleboxes import open_middlebox
from tests.kit.processes import our_client, run_to_end, wait_until
from tests.kit.raw_peers import open_raw
from tests.kit.web_pages import WIDTH, make_png, open_client_page


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


# ── a session ────────────────────────────────────────────────────────────────────────────────────


async def test_twenty_images_are_acked_by_the_python_client(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_console(browser, relay, "dr-lee") as console,
        open_fork("client", *our_client(relay)) as client,
    ):
        await client.wait_event("registered")
        await console.paste(images.manifest(*range(20)))
        await console.start("C")
        for index in range(20):
            await console.press("n")
            await console.page.wait(f"document.querySelectorAll('#rows tr').length === {index + 1}")
        await console.page.wait(
            "[...document.querySelectorAll('#rows tr')].every((row) => row.dataset.fate !== 'sent')"
        )
        await console.end()
        lines = await client.wait_success()
        received = [line["imageIndex"] for line in lines if line.get("event") == "image"]
        assert received == list(range(20))
        fetched = [line["imageIndex"] for line in lines if line.get("event") == "fetched"]
        assert sorted(fetched) == list(range(20))
        # One that is acked as it comes in may overtake the one before, which was just taken.
        acked = await console.events("acked")
        assert sorted(ack["imageIndex"] for ack in acked) == list(range(20))
        assert console.page.errors == []


async def test_twenty_images_are_shown_by_the_clients_page_and_the_record_tells_of_each(
    browser: Browser, relay: str, images: Images, tmp_path: Path
) -> None:
    async with (
        open_client_page(browser, relay, "ann") as client,
        open_console(browser, relay, "dr-ann", token=SECRET) as console,
    ):
        await console.paste(images.manifest(*range(20)))
        await console.start("ann")
        for index in range(20):
            await console.press(" ")
            await console.wait_fate(index, "shown")
            await client.wait_shows(index)
        await console.wait_says("on the client\u2019s screen", "#fate")
        await console.wait_says("±", "#one-way")
        assert await console.page.run("document.querySelectorAll('#plot circle').length") == 20
        assert await client.put_up() == list(range(20))
        await console.end()
        await client.wait_says("The session has ended.")
        # The page is as good as new: it has told all that it knew before it closed the channel.
        table, lines = await download(console, "dr-ann", tmp_path)
        check_table(table, images.origin)
        check_lines(lines)
        await check_page(console, table)
        assert SECRET not in json.dumps([table, lines, await console.page.run("location.href")])
        assert client.page.errors == console.page.errors == []


async def download(
    console: ConsolePage, user: str, folder: Path
) -> tuple[list[dict[str, str]], list[JSON]]:
    """The rows of the CSV, which are those of the report on the JSONL, and the events of that."""
    await console.page.command(
        "Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder)
    )
    for kind in ("csv", "jsonl"):
        await console.tap(f"#{kind}")
    await wait_until(lambda: len(downloads_in(folder)) == 2, "two files")
    table, record = sorted(downloads_in(folder), key=lambda file: file.suffix)
    assert all(file.name.startswith(f"imgsync-{user}-") for file in (table, record))
    command = (sys.executable, "-m", "imgsync", "report", str(record), "--out", str(folder / "out"))
    outcome = await run_to_end("report", *command)
    assert (outcome.code, outcome.errors) == (0, [])
    found = table.read_bytes()
    assert found == (folder / "out" / "report.csv").read_bytes()
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    # Each event of the page has exactly the fields of its line, or it would not be there.
    own = ("show", "passed_by")
    assert [event for event in await console.events() if event["event"] not in own] == lines
    return list(csv.DictReader(io.StringIO(found.decode(), newline=""))), lines


def downloads_in(folder: Path) -> list[Path]:
    """The files that are complete."""
    files = [file for file in folder.iterdir() if file.suffix in (".csv", ".jsonl")]
    return [file for file in files if file.stat().st_size > 0]


def check_table(table: list[dict[str, str]], origin: str) -> None:
    assert [int(row["imageIndex"]) for row in table] == list(range(20))
    assert [row["imageUrl"] for row in table] == [f"{origin}/{i}.png" for i in range(20)]
    assert [row["label"] for row in table] == [f"of {i}" for i in range(20)]
    pictures = [make_png(WIDTH + i) for i in range(20)]
    assert [row["sha256"] for row in table] == [sha256(png).hexdigest() for png in pictures]
    assert [int(row["bytes"]) for row in table] == [*map(len, pictures)]
    assert [(row["type"], int(row["width"])) for row in table] == [
        ("image/png", WIDTH + i) for i in range(20)
    ]
    for row in table:
        sent, acked = float(row["sentAt"]), float(row["ackedAt"])
        assert float(row["roundTrip"]) == pytest.approx(acked - sent, abs=0.01)
        latency, bound = float(row["latency"]), float(row["bound"])
        assert -bound <= latency <= acked - sent + bound
        assert float(row["onsetLatency"]) > latency
        assert float(row["receivedAt"]) <= float(row["fetchedAt"])
        assert (row["failedReason"], row["superseded"], row["copies"]) == ("", "false", "1")
    for row, after in pairwise(table):
        assert float(row["shownAt"]) < float(row["hiddenAt"]) == float(after["shownAt"])
    # The last one, too: the client has had a channel to say so.
    assert all(row["gaps"] == "0" and float(row["exposureMs"]) > 0 for row in table)


async def check_page(console: ConsolePage, table: list[dict[str, str]]) -> None:
    """The figures of the page are those of the CSV."""
    cells = await console.page.run(
        "[...document.querySelectorAll('#rows tr')].map((row) =>"
        " [...row.querySelectorAll('.number')].map((cell) => cell.textContent))"
    )
    said = await console.page.run(
        "[...document.querySelectorAll('#rows .identity')].map((one) => one.textContent)"
    )
    assert said == [
        f"image/png, {row['width']} \u00d7 {row['height']}, {row['bytes']} bytes,"
        f" SHA-256 {row['sha256'][:12]}\u2026"
        for row in reversed(table)
    ]
    for row, (trip, delay) in zip(reversed(table), cells, strict=True):
        delay, _, timing = delay.partition(", ")
        assert timing == {"presented": "presented", "frame": "put up"}[row["onsetTiming"]]
        figures = [trip, *delay.split(" \u00b1\u00a0")]
        wanted = [float(row[name]) for name in ("roundTrip", "onsetLatency", "onsetBound")]
        # One digit after the point, and none from 100 on.
        assert [float(figure) for figure in figures] == pytest.approx(wanted, rel=0.005, abs=0.0501)


def check_lines(lines: list[JSON]) -> None:
    names = [line["event"] for line in lines]
    for name in ("sent", "acked", "stage"):
        assert names.count(name) >= 20
    assert names[0] == "header"
    assert "probe" in names
    # They are what the records of all peers are made of.
    assert {type(decode_line(json.dumps(line).encode())[1]).EVENT for line in lines} == set(names)
    states = [line["state"] for line in lines if line["event"] == "state"]
    assert states == ["connected", "ended"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert len({line["sentAt"] for line in lines if line["event"] == "sent"}) == 20


async def test_what_failed_is_told_in_words(browser: Browser, relay: str, images: Images) -> None:
    async with (
        open_client_page(browser, relay, "fay"),
        open_console(browser, relay, "dr-fay") as console,
    ):
        listed = json.loads(images.manifest(0, "forbidden"))
        listed[1]["signedUrl"] += "&Expires=1000000000"
        await console.paste(json.dumps(listed))
        await console.start("fay")
        await console.press("End")
        await console.wait_fate(1, "failed")
        [stage] = [one for one in await console.events("stage") if one["stage"] == "failed"]
        assert stage["detail"].startswith("its URL was good until ")
        words = f"failed: its server refused it (HTTP 403): {stage['detail']}"
        await console.wait_says(words, "#fate")
        await console.wait_says(words, "#rows")
        await console.page.wait(
            f"document.querySelector('#announcer').textContent === 'Image 2: {words}'"
        )
        assert (await console.thumbs())[1] == f"Image 2, forbidden.png, {words}"
        # In this page, it is as forbidden.
        await console.wait_says("can\u2019t be shown here", "#stage")
        await console.end()


async def test_one_session_after_the_other_begins_with_nothing_on_the_screen(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_client_page(browser, relay, "one") as one,
        open_client_page(browser, relay, "two") as two,
        open_console(browser, relay, "dr-many") as console,
    ):
        await console.paste(images.manifest(0, 1))
        for name, client in (("one", one), ("two", two)):
            await console.start(name)
            await console.wait_says("The client sees nothing yet", "#stage")
            assert all("shown" not in thumb for thumb in await console.thumbs())
            await console.press("ArrowRight")
            await client.wait_stage(0, "shown")
            await console.wait_fate(0, "shown")
            await console.end()
        assert [event["clientId"] for event in await console.events("show")] == ["one", "two"]
        await console.wait_says("2 showings in 2 sessions", "#record-note")


async def test_who_is_there_and_who_of_them_is_free_is_told(browser: Browser, relay: str) -> None:
    async with (
        open_console(browser, relay, "dr-a") as console,
        open_console(browser, relay, "dr-b") as other,
    ):
        await console.wait_says("Nobody is online", "#clients-section")
        item = "#clients li"
        async with open_client_page(browser, relay, "pat"):
            await console.wait_says("available", item)
            await other.start("pat")
            await console.wait_says("busy", item)
            await other.wait_says("in session with you", item)
            # Who asks all the same is told by the relay what to do.
            await console.tap(f"{item} button")
            await console.wait_says("in a session with another evaluator; try again later")
            await other.end()
            await console.wait_says("available", item)
            await console.start("pat")
        # Who has gone without a word may be seeing the image still: nothing says that it is so.
        await console.wait_says("offline; in session with you", item)
        await console.tap("#end")
        await console.tap("#end-yes")
        await console.wait_says("has ended")
        await console.wait_says("Nobody is online", "#clients-section")


# ── what comes back ──────────────────────────────────────────────────────────────────────────────


async def test_a_reload_in_the_middle_takes_the_session_up_with_the_same_image(
    browser: Browser, relay: str, images: Images, tmp_path: Path
) -> None:
    async with (
        open_client_page(browser, relay, "rex") as client,
        open_console(browser, relay, "dr-rex") as console,
    ):
        await console.paste(images.manifest(*range(4)))
        await console.start("rex")
        for index in range(3):
            await console.press("n")
            await console.wait_fate(index, "shown")
        [*_, shown] = await console.events("show")
        await console.page.reload_though_asked()
        await console.wait_says("Connected to rex")
        await console.wait_current(2)
        assert len(await console.thumbs()) == 4
        # It was there all the time, so that it was not shown again.
        sent = f"m.type === 'ack' && m.sentAt === {shown['sentAt']}"
        await client.page.wait(f"sent.filter((m) => {sent}).length >= 3")
        await client.wait_shows(2)
        assert await client.put_up() == [0, 1, 2]
        await console.wait_fate(1, "hidden")
        await console.wait_fate(2, "shown")
        await console.press("n")
        await client.wait_stage(3, "shown")
        await console.wait_fate(3, "shown")
        await console.end()
        assert len(await console.events("show")) == 4
        assert len({event["sessionId"] for event in await console.events("session")}) == 1
        await client.wait_says("The session has ended. Thank you.")
        # A session that is over is not begun again.
        await console.page.reload()
        await console.wait_says("No session.")
        await console.wait_says("4 showings in 1 session", "#record-note")
        table, lines = await download(console, "dr-rex", tmp_path)
        assert [row["imageIndex"] for row in table] == ["0", "1", "2", "3"]
        assert [line["event"] for line in lines].count("header") == 3
        await console.wait_says("available", "#clients")
        assert client.page.errors == console.page.errors == []


async def test_what_is_shown_while_the_client_is_away_waits_for_it(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_console(browser, relay, "dr-gap") as console,
        open_client_page(browser, relay, "gap") as client,
    ):
        await console.paste(images.manifest(*range(4)))
        await console.start("gap")
        await console.press("n")
        await console.wait_fate(0, "shown")
        # It is reloaded, and for a while nothing comes of it.
        await client.page.command("Network.enable")
        await client.page.command("Network.setBlockedURLs", urls=["*/js/*"])
        await client.page.reload()
        await console.wait_says("is interrupted")
        await console.press("n")
        await console.press("n")
        await console.wait_fate(1, "superseded")
        await console.wait_says("waits for the connection", "#fate")
        await client.page.command("Network.setBlockedURLs", urls=[])
        await client.page.reload()
        await console.wait_says("Connected to gap again.")
        await console.wait_fate(2, "shown")
        assert await client.put_up() == [2]
        await console.end()
        superseded = [event["imageIndex"] for event in await console.events("superseded")]
        assert superseded == [1]
        assert console.page.errors == []


async def test_urls_that_expire_are_read_anew_over_a_reload_and_in_the_middle_of_a_session(
    browser: Browser, relay: str, images: Images
) -> None:
    list_url = f"{images.origin}/series?key={SECRET}"

    def sign(signature: str, *names: int) -> None:
        images.manifests["/series"] = images.manifest(*names, signature=signature)

    sign("one", 0, 1, 2)
    async with (
        open_client_page(browser, relay, "zoe") as client,
        open_console(browser, relay, "dr-zoe", manifest=list_url) as console,
    ):
        await console.wait_says("3 images, 1 to 3; list", "#series-name")
        sign("two", 0, 1, 2)
        images.expired = {"one"}
        await console.start("zoe")
        await console.press("n")
        await client.wait_stage(0, "failed", "http_403")
        await console.wait_fate(0, "shown")
        await client.wait_shows(0)
        # A reload has them anew as well, where the images are in another order, and more.
        images.expired = {"one", "two"}
        sign("three", 2, 1, 0, 3)
        await console.page.reload_though_asked()
        await console.wait_says("names other images now. Those of before are still in", "#images")
        await console.wait_says("Connected to zoe")
        await console.page.wait("document.querySelector('#picture').src.endsWith('three')")
        await console.press("n")
        await console.wait_fate(1, "shown")
        # One that was pasted can be pasted again, signed anew, and goes on where it stands.
        await console.paste(images.manifest(0, 1, 2, signature="four"))
        await console.wait_says("list that was pasted, read just now", "#series-name")
        images.expired |= {"three"}
        await console.wait_current(1)
        # A client that comes back has the newest one, and needs no refusal for it.
        await client.page.reload()
        await client.wait_shows(1)
        await console.press("n")
        await console.wait_fate(2, "shown")
        assert [event["imageIndex"] for event in await console.events("show")] == [0, 0, 1, 2]
        images.manifests.clear()
        await console.end()
        assert SECRET not in json.dumps(await console.events())


async def test_a_relay_may_be_restarted_in_the_middle(browser: Browser, images: Images) -> None:
    async with AsyncExitStack() as stack:
        async with open_relay("--port", "0") as relay:
            port = int(relay.removesuffix("/ws").rpartition(":")[2])
            client = await stack.enter_async_context(open_client_page(browser, relay, "rob"))
            console = await stack.enter_async_context(open_console(browser, relay, "dr-rob"))
            await console.paste(images.manifest(*range(3)))
            await console.start("rob")
            await console.press("n")
            await console.wait_fate(0, "shown")
        # Nobody needs it for what is under way.
        await console.wait_says("not in reach", "#relay")
        await console.press("n")
        await console.wait_fate(1, "shown")
        async with open_relay("--port", str(port)):
            await console.wait_says("connected", "#relay")
            await console.wait_says("in session with you", "#clients")
            await console.press("n")
            await console.wait_fate(2, "shown")
            assert await client.put_up() == [0, 1, 2]
            await console.end()
            await client.wait_says("The session has ended.")
            await console.wait_says("available", "#clients")
            # What the browser itself says of a relay that is not there is no complaint of the page.
            complaints = ("WebSocket connection", "Failed to load resource")
            assert [e for e in console.page.errors if not e.startswith(complaints)] == []


async def test_a_start_that_goes_nowhere_is_asked_again_on_a_new_connection(
    browser: Browser, relay: str
) -> None:
    async with (
        open_raw(relay, "client", "patient"),
        open_middlebox(relay) as box,
        open_console(browser, box.url, "E-of-patient") as console,
    ):
        await console.wait_says("Server: connected", of="#relay")
        before = box.seen
        box.forget()
        await console.tap("#clients button[aria-label='Start a session with patient']")
        await console.wait_says("Connecting to patient")
        assert box.seen > before
