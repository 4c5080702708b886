/**
 * Whether the relay is still there. A browser answers the pings of a WebSocket by itself, but sends
 * none; so a page asks with an event, if the relay says that it answers that.
 *
 *     at rest ── 15 s, or `ask` ──▶ asked ── no pong in time ──▶ lost
 *        ▲─────────── pong ───────────┘
 *
 * Only the pong to the last ping counts: what came before may have waited in this machine while it
 * slept. Times are seconds on a clock that only goes forward.
 *
 * @typedef {{kind: "ping", id: number} | {kind: "lost"}} KeepaliveOutput
 */

import { KEEPALIVE_INTERVAL, PONG_DEADLINE, PROBE_DEADLINE, SLEPT } from "../protocol/numbers.js";

/** Of one socket; a new one has a new keepalive. */
export class Keepalive {
  #lastId = 0;
  #nextPing = Infinity;
  /** When the relay is lost; Infinity while it owes no answer. */
  #pongBy = Infinity;
  /** Whether its answer was late because we were. */
  #isExcused = false;

  /** When to call `tick`. */
  get due() {
    return Math.min(this.#nextPing, this.#pongBy);
  }

  /** The relay answers pings. @param {number} now */
  begin(now) {
    this.#nextPing = now + KEEPALIVE_INTERVAL;
  }

  /** Look at once: something may have happened to the way there. @param {number} now @returns {KeepaliveOutput[]} */
  ask(now) {
    if (this.due === Infinity) return [];
    const isAsked = this.#pongBy !== Infinity;
    this.#pongBy = Math.min(this.#pongBy, now + PROBE_DEADLINE);
    return isAsked ? [] : this.#ping();
  }

  /** `due` has come. @param {number} now @returns {KeepaliveOutput[]} */
  tick(now) {
    const late = now - this.due;
    if (this.due === Infinity || late < 0) return [];
    if (this.#pongBy === Infinity) {
      this.#pongBy = now + (late > SLEPT ? PROBE_DEADLINE : PONG_DEADLINE);
      return this.#ping();
    }
    if (late > SLEPT && !this.#isExcused) {
      // We have slept, or nobody looks at the page, so that its timers are late each time.
      this.#isExcused = true;
      this.#pongBy = now + PROBE_DEADLINE;
      return this.#ping();
    }
    this.#nextPing = this.#pongBy = Infinity;
    return [{ kind: "lost" }];
  }

  /** A pong came in. @param {number} id @param {number} now */
  answer(id, now) {
    if (id !== this.#lastId || this.#pongBy === Infinity) return;
    this.#pongBy = Infinity;
    this.#isExcused = false;
    this.#nextPing = now + KEEPALIVE_INTERVAL;
  }

  /** @returns {KeepaliveOutput[]} */
  #ping() {
    this.#nextPing = Infinity; // after the answer
    this.#lastId += 1;
    return [{ kind: "ping", id: this.#lastId }];
  }
}
