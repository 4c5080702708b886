/**
 * What the console says, in plain words; of manifests, see manifest.js.
 *
 * @import { EndReason, Presence } from "../core/protocol/wire.js"
 * @import { Bounded } from "../core/channel/clocks.js"
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
 * @property {boolean} wasConnected
 * @property {boolean} isEnding it has been asked to end
 * @property {object | null} current what is shown
 *
 * @typedef {"open" | "waiting" | "over"} Phase of the session: there is a connection, one is being
 *   made, there will be none
 * @typedef {{text: string, hint: string, mood: "calm" | "good" | "busy" | "trouble"}} Status
 */

import { CloseCode } from "../core/protocol/numbers.js";

// ── the session ──────────────────────────────────────────────────────────────────────────────────

/** @type {Status} */
export const INCOMPLETE = {
  text: "This link is incomplete.",
  hint: "It has to say who you are: add ?user=ID to it.",
  mood: "trouble",
};

/** @type {Status} */
export const UNABLE = {
  text: "This browser can\u2019t have sessions.",
  hint:
    "Its WebRTC is missing or turned off, as by an extension or in Lockdown Mode. " +
    "Open this page in Chrome, Edge, Firefox or Safari.",
  mood: "trouble",
};

/** @type {Status} */
export const NO_SESSION = { text: "No session.", hint: "Start one with a client below.", mood: "calm" };

/** @type {Status} */
export const NOT_VALID = { text: "This link is not valid.", hint: "Ask for a new one.", mood: "trouble" };

/** @type {Record<EndReason, string>} */
const ENDS = {
  ended: "It ended in good order.",
  replaced: "Another session with this client took its place.",
  peer_gone: "The client has gone and did not come back.",
  claimed_elsewhere: "It went on in another window.",
  relay_shutdown: "The server was shut down before there was a connection.",
  token_expired: "The token of one of the two sides expired. Ask for a new one.",
  connection_lost: "The connection was lost and could not be restored.",
  connect_timeout: "No connection to the client came about. A firewall may be in the way.",
  negotiation_failed: "The two sides could not agree on a connection.",
  unsupported: "One of the two sides can\u2019t make such a connection.",
  signalling_lost: "The server was lost before there was a connection.",
};

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

/** @param {string} text of the session's status */
export function titlePage(text) {
  return `${text} imgsync console`;
}

/** @param {string} userId */
export function nameEvaluator(userId) {
  return `Evaluator ${userId}`;
}

/** @param {string} name of the client @returns {Status} of a session that is being started, or taken up */
export function describeWaiting(name) {
  return { text: `Waiting for ${name} …`, hint: "", mood: "busy" };
}

/**
 * @param {string} name of the client
 * @param {SessionSituation} situation
 * @returns {Status} of the session
 */
export function describeSession(name, { state, reason, detail, wasConnected, isEnding, current }) {
  if (state === "ended") {
    const isGood = reason === "ended" && wasConnected;
    const hint = reason === null ? "" : describeEnd(reason, detail, wasConnected);
    return { text: `The session with ${name} has ended.`, hint, mood: isGood ? "calm" : "trouble" };
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

/**
 * Why it has ended, and what there is to say beside it.
 *
 * @param {EndReason} reason
 * @param {string} detail
 * @param {boolean} wasConnected
 */
export function describeEnd(reason, detail, wasConnected) {
  const why = reason === "ended" && !wasConnected ? "It ended before there was a connection." : ENDS[reason];
  return detail === "" ? why : `${why} (${detail})`;
}

// ── the clients ──────────────────────────────────────────────────────────────────────────────────

export const START = "Start";

/** @type {Record<Presence["state"] | "ours", string>} */
const PRESENCES = {
  available: "available",
  busy: "busy",
  offline: "offline",
  ours: "in session with you",
};

/** @param {Presence["state"] | "ours"} state */
export function namePresence(state) {
  return PRESENCES[state];
}

/** @param {string} userId @param {string} [name] which may be none, or the same */
export function describeClient(userId, name = "") {
  return name === "" || name === userId ? userId : `${name} (${userId})`;
}

/** @param {string} name */
export function describeStart(name) {
  return `Start a session with ${name}`;
}

/** @param {number} clients */
export function countOnline(clients) {
  return `${clients} online`;
}

// ── the images ───────────────────────────────────────────────────────────────────────────────────

export const CANT_SHOW = "This image can\u2019t be shown here.";
export const SEEN_BY_YOU = "Only you see this.";

/** Where nothing is current. @param {boolean} isLive whether there is a session */
export function describeNothing(isLive) {
  return isLive ? "The client sees nothing yet. Next shows image 0." : "Next shows image 0 to you alone.";
}

/** @param {number} count @param {string} name of the manifest */
export function describeSeries(count, name) {
  if (count === 0) return "none yet";
  const what = count === 1 ? "1 image" : `${count} images, 0 to ${count - 1}`;
  return `${what}; manifest ${name}`;
}

/** @param {number} index @param {string} name of its file */
export function nameImage(index, name) {
  return `Image ${index}, ${name}`;
}

/** @param {number} index @param {string} name of its file */
export function captionImage(index, name) {
  return `${index} · ${name}`;
}

// ── what becomes of them ─────────────────────────────────────────────────────────────────────────

/** @type {Record<string, string>} */
const FAILURES = {
  superseded: "passed over: the next image came first",
  hidden_tab: "the client's page was not in view",
  resized: "its size changed on the client's screen",
  timeout: "it took too long to load",
  bad_url: "its URL is none of a web server",
  unreachable: "its server can't be reached",
  not_an_image: "what came is no image",
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
 * To those who can't see it.
 *
 * @param {number} index
 * @param {string} name of its file
 * @param {Outcome | undefined} outcome
 * @param {Phase} phase
 */
export function describeThumb(index, name, outcome, phase) {
  const image = nameImage(index, name);
  return outcome === undefined ? image : `${image}, ${describeFate(outcome, phase)}`;
}

/** To be read out. @param {number} index @param {Outcome} outcome @param {Phase} phase */
export function announceFate(index, outcome, phase) {
  return `Image ${index}: ${describeFate(outcome, phase)}`;
}

/** @param {number} index of an image that was to be shown */
export function describeTooLong(index) {
  return `Image ${index} was not shown: its address is too long for this client.`;
}

/**
 * @param {string} code of a `RelayError`
 * @param {string} message the relay's own, where it is the relay that refuses
 * @returns {string} why no session is started
 */
export function describeTrouble(code, message) {
  return Object.hasOwn(TROUBLES, code) ? TROUBLES[/** @type {OwnCode} */ (code)] : message;
}

/**
 * @param {number} showings
 * @param {number} sessions
 * @param {boolean} isKept whether a reload would find all of it
 */
export function describeRecord(showings, sessions, isKept) {
  if (showings === 0 && isKept) return "";
  const where = isKept
    ? "kept in this tab until you close it."
    : "but this browser can\u2019t keep all over a reload. Download them before.";
  return `${plural(showings, "showing")} in ${plural(sessions, "session")}, ${where}`;
}

/** @param {number} count @param {string} what */
function plural(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

// ── how long it takes ────────────────────────────────────────────────────────────────────────────

/** @param {number} ms @returns {string} with as many digits as make sense, without the unit */
export function formatNumber(ms) {
  return ms.toFixed(Math.abs(ms) < 100 ? 1 : 0).replace("-", "\u2212");
}

/** @param {number} ms @returns {string} */
function formatMs(ms) {
  return `${formatNumber(ms)}\u00a0ms`;
}

/** @param {number | null} latency @param {number | null} bound @returns {string} empty where nothing is known */
export function describeDelay(latency, bound) {
  if (latency === null || bound === null) return "";
  return `${formatNumber(latency)} \u00b1\u00a0${formatNumber(bound)}`;
}

/** @param {{last: number, median: number, bound?: number | undefined} | null} times null for none yet */
export function describeSpread(times) {
  if (times === null) return "not measured yet";
  const { last, median, bound } = times;
  const within = bound === undefined ? "" : ` \u00b1\u00a0${formatMs(bound)}`;
  return `${formatMs(last)}${within}, median ${formatMs(median)}`;
}

/** @param {Bounded | null} offset of the client's clock */
export function describeClock(offset) {
  if (offset === null) return "not compared yet";
  const { value, bound } = offset;
  const side = value < 0 ? "behind" : "ahead";
  const within = `\u00b1\u00a0${formatMs(bound)} (about half the shortest round trip)`;
  return `${formatMs(Math.abs(value))} ${side}, ${within}`;
}

/** The drawing, to those who can't see it. @param {number} count @param {string} roundTrip @param {string} oneWay */
export function describePlot(count, roundTrip, oneWay) {
  return `The last ${count} round trips: ${roundTrip}. One way: ${oneWay}.`;
}
