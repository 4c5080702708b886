"""The ICE servers that a relay names, right ones and wrong ones, in Chromium and in Firefox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from imgsync import ImageRef, open_evaluator
from imgsync.net.ports import open_port, port_of
from imgsync.relay.server import Relay, open_relay
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from tests.kit.browsers import Browser
from tests.kit.either_browser import in_either
from tests.kit.ice_urls import RIGHT, WRONG
from tests.kit.processes import SESSION_S
from tests.kit.web_pages import open_client_page

pytestmark = in_either

IMAGE = ImageRef(0, "a.png", "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=1")

WATCHED = """
window.warned = [];
console.warn = (text) => warned.push(text);
window.asked = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    super(configuration);
    if (configuration?.iceServers) asked.push(configuration.iceServers);
  }
};
"""

TAKEN = """
Object.entries(URLS).flatMap(([url, whole]) => [url, whole]).filter((url) => {
  try {
    new RTCPeerConnection({ iceServers: [{ urls: url, username: "u", credential: "c" }] }).close();
    return false;
  } catch {
    return true;
  }
})
"""


@asynccontextmanager
async def open_own_relay(ice: IceOffer) -> AsyncIterator[tuple[Relay, str]]:
    """A relay whose servers no option has looked at."""
    listeners = await open_port("127.0.0.1", 0)
    async with open_relay(listeners, Settings(ice=ice)) as relay:
        yield relay, f"ws://127.0.0.1:{port_of(listeners)}/ws"


def named(credential: str) -> IceOffer:
    """Wrong ones, and one that a browser may refuse although our rules let it pass."""
    wrong = [url for urls in WRONG.values() for url in urls]
    turn = [*wrong, "turn:127.0.0.1:1024", "turn:xn--a"]
    return IceOffer(wrong, turn, account=("ann", credential))


async def test_a_page_has_sessions_at_a_relay_that_names_wrong_servers_and_uses_the_newest(
    browser: Browser,
) -> None:
    with trio.fail_after(SESSION_S):
        async with (
            open_own_relay(named("first")) as (relay, url),
            open_client_page(browser, url, "C", WATCHED) as client,
            open_evaluator(url, user_id="E") as evaluator,
        ):
            page = client.page
            assert (
                await page.run(f"JSON.stringify({TAKEN})".replace("URLS", json.dumps(RIGHT)))
                == "[]"
            )
            for credential in ("first", "second"):
                relay.offer(named(credential))
                async with evaluator.open_session("C") as session:
                    delivery = await session.show(IMAGE)
                    assert delivery.received_at >= 0
                [*_, servers] = json.loads(await page.run("JSON.stringify(asked)"))
                assert servers[0] == {
                    "urls": "turn:127.0.0.1:1024",
                    "username": "ann",
                    "credential": credential,
                }
            warned = await page.run("warned.join('\\n')")
    assert 'The relay names "turn://h:3478", which is not asked: no slash stands in it' in warned
