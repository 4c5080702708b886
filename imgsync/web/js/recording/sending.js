/**
 * Which recording is sent next, after which pause, and what comes of it. It decides and does nothing.
 *
 *     next ──▶ post ──▶ 2xx ──▶ taken
 *                  ├──▶ 408, 425, 429, 5xx, no network ──▶ later, after a pause that grows
 *                  ├──▶ any other answer, or storage has lost a part ──▶ refused: it is sent no more
 *                  └──▶ no answer that can be read, though the server is there, and that several times
 *                                   in a row ──▶ unreadable: none is sent, as it may have them all
 *
 * What is not sent any more is tried again when somebody asks for it, by the next page that is loaded,
 * and when the relay names another address: the server may have been mended meanwhile.
 *
 * @import { Row } from "./store.js"
 *
 * @typedef {object} Answer to a post
 * @property {"answered" | "redirected" | "blocked" | "failed" | "damaged"} kind `blocked`: the
 *   browser lets no page post there; `failed`: nothing came back that this page can read; `damaged`: it
 *   can't be read from storage
 * @property {number} [status] of HTTP, of one that was answered
 * @property {number} [wish] for how many milliseconds the server asks to be left alone
 * @property {boolean} [isThere] of one that failed: whether its server answers anything
 * @property {boolean} [isOpen] and whether this page may read that
 */

import { RETRIED_STATUSES } from "../core/protocol/numbers.js";

/** At most, but for what the server asks for. */
const MAX_PAUSE_MS = 60_000;
const MAX_WISH_MS = 3_600_000;
/** So many posts in a row without an answer that can be read are no accident. */
const UNREADABLE_AFTER = 3;
/** The same of a server whose other answers can be read; a poor network loses large posts alone. */
const UNREADABLE_IF_OPEN_AFTER = 8;

export class Sending {
  /** Posts in a row that are to be tried again. */
  failures = 0;
  /** By the key of what is sent no more: why, in a word for programs. @type {Map<number, string>} */
  refused = new Map();
  /** Whether the server takes posts, as far as can be seen, and does not let this page know. */
  isUnreadable = false;
  /** Failed ones, by the key of the recording. @type {Map<number, number>} */
  #tries = new Map();
  #unread = 0;
  /** Of ours, and what the server has asked for; milliseconds. */
  #pause = 0;
  #wish = 0;

  /** Somebody asks for it, or another server takes them now. */
  renew() {
    this.failures = this.#unread = 0;
    this.rested();
    this.refused.clear();
    this.#tries.clear();
    this.isUnreadable = false;
  }

  /** The network is back. */
  hurry() {
    this.#pause = 0;
  }

  /** The pause is over. */
  rested() {
    this.#pause = this.#wish = 0;
  }

  /**
   * @param {readonly Row[]} rows that may go to the server
   * @returns {Row | undefined} the next one; undefined where none is to be sent
   */
  next(rows) {
    if (this.isUnreadable) return undefined;
    const left = rows.filter(({ key }) => !this.refused.has(key));
    // One that is not taken is not to keep back those behind it.
    return left.sort((one, other) => this.#triesOf(one.key) - this.#triesOf(other.key))[0];
  }

  /** Milliseconds until the next one may be sent, from the last answer on. */
  get pause() {
    return Math.max(this.#pause, this.#wish);
  }

  /**
   * This came of a post.
   *
   * @param {number} key of its recording
   * @param {Answer} answer
   * @param {number} chance from 0 to 1
   * @returns {boolean} whether the server has it
   */
  settle(key, answer, chance) {
    const { kind, status = 0, wish = 0 } = answer;
    if (kind !== "failed" && kind !== "damaged") this.#unread = 0;
    if (kind === "answered" && status >= 200 && status < 300) {
      this.failures = 0;
      this.#tries.delete(key);
      return true;
    }
    const refusal = refusalOf(answer);
    if (refusal !== null) {
      this.refused.set(key, refusal);
      return false;
    }
    this.failures += 1;
    this.#tries.set(key, this.#triesOf(key) + 1);
    if (answer.isThere) this.#unread += 1;
    this.isUnreadable = this.#unread >= (answer.isOpen ? UNREADABLE_IF_OPEN_AFTER : UNREADABLE_AFTER);
    const pause = Math.min(MAX_PAUSE_MS, 1000 * 2 ** Math.min(this.failures, 10));
    this.#pause = pause * (0.5 + chance / 2);
    this.#wish = Math.min(MAX_WISH_MS, wish);
    return false;
  }

  /** @param {number} key */
  #triesOf(key) {
    return this.#tries.get(key) ?? 0;
  }
}

/** @param {Answer} answer that is no 2xx @returns {string | null} why it is for good; null where it is not */
function refusalOf({ kind, status = 0 }) {
  switch (kind) {
    case "damaged":
      return "damaged";
    case "blocked":
      return "not_https";
    case "redirected":
      return "redirect";
    case "failed":
      return null;
    case "answered":
      return status >= 500 || RETRIED_STATUSES.includes(status) ? null : `http_${status}`;
  }
}

/**
 * What `Retry-After` asks for: a number of seconds, or a date.
 *
 * @param {string | null} header
 * @param {number} date now, in milliseconds since the epoch
 * @returns {number} milliseconds; 0 where there is nothing that can be read
 */
export function readRetryAfter(header, date) {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // A browser reads much else as a date.
  const wish = / GMT$/.test(text) ? Date.parse(text) - date : 0;
  return wish > 0 ? wish : 0;
}
