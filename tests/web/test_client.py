"""The client's page in Chromium, with our commands as the other side."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync import Facts, ImageFailed, ImageRef
from imgsync.core.pictures.inspection import Inspection
from imgsync.core.protocol.numbers import FEATURE_EARLY_OFFER
from tests.kit.browsers import Browser, Page, open_browser
from tests.kit.either_browser import Browsers
from tests.kit.foreign import IMAGES, MakePeer
from tests.kit.forks import open_fork
from tests.kit.processes import (
    LISTENING,
    START_S,
    Child,
    open_child,
    our_relay,
    wait_until,
)
from tests.kit.raw_peers import open_raw
from tests.kit.web_images import ImageServer, make_svg, open_images
from tests.kit.web_pages import (
    ACK_S,
    IN_A_HURRY,
    ON_SCREEN,
    SPOKEN,
    WIDTH,
    end,
    make_folder,
    make_png,
    open_client_page,
    open_command,
    open_session,
    show,
    show_url,
)

# ── images and acks ──────────────────────────────────────────────────────────────────────────────


async def test_every_image_of_a_series_is_acked_and_shown(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    source = make_folder(tmp_path, 20)
    async with open_client_page(browser, relay, "series") as client:
        options = ("--every", "0.05")
        async with open_command(relay, source, client="series", options=options) as evaluator:
            lines = await evaluator.wait_success()
        acked = [line["imageIndex"] for line in lines if line.get("event") == "acked"]
        assert sorted(acked) == list(range(20))
        await client.wait_says("The session has ended.")
        # One that a busy machine was too slow for was superseded, and is told of as such; the last
        # one may have come up against the end.
        for index in range(19):
            assert {"shown", "superseded"} & set(await client.stages(index))
        assert await client.page.run("document.querySelector('#stage').childElementCount") == 0
        assert client.page.errors == []


async def test_what_a_page_speaks_is_known_before_there_is_a_session(
    browser: Browser, relay: str
) -> None:
    async with (
        open_raw(relay, "evaluator", "curious") as curious,
        open_client_page(browser, relay, "known"),
    ):
        presence = await curious.wait_event("presence")
        while presence["userId"] != "known":
            presence = await curious.wait_event("presence")
        assert (presence["state"], presence["features"]) == (
            "available",
            [*SPOKEN, FEATURE_EARLY_OFFER],
        )


async def test_fifty_images_in_a_row_are_each_shown_once_and_in_order(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    source = make_folder(tmp_path, 50)
    async with (
        open_client_page(browser, relay, "fifty") as client,
        open_command(relay, source, client="fifty") as evaluator,
    ):
        for index in range(50):
            await show(evaluator, index)
            await client.wait_stage(index, "shown")
        assert await client.put_up() == list(range(50))
        stages = await client.sent("stage")
        for index in range(49):
            assert await client.stages(index) == ["fetched", "shown", "hidden"]
        shown = [one["at"] for one in stages if one["stage"] == "shown"]
        assert shown == sorted(shown)
        # One goes in the very frame in which the next one comes.
        hidden = [one["at"] for one in stages if one["stage"] == "hidden"]
        assert hidden == shown[1:]
        await end(evaluator)
        assert client.page.errors == []


async def test_an_evaluator_that_speaks_no_extension_gets_every_ack(
    browser: Browser, relay: str, foreign: MakePeer
) -> None:
    async with open_client_page(browser, relay, "C") as client:
        async with open_child("Node evaluator", *foreign("evaluator", relay)) as evaluator:
            [_registered, result] = await evaluator.wait_success()
        assert result["complaints"] == []
        assert [ack["imageIndex"] for ack in result["acks"]] == list(range(IMAGES))
        await client.wait_says("The session has ended.")
        assert await client.sent("ping") == []


# ── images that are not to be had ────────────────────────────────────────────────────────────────


@pytest.fixture
async def images() -> AsyncIterator[ImageServer]:
    async with open_images() as server:
        yield server


async def test_nothing_but_the_image_is_on_the_page_and_it_is_as_large_as_it_can_be(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    async with open_client_page(browser, relay, "alone") as client:
        page = client.page
        async with open_session(relay, "alone") as session:
            await client.wait_says("Connected to E-of-alone.")
            delivery = await show_url(session, 0, images.url("0.png"))
            stage = await client.wait_stage(0, "shown")
            with trio.fail_after(ACK_S):
                assert await delivery.shown() == stage["at"] > delivery.received_at
            await assert_nothing_else(page)
        await client.wait_says("Thank you.")


async def assert_nothing_else(page: Page) -> None:
    assert await page.run("document.body.innerText.trim()") == ""
    assert await page.run("getComputedStyle(document.body).cursor") == "none"
    box = "const { x, y, width, height } = document.querySelector('img').getBoundingClientRect()"
    fills = await page.run(
        f"(() => {{ {box}; return !x && !y && width === innerWidth && height === innerHeight }})()"
    )
    assert fills
    style = "getComputedStyle(document.querySelector('#stage'))"
    assert await page.run(f"{style}.backgroundColor") == "rgb(128, 128, 128)"
    assert await page.run("getComputedStyle(document.querySelector('img')).objectFit") == "contain"


async def test_an_image_that_cant_be_had_leaves_the_background_and_says_why(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    # Of a host that lets no page read it, neither status nor bytes are known.
    bad = {"refused": "http_403", "broken": "decode", "closed": "fetch", "cut": "truncated"}
    bad |= {"foreign": "type_image/tiff", "login": "not_an_image", "part": "http_206"}
    async with (
        open_client_page(browser, relay, "bad") as client,
        open_session(relay, "bad") as session,
    ):
        for index, (folder, reason) in enumerate(bad.items(), 1):
            await show_url(session, 0, images.url("0.png"))
            await client.wait_shows(0)
            delivery = await show_url(session, index, images.url(f"{folder}/1.png"))
            await client.wait_stage(index, "failed", reason)
            with trio.fail_after(ACK_S), pytest.raises(ImageFailed, match=reason):
                await delivery.shown()
            assert await client.stages(index) == [reason]
            assert (await client.stages(0))[-1] == "hidden"
            assert await client.page.run("document.body.innerText.trim()") == ""
            assert not await client.page.run(ON_SCREEN)


async def test_a_url_that_is_none_fails_as_that_and_the_next_image_is_shown(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    urls = [
        "pictures/7.png",
        "/evaluator",
        "data:image/svg+xml,<svg/>",
        "file:///7.png",
        "http://[",
    ]
    async with (
        open_client_page(browser, relay, "none") as client,
        open_session(relay, "none") as session,
    ):
        for index, url in enumerate(urls, 1):
            session.preload([ImageRef(index, url, url)])
            await show_url(session, index, url)
            await client.wait_stage(index, "failed", "bad_url")
            await show_url(session, 0, images.url("0.png"))
            await client.wait_shows(0)
        assert client.page.errors == []


QUICK_CLOCK = """
const realNow = performance.now.bind(performance);
performance.now = () => 4 * realNow();
const realSetTimeout = setTimeout;
window.setTimeout = (act, ms, ...given) => realSetTimeout(act, ms / 4, ...given);
"""
"""Has a page live four times as fast."""


async def test_an_image_that_never_comes_has_its_time_and_no_more(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    async with (
        open_client_page(browser, relay, "late", QUICK_CLOCK) as client,
        open_session(relay, "late") as session,
    ):
        await show_url(session, 0, images.url("slow/0.png"))
        await client.wait_stage(0, "failed", "timeout")
        assert images.asked.count("/slow/0.png") == 1
        images.slow.set()


async def test_every_image_that_can_be_had_is_shown_and_the_evaluator_told_which_picture_it_is(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    # A server that fails at first, a host that lets no page read it, and drawings.
    paths = ("failing/0.png", "guarded/1.png", "drawn/2.svg", "wide/3.svg")
    png, drawn = make_png(WIDTH), [make_svg(n, folder) for n, folder in ((2, "drawn"), (3, "wide"))]
    bodies = [png, None, *drawn]
    async with (
        open_client_page(browser, relay, "kinds") as client,
        open_session(relay, "kinds") as session,
    ):
        for index, (path, body) in enumerate(zip(paths, bodies, strict=True)):
            delivery = await show_url(session, index, images.url(path))
            await client.wait_stage(index, "shown")
            with trio.fail_after(ACK_S):
                await delivery.shown()
            # As it came, and not as it is made for the browser.
            assert delivery.picture == (None if body is None else facts_of(body))
        assert await client.put_up() == [0, 1, 2, 3]
        assert images.asked.count("/failing/0.png") == 3


def facts_of(body: bytes) -> Facts:
    inspection = Inspection()
    inspection.feed(body)
    inspection.end()
    return inspection.facts


async def test_a_slow_image_is_superseded_by_the_next_one(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    async with (
        open_client_page(browser, relay, "slow") as client,
        open_session(relay, "slow") as session,
    ):
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")
        await show_url(session, 1, images.url("slow/1.png"))
        # Until there is another, the one before stays.
        await client.wait_shows(0)
        await show_url(session, 2, images.url("2.png"))
        await client.wait_stage(1, "failed", "superseded")
        await client.wait_stage(2, "shown")
        images.slow.set()
        assert await client.put_up() == [0, 2]
        assert await client.stages(1) == ["superseded"]


# ── who is looking ───────────────────────────────────────────────────────────────────────────────


async def test_what_is_shown_in_a_hidden_tab_was_not_shown_until_it_is_looked_at(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    async with (
        open_client_page(browser, relay, "hidden") as client,
        open_session(relay, "hidden") as session,
    ):
        page = client.page
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")
        await page.hide()
        await client.wait_stage(0, "hidden", "hidden_tab")
        await show_url(session, 1, images.url("1.png"))
        await client.wait_stage(1, "failed", "hidden_tab")
        assert await client.stages(0) == ["fetched", "shown", "hidden_tab"]
        await page.unhide()
        shown = await client.wait_stage(1, "shown")
        assert shown["at"] > (await client.wait_stage(1, "failed"))["at"]
        await client.wait_shows(1)
        await show_url(session, 2, images.url("2.png"))
        await client.wait_stage(2, "shown")
        assert await client.stages(1) == ["fetched", "hidden_tab", "shown", "hidden"]
        assert page.errors == []


async def test_the_first_tap_fills_the_screen_and_a_session_keeps_it_awake(
    browsers: Browsers, relay: str, images: ImageServer
) -> None:
    early = """
    window.locks = [];
    const request = WakeLock.prototype.request;
    WakeLock.prototype.request = async function (kind) {
      const lock = await request.call(this, kind);
      window.locks.push(lock);
      return lock;
    };
    """
    async with (
        open_browser(browsers("chromium", whole=True)) as browser,
        open_client_page(browser, relay, "awake", early) as client,
    ):
        page = client.page
        async with open_session(relay, "awake") as session:
            await page.wait("locks.length === 1 && !locks[0].released")
            await page.tap(100, 100)
            await page.wait("!!document.fullscreenElement")
            await show_url(session, 0, images.url("0.png"))
            await client.wait_stage(0, "shown")
            # Who leaves it again is not fought.
            await page.run("document.exitFullscreen()")
            await page.tap(100, 100)
            # Looked away, and back again: the browser has taken the lock meanwhile.
            await page.hide()
            await page.unhide()
            await page.wait("locks.length === 2 && !locks[1].released")
            assert not await page.run("!!document.fullscreenElement")
        await client.wait_says("The session has ended.")
        await page.wait("locks.every((lock) => lock.released)")
        assert page.errors == []


async def test_a_second_window_says_that_the_first_one_is_the_one(
    browser: Browser, relay: str, images: ImageServer
) -> None:
    async with (
        open_client_page(browser, relay, "twice", door="off") as one,
        open_client_page(browser, relay, "twice", door="off") as other,
        open_session(relay, "twice") as session,
    ):
        await show_url(session, 0, images.url("0.png"))
        acks = [await client.sent("ack") for client in (one, other)]
        first, second = (one, other) if acks[0] else (other, one)
        await first.wait_stage(0, "shown")
        await second.wait_says("in another window or on another device")


# ── what comes back ──────────────────────────────────────────────────────────────────────────────


async def test_a_reload_in_the_middle_has_the_same_image_on_the_screen_again(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    async with (
        open_client_page(browser, relay, "reload") as client,
        open_command(relay, make_folder(tmp_path, 3), client="reload") as evaluator,
    ):
        await show(evaluator, 1)
        shown = await client.wait_stage(1, "shown")
        await client.page.reload()
        again = await client.wait_stage(1, "shown")
        assert again["sentAt"] == shown["sentAt"]
        assert again["at"] > shown["at"]
        await client.wait_shows(1)
        await show(evaluator, 2)
        await client.wait_stage(2, "shown")
        await end(evaluator)
        await client.wait_says("The session has ended.")
        assert client.page.errors == []


async def test_the_image_is_on_the_screen_again_when_another_evaluator_replaces_a_dead_one(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    source = make_folder(tmp_path, 2)
    async with open_client_page(browser, relay, "heir") as client:
        async with open_command(relay, source, client="heir") as evaluator:
            await show(evaluator, 1)
            await client.wait_stage(1, "shown")
            evaluator.process.send_signal(signal.SIGKILL)
            await evaluator.wait_exit()
        async with open_command(relay, source, client="heir") as evaluator:
            await show(evaluator, 1)
            await client.page.wait("sent.filter((m) => m.stage === 'shown').length === 2")
            await client.wait_shows(1)
            await end(evaluator)
        assert client.page.errors == []


@asynccontextmanager
async def open_relay_on(port: int) -> AsyncIterator[tuple[str, Child]]:
    async with open_fork("relay", *our_relay("--port", str(port))) as child:
        line = await child.wait_line(START_S)
        yield line.removeprefix(LISTENING), child


async def test_a_relay_may_be_restarted_in_a_session_and_between_two(
    browser: Browser, tmp_path: Path
) -> None:
    source = make_folder(tmp_path, 2)
    async with AsyncExitStack() as stack:
        async with open_relay_on(0) as (relay, _):
            port = int(relay.removesuffix("/ws").rpartition(":")[2])
            client = await stack.enter_async_context(open_client_page(browser, relay, "C"))
            opening = open_command(relay, source, client="C")
            evaluator = await stack.enter_async_context(opening)
            await show(evaluator, 0)
            await client.wait_stage(0, "shown")
        # Nobody needs it for what is under way.
        await show(evaluator, 1)
        await client.wait_stage(1, "shown")
        async with open_relay_on(port) as (_, child):
            await wait_until(lambda: "session resumed" in child.read_errors(), "a resumed session")
            await end(evaluator)
            await client.wait_says("The session has ended.")
        await client.wait_says("No server in reach.")
        async with open_relay_on(port) as (relay, _):
            await client.wait_says("The session has ended.")
            async with open_command(relay, source, client="C") as evaluator:
                await show(evaluator, 1)
                await client.wait_shows(1)
                await end(evaluator)


async def test_a_network_that_is_back_is_tried_at_once(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        async with open_relay_on(0) as (relay, _):
            port = int(relay.removesuffix("/ws").rpartition(":")[2])
            client = await stack.enter_async_context(open_client_page(browser, relay, "C"))
            # From here on, no pause in the page comes to its end.
            await client.page.run("void (window.setTimeout = () => 0)")
        await client.wait_says("No server in reach.")
        async with open_relay_on(port):
            await client.page.run("void dispatchEvent(new Event('online'))")
            await client.wait_says("Ready.")


async def test_a_relay_that_is_silent_is_noticed_when_the_network_has_changed(
    browser: Browser,
) -> None:
    async with (
        open_relay_on(0) as (relay, child),
        open_client_page(browser, relay, "C", IN_A_HURRY) as client,
    ):
        try:
            child.process.send_signal(signal.SIGSTOP)
            await client.page.run("void dispatchEvent(new Event('online'))")
            await client.wait_says("No server in reach.")
        finally:
            child.process.send_signal(signal.SIGCONT)
        await client.wait_says("Ready.")
