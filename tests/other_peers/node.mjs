/**
 * Run one foreign peer in Node, on @roamhq/wrtc:
 *
 *     node tests/other_peers/node.mjs evaluator|client --relay URL --user ID [--client ID] [--images N]
 *          [--no-trickle] [--end empty|null-candidate|null|none] [--relay-only]
 *          [--media] [--deadline SECONDS]
 *
 * Node 20 has its WebSocket behind `node --experimental-websocket`. On stdout stands one JSON line
 * once the relay has registered the peer, and one with the result; the steps go to stderr. Exit 0
 * with a complete result, 1 with the reason on stderr, 2 for usage.
 */

import { parseArgs } from "node:util";

import { isEndSpelling, makeImages, runClient, runEvaluator } from "./peer.mjs";

/** How long the run may overstay its own deadline before the process ends without it. */
const GRACE_MS = 10_000;

const USAGE =
  "usage: node.mjs evaluator|client --relay URL --user ID [--client ID] [--images N]" +
  " [--no-trickle] [--end empty|null-candidate|null|none] [--relay-only] [--media] [--deadline SECONDS]";

/** Write, and end only when it is written: wrtc's threads may keep the process from ending. */
function leave(/** @type {number} */ code, /** @type {string} */ text) {
  const stream = code === 0 ? process.stdout : process.stderr;
  stream.write(`${text}\n`, () => process.exit(code));
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      relay: { type: "string" },
      user: { type: "string" },
      client: { type: "string" },
      images: { type: "string", default: "5" },
      "no-trickle": { type: "boolean", default: false },
      end: { type: "string", default: "empty" },
      "relay-only": { type: "boolean", default: false },
      media: { type: "boolean", default: false },
      deadline: { type: "string", default: "30" },
    },
  });
  const [role] = positionals;
  const complete = values.relay && values.user && (role === "client" || values.client);
  if ((role !== "evaluator" && role !== "client") || !complete) {
    throw new Error("a role, --relay and --user are needed, and --client for an evaluator");
  }
  if (!isEndSpelling(values.end)) throw new Error(`--end can't be ${values.end}`);
  return { role, ...values, end: values.end };
}

/** @param {string} event @param {object} details */
function log(event, details) {
  const stream = event === "registered" ? process.stdout : process.stderr;
  stream.write(`${JSON.stringify({ event, ...details })}\n`);
}

/** @param {ReturnType<typeof readArguments>} given */
async function run(given) {
  if (!globalThis.WebSocket) throw new Error("run it with `node --experimental-websocket`");
  const wrtc = await import("@roamhq/wrtc").catch(() => {
    throw new Error("@roamhq/wrtc is not installed: run `npm install` in the peers' folder");
  });
  const peer = given.role === "evaluator" ? runEvaluator : runClient;
  return peer({
    WebSocket: globalThis.WebSocket,
    RTCPeerConnection: wrtc.default.RTCPeerConnection,
    relayUrl: given.relay ?? "",
    userId: given.user ?? "",
    clientId: given.client,
    images: makeImages(Number(given.images)),
    trickle: !given["no-trickle"],
    endSpelling: given.end,
    iceTransportPolicy: given["relay-only"] ? "relay" : "all",
    offersMedia: given.media,
    deadlineMs: Number(given.deadline) * 1000,
    log,
  });
}

let given;
try {
  given = readArguments();
} catch (error) {
  leave(2, `${error}\n${USAGE}`);
}
if (given) {
  const overdue = Number(given.deadline) * 1000 + GRACE_MS;
  setTimeout(() => leave(1, `the run overstayed its deadline by ${GRACE_MS} ms`), overdue);
  run(given).then(
    (result) => leave(0, JSON.stringify({ event: "result", ...result })),
    (error) => leave(1, `${error}`),
  );
}
