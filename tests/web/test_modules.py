"""The modules that the pages share, as an evaluator's, in Chromium and in Firefox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import trio

from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.forks import open_fork
from tests.kit.processes import SESSION_S, our_client, wait_until
from tests.kit.web_pages import SPOKEN, WIDTH, make_png, open_client_page, page_url

WEB = Path(__file__).parent


pytestmark = in_either


@asynccontextmanager
async def open_module_page(
    browser: Browser, relay: str, script: str, **query: str
) -> AsyncIterator[Page]:
    """A page of the relay's origin in which a script has run to its end."""
    async with browser.open_page() as page:
        # A page without a user does nothing by itself.
        await page.goto(f"{page_url(relay)}{urlencode(query)}")
        await page.wait("document.querySelector('#text')?.textContent.includes('incomplete')")
        await page.run((WEB / script).read_text())
        yield page


# ── a link alone ─────────────────────────────────────────────────────────────────────────────────


ANSWER = """
(async () => {
  const { Link } = await import("/web/js/peer/link.js");
  const { parseDescription } = await import("/web/js/core/handshake/sdp.js");
  const pc = new RTCPeerConnection(POLICY);
  pc.addTransceiver("audio");
  pc.addTransceiver("video");
  pc.createDataChannel("image-sync");
  const opened = new Promise((resolve, reject) => {
    window.link = new Link([], false, ({ kind, line }) => {
      if (kind === "opened") resolve();
      else if (kind !== "gathered") reject(new Error(kind));
      else waiting.then(() => pc.addIceCandidate(line && { candidate: line, sdpMid: said.mid }));
    });
  });
  let said, answered;
  const waiting = new Promise((resolve) => (answered = resolve));
  pc.onicecandidate = ({ candidate }) =>
    candidate?.candidate && waiting.then(() => link.addCandidate(candidate.toJSON()));
  await pc.setLocalDescription();
  const offered = parseDescription(pc.localDescription.sdp);
  const sdp = await link.makeAnswer(pc.localDescription.sdp);
  said = parseDescription(sdp);
  await pc.setRemoteDescription({ type: "answer", sdp });
  answered();
  await opened;
  const taken = pc.getTransceivers().map((one) => one.currentDirection);
  link.close();
  pc.close();
  return [offered.mid === said.mid, offered.index, said.index, taken];
})()
"""


async def test_a_page_takes_the_data_channel_of_an_offer_and_no_sound_and_pictures(
    browser: Browser, relay: str
) -> None:
    taken = {}
    async with browser.open_page() as page:
        await page.goto(page_url(relay))
        for policy in ("balanced", "max-bundle", "max-compat"):
            script = ANSWER.replace("POLICY", f"{{ bundlePolicy: '{policy}' }}")
            with trio.fail_after(SESSION_S):
                taken[policy] = await page.run(script)
    right = [True, 2, 2, ["inactive", "inactive"]]
    assert all(found == right for found in taken.values()), taken


TOO_LONG = """
(async () => {
  const { Link } = await import("/web/js/peer/link.js");
  const told = [];
  let channel;
  window.RTCPeerConnection = class extends RTCPeerConnection {
    createDataChannel(...given) {
      return (channel = super.createDataChannel(...given));
    }
  };
  const link = new Link([], true, ({ kind, data, why, byPeer }) => {
    if (kind === "received") told.push(data.length ?? data.size ?? data.byteLength);
    if (kind === "linkLost") told.push(why, byPeer);
  });
  told.push(/a=max-message-size:(.*)\\r/.exec(await link.makeOffer())[1]);
  // Not sent: Chromium sends none that is so long, whatever the other side allows.
  for (const data of MESSAGES) channel.dispatchEvent(new MessageEvent("message", { data }));
  return told;
})()
"""


TAKEN = {
    "['', 'x'.repeat(262144), 'x'.repeat(262145), 'x']": [0, 262144],
    "['é'.repeat(131072), 'é'.repeat(131073), 'x']": [131072],
    "['漢'.repeat(87381), '漢'.repeat(87382), 'x']": [87381],
    "[new ArrayBuffer(262144), new ArrayBuffer(262145), 'x']": [262144],
    "[new Blob(['x']), new Blob(['x'.repeat(262145)]), 'x']": [1],
}
"""Messages, and the lengths of those that are taken."""


async def test_a_message_beyond_the_size_that_a_page_announces_ends_its_connection(
    browser: Browser, relay: str
) -> None:
    told = {}
    async with browser.open_page() as page:
        await page.goto(page_url(relay))
        for messages in TAKEN:
            with trio.fail_after(SESSION_S):
                told[messages] = await page.run(TOO_LONG.replace("MESSAGES", messages))
    why = "the other side has sent a message of more than 262144 bytes"
    assert told == {messages: ["262144", *taken, why, False] for messages, taken in TAKEN.items()}


# ── an evaluator made of them ────────────────────────────────────────────────────────────────────


def open_evaluator_page(browser: Browser, relay: str, client: str) -> Any:
    return open_module_page(browser, relay, "evaluator.js", of=client)


async def wait_state(page: Page, state: str) -> JSON:
    """Wait until the session of an evaluator's page has come to this state."""
    found: JSON = await page.wait(f"states.find((change) => change.state === {state!r})")
    return found


async def test_an_evaluator_in_a_page_shows_an_image_to_a_page_and_ends_the_session(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "paged") as client,
        open_evaluator_page(browser, relay, "paged") as page,
    ):
        await wait_state(page, "connected")
        ready = await page.wait("got.find((message) => message.type === 'ready')")
        assert ready["features"] == [*SPOKEN]
        await page.run("show(0, '/web/icon.svg')")
        await client.wait_stage(0, "shown")
        ack = await page.wait("got.find((message) => message.type === 'ack')")
        assert ack["imageIndex"] == 0
        # Both hearts beat, and both clocks are this machine's.
        pong = await page.wait("got.find((message) => message.type === 'pong')")
        assert pong["t0"] - 1000 < pong["t1"] <= pong["t2"] < pong["t0"] + 1000
        assert await client.sent("ping")
        assert await page.run("clients.find((one) => one.userId === 'paged').state") == "busy"
        await page.run("session.close()")
        assert (await wait_state(page, "ended"))["reason"] == "ended"
        await client.wait_says("The session has ended. Thank you.")
        await page.wait("clients.find((one) => one.userId === 'paged').state === 'available'")
        assert client.page.errors == page.errors == []


async def test_an_evaluator_in_a_page_shows_an_image_to_our_client(
    browser: Browser, relay: str
) -> None:
    async with open_fork("client", *our_client(relay)) as client:
        await client.wait_event("registered")
        async with open_evaluator_page(browser, relay, "C") as page:
            await wait_state(page, "connected")
            await page.run("show(3, location.origin + '/web/icon.svg')")
            ack = await page.wait("got.find((message) => message.type === 'ack')")
            assert ack["imageIndex"] == 3
            await page.run("session.close()")
            await client.wait_success()


async def test_a_session_goes_on_after_the_reload_of_the_clients_page(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "back") as client,
        open_evaluator_page(browser, relay, "back") as page,
    ):
        await wait_state(page, "connected")
        await page.run("show(0, '/web/icon.svg')")
        await client.wait_stage(0, "shown")
        await client.page.reload()
        await wait_state(page, "interrupted")
        await wait_state(page, "resumed")
        await client.wait_stage(0, "shown")
        assert await client.page.run("document.body.dataset.state") == "showing"


async def test_an_evaluators_page_takes_its_session_up_again_after_a_reload(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "same") as client,
        open_evaluator_page(browser, relay, "same") as page,
    ):
        await wait_state(page, "connected")
        session_id = await page.run("session.route.sessionId")
        await page.run("show(0, '/web/icon.svg')")
        await client.wait_stage(0, "shown")
        await page.reload()
        await page.wait("document.readyState === 'complete'")
        await page.run((WEB / "evaluator.js").read_text())
        await wait_state(page, "connected")
        assert await page.run("session.route.sessionId") == session_id
        await page.run("show(1, '/web/icon.svg')")
        await client.wait_stage(1, "shown")
        # It was one session for the client, too: its image was up all the time.
        assert len(await client.put_up()) == 2


async def test_who_closes_the_connection_and_stays_at_the_relay_has_left(
    browser: Browser, relay: str
) -> None:
    early = """
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...given) { super(...given); window.connection = this; }
    };
    """
    async with (
        open_client_page(browser, relay, "leaver", early) as client,
        open_evaluator_page(browser, relay, "leaver") as page,
    ):
        await wait_state(page, "connected")
        await client.page.run("connection.close()")
        interrupted = await wait_state(page, "interrupted")
        ended = await wait_state(page, "ended")
        assert ended["reason"] == "ended"
        assert 1900 < ended["at"] - interrupted["at"] < 10_000


# ── images ahead of their time ───────────────────────────────────────────────────────────────────


async def test_at_most_two_images_are_fetched_ahead_and_shown_without_another_fetch(
    browser: Browser, relay: str
) -> None:
    asked: list[str] = []
    may_answer = trio.Event()

    async def serve(request: Request) -> Response:
        asked.append(request.path)
        await may_answer.wait()
        name = request.path.removeprefix("/").removesuffix(".png")
        cors = (("access-control-allow-origin", "*"), ("cache-control", "no-store"))
        return Response(200, make_png(WIDTH + int(name)), "image/png", cors)

    listeners = await open_port("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{port_of(listeners)}"
    async with (
        trio.open_nursery() as nursery,
        open_client_page(browser, relay, "ahead") as client,
        open_evaluator_page(browser, relay, "ahead") as page,
    ):
        await nursery.start(partial(serve_site, Site(http=serve), listeners))
        await wait_state(page, "connected")
        urls = [f"{origin}/{index}.png" for index in range(10)]
        named = [{"imageUrl": url, "signedUrl": f"{url}?signed=once"} for url in urls]
        await page.run(f"session.send({{ type: 'preload', images: {json.dumps(named)} }})")
        await wait_until(lambda: len(asked) >= 2, "two requests")
        # What is to be shown now does not wait for its turn.
        await page.run(f"show(9, {urls[9]!r}, {urls[9] + '?signed=anew'!r})")
        await wait_until(lambda: "/9.png" in asked, "a request for the image to be shown")
        assert sorted(asked[:2]) == [f"/{index}.png" for index in range(2)]
        assert len(asked) == 3
        may_answer.set()
        await client.wait_stage(9, "shown")
        # The first two had to make room for it, and had brought nothing by then.
        await wait_until(lambda: len(asked) == 12, "a request for each image")
        assert len(set(asked)) == 10
        for index, url in enumerate(urls):
            await page.run(f"show({index}, {url!r}, {url + '?signed=anew'!r})")
            await client.page.wait(
                f"sent.findLast((m) => m.stage === 'shown')?.imageIndex === {index}"
            )
        assert len(asked) == 12
        nursery.cancel_scope.cancel()
