/**
 * What the console says, in plain words; of lists of images, see manifest.js. People count from 1,
 * `imageIndex` from 0.
 *
 * @import { EndReason, Presence, Timing } from "../core/protocol/wire.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Bounded } from "../core/channel/drift.js"
 * @import { SocketState } from "../peer/socket.js"
 * @import { OwnCode } from "../peer/starting.js"
 * @import { SessionState } from "../peer/session.js"
 *
 * @typedef {"sent" | "acked" | "fetched" | "shown" | "hidden" | "failed" | "superseded"} Fate of a
 *   showing
 * @typedef {{fate: Fate, failed: string | null, detail: string, isOther: boolean}} Outcome `failed`: why
 *   it was not shown; `detail`: what else is known of that, in the client's words; `isOther`: the image was
 *   another picture before
 *
 * @typedef {object} SessionSituation
 * @property {SessionState} state
 * @property {EndReason | null} reason why it has ended
 * @property {string} detail
 * @property {boolean} wasConnected
 * @property {boolean} isEnding it has been asked to end
 * @property {boolean} isGone the server has lost the client, which says nothing to us either
 * @property {object | null} current what is shown
 *
 * @typedef {"open" | "unsure" | "waiting" | "over"} Phase of the session: there is a connection; there
 *   is one, and nobody answers on it; one is being made; there will be none
 * @typedef {{text: string, hint: string, mood: "calm" | "good" | "busy" | "trouble"}} Status
 */

import { Cause, FEATURE_TEXT } from "../core/protocol/numbers.js";
import { describeServer } from "./console_relay.js";

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

/** @param {SocketState} state @param {Obstacle | null} obstacle @returns {Status} of the relay */
export function describeRelay(state, obstacle) {
  switch (state) {
    case "up":
      return { text: "Server: connected", hint: "", mood: "good" };
    case "refused":
      return { text: "Server: access refused", hint: "", mood: "trouble" };
    default:
      // Try after try is one and the same to those who wait.
      if (obstacle === null) return { text: "Server: connecting …", hint: "", mood: "busy" };
      return { text: describeServer(obstacle), hint: "", mood: "trouble" };
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
export function describeSession(name, situation) {
  const { state, reason, detail, wasConnected, isEnding, isGone, current } = situation;
  if (state === "ended") {
    const isGood = reason === "ended" && wasConnected;
    const hint = reason === null ? "" : describeEnd(reason, detail, wasConnected);
    return { text: `The session with ${name} has ended.`, hint, mood: isGood ? "calm" : "trouble" };
  }
  if (isEnding) return { text: "Ending the session …", hint: "", mood: "busy" };
  const isOpen = state === "connected" || state === "resumed";
  if (isGone && isOpen) return { text: `${name} has left the server.`, hint: NOT_HEARD, mood: "busy" };
  switch (state) {
    case "connecting":
      return { text: `Connecting to ${name} …`, hint: "", mood: "busy" };
    case "connected":
      return { text: `Connected to ${name}.`, hint: firstHint(current), mood: "good" };
    case "resumed":
      return { text: `Connected to ${name} again.`, hint: pathHint(detail) || firstHint(current), mood: "good" };
    case "suspect":
      return { text: `${name} is not answering.`, hint: pathHint(detail) || NOT_HEARD, mood: "busy" };
    case "interrupted":
      return {
        text: `The connection to ${name} is interrupted.`,
        hint: pathHint(detail) || "It is being restored. What you show now is sent as soon as it is back.",
        mood: "trouble",
      };
  }
}

const NOT_HEARD = "It may come back. What is on its screen now is not known.";

/** @param {string} detail */
function pathHint(detail) {
  return detail.includes(Cause.PATH_MTU)
    ? "Large messages seem to be lost on the way: a network in between, often a VPN, passes on small packets " +
        "only (path MTU). Whoever runs it can help; without the VPN it may work."
    : "";
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

/** What the server has said last may be so no more. */
const NOT_KNOWN = "not known while the server is not in reach";

/** @type {Record<Phase, string>} */
const OURS = {
  open: "in session with you",
  unsure: "in session with you, not answering",
  waiting: "in session with you, not connected",
  over: "available",
};

/** Of a page that nobody has touched: no session can begin on it. */
export const AT_DOOR = "has the page open, has not touched “I am ready” yet";

/** @param {Presence["state"]} state @param {boolean} isKnown whether the server is there to say it */
export function namePresence(state, isKnown) {
  if (!isKnown) return NOT_KNOWN;
  return state === "waiting" ? AT_DOOR : state;
}

/** @param {Phase} phase of our session with this client @param {boolean} isOffline */
export function nameOurs(phase, isOffline) {
  return isOffline ? `offline; ${OURS[phase]}` : OURS[phase];
}

/** @param {string} userId @param {string} [name] which may be none, or the same */
export function describeClient(userId, name = "") {
  return name === "" || name === userId ? userId : `${name} (${userId})`;
}

/** @param {string} name @param {boolean} isWaiting whether nobody has touched its page yet */
export function describeStart(name, isWaiting) {
  return isWaiting ? `No session yet: ${name} ${AT_DOOR}` : `Start a session with ${name}`;
}

/** @param {number} clients @param {boolean} isKnown */
export function countOnline(clients, isKnown) {
  return isKnown ? `${clients} online` : NOT_KNOWN;
}

// ── the images ───────────────────────────────────────────────────────────────────────────────────

export const CANT_SHOW = "This image can\u2019t be shown here.";
export const SEEN_BY_YOU = "Only you see this.";
export const SHOWN_SOON = "It is shown as soon as the session begins.";

/** Where nothing is current. @param {boolean} isLive whether there is a session */
export function describeNothing(isLive) {
  return isLive ? "The client sees nothing yet. Next shows image 1." : "Next shows image 1 to you alone.";
}

/**
 * @param {{images: readonly object[], name: string, token: string | null, readAt: number} | null} series
 *   `name` of its list, folder or file; `token`: of pictures from the evaluator's own disk
 * @param {number} now
 */
export function describeSeries(series, now) {
  if (series === null) return "none yet";
  const { images, name, token, readAt } = series;
  const what = images.length === 1 ? "1 image" : `${images.length} images, 1 to ${images.length}`;
  const where = token === null ? `list ${name}` : name ? `${name} on this device` : "from this device";
  return `${what}; ${where}, read ${describeAge(now - readAt)}`;
}

/** @param {number} ms */
export function describeAge(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

/** @param {number} index @param {string} name of its file */
export function nameImage(index, name) {
  return `Image ${index + 1}, ${name}`;
}

/** @param {number} index @param {string} name of its file */
export function captionImage(index, name) {
  return `${index + 1} · ${name}`;
}

// ── what becomes of them ─────────────────────────────────────────────────────────────────────────

/** @type {Record<string, string>} */
const FAILURES = {
  superseded: "passed over: the next image came first",
  crowded_out: "too many others were still to be loaded",
  hidden_tab: "the client's page was not in view",
  resized: "its size changed on the client's screen",
  zoomed: "the client's page was zoomed",
  timeout: "it took too long to load",
  bad_url: "its address is none of a web server",
  unreachable: "its server can't be reached",
  unknown_host: "no server of its name is known",
  tls: "its server has no certificate that the client trusts",
  proxy: "the client's proxy stands in the way",
  bad_answer: "what answers at its address is no web server",
  bad_redirect: "its server leads to an address that is none",
  redirect_loop: "its server leads round in a circle",
  bad_encoding: "what its server has packed can't be unpacked",
  bad_range: "its server sent another part than was asked for",
  session_over: "the session ended first",
  not_an_image: "what came is no image",
  fetch: "it could not be fetched",
  decode: "it is damaged, or of a form that browsers don\u2019t show",
  truncated: "its end is missing",
  too_large: "it is too large",
  unsupported_type: "it is of an unknown type",
  changed: "its file was changed after it was opened: open it again",
  unreadable: "its file is gone, or can\u2019t be read any more",
  bad_hash: "other bytes came than were sent",
  not_offered: "it was not to be shown to this client",
};

/** @type {Record<Fate, string>} */
const FATES = {
  sent: "sent",
  acked: "received",
  fetched: "loaded",
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
  const type = /^type_(.+)$/.exec(reason)?.[1];
  if (type !== undefined) return `it is ${type}, which browsers don\u2019t show`;
  return (Object.hasOwn(FAILURES, reason) && FAILURES[reason]) || reason.replaceAll("_", " ");
}

/** @param {Outcome} outcome @param {Phase} phase @returns {string} in one or two words */
export function nameFate({ fate }, phase) {
  if (fate === "sent" && phase === "waiting") return "waiting";
  return fate === "shown" && isLastWord(phase) ? "not known" : FATES[fate];
}

/** @param {Outcome} outcome @param {Phase} phase @returns {string} */
export function describeFate(outcome, phase) {
  const fate = describeFateAlone(outcome, phase);
  return outcome.isOther ? `${fate}; this was not the same picture as in a showing before, by its SHA-256` : fate;
}

/** @param {Facts} picture @returns {string} */
export function describePicture({ sha256, contentType, bytes, width, height }) {
  const pixels = width === null || height === null ? "" : ` ${width} \u00d7 ${height},`;
  return `${contentType},${pixels} ${formatBytes(bytes)}, SHA-256 ${sha256.slice(0, 12)}\u2026`;
}

/** As a report has it. @param {number} bytes */
function formatBytes(bytes) {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return bytes < 999_950 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {Outcome} outcome @param {Phase} phase @returns {string} */
function describeFateAlone({ fate, failed, detail }, phase) {
  const isOver = phase === "over";
  const isOld = isLastWord(phase);
  switch (fate) {
    case "sent":
      if (isOver) return "never received";
      return phase === "waiting" ? "waits for the connection" : "sent, not received yet";
    case "acked":
      return isOver ? "received" : "received by the client";
    case "fetched":
      if (isOld) return "was loaded when the client was last heard of";
      return isOver ? "loaded" : "loaded, not on the screen yet";
    case "shown":
      if (isOld) return "was shown when the client was last heard of";
      return isOver ? "shown until the session ended" : "on the client\u2019s screen";
    case "hidden":
      return "shown, and hidden again";
    case "superseded":
      return "not shown: it never reached the client, as far as is known";
    case "failed":
      return `failed: ${describeFailure(failed ?? "failed")}${detail ? `: ${detail}` : ""}`;
  }
}

/** Whether what the client has said last may be so no more. @param {Phase} phase */
function isLastWord(phase) {
  return phase === "unsure" || phase === "waiting";
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
  return `Image ${index + 1}: ${describeFate(outcome, phase)}`;
}

/** @param {number} index of an image that was to be shown */
export function describeTooLong(index) {
  return `Image ${index + 1} was not shown: its address is too long for this client.`;
}

/** @param {number} index of what was to be shown @param {string} feature that the client would have to speak */
export function describeUnsendable(index, feature) {
  if (feature === FEATURE_TEXT) {
    return (
      `Image ${index + 1} was not shown: it is a text, and the client’s program can’t show texts. Have the client` +
      " open this server’s page in a browser, or update its program."
    );
  }
  return (
    `Image ${index + 1} was not shown: it comes from this computer, and the client’s program can’t take pictures` +
    " from here. Have the client open this server’s page in a browser, or update its program; or show images" +
    " that have web addresses."
  );
}

/** What is the matter with the recording of a participant, by the client's short words. @type {Record<string, string>} */
const RECORDING_TROUBLES = {
  unknown_request: "the client’s link asks for something that can’t be recorded",
  not_secure: "the client’s page has no address that begins with https",
  cant_record: "the client’s browser can’t record",
  not_kept: "the client’s browser keeps no recordings",
  refused: "the participant does not want it",
  storage_full: "the client’s device has no room left",
  storage_lost: "the client’s browser can’t reach its storage; what is recorded is held in memory",
  recording_lost: "a recording could not be kept",
  upload_unreadable: "the server for recordings does not let the client’s page read its answers",
  upload_not_https: "the address for recordings begins with http, the client’s page with https",
  upload_redirect: "the address for recordings leads to another one",
  upload_damaged: "the client’s browser has lost a part of a recording",
};

/** @type {Record<string, string>} */
const DEVICE_TROUBLES = {
  ended: "has gone or was switched off",
  muted: "is muted by its device",
  missing: "was not found",
  in_use: "can’t be used; perhaps another program does",
  denied: "may not be used by the page: the participant or the browser forbids it",
  policy: "may not be used by the page: the website forbids it",
  system: "may not be used by the browser: the settings of the device forbid it",
};

/**
 * While the client fetches what was announced.
 *
 * @param {{announced: number, there: number, failed: number, full?: boolean}} said
 * @returns {string} nothing once all is there
 */
export function describePreloaded({ announced, there, failed, full = false }) {
  const lost = failed === 0 ? "" : `; ${failed} could not be loaded, and will be tried again`;
  const room = full ? "; it has no room for more until some of them were shown" : "";
  return there === announced ? "" : `${there} of ${announced} images are with the client${lost}${room}.`;
}

/** @param {string} trouble */
function nameTrouble(trouble) {
  const [, kind, state = ""] = /^(camera|microphone)_(.+)$/.exec(trouble) ?? [];
  if (DEVICE_TROUBLES[state] !== undefined) return `the ${kind} ${DEVICE_TROUBLES[state]}`;
  const [, status] = /^upload_http_(\d+)$/.exec(trouble) ?? [];
  if (status !== undefined) return `the server for recordings refuses them (${status})`;
  return RECORDING_TROUBLES[trouble] ?? trouble;
}

/**
 * @param {readonly string[]} devices that are recorded
 * @param {readonly string[]} troubles as the client tells them
 * @returns {string} empty where all is well
 */
export function describeRecording(devices, troubles) {
  if (troubles.length === 0) return "";
  const by = devices.length === 0 ? "is not recorded" : `is recorded by ${devices.join(" and ")}`;
  return `The participant ${by}: ${troubles.map(nameTrouble).join("; ")}.`;
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
 * @param {{isKept: boolean, isOld: boolean, unsaved: number}} store `isKept`: whether the browser keeps
 *   all of it; `isOld`: whether some of it will be dropped soon; `unsaved`: showings that were not
 *   downloaded
 * @param {number} days for which it is kept
 */
export function describeRecord(showings, sessions, { isKept, isOld, unsaved }, days) {
  if (showings === 0 && isKept) return "";
  const what = `${plural(showings, "showing")} in ${plural(sessions, "session")}.`;
  if (!isKept) {
    return `${what} This browser keeps nothing for this page: it is all in this window only. Download it before you close it.`;
  }
  if (isOld) {
    return `${what} Some of it is older than ${days} days, and is removed from this browser when this page is opened from tomorrow on. Download the full record before.`;
  }
  const until = unsaved === 0 ? "until this page is opened anew" : "until you download the full record or remove it";
  return `${what} Kept in this browser, on this device, ${until}: the record with the ids of clients and you, and the list of images with its permissions.`;
}

/**
 * Of a session that was left without an end.
 *
 * @param {string} clientId
 * @param {number | null} index of what was shown
 * @param {string} age
 */
export function describeOffer(clientId, index, age) {
  const where = index === null ? "before the first image" : `at image ${index + 1}`;
  return `A session with ${clientId} was left ${age}, ${where}.`;
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

/** What the time of an onset is. @type {Record<Timing, string>} */
const TIMINGS = { presented: "presented", frame: "put up" };

/**
 * @param {number | null} latency
 * @param {number | null} bound
 * @param {Timing | null} timing null where the client does not say it
 * @returns {string} empty where nothing is known
 */
export function describeDelay(latency, bound, timing) {
  if (latency === null || bound === null) return "";
  const known = timing === null ? "" : `, ${TIMINGS[timing]}`;
  return `${formatNumber(latency)} \u00b1\u00a0${formatNumber(bound)}${known}`;
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
