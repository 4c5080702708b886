"""Recording in the client's page: what is recorded, where it goes, and that none of it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio

from tests.kit.browsers import ANSWER_S, Browser, Started
from tests.kit.chromium import crash, shared_shell
from tests.kit.forks import open_relay, shared_relay
from tests.kit.processes import wait_until
from tests.kit.raw_peers import open_raw
from tests.kit.recording_pages import (
    ASKING,
    BOTH,
    EBML,
    FAKE_DEVICES,
    FILES,
    FOLDER,
    TAP,
    WRITTEN,
    RecordingServer,
    allow,
    files_of,
    number_text,
    open_page_that_records,
    open_recorded,
    open_server,
    play,
    present,
    show_unrecorded,
    tap,
    wait_told,
    warned,
)
from tests.kit.web_pages import IN_A_HURRY, open_client_page, open_session, page_url, show_url


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with shared_shell(*FAKE_DEVICES) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with open_server() as server:
        yield server


@pytest.fixture(scope="module")
def relay(server: RecordingServer) -> Iterator[str]:
    with shared_relay("--recording-url", f"{server.url}/recordings?study=1") as url:
        yield url


@pytest.fixture(scope="module")
def plain_relay() -> Iterator[str]:
    """One that has no server for recordings: they are saved by hand."""
    with shared_relay() as url:
        yield url


# ── what is recorded ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("record", [BOTH, "microphone"])
async def test_there_is_a_recording_of_each_image_that_can_be_played(
    browser: Browser, relay: str, server: RecordingServer, record: str
) -> None:
    user = f"each of {record}"
    async with open_recorded(browser, relay, user, record) as client:
        await allow(client)
        async with open_session(relay, user) as session:
            await present(client, session, server, [0, 7])
        await wait_until(lambda: len(server.of(user)) == 2, "both recordings")
        stages = await client.sent("stage")
        assert client.page.errors == []
    for index, posted in zip([0, 7], server.of(user), strict=True):
        told = {one["stage"]: one["at"] for one in stages if one["imageIndex"] == index}
        about = posted.about
        assert posted.name == f"{index:04}-{number_text(about['sentAt'])}.webm"
        assert posted.media.startswith(EBML)
        assert about["imageUrl"] == f"{server.url}/{index}.png"
        assert about["imageIndex"] == index
        assert about["shownAt"] == told["shown"]
        [shown] = [s for s in stages if (s["imageIndex"], s["stage"]) == (index, "shown")]
        assert (about["timing"], about["within"]) == (shown["timing"], shown["within"])
        # Of the last one, the end of the session is the end, which has no channel to be told on.
        assert about["hiddenAt"] == told.get("hidden", about["hiddenAt"]) > about["shownAt"]
        assert about["offset"] == about["shownAt"] - about["recordingStartedAt"]
        assert abs(about["offset"]) < 500
        assert about["recordingStartedAt"] <= about["startEventAt"] < about["hiddenAt"] + 500
        assert about["mimeType"].startswith("video/webm" if record == BOTH else "audio/webm")
        assert about["size"] == len(posted.media)
        found = await play(browser, server, posted.media)
        seen = (about["hiddenAt"] - about["shownAt"]) / 1000
        assert 0 < found["duration"] < seen + 1
        assert 0 < found["middle"] < found["duration"]
        assert bool(found["width"]) == (record == BOTH)


async def test_a_recording_ends_when_the_tab_is_hidden_and_another_begins_when_it_is_seen_again(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "hidden") as client:
        await allow(client)
        async with open_session(relay, "hidden") as session:
            await present(client, session, server, [3])
            await client.page.hide()
            await wait_until(lambda: len(server.of("hidden")) == 1, "the first recording")
            await client.page.unhide()
            await client.page.wait("filled === 2")
        await wait_until(lambda: len(server.of("hidden")) == 2, "the second recording")
        first, second = server.of("hidden")
        assert second.name == first.name.replace(".webm", "-2.webm")
        assert second.about["sentAt"] == first.about["sentAt"]
        assert second.about["shownAt"] > first.about["hiddenAt"]
        assert client.page.errors == []


async def test_nothing_tells_of_it_while_an_image_is_shown_and_the_devices_are_off_at_the_end(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "quiet") as client:
        page = client.page
        assert await page.run("asked") == []
        assert await page.run("!document.querySelector('#status').checkVisibility()")
        await allow(client)
        assert await page.run("asked") == [["video", "audio"]]
        # The tap answered, and did nothing else.
        assert await page.run("document.fullscreenElement === null")
        async with open_session(relay, "quiet") as session:
            await present(client, session, server, [0])
            assert await page.run("document.body.innerText.trim()") == ""
            assert await page.run("tracks.every((track) => track.readyState === 'live')")
        await client.wait_says("Thank you.")
        await page.wait("tracks.every((track) => track.readyState === 'ended')")
        # Another session has them on again, and nobody is asked twice.
        async with open_session(relay, "quiet") as session:
            await wait_told(client, "You are recorded")
            assert await page.run("tracks.length") == 4
            await present(client, session, server, [1])
        await wait_until(lambda: len(server.of("quiet")) == 2, "both recordings")
        await page.wait("tracks.every((track) => track.readyState === 'ended')")
        assert page.errors == []


# ── without it ───────────────────────────────────────────────────────────────────────────────────


async def test_without_record_nothing_of_it_is_loaded_or_asked(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_client_page(browser, relay, "without", ASKING) as client:
        async with open_session(relay, "without") as session:
            await show_unrecorded(client, session, server)
        await client.wait_says("Thank you.")
        loaded = await client.page.run(
            "performance.getEntriesByType('resource').map((e) => e.name)"
        )
        assert any(name.endswith("/client.js") for name in loaded)
        assert not [name for name in loaded if "recording" in name or "capture" in name]
        assert await client.page.run("asked") == []
        assert await client.page.run("indexedDB.databases()") == []


@pytest.mark.parametrize("is_asked_before", [False, True])
async def test_who_does_not_want_it_takes_part_without(
    browser: Browser, relay: str, server: RecordingServer, is_asked_before: bool
) -> None:
    user = f"refusing {is_asked_before}"
    async with open_recorded(browser, relay, user) as client:
        if is_asked_before:
            await allow(client)
            await tap(client.page, "Stop recording")
            await client.page.wait("tracks.every((track) => track.readyState === 'ended')")
        else:
            await tap(client.page, "Take part without recording")
        async with open_session(relay, user) as session:
            await show_unrecorded(client, session, server)
        await client.wait_says("Thank you.")
        await client.page.reload()
        await client.wait_says("Ready.")
        async with open_session(relay, user):
            await client.wait_says("Connected to")
        assert not await client.page.run("!!document.querySelector('#consent')")
        assert await client.page.run("asked") == []
        assert server.tried(user) == 0
        assert client.page.errors == []


async def test_a_session_that_is_over_before_the_participant_answers_is_said_to_be_over(
    browser: Browser, relay: str
) -> None:
    async with (
        open_recorded(browser, relay, "slow") as client,
        open_raw(relay, "evaluator", "E-of-slow") as evaluator,
    ):
        session_id = await evaluator.start("slow")
        evaluator.say("end_session", sessionId=session_id)
        await evaluator.wait_presence("slow", "available")
        await tap(client.page, "Take part without recording")
        await client.wait_says("The session was ended before it began.")
        assert client.page.errors == []


@pytest.mark.parametrize(
    ("early", "words"),
    [
        ("window.fail = 'NotAllowedError'", "does not let this page use your camera and micro"),
        ("window.fail = 'NotFoundError'", "No camera or microphone was found."),
        ("window.fail = 'NotReadableError'", "perhaps another program does"),
        ("delete window.MediaRecorder", "This browser can"),
        ("IDBFactory.prototype.open = () => { throw new Error('') }", "keeps no recordings"),
    ],
)
async def test_what_can_not_be_recorded_is_told_and_the_session_goes_on(
    browser: Browser, relay: str, server: RecordingServer, early: str, words: str
) -> None:
    user = f"unable {words[:12]}"
    async with open_page_that_records(browser, relay, user, early=early) as client:
        if "IDB" not in early:
            await tap(client.page, "Allow recording")
        await wait_told(client, words)
        await wait_told(client, "The session goes on without recording.")
        async with open_session(relay, user) as session:
            await show_unrecorded(client, session, server)
        await client.wait_says("Thank you.")
        assert server.tried(user) == 0
        assert client.page.errors == []


async def test_where_one_device_is_missing_the_other_is_recorded(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "one", early="window.deny = 'video'") as client:
        await allow(client)
        await wait_told(client, "No camera was found.")
        async with open_session(relay, "one") as session:
            await present(client, session, server, [0])
        await wait_until(lambda: len(server.of("one")) == 1, "the recording")
        assert server.of("one")[0].about["mimeType"].startswith("audio/webm")


async def test_a_link_that_asks_for_something_else_says_so(browser: Browser, relay: str) -> None:
    async with open_page_that_records(browser, relay, "else", "camera,smell") as client:
        await wait_told(client, "asks to record “camera,smell”")
        async with open_session(relay, "else"):
            await client.wait_says("Connected to")
        assert await client.page.run("asked") == []


async def test_of_sessions_that_begin_while_they_are_asked_the_last_one_counts(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with (
        open_recorded(browser, relay, "slow") as client,
        open_raw(relay, "evaluator", "hasty") as hasty,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            session_id = await hasty.start("slow")
            await hasty.wait_presence("slow", "busy")
            hasty.say("end_session", sessionId=session_id)
            await hasty.wait_presence("slow", "available")

        async def answer() -> None:
            await hasty.wait_presence("slow", "busy")
            assert await client.page.run("document.body.dataset.state") == "asking"
            await allow(client)

        nursery.start_soon(answer)
        async with open_session(relay, "slow") as session:
            await present(client, session, server, [5])
        await client.wait_says("Thank you.")
        await wait_until(lambda: len(server.of("slow")) == 1, "the recording")
        assert server.of("slow")[0].about["imageIndex"] == 5
        assert client.page.errors == []


# ── sent ─────────────────────────────────────────────────────────────────────────────────────────


async def test_recordings_outlast_a_server_that_fails_and_a_page_that_is_loaded_again(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    user = "lasting"
    server.faults[user] = ["500", "closed", "408"] + 1000 * ["503"]
    async with open_recorded(browser, relay, user, early=IN_A_HURRY) as client:
        page = client.page
        await allow(client)
        async with open_session(relay, user) as session:
            await present(client, session, server, [0, 1, 2])
        await wait_told(client, "3 recordings still to be sent.")
        await wait_until(lambda: server.tried(user) > 4, "tries")
        async with warned(page):
            await page.reload()
        await wait_told(client, "3 recordings still to be sent.")
        await wait_told(client, "The server does not take them")
        tries = server.tried(user)
        await wait_until(lambda: server.tried(user) > tries, "tries of the page that came back")
        server.faults[user].clear()
        await wait_until(lambda: len(server.of(user)) == 3, "all recordings")
        await page.wait("document.querySelector('#recordings-left').textContent === ''")
        # Nothing is left, so that it can be left without a word.
        await page.reload()
        await client.wait_says("Ready.")
    assert sorted(one.about["imageIndex"] for one in server.of(user)) == [0, 1, 2]
    first = {one.name: one for one in server.posts if one.about["userId"] == user}
    assert {one.name: one.media for one in server.of(user)} == {
        n: p.media for n, p in first.items()
    }


async def test_what_a_page_that_crashes_has_recorded_is_sent_by_the_next_one(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "crashed") as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "crashed") as session:
            await present(client, session, server, [0])
            await page.wait(WRITTEN)
            await crash(page)
            await page.goto(page_url(relay, user="crashed", record=BOTH))
            # The session and the answer are still there: the same showing is recorded anew.
            await page.wait("filled === 1")
            await wait_until(lambda: len(server.of("crashed")) == 1, "what was left")
        await wait_until(lambda: len(server.of("crashed")) == 2, "both recordings")
    broken, whole = server.of("crashed")
    assert broken.about["hiddenAt"] is None
    assert broken.media.startswith(EBML)
    assert broken.about["size"] == len(broken.media)
    assert (await play(browser, server, broken.media))["duration"] > 0
    assert whole.name == broken.name.replace(".webm", "-2.webm")
    assert whole.about["hiddenAt"] > whole.about["shownAt"]


async def test_a_device_that_is_full_says_so_and_records_again_when_there_is_room(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "full") as client:
        page = client.page
        origin = await page.run("location.origin")
        await page.command("Storage.overrideQuotaForOrigin", origin=origin, quotaSize=1)
        await allow(client)
        async with open_session(relay, "full") as session:
            await show_url(session, 0, server.image(0))
            await wait_told(client, "There is no room left")
            await page.command("Storage.overrideQuotaForOrigin", origin=origin)
            await present(client, session, server, [1, 2])
            await wait_told(client, "You are recorded")
        await wait_until(lambda: len(server.of("full")) == 2, "the other recordings")
        assert [one.about["imageIndex"] for one in server.of("full")] == [1, 2]


# ── saved ────────────────────────────────────────────────────────────────────────────────────────


async def test_they_are_saved_in_a_folder_by_the_participant(
    browser: Browser, plain_relay: str, server: RecordingServer
) -> None:
    # The browser's own dialog can't be driven; this folder is a real one, of its private storage.
    early = f"window.showDirectoryPicker = () => {FOLDER};"
    async with open_recorded(browser, plain_relay, "folder", early=early) as client:
        page = client.page
        assert "nobody gets them unless you hand them on" in await page.run(
            "document.body.innerText"
        )
        await allow(client)
        async with open_session(plain_relay, "folder") as session:
            await present(client, session, server, [0, 1])
        await wait_told(client, "2 recordings still to be saved.")
        assert "You can close this page." not in await page.run("document.body.innerText")
        # They are there for whoever made them, also later, and for nobody else.
        async with warned(page):
            await page.goto(page_url(plain_relay, user="other", record=BOTH))
        await page.wait("!!document.querySelector('#consent')")
        assert (
            await page.run("document.querySelector('#recordings').textContent.includes('Image')")
            is False
        )
        await page.goto(page_url(plain_relay, user="folder", record=BOTH))
        await wait_told(client, "2 recordings still to be saved.")
        # That the devices are on is told above the button, and moves it.
        await wait_told(client, "You are recorded")
        await tap(page, "Save all in a folder …")
        await wait_told(client, "What you saved is in the folder “mine”.")
        files = await page.run(FILES)
        names = sorted(files)
        assert [Path(name).suffix for name in names] == [".json", ".webm"] * 2
        for json_name, name in zip(names[::2], names[1::2], strict=True):
            about = json.loads(bytes.fromhex(files[json_name]))
            media = bytes.fromhex(files[name])
            assert Path(json_name).stem == Path(name).stem
            assert media.startswith(EBML)
            assert about["size"] == len(media)
        await page.reload()
        await client.wait_says("Ready.")
        assert await page.run("document.querySelectorAll('#recordings li').length") == 0


async def test_they_are_downloaded_where_pages_can_not_write_into_folders(
    browser: Browser, plain_relay: str, server: RecordingServer, tmp_path: Path
) -> None:
    early = "delete window.showDirectoryPicker;"
    async with open_recorded(browser, plain_relay, "download", early=early) as client:
        page = client.page
        await page.command("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        await allow(client)
        async with open_session(plain_relay, "download") as session:
            await present(client, session, server, [0])
        await wait_told(client, "1 recording still to be saved.")
        await tap(page, "Save")
        await wait_told(client, "You have saved all recordings.")
        # Whether that has worked nobody tells the page, so that it can be done once more.
        await page.wait(f"!!{TAP.format('Save again')}")
        await wait_until(lambda: len(files_of(tmp_path)) == 2, "both files", ANSWER_S)
        files = files_of(tmp_path)
        [json_name, name] = sorted(files)
        assert Path(json_name).stem == Path(name).stem
        assert files[name].startswith(EBML)
        assert len(files[name]) == json.loads(files[json_name])["size"]
        await page.reload()
        await client.wait_says("Ready.")
        assert await page.run("document.querySelectorAll('#recordings li').length") == 0


@pytest.mark.parametrize("is_asked_again", [False, True])
async def test_what_was_recorded_for_nobody_is_saved_by_hand_though_a_server_takes_recordings_later(
    browser: Browser, server: RecordingServer, is_asked_again: bool
) -> None:
    user = f"for nobody {is_asked_again}"
    early = f"window.showDirectoryPicker = () => {FOLDER};"
    async with AsyncExitStack() as stack:
        async with open_relay() as relay:
            client = await stack.enter_async_context(
                open_recorded(browser, relay, user, early=early)
            )
            page = client.page
            await allow(client)
            async with open_session(relay, user) as session:
                await present(client, session, server, [0])
            await wait_told(client, "1 recording still to be saved.")
            if is_asked_again:
                # As in another tab: the answer is not there.
                await page.run("sessionStorage.clear()")
            async with warned(page):
                await page.goto(f"{server.url}/page")
        # The storage is that of the port.
        place = ("--port", str(urlsplit(relay).port))
        async with open_relay(*place, "--recording-url", f"{server.url}/recordings") as later:
            await page.goto(page_url(later, user=user, record=BOTH))
            if is_asked_again:
                await allow(client)
            await wait_told(client, "You are recorded")
            await wait_told(client, "1 recording still to be saved.")
            async with open_session(later, user) as session:
                await present(client, session, server, [1])
            if is_asked_again:
                await wait_until(lambda: len(server.of(user)) == 1, "what they have agreed to")
                await wait_told(client, "1 recording still to be saved.")
            else:
                await wait_told(client, "2 recordings still to be saved.")
            await page.wait("tracks.every((track) => track.readyState === 'ended')")
            await tap(page, "Save all in a folder …")
            await wait_told(client, "What you saved is in the folder “mine”.")
            saved = {name.partition("-")[0] for name in await page.run(FILES)}
            assert saved == ({"0000"} if is_asked_again else {"0000", "0001"})
            posted = [
                one.about["imageIndex"] for one in server.posts if one.about["userId"] == user
            ]
            assert posted == ([1] if is_asked_again else [])
            assert page.errors == []
