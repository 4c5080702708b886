"""Associations that the descriptions set up, with the page's side in a Chromium that can do it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from aiortc import RTCSctpTransport

from imgsync.core.handshake.inputs import Opened
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import CHANNEL_LABEL
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import Received
from tests.kit.browsers import Page, open_browser
from tests.kit.chromium import shared_chromium
from tests.rtc.test_link import DEADLINE, End

TRIAL = "--force-fieldtrials=WebRTC-Sctp-Snap/Enabled/"

# Its side of a connection, all candidates in its descriptions; it repeats what it hears.
SETUP = f"""
window.pc = new RTCPeerConnection();
window.heard = [];
window.listen = (channel) => {{
  channel.onmessage = ({{ data }}) => {{ heard.push(data); channel.send("echo " + data); }};
}};
pc.ondatachannel = ({{ channel }}) => listen(channel);
window.gathered = new Promise((resolve) => {{
  pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && resolve();
}});
window.describe = async (make) => {{
  await pc.setLocalDescription(await make.call(pc));
  await gathered;
  return pc.localDescription.sdp;
}};
window.offer = () => {{
  listen(pc.createDataChannel({json.dumps(CHANNEL_LABEL)}));
  return describe(pc.createOffer);
}};
window.answer = async (sdp) => {{
  await pc.setRemoteDescription({{ type: "offer", sdp }});
  return describe(pc.createAnswer);
}};
"""


@pytest.fixture
def handshakes(monkeypatch: pytest.MonkeyPatch) -> list[RTCSctpTransport]:
    """Whose began."""
    began: list[RTCSctpTransport] = []
    begin = RTCSctpTransport._init

    async def begin_and_tell(self: RTCSctpTransport) -> None:
        began.append(self)
        await begin(self)

    monkeypatch.setattr(RTCSctpTransport, "_init", begin_and_tell)
    return began


@asynccontextmanager
async def open_sides(*options: str) -> AsyncIterator[tuple[Page, End]]:
    with shared_chromium(*options) as started:
        async with (
            open_browser(started) as browser,
            open_bridge() as bridge,
            open_link(bridge, (), ("127.0.0.1",), snap=True) as link,
            browser.open_page("about:blank") as page,
        ):
            with trio.fail_after(DEADLINE):
                await page.run(SETUP)
                yield page, End(link)


async def call(page: Page, name: str, *arguments: str) -> str:
    words = ", ".join(map(json.dumps, arguments))
    return str(await page.run(f"{name}({words})"))


async def exchange(end: End) -> None:
    await end.expect(Opened)
    for text in ("one", "two", "x" * 5000):
        end.link.send(text)
        assert (await end.expect(Received)).text == f"echo {text}"


# Chromium's own host candidates would be mDNS names, which no one answers for in every network:
# it is told ours, and its checks tell its address.


@pytest.mark.parametrize("options", [(TRIAL,), ()], ids=["with it", "without"])
async def test_a_page_answers_an_offer_of_ours(
    options: tuple[str, ...], handshakes: list[RTCSctpTransport]
) -> None:
    async with open_sides(*options) as (page, end):
        offer = parse_description("offer", await end.link.make_offer())
        given = offer.sdp + "".join(f"a=candidate:{one.line}\r\n" for one in offer.candidates)
        answer = parse_description("answer", await call(page, "answer", given))
        assert bool(answer.sctp_init) == bool(options)
        await end.link.apply_answer(answer)
        await exchange(end)
        assert bool(handshakes) != bool(options)


@pytest.mark.parametrize("options", [(TRIAL,), ()], ids=["with it", "without"])
async def test_a_page_has_its_offer_answered(
    options: tuple[str, ...], handshakes: list[RTCSctpTransport]
) -> None:
    async with open_sides(*options) as (page, end):
        offer = parse_description("offer", await call(page, "offer"))
        assert bool(offer.sctp_init) == bool(options)
        made = await end.link.make_answer(offer)
        assert ("a=sctp-init:" in made) == bool(options)
        await page.run(f"pc.setRemoteDescription({{ type: 'answer', sdp: {json.dumps(made)} }})")
        await exchange(end)
        assert bool(handshakes) != bool(options)
