"""The page that checks a device before a session: each fault is made, and found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.relay.pages import load_pages
from imgsync.relay.server import open_relay
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from imgsync.tasks import open_background
from tests.kit.browsers import Browser, Started
from tests.kit.check_pages import CheckPage, check_url, open_check
from tests.kit.chromium import shared_chromium
from tests.kit.recording_pages import ASKING, BOTH, FAKE_DEVICES, tap
from tests.kit.turn_servers import SECRET, bind_dead_turn_server, needs_coturn, open_coturn
from tests.web.test_links import SECRET as TOKEN_SECRET
from tests.web.test_links import guarded_relay, make_token

__all__ = ["guarded_relay"]

TRY = "Try camera and microphone"


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with shared_chromium(*FAKE_DEVICES) as chromium:
        yield chromium


@asynccontextmanager
async def relay_with(ice: IceOffer) -> AsyncIterator[str]:
    listeners = await open_port("127.0.0.1", 0)
    async with open_relay(listeners, Settings(ice=ice)):
        yield f"ws://127.0.0.1:{port_of(listeners)}/ws"


def relay_with_turn(url: str, secret: str) -> AbstractAsyncContextManager[str]:
    return relay_with(IceOffer(stun=(), turn=[url], secret=secret.encode()))


# ── all is well ──────────────────────────────────────────────────────────────────────────────────


@needs_coturn
async def test_where_all_is_well_each_line_says_so_also_through_a_turn_server(
    browser: Browser,
) -> None:
    async with open_coturn() as coturn:
        url = f"turn:127.0.0.1:{coturn.port}"
        async with (
            relay_with_turn(url, SECRET) as relay,
            open_check(browser, relay, user="ada") as check,
        ):
            found = await check.found()
            assert set(found.values()) == {("ok", "")}
            looked = ["browser", "server", "socket", "link", "direct", "turn", "clock", "screen"]
            assert list(found) == [*looked, "storage", "filling", "waking"]
            assert await check.says("#sum") == "All is well."
            assert "megabits go through in a second" in await check.says("#finding-turn .what")
            assert await check.says("#finding-link .what") == "It is for ada."
            assert check.page.errors == []


# ── the ways of a connection ─────────────────────────────────────────────────────────────────────


@needs_coturn
async def test_a_turn_server_that_refuses_is_told_from_one_that_is_dead(browser: Browser) -> None:
    async with open_coturn() as coturn:
        url = f"turn:127.0.0.1:{coturn.port}"
        async with (
            relay_with_turn(url, "another secret than the server has") as relay,
            open_check(browser, relay, user="ada") as check,
        ):
            assert await check.troubles() == {"T1": "careful"}
            assert "does not let this device in" in await check.says("#finding-turn .what")
            assert "tell whoever gave you the link" in await check.says("#finding-turn .do")


async def test_without_any_way_there_is_no_session(browser: Browser) -> None:
    """The TURN server is dead, and the browser lets nothing past it."""
    with bind_dead_turn_server("udp") as server:
        nowhere = """
        const add = RTCPeerConnection.prototype.addIceCandidate;
        RTCPeerConnection.prototype.addIceCandidate = async function () {};
        const realSetTimeout = setTimeout;
        window.setTimeout = (act, ms) => realSetTimeout(act, ms === 8000 ? 800 : ms);
        """
        async with (
            relay_with_turn(str(server.urls), SECRET) as relay,
            open_check(browser, relay, nowhere, user="ada") as check,
        ):
            assert await check.troubles() == {"D1": "wrong", "T2": "wrong"}
            assert await check.says("#sum") == "2 things do not work."
            assert "D1 T2" in await check.says("#sum-hint")


async def test_a_network_out_of_which_no_udp_seems_to_lead_is_told_of(browser: Browser) -> None:
    hurry = """
    const realSetTimeout = setTimeout;
    window.setTimeout = (act, ms) => realSetTimeout(act, ms === 3000 ? 300 : ms);
    """
    with bind_dead_turn_server("udp") as server:
        stun = str(server.urls).replace("turn:", "stun:").partition("?")[0]
        async with (
            relay_with(IceOffer(stun=[stun], turn=())) as relay,
            open_check(browser, relay, hurry, user="ada") as check,
        ):
            assert await check.troubles() == {"D2": "careful"}
            assert "another network" in await check.says("#finding-direct .do")


async def test_a_browser_without_webrtc_is_told_and_the_rest_is_looked_at_all_the_same(
    browser: Browser, relay: str
) -> None:
    async with open_check(browser, relay, "delete window.RTCPeerConnection;", user="ada") as check:
        found = await check.found()
        assert found["browser"] == ("wrong", "B1")
        assert found["direct"] == found["turn"] == ("pending", "")
        assert found["link"] == ("ok", "")
        assert "Chrome, Edge, Firefox or Safari" in await check.says("#finding-browser .do")


# ── the server and the link ──────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_proxy_without_websockets() -> AsyncIterator[str]:
    async def answer(request: Request) -> Response:
        is_health = request.path == "/health"
        return Response(200, b"ok\n") if is_health else load_pages().answer(request)

    async def serve(socket: object, request: Request) -> None:
        raise AssertionError("no WebSocket is let in")

    site = Site(answer, {"/ws": serve}, lambda request: refuse(426))
    listeners = await open_port("127.0.0.1", 0)
    async with open_background() as nursery:
        await nursery.start(serve_site, site, listeners)
        yield f"ws://127.0.0.1:{port_of(listeners)}/ws"


async def test_a_proxy_that_lets_no_websocket_through_and_a_server_that_goes(
    browser: Browser,
) -> None:
    async with (
        open_proxy_without_websockets() as url,
        open_check(browser, url, user="ada") as check,
    ):
        found = await check.troubles()
        assert found == {"W6": "wrong", "L3": "wrong"}
        assert "lets no lasting connection through" in await check.says("#finding-socket .what")


async def test_a_server_that_has_gone_since_is_not_in_reach(browser: Browser) -> None:
    async with browser.open_page() as page:
        listeners = await open_port("127.0.0.1", 0)
        async with open_relay(listeners):
            url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
            await page.goto(check_url(url, user="ada"))
            check = CheckPage(page)
            await check.found()
        await check.again()
        found = await check.found()
        assert found["server"] == ("wrong", "S1")
        assert found["socket"] == ("wrong", "W1")
        assert found["direct"] == ("ok", "")
        assert await check.says("#finding-server .do") == "Please check again in a moment."


async def test_a_link_that_is_refused_and_one_that_is_incomplete(
    browser: Browser, guarded_relay: str
) -> None:
    assert TOKEN_SECRET
    async with open_check(browser, guarded_relay, user="ada") as check:
        assert (await check.troubles()) == {"L2": "wrong"}
        assert await check.says("#sum") == "One thing does not work."
    async with open_check(browser, guarded_relay) as check:
        assert (await check.troubles()) == {"L1": "wrong"}


async def test_the_token_of_the_link_goes_on_to_the_session_and_stands_nowhere(
    browser: Browser, guarded_relay: str
) -> None:
    token = make_token("ada", "client")
    url = check_url(guarded_relay, user="ada", lang="en")
    origin = url.partition("/check")[0]
    async with browser.open_page(f"{url}#token={token}") as page:
        check = CheckPage(page)
        assert await check.troubles() == {}
        assert await page.run("location.href") == url
        assert (
            await page.run("document.querySelector('#go-on').href")
            == f"{origin}/client?user=ada&lang=en"
        )
        assert token not in await page.run("document.documentElement.outerHTML")
        await tap_link(page)
        await page.wait(
            "location.pathname === '/client' && document.body?.dataset.state === 'idle'"
        )
        assert await page.run("sessionStorage.getItem('imgsync token of ada at /client')") == token


async def tap_link(page: Any) -> None:
    box = await page.run(
        "(document.querySelector('#go-on').scrollIntoView(),"
        " document.querySelector('#go-on').getBoundingClientRect().toJSON())"
    )
    await page.tap(int(box["x"] + box["width"] / 2), int(box["y"] + box["height"] / 2))


# ── the device ───────────────────────────────────────────────────────────────────────────────────

POOR = """
const realNow = Date.now;
Date.now = () => realNow() + 60_000;
Object.defineProperty(document, "fullscreenEnabled", { value: false });
Object.defineProperty(navigator, "wakeLock", { value: undefined });
Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };
let last = 0;
const frame = requestAnimationFrame;
window.requestAnimationFrame = (act) => frame((at) => {
  if (at - last < 30) return requestAnimationFrame(act);
  last = at;
  act(at);
});
"""


async def test_a_poor_device_is_told_of_with_what_to_do(browser: Browser, relay: str) -> None:
    async with open_check(browser, relay, POOR, user="ada") as check:
        found = await check.found()
        troubles = {code: level for level, code in found.values() if code}
        assert troubles == dict.fromkeys(["C1", "R1", "M1", "A1"], "careful")
        assert found["filling"] == ("skipped", "")
        assert await check.says("#sum") == "4 things may give trouble."
        assert "60 seconds off" in await check.says("#finding-clock .what")
        assert "battery saving" in await check.says("#finding-screen .do")


async def test_a_check_that_breaks_off_says_so_and_keeps_what_it_has_found(
    browser: Browser, relay: str
) -> None:
    broken = """
    window.isBroken = true;
    Object.defineProperty(document, "fullscreenEnabled", {
      get() {
        if (window.isBroken) throw new Error("broken");
        return true;
      },
    });
    """
    async with open_check(browser, relay, broken, user="ada") as check:
        found = await check.found()
        assert await check.says("#sum") == "The check could not be finished."
        assert "another browser" in await check.says("#sum-hint")
        assert await check.says("#told") == ""
        assert found["browser"] == ("ok", "")
        await check.page.run("void (window.isBroken = false)")
        await check.again()
        await check.page.wait("document.querySelector('#told').innerText !== ''")
        assert "not be finished" not in await check.says("#sum")


async def test_storage_that_is_full_matters_where_recordings_are_kept(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page() as page:
        origin = check_url(relay).partition("/check")[0]
        await page.command("Storage.overrideQuotaForOrigin", origin=origin, quotaSize=1)
        await page.goto(check_url(relay, user="ada", record="camera"))
        check = CheckPage(page)
        assert await check.troubles() == {"M2": "careful"}
        assert "room for 32 megabytes" in await check.says("#finding-storage .what")
        await page.goto(check_url(relay, user="ada"))
        await page.wait("!document.querySelector('#finding-camera')")
        assert await check.troubles() == {}


async def test_camera_and_microphone_are_asked_for_by_a_tap_alone(
    browser: Browser, relay: str
) -> None:
    async with open_check(browser, relay, ASKING, user="ada", record=BOTH) as check:
        found = await check.found()
        assert found["camera"] == found["microphone"] == ("pending", "")
        assert await check.says("#sum") == "All is well."
        assert await check.page.run("asked") == []
        await tap(check.page, TRY)
        found = await check.found()
        assert found["camera"] == found["microphone"] == ("ok", "")
        assert await check.page.run(
            "tracks.length === 2 && tracks.every((t) => t.readyState === 'ended')"
        )
        await check.page.run("void (window.fail = 'NotAllowedError')")
        await tap(check.page, TRY)
        assert await check.troubles() == {"K3": "careful", "H3": "careful"}
        assert "allow it in the browser" in await check.says("#finding-camera .do")
        await check.page.run("void (window.fail = undefined, window.deny = 'video')")
        await tap(check.page, TRY)
        assert await check.troubles() == {"K1": "careful"}
        kept = json.loads(await check.page.run("localStorage.getItem('imgsync check')"))
        assert kept["found"] == ["camera_missing"]
        assert check.page.errors == []


NOTHING_COMES = """
const pause = setTimeout;
const hasten = (ms) => (ms === 4000 && window.isHasty ? 400 : ms);
window.setTimeout = (act, ms, ...given) => pause(act, hasten(ms), ...given);
navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = window.isOpen ? "rgb(40 40 40)" : "rgb(8 8 8)";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 20);
  const sound = new AudioContext();
  const heard = sound.createMediaStreamDestination();
  if (window.isOpen) {
    const tone = sound.createOscillator();
    tone.connect(heard);
    tone.start();
  }
  return new MediaStream([
    ...(video ? canvas.captureStream(30).getTracks() : []),
    ...(audio ? heard.stream.getTracks() : []),
  ]);
};
"""


async def test_a_camera_that_is_covered_and_a_microphone_that_hears_nothing_are_told(
    browser: Browser, relay: str
) -> None:
    async with open_check(browser, relay, NOTHING_COMES, user="ada", record=BOTH) as check:
        assert await check.troubles() == {}
        await check.page.run("void (window.isHasty = true)")
        await tap(check.page, TRY)
        assert await check.troubles() == {"K9": "careful", "H9": "careful"}
        assert "its cover" in await check.says("#finding-camera .do")
        assert "speak louder" in await check.says("#finding-microphone .do")
        await check.page.run("void (window.isOpen = true, window.isHasty = false)")
        await tap(check.page, TRY)
        assert await check.troubles() == {}
        assert check.page.errors == []


HIDDEN = """
Object.defineProperty(document, "visibilityState", { get: () => window.seen ?? "hidden" });
window.sockets = 0;
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    sockets += 1;
  }
};
"""


async def test_a_page_that_nobody_looks_at_asks_for_nothing(browser: Browser, relay: str) -> None:
    async with browser.open_page() as page:
        await page.run_early(HIDDEN)
        await page.goto(check_url(relay, user="ada"))
        await page.wait("document.querySelector('#go-on')?.href")
        assert await page.run("sockets") == 0
        await page.run(
            "window.seen = 'visible'; void document.dispatchEvent(new Event('visibilitychange'))"
        )
        assert await CheckPage(page).troubles() == {}
        assert await page.run("sockets") == 1
