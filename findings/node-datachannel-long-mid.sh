#!/usr/bin/env bash
# node-datachannel 0.33.4: its browser interface takes a description whose section has a name of more
# than three characters, and refuses each candidate of that section.
#
# RFC 9429, section 5.2.1, asks those who make a name to keep it to three bytes, for the sake of an RTP
# header extension; who reads one has to take any token (RFC 5888, section 4). Offers with
# `a=mid:data` or `a=mid:audio` are around. `setRemoteDescription` takes them, and the answer repeats the
# name, so that nothing seems wrong; then `addIceCandidate` throws an OperationError, "Invalid sdpMid
# format" (dist/esm/polyfill/RTCPeerConnection.mjs). A program that trickles comes to no connection, or,
# if it does not look at what that promise becomes, to one where the candidates in the description
# suffice. The library below it, libdatachannel, takes such candidates.
#
# Needs Node 20 with npm, and the package index. Prints what was seen, and fails if that is not so any more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node-datachannel@0.33.4

cat >mid.mjs <<'JAVASCRIPT'
import library from "node-datachannel";
import { RTCPeerConnection } from "node-datachannel/polyfill";

const CANDIDATE = "candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ host";

async function offerTo(name) {
  const [offerer, answerer] = [new RTCPeerConnection(), new RTCPeerConnection()];
  offerer.createDataChannel("any");
  const { sdp } = await offerer.createOffer();
  const renamed = sdp
    .replace(/^a=mid:.*$/m, `a=mid:${name}`)
    .replace(/^a=group:BUNDLE .*$/m, `a=group:BUNDLE ${name}`);
  await answerer.setRemoteDescription({ type: "offer", sdp: renamed });
  const answer = await answerer.createAnswer();
  const [, repeated] = /^a=mid:(\S+)/m.exec(answer.sdp);
  const added = await answerer.addIceCandidate({ candidate: CANDIDATE, sdpMid: name }).then(
    () => "taken",
    (error) => error.message,
  );
  offerer.close();
  answerer.close();
  return { repeated, added };
}

/** The library itself, without the interface of browsers. */
function offerToLibrary(name) {
  const [offerer, answerer] = ["a", "b"].map((peer) => new library.PeerConnection(peer, { iceServers: [] }));
  return new Promise((resolve) => {
    offerer.onLocalDescription((sdp, type) => {
      answerer.setRemoteDescription(sdp.replace(/^a=mid:.*$/m, `a=mid:${name}`).replace(/^a=group:BUNDLE .*$/m, `a=group:BUNDLE ${name}`), type);
      answerer.addRemoteCandidate(CANDIDATE, name);
      resolve("taken");
      offerer.close();
      answerer.close();
    });
    offerer.createDataChannel("any");
  });
}

const seen = {
  dat: await offerTo("dat"),
  data: await offerTo("data"),
  library: await offerToLibrary("data"),
};
console.log(JSON.stringify(seen, null, 1));
process.exit(0);
JAVASCRIPT
node mid.mjs >seen.json
cat seen.json
node -e '
const seen = JSON.parse(require("fs").readFileSync("seen.json", "utf8"));
const expected = {
  dat: { repeated: "dat", added: "taken" },
  data: { repeated: "data", added: "Invalid sdpMid format" },
  library: "taken",
};
if (JSON.stringify(seen) !== JSON.stringify(expected)) {
  console.error("this is not what it was: expected " + JSON.stringify(expected));
  process.exit(1);
}
'
