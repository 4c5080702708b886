"""What goes wrong with a recording in the client's page: told, marked, mended, and nothing lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import trio

from imgsync import Recording
from tests.kit.browsers import Browser, Page, Started, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.firefox import shared_firefox
from tests.kit.forks import shared_relay
from tests.kit.processes import SESSION_S, wait_until
from tests.kit.recording_pages import (
    ASKING,
    EBML,
    FAKE_DEVICES,
    RecordingServer,
    allow,
    open_page_that_records,
    open_recorded,
    open_server,
    present,
    show_unrecorded,
    tap,
    wait_told,
)
from tests.kit.web_pages import (
    IN_A_HURRY,
    INSIDE,
    RECORDER,
    ClientPage,
    open_session,
    page_url,
    show_url,
)

OF_ELSEWHERE = "relay.example"
"""A name that leads here, and is of no page that is secure."""


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    rules = f"--host-resolver-rules=MAP {OF_ELSEWHERE} 127.0.0.1"
    with shared_chromium(*FAKE_DEVICES, rules) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with open_server() as server:
        yield server


@pytest.fixture(scope="module")
def relay(server: RecordingServer) -> Iterator[str]:
    with shared_relay("--allow-origin", "*", "--recording-url", f"{server.url}/recordings") as url:
        yield url


async def hear(recordings: AsyncIterator[Recording], *troubles: str) -> Recording:
    """The next that is told of the recording that has these troubles, and no others."""
    with trio.fail_after(SESSION_S):
        async for said in recordings:
            if said.troubles == troubles:
                return said
    raise AssertionError(f"{troubles} was not told")


async def lose(page: Page, kind: str) -> None:
    """As a browser does it where a device is unplugged."""
    await page.run(
        f"(() => {{ const track = tracks.findLast((one) => one.kind === {kind!r});"
        " track.stop(); track.dispatchEvent(new Event('ended')); })()"
    )


def troubles_of(server: RecordingServer, user: str) -> list[list[str]]:
    return [[one["what"] for one in posted.about["troubles"]] for posted in server.of(user)]


def images_of(server: RecordingServer, user: str) -> set[int]:
    """What has come, if only once: a page that can't take note of it sends it again."""
    return {posted.about["imageIndex"] for posted in server.of(user)}


# ── devices ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_microphone_that_ends_is_asked_for_again_and_told_and_its_image_recorded_on(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "unplugged") as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "unplugged") as session:
            told = session.recordings()
            assert (await hear(told)).devices == ("camera", "microphone")
            await present(client, session, server, [0])
            await page.run("window.deny = 'audio'")
            await lose(page, "audio")
            assert (await hear(told, "microphone_ended")).devices == ("camera",)
            await page.wait("filled === 2")
            assert await page.run("document.body.innerText.trim()") == ""
            assert await page.run("asked.at(-1)") == ["audio"]
            await page.run("window.deny = null")
            await page.run("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
            assert (await hear(told)).devices == ("camera", "microphone")
            await page.wait("filled === 3")
        await wait_until(lambda: len(server.of("unplugged")) == 3, "all of it")
        assert page.errors == []
    first, second, third = server.of("unplugged")
    assert {one.about["sentAt"] for one in (second, third)} == {first.about["sentAt"]}
    assert len({one.name for one in (first, second, third)}) == 3
    assert all(one.media.startswith(EBML) for one in (first, second, third))
    assert troubles_of(server, "unplugged") == [["microphone_ended"], ["microphone_ended"], []]
    assert [one.about["hiddenAt"] is None for one in (first, second, third)] == [True, True, False]
    # Each is of one onset, whatever became of its device.
    for name in ("shownAt", "timing", "within"):
        assert len({one.about[name] for one in (first, second, third)}) == 1
        assert first.about[name] is not None
    assert third.about["offset"] < second.about["offset"] < first.about["offset"]


# A camera that draws itself: Firefox has no such device for tests without asking its person.
DRAWN = """
if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let count = 0;
  setInterval(() => {
    context.fillStyle = count++ % 2 ? "#444" : "#555";
    context.fillRect(0, 0, 300, 150);
  }, 50);
  return canvas.captureStream(20);
};
"""


async def test_a_camera_alone_is_recorded_in_firefox_which_waits_for_sound_that_is_named(
    relay: str, server: RecordingServer
) -> None:
    with shared_firefox() as started:
        async with open_browser(started) as firefox, firefox.open_page() as page:
            await page.run_early(INSIDE + RECORDER + DRAWN + ASKING)
            await page.goto(page_url(relay, user="fox", record="camera"))
            await page.wait("!!document.querySelector('#consent')")
            await page.run("document.querySelector('#consent button').click()")
            client = ClientPage(page)
            await wait_told(client, "You are recorded")
            async with open_session(relay, "fox") as session:
                await present(client, session, server, [0])
            await wait_until(lambda: len(server.of("fox")) == 1, "the recording")
    [posted] = server.of("fox")
    assert posted.about["mimeType"] == "video/webm;codecs=vp8"
    assert posted.media.startswith(EBML)


async def test_devices_that_are_muted_or_revoked_are_told_and_the_session_goes_on(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "muted", "microphone") as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "muted") as session:
            told = session.recordings()
            await hear(told)
            await show_url(session, 0, server.image(0))
            await page.wait("filled === 1")
            await page.run("window.fail = 'NotReadableError'")
            await page.run("tracks[0].dispatchEvent(new Event('mute'))")
            assert (await hear(told, "microphone_muted")).devices == ()
            await wait_told(client, "Your microphone is muted")
            await page.run("tracks[0].dispatchEvent(new Event('unmute'))")
            assert (await hear(told)).devices == ("microphone",)
            # It was in the file all the time, as silence.
            await page.run("window.fail = 'NotAllowedError'")
            await lose(page, "audio")
            await hear(told, "microphone_denied")
            asked = await page.run("asked.length")
            await page.run("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
            await show_url(session, 1, server.image(1))
            await client.wait_stage(1, "shown")
            await wait_told(client, "The browser does not let this page use your microphone.")
            assert await page.run("asked.length") == asked
        await wait_until(lambda: len(server.of("muted")) == 1, "the recording")
        assert page.errors == []
    assert troubles_of(server, "muted") == [
        ["microphone_muted", "microphone_unmuted", "microphone_ended"]
    ]


async def test_a_page_that_is_not_secure_says_that_and_nothing_else(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    url = f"ws://{OF_ELSEWHERE}:{urlsplit(relay).port}/ws"
    async with open_page_that_records(browser, url, "insecure") as client:
        assert await client.page.run("isSecureContext") is False
        await wait_told(client, "A page can record only where its address begins with https.")
        assert not await client.page.run("!!document.querySelector('#consent')")
        async with open_session(relay, "insecure") as session:
            assert (await hear(session.recordings(), "not_secure")).devices == ()
            await show_unrecorded(client, session, server)


# ── sending ──────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_refused_for_good_is_told_kept_and_sent_again_when_somebody_asks(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    server.faults["refused"] = ["413", "403", ""]
    async with open_recorded(browser, relay, "refused", early=IN_A_HURRY) as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "refused") as session:
            told = session.recordings()
            await present(client, session, server, [0, 1, 2])
            await hear(told, "upload_http_413", "upload_http_403")
        await wait_told(client, "2 recordings can\u2019t be sent.")
        await wait_told(client, "too large for the server (413)")
        await wait_told(client, "does not let this page send them (403)")
        await wait_until(lambda: len(server.of("refused")) == 1, "the one that is taken")
        assert server.tried("refused") == 3
        assert await page.run("document.querySelectorAll('#recordings li').length") == 2
        await tap(page, "Try to send again")
        await wait_until(lambda: len(server.of("refused")) == 3, "all")
        await page.wait("document.querySelectorAll('#recordings li').length === 0")
        assert server.tried("refused") == 5


async def test_a_server_without_cors_gets_three_copies_and_is_told_of(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    server.faults["unreadable"] = ["mute"] * 1000
    async with open_recorded(browser, relay, "unreadable", early=IN_A_HURRY) as client:
        await allow(client)
        async with open_session(relay, "unreadable") as session:
            told = session.recordings()
            await present(client, session, server, [0, 1])
            await hear(told, "upload_unreadable")
        await wait_told(client, "names no Access-Control-Allow-Origin")
        await wait_told(client, "2 recordings can\u2019t be sent.")
        # Nothing more comes, whatever happens.
        await client.page.run("dispatchEvent(new Event('online'))")
        async with open_session(relay, "unreadable") as session:
            await present(client, session, server, [2])
        await wait_told(client, "3 recordings can\u2019t be sent.")
        assert server.tried("unreadable") == 3


# ── storage ──────────────────────────────────────────────────────────────────────────────────────

# A browser that closes the connection to its storage, and for as long as `down` is set, opens none.
CLOSING = """
window.connections = [];
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...given) {
  if (window.down) throw new DOMException("lost", "UnknownError");
  const opening = open.apply(this, given);
  opening.addEventListener("success", () => connections.push(opening.result));
  return opening;
};
"""


async def test_a_connection_to_storage_that_is_closed_is_opened_again_and_nothing_lost(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "closed", early=CLOSING) as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "closed") as session:
            told = session.recordings()
            await present(client, session, server, [0])
            # Of those that are closed by the browser a page hears nothing before it tries.
            await page.run("connections.forEach((one) => one.close())")
            await present(client, session, server, [1])
            await page.run("window.down = true; connections.forEach((one) => one.close())")
            await hear(told, "storage_lost")
            await wait_told(client, "storage can\u2019t be reached")
            await present(client, session, server, [2])
            await page.run("window.down = false")
            await hear(told)
            await page.run("window.down = true; connections.forEach((one) => one.close())")
            await present(client, session, server, [3])
        # The camera waits for no storage.
        await page.wait("tracks.every((track) => track.readyState === 'ended')")
        await page.run("window.down = false")
        await wait_until(lambda: len(images_of(server, "closed")) == 4, "all recordings")
        assert page.errors == []
    recorded = server.of("closed")
    assert images_of(server, "closed") == {0, 1, 2, 3}
    assert all(one.about["size"] == len(one.media) for one in recorded)
    assert all(one.media.startswith(EBML) for one in recorded)
    assert troubles_of(server, "closed") == [[]] * len(recorded)


async def test_site_data_that_is_cleared_in_the_middle_takes_nothing_of_what_is_recorded(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "cleared") as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "cleared") as session:
            await present(client, session, server, [0])
            origin = await page.run("location.origin")
            for storages in ("indexeddb", "all"):
                await page.command(
                    "Storage.clearDataForOrigin", origin=origin, storageTypes=storages
                )
            await present(client, session, server, [1])
        await wait_until(lambda: len(server.of("cleared")) == 2, "both recordings")
        assert page.errors == []
    assert [one.about["imageIndex"] for one in server.of("cleared")] == [0, 1]
    assert all(one.media.startswith(EBML) for one in server.of("cleared"))
    assert all(one.about["size"] == len(one.media) for one in server.of("cleared"))
    assert troubles_of(server, "cleared") == [[], []]
