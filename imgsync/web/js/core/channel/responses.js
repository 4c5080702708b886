/**
 * Answers of the participant: the client tells each until it is acknowledged, and each counts once.
 *
 *     an answer ──▶ response                   response ──▶ response_ack, and responded once
 *     a new channel ──▶ those that are kept    one too many of its showing ──▶ response_ack alone
 *     response_ack ──▶ no longer kept
 *
 * Of one showing MAX_RESPONSES are told, and of the next that there are more. A page that is loaded
 * again counts from 1 again, and so an answer is known by its number and its time.
 *
 * @import { Response, ResponseAck } from "../protocol/wire.js"
 *
 * @typedef {Pick<Response, "number" | "at">} Heard an answer that was heard
 */

import { MAX_RESPONSES, MAX_RESPONSES_KEPT, MAX_SETTLED } from "../protocol/numbers.js";

/** @param {Response | ResponseAck} one @returns {string} of which showing it is */
function showingOf({ sentAt, imageIndex }) {
  return `${sentAt} ${imageIndex}`;
}

/** @template K, V @param {Map<K, V>} map @param {number} most */
function limit(map, most) {
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

/** The client's side: what it has told, and may have to tell again. */
export class Unacknowledged {
  /** @type {Map<string, Response>} */
  #kept = new Map();
  /** How many answers the last showings had. @type {Map<string, number>} */
  #counts = new Map();

  /** What was told and not acknowledged, the oldest first. */
  get kept() {
    return [...this.#kept.values()];
  }

  /**
   * The participant answers.
   *
   * @param {Response} response
   * @returns {Response[]} what is to be told: it, that there are more, or nothing
   */
  add(response) {
    const showing = showingOf(response);
    const count = (this.#counts.get(showing) ?? 0) + 1;
    this.#counts.delete(showing);
    this.#counts.set(showing, count);
    limit(this.#counts, MAX_SETTLED);
    if (count > MAX_RESPONSES + 1) return [];
    const { type, imageIndex, sentAt, number, at } = response;
    /** @type {Response} */
    const tooMany = { type, imageIndex, sentAt, number, at, kind: "too_many", value: "" };
    const said = count > MAX_RESPONSES ? tooMany : response;
    this.#kept.set(`${showing} ${number}`, said);
    limit(this.#kept, MAX_RESPONSES_KEPT);
    return [said];
  }

  /** The evaluator has it. @param {ResponseAck} ack */
  acknowledged(ack) {
    this.#kept.delete(`${showingOf(ack)} ${ack.number}`);
  }
}

/** The evaluator's side, of one showing: which answers were heard. */
export class HeardResponses {
  /** @type {Set<string>} */
  #heard = new Set();

  /** @param {readonly Heard[]} [earlier] by a page before this one */
  constructor(earlier = []) {
    for (const one of earlier) this.isNews(one);
  }

  /** Whether it counts: it was not heard before, and is not one too many. @param {Heard} said */
  isNews({ number, at }) {
    const key = `${number} ${at}`;
    if (this.#heard.has(key) || this.#heard.size > MAX_RESPONSES) return false;
    this.#heard.add(key);
    return true;
  }
}
