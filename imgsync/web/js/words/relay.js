/**
 * What the pages say where there is no way to the server, by what is in the way: to the participant,
 * and to the evaluator, who may know those who run it.
 *
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 *
 * @typedef {object} Words
 * @property {string} text
 * @property {string} [hint] where there is something that a participant can do
 * @property {string} [code] for whoever is told by the participant
 * @property {string} console for the evaluator, of the server
 */

import { mayPass } from "../core/protocol/obstacles.js";

const AGAIN = "This page tries again by itself.";
const TELL = "lease tell whoever gave you this link";
const BEHIND = "Something in front of the server does not let this page through.";
const ELSE = "Something else answers in place of the server.";
/** In Node a page is from nowhere. */
const ORIGIN = globalThis.location?.origin ?? "";

/** @type {Record<Obstacle, Words>} */
const OBSTACLES = {
  unreachable: { text: "No server in reach.", console: "not in reach" },
  full: { text: "The server is full at this moment.", console: "full" },
  draining: { text: "The server is being started anew.", console: "being started anew" },
  too_many: {
    text: "The server takes no more connections from here at this moment.",
    code: "too many connections",
    console:
      "takes no more connections from here at this moment; see its options --connect-rate and " +
      "--max-sockets-per-user, and --forwarded-by for a proxy in front of it",
  },
  origin: {
    text: "The server is there, but does not let this page in.",
    code: `it refuses the origin ${ORIGIN}`,
    console:
      `there, but it refuses pages of ${ORIGIN}; run it with --allow-origin ${ORIGIN}, ` +
      "or have the proxy in front of it pass on the header Host",
  },
  upgrade: {
    text: "The server is there, but something on the way lets no lasting connection through.",
    code: "no WebSocket gets through",
    console:
      "there, but no WebSocket gets through to it; a proxy in front of it has to pass on Upgrade " +
      "and Connection, or a firewall or a security program is in the way",
  },
  moved: {
    text: ELSE,
    hint: `You may have to sign in to this network first; reload this page for that. If not, p${TELL}.`,
    console: "something else answers and leads elsewhere; you may have to sign in to this network first",
  },
  portal: {
    text: ELSE,
    hint: `You may have to sign in to this network first; reload this page for that. If not, p${TELL}.`,
    console: "something else answers in its place; you may have to sign in to this network first",
  },
  malformed: {
    text: BEHIND,
    code: "HTTP 400",
    console: "something in front of it can\u2019t make sense of this page\u2019s requests (HTTP 400)",
  },
  sign_in: {
    text: BEHIND,
    code: "HTTP 401",
    console: "something in front of it wants a password (HTTP 401)",
  },
  barred: {
    text: BEHIND,
    code: "HTTP 403",
    console: "a proxy or a firewall in front of it forbids it (HTTP 403)",
  },
  not_found: {
    text: "The server is not where this page looks for it.",
    code: "HTTP 404",
    console:
      "not where this page looks for it (HTTP 404); a proxy in front of it has to pass on ws and " +
      "health, which are beside this page",
  },
  proxy_sign_in: {
    text: BEHIND,
    code: "HTTP 407",
    console: "the proxy of this network wants a password (HTTP 407)",
  },
  too_large: {
    text: BEHIND,
    code: "HTTP 413",
    console: "something in front of it finds this page\u2019s requests too large (HTTP 413)",
  },
  no_relay: {
    text: "The server does not run at this moment.",
    code: "HTTP 502",
    console: "does not run at this moment; a proxy looks for it in vain (HTTP 502)",
  },
  unavailable: {
    text: "The server can\u2019t be had at this moment.",
    code: "HTTP 503",
    console: "full, or a proxy has none behind it (HTTP 503)",
  },
  too_late: {
    text: "The server does not answer at this moment.",
    code: "HTTP 504",
    console: "does not answer at this moment; a proxy waits for it in vain (HTTP 504)",
  },
  broken: {
    text: "The server is out of order at this moment.",
    code: "HTTP 500",
    console: "out of order at this moment, or what is in front of it (HTTP 500)",
  },
  other: {
    text: BEHIND,
    code: "HTTP 4xx",
    console: "something in front of it refuses this page\u2019s requests",
  },
};

/** To the participant. @param {Obstacle} obstacle @returns {{text: string, hint: string}} */
export function describeObstacle(obstacle) {
  const { text, hint, code } = OBSTACLES[obstacle];
  if (hint !== undefined) return { text, hint };
  if (!mayPass(obstacle)) return { text, hint: `P${TELL} (${code}).` };
  return { text, hint: code === undefined ? AGAIN : `${AGAIN} If that goes on, p${TELL} (${code}).` };
}

/** To the evaluator. @param {Obstacle} obstacle */
export function describeServer(obstacle) {
  const words = `Server: ${OBSTACLES[obstacle].console}`;
  return mayPass(obstacle) ? `${words}, trying again` : words;
}
