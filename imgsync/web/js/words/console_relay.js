/**
 * What the console says of the server where there is no way to it, by what is in the way: to the evaluator,
 * who may know those who run it.
 *
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 */

import { mayPass } from "../core/protocol/obstacles.js";

/** In Node a page is from nowhere. */
const ORIGIN = globalThis.location?.origin ?? "";

/** @type {Record<Obstacle, string>} */
const OBSTACLES = {
  unreachable: "not in reach",
  full: "full",
  draining: "being started anew",
  too_many:
    "takes no more connections from here at this moment; see its options --connect-rate and " +
    "--max-sockets-per-user, and --forwarded-by for a proxy in front of it",
  origin:
    `there, but it refuses pages of ${ORIGIN}; run it with --allow-origin ${ORIGIN}, ` +
    "or have the proxy in front of it pass on the header Host",
  upgrade:
    "there, but no WebSocket gets through to it; a proxy in front of it has to pass on Upgrade " +
    "and Connection, or a firewall or a security program is in the way",
  moved: "something else answers and leads elsewhere; you may have to sign in to this network first",
  portal: "something else answers in its place; you may have to sign in to this network first",
  malformed: "something in front of it can\u2019t make sense of this page\u2019s requests (HTTP 400)",
  sign_in: "something in front of it wants a password (HTTP 401)",
  barred: "a proxy or a firewall in front of it forbids it (HTTP 403)",
  not_found:
    "not where this page looks for it (HTTP 404); a proxy in front of it has to pass on ws and " +
    "health, which are beside this page",
  proxy_sign_in: "the proxy of this network wants a password (HTTP 407)",
  too_large: "something in front of it finds this page\u2019s requests too large (HTTP 413)",
  no_relay: "does not run at this moment; a proxy looks for it in vain (HTTP 502)",
  unavailable: "full, or cut off from what it shares with other nodes, or a proxy has none behind it (unavailable, HTTP 503)",
  too_late: "does not answer at this moment; a proxy waits for it in vain (HTTP 504)",
  broken: "out of order at this moment, or what is in front of it (HTTP 500)",
  other: "something in front of it refuses this page\u2019s requests",
};

/** @param {Obstacle} obstacle */
export function describeServer(obstacle) {
  const words = `Server: ${OBSTACLES[obstacle]}`;
  return mayPass(obstacle) ? `${words}, trying again` : words;
}
