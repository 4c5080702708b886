/**
 * The record of what happened: one event after the other, in the vocabulary of all peers' records,
 * and what they come to for each showing of an image. It never holds a signed URL or a token.
 *
 * @typedef {{at: number, event: string} & Record<string, unknown>} RecordEvent
 *   `at` is in milliseconds since the epoch, by this machine's clock
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { KnownEvent } from "./events.js"
 * @import { Answer, Mark } from "./sides.js"
 * @import { Row } from "./rows.js"
 * @import { Fate } from "../words/console.js"
 *
 * @typedef {object} Standing where one showing stands, which may not have been sent yet; its times
 *   are those of the CSV: see `measured`
 * @property {string} sessionId
 * @property {number} imageIndex
 * @property {string} imageUrl
 * @property {number} sentAt milliseconds since the epoch
 * @property {Fate} fate
 * @property {string | null} failed why it was not shown
 * @property {string} detail what else is known of that
 * @property {Extra | null} extra what else is said of the image
 * @property {Facts | null} own which picture it is, where its bytes are ours to send
 * @property {Facts | null} picture which picture it was, as far as that is known
 * @property {boolean} isOther whether its image was another picture in a showing before
 * @property {Answer[]} responses of the participant, as they came
 * @property {Mark[]} marks of the evaluator, as they were made
 */

import { SCHEMA } from "../core/protocol/numbers.js";
import { encodeText } from "../core/protocol/wire.js";
import { recognize } from "./events.js";
import { makeRow, makeRows } from "./rows.js";
import { Sides, answerOf, pictureOf } from "./sides.js";
import { writeCsv } from "./table.js";

export class Journal {
  /** All of them: they are what is downloaded. @type {RecordEvent[]} */
  events = [];
  /** By `sentAt`, which no two showings share. @type {Map<number, Standing>} */
  rows = new Map();
  #sides = new Sides();
  /** The SHA-256 that an image had first, by what names it. @type {Map<string, string>} */
  #firsts = new Map();
  #keep;

  /**
   * @param {readonly RecordEvent[]} earlier what pages before this one have kept
   * @param {(event: RecordEvent) => void} [keep] this one, too
   */
  constructor(earlier, keep = () => {}) {
    this.#keep = keep;
    for (const event of earlier) this.#append(event);
  }

  get lastSentAt() {
    return [...this.rows.keys()].at(-1) ?? 0;
  }

  /** What follows is of this page, and by its clock. @param {string} userId @param {number} at */
  begin(userId, at) {
    this.add(at, "header", {
      schema: SCHEMA,
      role: "evaluator",
      userId,
      version: "console",
      python: "",
      system: navigator.userAgent,
      libraries: {},
      wallClock: Date.now(),
      monotonicClock: performance.now(),
    });
  }

  /** @param {number} at @param {string} event @param {object} [fields] */
  add(at, event, fields = {}) {
    const added = { at, event, ...fields };
    this.#append(added);
    this.#keep(added);
  }

  /** Of a session, in their order. @param {string} sessionId @returns {Standing[]} */
  rowsOf(sessionId) {
    return [...this.rows.values()].filter((row) => row.sessionId === sessionId);
  }

  /**
   * @param {Pick<Standing, "sessionId" | "sentAt" | "imageIndex">} about
   * @returns {Row | null} its row of the CSV, by all that is known now; null where it has none
   */
  measured({ sessionId, sentAt, imageIndex }) {
    const session = this.#sides.sessions.get(sessionId);
    const showing = session?.find(sentAt, imageIndex);
    return session && showing ? makeRow(session, showing) : null;
  }

  /** @returns {string} one JSON object per line */
  toJsonl() {
    return this.events.map((event) => lineOf(event)).join("");
  }

  /** @returns {string} what `imgsync report` makes of these lines, as report.csv */
  toCsv() {
    return writeCsv(makeRows(this.#sides.sessions.values()));
  }

  /** @param {RecordEvent} event */
  #append(event) {
    this.events.push(event);
    const known = recognize(event);
    if (event.event === "show") {
      const { sessionId, imageIndex, imageUrl, sentAt, extra = null, own = null } = /** @type {any} */ (event);
      const fate = /** @type {Fate} */ ("sent");
      const found = { picture: null, isOther: false, responses: [], marks: [] };
      const standing = { fate, failed: null, detail: "", ...found };
      this.rows.set(sentAt, { sessionId, imageIndex, imageUrl, sentAt, extra, own, ...standing });
    } else if (event.event === "passed_by") {
      const row = this.rows.get(/** @type {any} */ (event).sentAt);
      if (row !== undefined) passBy(row);
    } else if (known !== null) {
      this.#sides.take(known);
      const row = this.rows.get(known.sentAt);
      if (row === undefined) return;
      follow(row, known);
      if (row.picture !== null) this.#compare(row, row.picture);
    }
  }

  /** @param {Standing} row @param {Facts} picture that it is */
  #compare(row, { sha256 }) {
    const first = this.#firsts.get(row.imageUrl) ?? sha256;
    this.#firsts.set(row.imageUrl, first);
    row.isOther ||= first !== sha256;
  }
}

/**
 * Nothing for `show` and `passed_by`, which are our own: the records of the other peers know an image
 * once it is sent. Nor for what a client says that is not of the vocabulary.
 *
 * @param {RecordEvent} event
 */
function lineOf(event) {
  const known = recognize(event);
  // Python and others take more than a line feed for the end of a line, in a text that is not ASCII.
  return known === null ? "" : encodeText(JSON.stringify(known)) + "\n";
}

/** A later one is on the screen. @param {Standing} row */
function passBy(row) {
  row.fate = "failed";
  row.failed = "superseded";
  row.detail = "";
}

/** @param {Standing} row @param {KnownEvent} known */
function follow(row, known) {
  switch (known.event) {
    case "acked":
      // On a new channel, the stages come before the ack.
      if (row.fate === "sent") row.fate = "acked";
      break;
    case "superseded":
      if (row.fate !== "sent") break;
      row.fate = "superseded";
      row.failed = "superseded";
      break;
    case "picture":
      row.picture = pictureOf(known);
      break;
    case "response":
      row.responses.push(answerOf(known));
      break;
    case "mark": {
      const { markAt, score, text } = known;
      row.marks.push({ markAt, score, text });
      break;
    }
    case "stage":
      // Fetching may take longer than showing.
      if (known.stage === "fetched" && row.fate !== "sent" && row.fate !== "acked") break;
      row.fate = known.stage;
      if (known.stage !== "failed") break;
      row.failed = known.reason ?? "failed";
      row.detail = known.detail ?? "";
  }
}
