"""Descriptions and candidates that a browser would refuse, and that a page's link takes."""

from __future__ import annotations

import json

import pytest

from tests.kit.browsers import Browser
from tests.kit.either_browser import in_either
from tests.kit.foreign import IMAGES, find_peer
from tests.kit.processes import SESSION_S, open_child
from tests.kit.web_pages import open_client_page, page_url

FINGERPRINT = r"/a=fingerprint:.*\r\n/"

CHANGES = {
    "nothing": "sdp",
    "lines that end in LF": r"sdp.replace(/\r\n/g, '\n')",
    "no end of the last line": "sdp.trimEnd()",
    "an empty line behind": r"sdp + '\r\n'",
    "a space behind the group": r"sdp.replace(/(a=group.*)\r/, '$1 \r')",
    "no group": r"sdp.replace(/a=group.*\r\n/, '')",
    "a hash in capital letters": "sdp.replace('sha-256', 'SHA-256')",
    "a fingerprint in small letters": f"sdp.replace({FINGERPRINT}, (line) => line.toLowerCase())",
    "a fingerprint of the session": (
        rf"sdp.replace({FINGERPRINT}, '').replace(/(?=m=)/, {FINGERPRINT}.exec(sdp)[0])"
    ),
    **{
        f"a fingerprint of {name} {where}": (
            f"sdp.replace({FINGERPRINT}, (line) => {before} + line + {after})"
        )
        for name in ("md5", "sha-1", "sha-512", "foo-99")
        for line in (rf"'a=fingerprint:{name} AB:CD:EF\r\n'",)
        for where, before, after in (("before", line, "''"), ("behind", "''", line))
    },
    **{
        f"a size of {size}": f"sdp.replace(/size:.*/, 'size:{size}')"
        for size in ("0", "16384", "99999999999999999999")
    },
    "no size": r"sdp.replace(/a=max-message-size.*\r\n/, '')",
    "a bundle alone": (r"sdp.replace('m=application 9', 'm=application 0') + 'a=bundle-only\r\n'"),
    "the end of candidates": r"sdp + 'a=end-of-candidates\r\n'",
    **{
        f"a candidate {line!r}": rf"sdp + 'a=candidate:{line}\r\n'"
        for line in (
            "1 1 udp 1 peer.lab.example.org 9 typ host",
            "1 1 udp 1 10.0.0.1 9 TYP HOST",
            "1 1 udp 1 10.0.0.1 0 typ host",
            "1 1 udp 1 10.0.0.1 9 typ unknown",
            "1 1 udp 1 fe80::1%eth0 9 typ host",
            "1 1 udp 1 10.0.0.1 9 typ srflx raddr peer.example rport 999999",
            "1 1 udp 1 10.0.0.1 9 typ srflx",
            "{a=b} 001 UDP 0000000001 10.0.0.1 00009 typ host raddr",
            "1 1 TCP 1 10.0.0.1 9 typ host TCPTYPE PASSIVE",
            "1 1 tcp 1 10.0.0.1 9 typ host",
        )
    },
}
"""What is done to an offer or an answer, in JavaScript."""

SECTIONS = {
    f"{line!r} {where}": change
    for line in (
        r"m=application 9 UDP/BFCP *\r\na=mid:b\r\na=ice-ufrag:bfcp\r\n",
        r"m=text 9 RTP/AVP 98\r\na=mid:t\r\n",
        r"m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:r\r\n",
        r"m=audio 9 RTP/AVP 0\r\n",
        r"m=video 49170/2 RTP/AVP 31 32\r\n",
        r"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n",
    )
    for where, change in (
        ("before", f"sdp.replace(/(?=m=)/, '{line}')"),
        ("behind", f"sdp + '{line}'"),
    )
    if where == "behind" or "webrtc-datachannel" not in line
}
"""Further sections of an offer."""

PLAY = r"""
(async () => {
  const { Link } = await import("/web/js/peer/link.js");
  const { parseDescription } = await import("/web/js/core/handshake/sdp.js");
  const play = async (offers, change) => {
    const pc = new RTCPeerConnection();
    let described;
    const waiting = new Promise((resolve) => (described = resolve));
    let end, mid;
    const over = new Promise((resolve) => (end = resolve));
    const link = new Link([], offers, ({ kind, line, why }) => {
      if (kind === "opened" || kind === "linkLost") end(why ?? "opened");
      if (kind !== "gathered") return;
      waiting.then(() => pc.addIceCandidate({ candidate: line ?? "", sdpMid: mid }));
    });
    const tell = (line) => waiting.then(() => link.addCandidate({ candidate: line }));
    pc.onicecandidate = ({ candidate }) =>
      candidate?.candidate && tell(candidate.candidate.replace(" typ ", " TYP "));
    try {
      if (offers) {
        const sdp = await link.makeOffer();
        mid = parseDescription(sdp).mid;
        await pc.setRemoteDescription({ type: "offer", sdp });
        await pc.setLocalDescription();
        await link.applyAnswer(parseDescription(change(pc.localDescription.sdp)).sdp);
      } else {
        pc.createDataChannel("image-sync");
        await pc.setLocalDescription();
        mid = "0";
        const offer = change(pc.localDescription.sdp);
        const answer = await link.makeAnswer(parseDescription(offer).sdp);
        const [session, ...sections] = answer.split(/^(?=m=)/m);
        if (sections.length !== offer.split(/^m=/m).length - 1) throw new Error(answer);
        // Of the other sections, the other side knows nothing.
        const own = sections.filter((section) => section.includes("a=sctp-port")).join("");
        await pc.setRemoteDescription({ type: "answer", sdp: session + own });
      }
      described();
      return await over;
    } catch (error) {
      return String(error);
    } finally {
      link.close();
      pc.close();
    }
  };
  const said = {};
  for (const [name, change] of Object.entries(CHANGES)) said[name] = await play(OFFERS, change);
  return said;
})()
"""


pytestmark = in_either


@pytest.mark.parametrize("role", ["offers", "answers"])
async def test_a_page_connects_whatever_of_a_description_is_not_for_it(
    browser: Browser, relay: str, role: str
) -> None:
    changes = CHANGES if role == "offers" else CHANGES | SECTIONS
    table = ",".join(f"{json.dumps(name)}: (sdp) => {change}" for name, change in changes.items())
    script = PLAY.replace("CHANGES", f"{{{table}}}").replace(
        "OFFERS", str(role == "offers").lower()
    )
    async with browser.open_page() as page:
        await page.goto(page_url(relay))
        await page.run(f"void {script.strip()}.then((said) => (window.said = said))")
        said = await page.wait("window.said", SESSION_S)
    assert said == dict.fromkeys(changes, "opened")


async def test_a_page_goes_to_a_peer_that_can_be_had_by_tcp_alone(
    browser: Browser, relay: str
) -> None:
    command = find_peer("webrtcbin")("evaluator", relay, "--tcp-alone")
    async with (
        open_client_page(browser, relay, "C"),
        open_child("webrtcbin", *command) as evaluator,
    ):
        [_registered, result] = await evaluator.wait_success()
    assert all(" tcptype " in candidate for candidate in result["localCandidates"])
    assert len(result["acks"]) == IMAGES
    assert result["complaints"] == []
