/**
 * Puts together what a record of the evaluator's says, session by session, image by image. It is
 * `imgsync/commands/report/sides.py` for one side; a reload of the page begins with a new header.
 *
 * @import { KnownEvent } from "./events.js"
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Drawn, Response, Timing, Trial } from "../core/protocol/wire.js"
 *
 * @typedef {object} Sight an image came onto the screen, or went from it
 * @property {boolean} isShown
 * @property {number} at client's clock
 * @property {number | null} toldAt when we heard of it; null below no header
 * @property {Timing | null} timing how good that is, as is `within`
 * @property {number} within
 * @property {string | null} reason why it went, where the client says it
 * @property {number | null} frames for how many refreshes of the screen it was up, where the client says it when it goes
 * @property {number | null} dropped how many of these the client missed
 * @property {Drawn | null} drawn how large it is there, where the client says it
 *
 * @typedef {Omit<Response, "type" | "imageIndex" | "sentAt">} Answer of the participant
 * @typedef {Answer & {toldAt: number | null}} ToldAnswer `toldAt`: when we heard of it; null below no header
 * @typedef {{markAt: number, score: number | null, text: string | null}} Mark of the evaluator
 *
 * @typedef {{since: number, devices: string[], troubles: string[]}} Recorded from then on, the participant
 *   was recorded by these devices, with these troubles; client's clock
 *
 * @typedef {object} Showing one image that was to be shown, and what is known of it; `receivedAt`
 *   and the times of the stages are the client's clock, the others the evaluator's; null where
 *   nobody has said
 * @property {number} imageIndex
 * @property {number} sentAt
 * @property {string | null} imageUrl
 * @property {Extra | null} extra what else is said of it
 * @property {Trial | null} trial what is asked of the client beside showing it
 * @property {number | null} receivedAt
 * @property {number | null} ackedAt
 * @property {number | null} copies
 * @property {boolean} wasSuperseded
 * @property {number | null} fetchedAt
 * @property {Map<string, Sight>} sights each once, by what it is and when; in the order of the record
 * @property {number | null} failedAt
 * @property {string | null} failedReason
 * @property {string | null} failedDetail
 * @property {Facts | null} picture what it was, as was said last
 * @property {Map<string, ToldAnswer>} answers each once, by its number and when it was given
 */

import { Reading } from "../core/channel/drift.js";
import { publicUrl } from "../core/protocol/urls.js";
import { OffsetHistory } from "./offsets.js";

/** All that is known of one session: the `SessionRecord` of sides.py. */
export class KnownSession {
  /** By `sentAt` and index, which name a showing. @type {Map<string, Showing>} */
  showings = new Map();
  /** When it was first written of, below a header. */
  firstAt = Infinity;
  /** @type {string | null} */
  evaluatorId = null;
  /** @type {string | null} */
  clientId = null;
  /** @type {Recorded[]} */
  recordings = [];
  /** By what names a showing. @type {Map<string, Mark[]>} */
  #marks = new Map();
  /** @type {Reading[]} */
  #readings = [];
  /** Since when each process has taken part. @type {number[]} */
  #starts = [];
  /** Of what is known so far. @type {OffsetHistory | null} */
  #history = null;

  /** @param {string} sessionId */
  constructor(sessionId) {
    this.sessionId = sessionId;
  }

  /** By which sessions are put into their order. */
  get begin() {
    if (this.firstAt !== Infinity) return this.firstAt;
    const times = [...this.showings.values()].map((showing) => showing.sentAt);
    return times.length === 0 ? 0 : times.reduce((one, other) => Math.min(one, other));
  }

  get history() {
    // When a process took the place of another, whose clock may have been another one.
    const breaks = [...this.#starts].sort((one, other) => one - other).slice(1);
    this.#history ??= new OffsetHistory(this.#readings, breaks);
    return this.#history;
  }

  /** @param {number} sentAt @param {number} imageIndex @returns {Showing | null} */
  find(sentAt, imageIndex) {
    return this.showings.get(keyOf(sentAt, imageIndex)) ?? null;
  }

  /** What the evaluator has noted of a showing. @param {Showing} showing @returns {Mark[]} in the order of time */
  marksOf({ sentAt, imageIndex }) {
    const found = this.#marks.get(keyOf(sentAt, imageIndex)) ?? [];
    return [...found].sort((one, other) => one.markAt - other.markAt);
  }

  /** @param {KnownEvent} mark */
  takeMark({ sentAt, imageIndex, markAt, score, text }) {
    const key = keyOf(sentAt, imageIndex);
    this.#marks.set(key, [...(this.#marks.get(key) ?? []), { markAt, score, text }]);
  }

  /** @param {number} at the first line of a process about this session */
  started(at) {
    this.#starts.push(at);
    this.#history = null;
  }

  /** @param {KnownEvent} probe */
  takeProbe({ t0, t1, t2, t3 }) {
    if (t2 < t1) return; // the clock over there was set in between
    this.#read(Reading.byUs(t0, t1, t2, t3));
  }

  /** @param {KnownEvent} event @param {number | null} toldAt */
  takeImage(event, toldAt) {
    const showing = this.#showing(event.sentAt, event.imageIndex);
    switch (event.event) {
      case "sent":
        showing.imageUrl = publicUrl(event.imageUrl);
        showing.extra ??= event.extra ?? null;
        showing.trial ??= event.trial ?? null;
        showing.copies = Math.max(showing.copies ?? 0, event.copy);
        break;
      case "acked": {
        const { sentAt, receivedAt, ackedAt } = event;
        showing.receivedAt = first(showing.receivedAt, receivedAt);
        showing.ackedAt = first(showing.ackedAt, ackedAt);
        this.#read(Reading.byUs(sentAt, receivedAt, receivedAt, ackedAt));
        break;
      }
      case "superseded":
        showing.wasSuperseded = true;
        break;
      case "picture":
        showing.picture = pictureOf(event);
        break;
      case "response":
        takeAnswer(showing, event, toldAt);
        break;
      case "stage":
        takeStage(showing, event, toldAt);
    }
  }

  /** @param {Reading} reading */
  #read(reading) {
    this.#readings.push(reading);
    this.#history = null;
  }

  /** @param {number} sentAt @param {number} imageIndex */
  #showing(sentAt, imageIndex) {
    const known = this.find(sentAt, imageIndex);
    if (known !== null) return known;
    const showing = newShowing(sentAt, imageIndex);
    this.showings.set(keyOf(sentAt, imageIndex), showing);
    return showing;
  }
}

/** Takes the events of a record one after the other, and holds the sessions that are in it. */
export class Sides {
  /** By id, as they are met. @type {Map<string, KnownSession>} */
  sessions = new Map();
  /** Who writes; null before the first header. @type {string | null} */
  #userId = null;
  /** Sessions that the current process has written of. @type {Set<KnownSession>} */
  #met = new Set();

  /** @param {KnownEvent} event */
  take(event) {
    switch (event.event) {
      case "header":
        this.#userId = event.userId;
        this.#met = new Set();
        break;
      case "acked":
      case "picture":
      case "response":
      case "sent":
      case "stage":
      case "superseded": {
        const session = this.#session(event.sessionId);
        session.takeImage(event, this.#userId === null ? null : event.at);
        this.#noteTime(session, event.at);
        break;
      }
      default: {
        // Nobody knows whose clock it is, or in which session.
        if (this.#userId === null || event.sessionId === null) return;
        const session = this.#session(event.sessionId);
        this.#noteTime(session, event.at);
        if (event.event === "probe") session.takeProbe(event);
        else if (event.event === "session") session.clientId = event.peerId;
        else if (event.event === "mark") session.takeMark(event);
        else if (event.event === "recording") {
          const { since, devices, troubles } = event;
          session.recordings.push({ since, devices, troubles });
        }
      }
    }
  }

  /** @param {string} sessionId */
  #session(sessionId) {
    const known = this.sessions.get(sessionId) ?? new KnownSession(sessionId);
    this.sessions.set(sessionId, known);
    return known;
  }

  /** @param {KnownSession} session @param {number} at */
  #noteTime(session, at) {
    if (this.#userId === null) return;
    session.evaluatorId ??= this.#userId;
    session.firstAt = Math.min(session.firstAt, at);
    if (this.#met.has(session)) return;
    this.#met.add(session);
    session.started(at);
  }
}

/** @param {Showing} showing @param {KnownEvent} event @param {number | null} toldAt */
function takeStage(showing, { stage, stageAt, reason, timing, within, detail, ...more }, toldAt) {
  switch (stage) {
    case "fetched":
      showing.fetchedAt = first(showing.fetchedAt, stageAt);
      break;
    case "shown":
    case "hidden": {
      const key = `${stage} ${stageAt}`;
      const known = showing.sights.get(key);
      // The client says it again on each new channel.
      if (known === undefined || (known.toldAt === null && toldAt !== null)) {
        const told = { at: stageAt, toldAt, timing: timing ?? null, within: within ?? 0 };
        const { frames = null, dropped = null, drawn = null } = more;
        const up = { frames, dropped, drawn };
        const isShown = stage === "shown";
        showing.sights.set(key, { isShown, reason: isShown ? null : reason, ...told, ...up });
      }
      break;
    }
    case "failed":
      if (showing.failedAt === null || stageAt < showing.failedAt) {
        showing.failedAt = stageAt;
        showing.failedReason = reason;
        showing.failedDetail = detail ?? null;
      }
  }
}

/** @param {KnownEvent} event that says so @returns {Facts} */
export function pictureOf({ sha256, contentType, bytes, width, height }) {
  return { sha256, contentType, bytes, width, height };
}

/** @param {Showing} showing @param {KnownEvent} event @param {number | null} toldAt */
function takeAnswer({ answers }, event, toldAt) {
  const key = `${event.number} ${event.responseAt}`;
  const known = answers.get(key);
  const isNews = known === undefined || (known.toldAt === null && toldAt !== null);
  if (isNews) answers.set(key, { ...answerOf(event), toldAt });
}

/** @param {KnownEvent} event that tells of it @returns {Answer} */
export function answerOf({ number, responseAt, kind, value, reactionTime, within, x, y }) {
  return { number, at: responseAt, kind, value, reactionTime, within, x, y };
}

/** @param {number | null} known @param {number} found */
function first(known, found) {
  return known === null ? found : Math.min(known, found);
}

/** @param {number} sentAt @param {number} imageIndex */
function keyOf(sentAt, imageIndex) {
  return `${sentAt} ${imageIndex}`;
}

/** @param {number} sentAt @param {number} imageIndex @returns {Showing} */
function newShowing(sentAt, imageIndex) {
  return {
    imageIndex,
    sentAt,
    imageUrl: null,
    extra: null,
    receivedAt: null,
    ackedAt: null,
    copies: null,
    wasSuperseded: false,
    fetchedAt: null,
    sights: new Map(),
    failedAt: null,
    failedReason: null,
    failedDetail: null,
    picture: null,
    trial: null,
    answers: new Map(),
  };
}
