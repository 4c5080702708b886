/**
 * The record of what happened: one event after the other, in the vocabulary of all peers' records,
 * and what they come to for each showing of an image. It outlives a reload of the page, in the
 * storage of its tab. It never holds a signed URL or a token.
 *
 * @typedef {{at: number, event: string} & Record<string, unknown>} RecordEvent
 *   `at` is in milliseconds since the epoch, by this machine's clock
 *
 * @import { Fate } from "../words/console.js"
 *
 * @typedef {object} Row one showing; times in milliseconds since the epoch, those of `received`,
 *   `fetched`, `shown` and `hidden` by the client's clock
 * @property {string} sessionId
 * @property {string} clientId
 * @property {number} imageIndex
 * @property {string} imageUrl
 * @property {number} sentAt
 * @property {number | null} receivedAt
 * @property {number | null} ackedAt
 * @property {number | null} fetchedAt
 * @property {number | null} shownAt the first time
 * @property {number | null} hiddenAt the last time
 * @property {string | null} failed
 * @property {number | null} roundTrip
 * @property {number | null} copies that were sent until the ack
 * @property {number | null} clockOffset the client's clock minus ours
 * @property {number | null} clockBound by how much that may be wrong
 * @property {Fate} fate
 */

import { formatCsv } from "./csv.js";

/** Events that are written together: each new one has its whole chunk written again. */
const CHUNK = 100;

/** @type {(keyof Row)[]} */
const COLUMNS = [
  "sessionId",
  "clientId",
  "imageIndex",
  "imageUrl",
  "sentAt",
  "receivedAt",
  "ackedAt",
  "fetchedAt",
  "shownAt",
  "hiddenAt",
  "failed",
  "roundTrip",
  "copies",
  "clockOffset",
  "clockBound",
];

/** The version of the vocabulary, which the record shares with the other peers. */
const SCHEMA = 1;

export class SessionRecord {
  /** @type {RecordEvent[]} */
  events = [];
  /** By `sentAt`, which no two showings share. @type {Map<number, Row>} */
  rows = new Map();
  /** Whether a reload would find all of it. */
  isKept = true;
  #storage;
  #key;
  /** Events that are written. */
  #written = 0;
  #isWriteDue = false;

  /**
   * @param {Storage | null} storage null where there is none
   * @param {string} key what its items' keys begin with
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    this.isKept = storage !== null;
    for (let number = 0; ; number += 1) {
      const chunk = storage?.getItem(`${key} ${number}`);
      if (typeof chunk !== "string") break;
      for (const event of /** @type {RecordEvent[]} */ (JSON.parse(chunk))) this.#take(event);
    }
    this.#written = this.events.length;
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
    this.#take({ at, event, ...fields });
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    // Writing takes milliseconds, and what is to be sent now must not wait for it.
    queueMicrotask(() => this.#write());
  }

  #write() {
    this.#isWriteDue = false;
    try {
      while (this.#written < this.events.length) {
        const number = Math.floor(this.#written / CHUNK);
        const chunk = this.events.slice(number * CHUNK, (number + 1) * CHUNK);
        this.#storage?.setItem(`${this.#key} ${number}`, JSON.stringify(chunk));
        this.#written = number * CHUNK + chunk.length;
      }
    } catch {
      this.isKept = false; // it is full
    }
  }

  /** @param {string} sessionId @returns {Row[]} */
  rowsOf(sessionId) {
    return [...this.rows.values()].filter((row) => row.sessionId === sessionId);
  }

  /** @returns {string} one JSON object per line */
  toJsonl() {
    // `show` is our own: the records of the other peers know an image once it is sent.
    const told = this.events.filter(({ event }) => event !== "show");
    return told.map((event) => JSON.stringify(event) + "\n").join("");
  }

  /** @returns {string} one line per showing, under a line of names */
  toCsv() {
    const rows = [...this.rows.values()].map((row) => COLUMNS.map((column) => row[column]));
    return formatCsv([COLUMNS, ...rows]);
  }

  /** @param {RecordEvent} event */
  #take(event) {
    this.events.push(event);
    const said = /** @type {any} */ (event);
    const row = this.rows.get(said.sentAt);
    if (event.event === "show") {
      const { sessionId, clientId, imageIndex, imageUrl, sentAt } = said;
      this.rows.set(sentAt, newRow({ sessionId, clientId, imageIndex, imageUrl, sentAt }));
    } else if (row !== undefined) {
      follow(row, said);
    }
  }
}

/** @param {Row} row @param {any} said */
function follow(row, said) {
  switch (said.event) {
    case "acked":
      if (row.ackedAt !== null) return; // of a page before this one, too
      row.receivedAt = said.receivedAt;
      row.ackedAt = said.at;
      row.roundTrip = said.roundTrip;
      row.copies = said.copies;
      row.clockOffset = said.clockOffset;
      row.clockBound = said.bound;
      // On a new channel, the stages come before the ack.
      if (row.fate === "sent") row.fate = "acked";
      break;
    case "superseded":
      if (row.fate !== "sent") break;
      row.fate = "superseded";
      row.failed = "superseded";
      break;
    case "stage":
      row.fate = said.stage;
      if (said.stage === "fetched") row.fetchedAt = said.stageAt;
      if (said.stage === "shown") row.shownAt ??= said.stageAt;
      if (said.stage === "hidden") row.hiddenAt = said.stageAt;
      if (said.stage === "failed") row.failed = said.reason ?? "failed";
  }
}

/**
 * @param {Pick<Row, "sessionId" | "clientId" | "imageIndex" | "imageUrl" | "sentAt">} about
 * @returns {Row}
 */
function newRow(about) {
  return {
    ...about,
    receivedAt: null,
    ackedAt: null,
    fetchedAt: null,
    shownAt: null,
    hiddenAt: null,
    failed: null,
    roundTrip: null,
    copies: null,
    clockOffset: null,
    clockBound: null,
    fate: "sent",
  };
}
