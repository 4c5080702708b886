/**
 * What the page says of itself, in plain words.
 *
 * @import { EndReason } from "../core/protocol/wire.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Key } from "../languages/en.js"
 * @import { SessionState } from "../peer/session.js"
 * @import { SocketState } from "../peer/socket.js"
 * @import { Status } from "./start.js"
 *
 * @typedef {object} Situation
 * @property {boolean} hasUser whether the link says who this is
 * @property {SocketState} relay
 * @property {Obstacle | null} obstacle what is in the way to the relay, where that is known
 * @property {string} with whom the session is
 * @property {SessionState | null} session
 * @property {EndReason | null} reason why it has ended
 * @property {string} detail the same for whoever is asked for help
 * @property {boolean} wasConnected whether the session had begun for those who see the page
 * @property {boolean} canFill whether a tap fills the screen
 */

import { OWN, say } from "./language.js";
import { describeObstacle } from "./relay.js";
import { CONNECTING, READY } from "./start.js";

/** @type {Situation} */
export const BEGINNING = {
  hasUser: true,
  relay: "connecting",
  obstacle: null,
  with: "",
  session: null,
  reason: null,
  detail: "",
  wasConnected: false,
  canFill: false,
};

/** @type {Record<EndReason, [text: Key, hint: Key]>} */
const ENDS = {
  ended: ["client.ended", "client.endedHint"],
  replaced: ["client.replaced", "client.replacedHint"],
  peer_gone: ["client.peerGone", "client.peerGoneHint"],
  claimed_elsewhere: ["client.claimedElsewhere", "client.claimedElsewhereHint"],
  relay_shutdown: ["client.relayShutdown", "client.anotherTry"],
  token_expired: ["client.tokenExpired", "client.tokenExpiredHint"],
  connection_lost: ["client.connectionLost", "client.connectionLostHint"],
  connect_timeout: ["client.connectTimeout", "client.connectTimeoutHint"],
  negotiation_failed: ["client.negotiationFailed", "client.negotiationFailedHint"],
  unsupported: ["client.unsupported", "client.unsupportedHint"],
  signalling_lost: ["client.signallingLost", "client.signallingLostHint"],
};

/** @param {Situation} situation @returns {Status} */
export function describe(situation) {
  const { hasUser, relay, obstacle, with: name, session, reason, detail, wasConnected, canFill } = situation;
  if (!hasUser) return tell("client.incompleteLink", "client.incompleteLinkHint");
  if (session !== null && session !== "ended") return describeSession(session, name);
  if (relay === "refused") return tell("client.refusedLink", "client.refusedLinkHint");
  if (relay === "waiting" && obstacle !== null) return describeObstacle(obstacle);
  if (session === "ended" && reason !== null) return describeEnd(reason, detail, wasConnected);
  if (relay !== "up") return CONNECTING;
  return canFill ? tell("client.ready", "client.imagesHereTap") : READY;
}

/** Whether nothing more is waited for on this page. @param {Situation} situation */
export function isOver({ hasUser, relay, session, reason, wasConnected }) {
  if (!hasUser) return true;
  if (session !== null && session !== "ended") return false;
  const isEnd = reason === "claimed_elsewhere" || reason === "token_expired";
  return relay === "refused" || (session === "ended" && (isEnd || (reason === "ended" && wasConnected)));
}

/** @type {readonly EndReason[]} */
const FAILURES = ["connection_lost", "connect_timeout", "negotiation_failed", "unsupported"];

/**
 * @param {EndReason} reason
 * @param {string} detail
 * @param {boolean} wasConnected
 * @returns {Status}
 */
export function describeEnd(reason, detail, wasConnected) {
  if (reason === "ended" && !wasConnected) return tell("client.endedEarly", "client.anotherTry");
  const { text, hint } = tell(...ENDS[reason]);
  if (reason === "ended") return { text: OWN.thanks ?? text, hint };
  const isTold = FAILURES.includes(reason) && detail !== "";
  return { text, hint: isTold ? say("client.withDetail", { hint, detail }) : hint };
}

/** @param {Exclude<SessionState, "ended">} session @param {string} name @returns {Status} */
function describeSession(session, name) {
  switch (session) {
    case "connecting":
      return { text: say("client.connectingTo", { name }), hint: "" };
    case "interrupted":
      return tell("client.interrupted", "client.interruptedHint");
    default:
      return { text: say("client.connectedTo", { name }), hint: say("client.imagesHere") };
  }
}

/** @param {Key} text @param {Key} hint @returns {Status} */
function tell(text, hint) {
  return { text: say(text), hint: say(hint) };
}
