/**
 * A bare peer connection of libwebrtc, driven by lines on stdin:
 *
 *     node tests/other_peers/link.mjs
 *
 * A line with an offer, as JSON, is answered with one that has all candidates in it, `described`.
 * `close` closes the connection and leaves its channel to its fate.
 */

import { createInterface } from "node:readline";

import wrtc from "@roamhq/wrtc";

const pc = new wrtc.RTCPeerConnection();

/** @param {string} event @param {object} [details] */
function tell(event, details) {
  process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);
}

/** @param {RTCSessionDescriptionInit} offer */
async function answer(offer) {
  const gathered = new Promise((resolve) => {
    pc.onicecandidate = ({ candidate }) => candidate || resolve(undefined);
  });
  await pc.setRemoteDescription(offer);
  await pc.setLocalDescription(await pc.createAnswer());
  await gathered;
  tell("described", { sdp: pc.localDescription?.sdp });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "close") {
    pc.close();
    tell("closed");
  } else {
    await answer(JSON.parse(line));
  }
}
process.exit(0);
