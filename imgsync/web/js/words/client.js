/**
 * What the page says of itself, in plain words.
 *
 * @import { EndReason } from "../core/protocol/wire.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
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

import { describeObstacle } from "./relay.js";
import { CONNECTING, READY } from "./start.js";

/** @type {Record<EndReason, [text: string, hint: string]>} */
const ENDS = {
  ended: ["The session has ended. Thank you.", "You can close this page."],
  replaced: ["A new session is about to begin.", "Please wait a moment."],
  peer_gone: ["The session has ended: the other side has gone.", "You can wait here for another."],
  claimed_elsewhere: [
    "You are taking part in another window or on another device.",
    "This page is not needed. To use it, close the other one and reload this one.",
  ],
  relay_shutdown: ["The session could not begin.", "Please wait here for another try."],
  token_expired: [
    "The time for this session is over.",
    "To take part in another one, ask for a new link.",
  ],
  connection_lost: [
    "The connection was lost and could not be restored.",
    "You can wait here for a new session.",
  ],
  connect_timeout: [
    "No connection to the other side came about.",
    "Please wait here for another try, or try another network.",
  ],
  negotiation_failed: [
    "The connection could not be made.",
    "Please wait here for another try, or reload this page.",
  ],
  unsupported: [
    "This connection can\u2019t be made with these browsers.",
    "Please wait here for another try, or open this page in another browser.",
  ],
  signalling_lost: ["The server was lost before the session began.", "Please wait here."],
};

/** @param {Situation} situation @returns {Status} */
export function describe(situation) {
  const { hasUser, relay, obstacle, with: name, session, reason, detail, wasConnected, canFill } = situation;
  if (!hasUser) return status("This link is incomplete.", "Please open the whole link you were given.");
  if (session !== null && session !== "ended") return describeSession(session, name);
  if (relay === "refused") {
    return status("This link is not valid, or not any more.", "Please ask for a new one.");
  }
  if (relay === "waiting" && obstacle !== null) return describeObstacle(obstacle);
  if (session === "ended" && reason !== null) return describeEnd(reason, detail, wasConnected);
  if (relay !== "up") return CONNECTING;
  return canFill ? status(READY.text, `${READY.hint} Tap to fill the screen.`) : READY;
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
  if (reason === "ended" && !wasConnected) {
    return status("The session was ended before it began.", "Please wait here for another try.");
  }
  const [text, hint] = ENDS[reason];
  return status(text, FAILURES.includes(reason) && detail !== "" ? `${hint} (${detail})` : hint);
}

/** @param {Exclude<SessionState, "ended">} session @param {string} name @returns {Status} */
function describeSession(session, name) {
  switch (session) {
    case "connecting":
      return status(`Connecting to ${name} …`, "");
    case "interrupted":
      return status("The connection was interrupted.", "It comes back by itself. Please wait.");
    default:
      return status(`Connected to ${name}.`, "The images will appear here.");
  }
}

/** @param {string} text @param {string} hint @returns {Status} */
function status(text, hint) {
  return { text, hint };
}
