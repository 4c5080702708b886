/**
 * Run one foreign peer in the page that loads this module. The query string says which:
 *
 *     page.html?role=evaluator|client&relay=URL&user=ID[&client=ID][&images=N][&trickle=no][&media=yes]
 *              [&end=empty|null-candidate|null|none][&deadline=SECONDS]
 *
 * The server of the page gets each step as a POST to /event, `registered` among them, and at the
 * end {ok: true, result} or {ok: false, reason} as a POST to /result.
 */

import { makeImages, runClient, runEvaluator } from "./peer.mjs";

/** @param {string} path @param {object} body */
function post(path, body) {
  return fetch(path, { method: "POST", body: JSON.stringify(body) });
}

const query = new URLSearchParams(location.search);
const run = query.get("role") === "evaluator" ? runEvaluator : runClient;

run({
  WebSocket,
  RTCPeerConnection,
  relayUrl: query.get("relay") ?? "",
  userId: query.get("user") ?? "",
  clientId: query.get("client") ?? undefined,
  images: makeImages(Number(query.get("images") ?? 5)),
  trickle: query.get("trickle") !== "no",
  offersMedia: query.get("media") === "yes",
  endSpelling: /** @type {import("./peer.mjs").EndSpelling} */ (query.get("end") ?? "empty"),
  deadlineMs: Number(query.get("deadline") ?? 30) * 1000,
  log: (event, details) => post("/event", { event, ...details }),
}).then(
  (result) => post("/result", { ok: true, result }),
  (error) => post("/result", { ok: false, reason: String(error) }),
);
