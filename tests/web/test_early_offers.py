"""Pages in Chromium, whose offers do not wait for session_started."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.raw_peers import open_raw
from tests.kit.web_pages import open_client_page

HOLDING = """
window.wire = [];
const [held, { send }] = [[], WebSocket.prototype];
const isOffer = ({ data }) => data.signal?.type === "offer";
const isEarly = (frame) => isOffer(frame) && frame.data.ref !== undefined;
WebSocket.prototype.send = function (text) {
  const frame = JSON.parse(text);
  wire.push(frame);
  send.call(this, text);
  if (isEarly(frame)) setTimeout(() => held.splice(0).forEach((pass) => pass()));
};
const { get, set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
Object.defineProperty(WebSocket.prototype, "onmessage", {
  get,
  set(listener) {
    set.call(this, listener && ((event) => {
      const frame = JSON.parse(event.data);
      const pass = () => {
        wire.push(frame);
        listener(event);
      };
      const mayPass = frame.event !== "session_started" || !frame.data.ref || wire.some(isEarly);
      if (held.length === 0 && mayPass) pass();
      else held.push(pass);
    }));
  },
});
const ofStart = ["start_session", "session_started"];
const isOfStart = (frame) => ofStart.includes(frame.event) || isOffer(frame);
window.sequence = () => wire
  .filter(isOfStart)
  .map(({ event, data }) => [event, "ref" in data, "sessionId" in data]);
"""
"""Keeps the relay's answer to a question with a ref, and all that comes behind it, back until an
offer with it has gone out."""


async def test_an_offer_of_the_console_is_on_its_way_before_the_relay_has_answered(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "kim"),
        open_raw(relay, "client", "other"),
        browser.open_page() as page,
    ):
        await page.run_early(HOLDING)
        await page.resize(1280, 800)
        await page.goto(console_url(relay, user="dr-lee"))
        console = ConsolePage(page)
        await console.start("kim")
        assert await page.run("sequence()") == [
            ["start_session", True, False],
            ["webrtc_signal", True, False],
            ["session_started", True, True],
        ]
        await console.end()
        # One that does not speak it is offered to when the relay has answered, as ever.
        await page.run("wire.length = 0")
        await console.tap("#clients button[aria-label='Start a session with other']")
        await page.wait("sequence().length === 3")
        assert await page.run("sequence()") == [
            ["start_session", False, False],
            ["session_started", False, True],
            ["webrtc_signal", False, True],
        ]
