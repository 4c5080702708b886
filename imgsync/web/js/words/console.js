/**
 * What the console says, in plain words.
 *
 * @import { EndReason } from "../core/protocol/wire.js"
 * @import { SocketState } from "../peer/socket.js"
 * @import { OwnCode } from "../peer/starting.js"
 * @import { SessionState } from "../peer/session.js"
 *
 * @typedef {"sent" | "acked" | "fetched" | "shown" | "hidden" | "failed" | "superseded"} Fate of a
 *   showing
 * @typedef {{fate: Fate, failed: string | null}} Outcome `failed`: why it was not shown
 *
 * @typedef {object} SessionSituation
 * @property {SessionState} state
 * @property {EndReason | null} reason why it has ended
 * @property {string} detail
 * @property {boolean} isEnding it has been asked to end
 * @property {object | null} current what is shown
 *
 * @typedef {"open" | "waiting" | "over"} Phase of the session: there is a connection, one is being
 *   made, there will be none
 * @typedef {{text: string, hint: string, mood: "calm" | "good" | "busy" | "trouble"}} Status
 */

import { CloseCode } from "../core/protocol/numbers.js";

/** @type {Record<EndReason, string>} */
const ENDS = {
  ended: "It ended in good order.",
  replaced: "Another session with this client took its place.",
  peer_gone: "The client has gone and did not come back.",
  claimed_elsewhere: "It went on in another window.",
  relay_shutdown: "The server was shut down before there was a connection.",
  connection_lost: "The connection was lost and could not be restored.",
  connect_timeout: "No connection to the client came about. A firewall may be in the way.",
  negotiation_failed: "No connection to the client came about.",
  signalling_lost: "The server was lost before there was a connection.",
};

/** @type {Record<string, string>} */
const FAILURES = {
  superseded: "passed over: the next image came first",
  hidden_tab: "the client's page was not in view",
  timeout: "it took too long to load",
  fetch: "it could not be fetched",
  decode: "it is no image that can be decoded",
  too_large: "it is too large",
  unsupported_type: "it is of an unknown type",
};

/** @type {Record<Fate, string>} */
const FATES = {
  sent: "sent",
  acked: "acked",
  fetched: "fetched",
  shown: "shown",
  hidden: "hidden",
  failed: "failed",
  superseded: "not sent",
};

/** Why no session is started, where the relay does not say. @type {Record<OwnCode, string>} */
const TROUBLES = {
  no_relay: "The relay can't be reached at this moment; try again.",
  relay_lost: "The relay was lost; try again.",
  timeout: "The relay does not answer; try again.",
};

/** @param {string} reason of a failure, as the client says it @returns {string} */
export function describeFailure(reason) {
  const status = /^http_([0-9]{3})$/.exec(reason)?.[1];
  if (status !== undefined) return `its server refused it (HTTP ${status})`;
  return (Object.hasOwn(FAILURES, reason) && FAILURES[reason]) || reason.replaceAll("_", " ");
}

/** @param {Outcome} outcome @param {Phase} phase @returns {string} in one or two words */
export function nameFate({ fate }, phase) {
  return fate === "sent" && phase === "waiting" ? "waiting" : FATES[fate];
}

/** @param {Outcome} outcome @param {Phase} phase @returns {string} */
export function describeFate({ fate, failed }, phase) {
  const isOver = phase === "over";
  switch (fate) {
    case "sent":
      if (isOver) return "never acked";
      return phase === "open" ? "sent, not acked yet" : "waits for the connection";
    case "acked":
      return isOver ? "acked" : "acked: the client has it";
    case "fetched":
      return isOver ? "fetched" : "fetched, not on the screen yet";
    case "shown":
      return isOver ? "shown until the session ended" : "on the client\u2019s screen";
    case "hidden":
      return "shown, and hidden again";
    case "superseded":
      return "not shown: another took its place before it arrived";
    case "failed":
      return `failed: ${describeFailure(failed ?? "failed")}`;
  }
}

/**
 * @param {string} code of a `RelayError`
 * @param {string} message the relay's own, where it is the relay that refuses
 * @returns {string} why no session is started
 */
export function describeTrouble(code, message) {
  return Object.hasOwn(TROUBLES, code) ? TROUBLES[/** @type {OwnCode} */ (code)] : message;
}

/** @param {SocketState} state @param {number} code @returns {Status} of the relay */
export function describeRelay(state, code) {
  switch (state) {
    case "up":
      return { text: "Server: connected", hint: "", mood: "good" };
    case "refused":
      return { text: "Server: access refused", hint: "", mood: "trouble" };
    case "waiting":
      if (code === CloseCode.RELAY_FULL) return { text: "Server: full, trying again", hint: "", mood: "trouble" };
      return { text: "Server: not in reach, trying again", hint: "", mood: "trouble" };
    default:
      return { text: "Server: connecting …", hint: "", mood: "busy" };
  }
}

/**
 * @param {string} name of the client
 * @param {SessionSituation} situation
 * @returns {Status} of the session
 */
export function describeSession(name, { state, reason, detail, isEnding, current }) {
  if (state === "ended") {
    const isGood = reason === "ended";
    const text = `The session with ${name} has ended.`;
    return { text, hint: endHint(reason, detail), mood: isGood ? "calm" : "trouble" };
  }
  if (isEnding) return { text: "Ending the session …", hint: "", mood: "busy" };
  switch (state) {
    case "connecting":
      return { text: `Connecting to ${name} …`, hint: "", mood: "busy" };
    case "connected":
      return { text: `Connected to ${name}.`, hint: firstHint(current), mood: "good" };
    case "resumed":
      return { text: `Connected to ${name} again.`, hint: firstHint(current), mood: "good" };
    case "suspect":
      return { text: `${name} is not answering.`, hint: "It may yet.", mood: "busy" };
    case "interrupted":
      return {
        text: `The connection to ${name} is interrupted.`,
        hint: "It is being restored. What you show now is sent as soon as it is back.",
        mood: "trouble",
      };
  }
}

/** @param {object | null} current */
function firstHint(current) {
  return current === null ? "Nothing has been shown yet." : "";
}

/** @param {EndReason | null} reason @param {string} detail */
function endHint(reason, detail) {
  const why = reason === null ? "" : (ENDS[reason] ?? "");
  if (reason === "ended" && detail === "the other side has left") return "The client has left.";
  if (reason === "negotiation_failed" && detail !== "") return `${why} (${detail})`;
  return why;
}
