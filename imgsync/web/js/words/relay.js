/**
 * What the participant is told where there is no way to the server, by what is in the way.
 *
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Key } from "../languages/en.js"
 *
 * @typedef {object} Words
 * @property {Key} text
 * @property {string} [code] for whoever is told by the participant
 * @property {boolean} [isSignIn] whether they may have to sign in to their network
 */

import { mayPass } from "../core/protocol/obstacles.js";
import { say } from "./language.js";

/** In Node a page is from nowhere. */
const ORIGIN = globalThis.location?.origin ?? "";

/** @type {Record<Obstacle, Words>} */
const OBSTACLES = {
  unreachable: { text: "relay.unreachable" },
  full: { text: "relay.full" },
  draining: { text: "relay.draining" },
  too_many: { text: "relay.tooMany", code: say("relay.tooManyCode") },
  origin: { text: "relay.origin", code: say("relay.originCode", { origin: ORIGIN }) },
  upgrade: { text: "relay.upgrade", code: say("relay.upgradeCode") },
  moved: { text: "relay.elsewhere", isSignIn: true },
  portal: { text: "relay.elsewhere", isSignIn: true },
  malformed: { text: "relay.behind", code: "HTTP 400" },
  sign_in: { text: "relay.behind", code: "HTTP 401" },
  barred: { text: "relay.behind", code: "HTTP 403" },
  not_found: { text: "relay.notFound", code: "HTTP 404" },
  proxy_sign_in: { text: "relay.behind", code: "HTTP 407" },
  too_large: { text: "relay.behind", code: "HTTP 413" },
  no_relay: { text: "relay.noRelay", code: "HTTP 502" },
  unavailable: { text: "relay.unavailable", code: "HTTP 503" },
  too_late: { text: "relay.tooLate", code: "HTTP 504" },
  broken: { text: "relay.broken", code: "HTTP 500" },
  other: { text: "relay.behind", code: "HTTP 4xx" },
};

/** @param {Obstacle} obstacle @returns {{text: string, hint: string}} */
export function describeObstacle(obstacle) {
  const { text, code, isSignIn = false } = OBSTACLES[obstacle];
  return { text: say(text), hint: isSignIn ? say("relay.signIn") : hintOf(obstacle, code) };
}

/** @param {Obstacle} obstacle @param {string} [code] */
function hintOf(obstacle, code) {
  if (code === undefined) return say("relay.again");
  return say(mayPass(obstacle) ? "relay.againOrTell" : "relay.tell", { code });
}
