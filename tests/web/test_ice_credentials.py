"""A page whose TURN credentials have expired, with a real TURN server."""

from __future__ import annotations

import trio

from imgsync import ImageRef, open_evaluator
from imgsync.net.ports import open_port, port_of
from imgsync.relay.server import open_relay
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from tests.kit.browsers import Browser
from tests.kit.processes import SESSION_S
from tests.kit.turn_servers import SECRET, needs_coturn, open_coturn
from tests.kit.web_pages import open_client_page

IMAGE = ImageRef(0, "a.png", "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?sig=1")

EARLY = """
window.sockets = 0;
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    sockets += 1;
  }
};
window.later = 0;
const realNow = Date.now;
Date.now = () => realNow() + later;
// Else it would be connected before the TURN server has answered.
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: "relay" });
  }
};
"""


@needs_coturn
async def test_a_page_that_is_refused_with_old_credentials_registers_again_and_has_its_session(
    browser: Browser,
) -> None:
    listeners = await open_port("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
    with trio.fail_after(SESSION_S):
        async with open_coturn() as coturn:
            turn = [f"turn:127.0.0.1:{coturn.port}"]
            old = IceOffer(stun=(), turn=turn, account=("0:C", "what has expired"))
            async with (
                open_relay(listeners, Settings(ice=old)) as relay,
                open_client_page(browser, url, "C", EARLY) as client,
                open_evaluator(url, user_id="E") as evaluator,
            ):
                await client.page.run("void (later = 100_000)")
                new = IceOffer(stun=(), turn=turn, secret=SECRET.encode())
                relay._settings = Settings(ice=new)
                async with evaluator.open_session("C") as session:
                    assert (await session.show(IMAGE)).received_at > 0
                    assert await client.page.run("sockets") == 2
                async with evaluator.open_session("C") as session:
                    assert (await session.show(IMAGE)).received_at > 0
                assert await client.page.run("sockets") == 2
