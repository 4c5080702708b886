/**
 * The heartbeat of one channel: pings while it is open, and a verdict on the other side.
 *
 *     quiet ── the other side speaks ping ──▶ alive ── 4 s ──▶ suspect ── 8 s without a pong ──▶ lost
 *                                               ▲──── pong ──────┘
 *
 * Whoever says then that it speaks no ping is quiet again.
 *
 * Only a pong counts as an answer: other messages show that the way here works, and not the way
 * back. Where they go on while no pong comes, the other side does not hear us: most often a large
 * message of ours is lost again and again, and all that we say waits behind it. It decides and does
 * nothing; times are seconds on a clock that only goes forward.
 *
 * @typedef {"quiet" | "alive" | "suspect" | "lost"} Health
 * @typedef {{kind: "sendPing", id: number} | {kind: "judged", health: Health}} HeartbeatOutput
 */

import {
  LOST_AFTER,
  PING_BURST,
  PING_BURST_INTERVAL,
  PING_INTERVAL,
  SLEPT,
  SUSPECT_AFTER,
} from "../protocol/numbers.js";

/**
 * Seconds for which the other side goes on speaking and answers nothing, until it does not hear us: it
 * pings as often, and what it sent before the answers ended is no sign.
 */
const ONE_WAY = PING_INTERVAL;

/** Of one channel; a new one has a new heartbeat. */
export class Heartbeat {
  /** @type {Health} */
  health = "quiet";
  #lastId = 0;
  #nextPing = Infinity;
  #pinged = -Infinity;
  /** When the last pong came, or the heartbeat began. */
  #heard = Infinity;

  /**
   * Whether what the other side says comes here, and what we say does not get there.
   *
   * @param {number} spoke when any message of it came
   */
  isOneWay(spoke) {
    const isUnanswered = this.health === "suspect" || this.health === "lost";
    return isUnanswered && spoke > this.#heard + ONE_WAY;
  }

  /** When to call `tick`. */
  get due() {
    if (this.health === "quiet" || this.health === "lost") return Infinity;
    const patience = this.health === "suspect" ? LOST_AFTER : SUSPECT_AFTER;
    return Math.min(this.#nextPing, this.#heard + patience);
  }

  /**
   * The other side is known to speak ping, or has sent one.
   *
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  begin(now) {
    if (this.health !== "quiet") return [];
    this.health = "alive";
    this.#heard = now;
    return this.#pingUnlessJustDone(now);
  }

  /**
   * The other side says that it speaks ping, and may wait for one: it is pinged at once. Not beside
   * one that has just gone out, or it could have us send as much as it likes.
   *
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  greeted(now) {
    if (this.health !== "alive" && this.health !== "suspect") return this.begin(now);
    return this.#pingUnlessJustDone(now);
  }

  /**
   * The other side says that it does not speak ping: nothing follows from its silence.
   *
   * @returns {HeartbeatOutput[]}
   */
  rest() {
    if (this.health === "quiet" || this.health === "lost") return [];
    const cleared = this.#judge("alive");
    this.health = "quiet";
    return cleared;
  }

  /**
   * `due` has come.
   *
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  tick(now) {
    const late = now - this.due;
    if (!(late >= 0)) return [];
    if (late > SLEPT) this.#heard = Math.min(now, this.#heard + late);
    const outputs = now >= this.#nextPing ? [this.#ping(now)] : [];
    // The very sums that `due` is made of, or rounding would call for the same tick for ever.
    if (now >= this.#heard + LOST_AFTER) return [...outputs, ...this.#judge("lost")];
    if (now >= this.#heard + SUSPECT_AFTER) return [...outputs, ...this.#judge("suspect")];
    return outputs;
  }

  /** Whether a ping of ours had this id. @param {number | string} id */
  hasSent(id) {
    return typeof id === "number" && id > 0 && id <= this.#lastId;
  }

  /**
   * A pong came in.
   *
   * @param {number | string} id
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  answer(id, now) {
    if (!this.hasSent(id) || this.health === "quiet" || this.health === "lost") return [];
    this.#heard = now;
    return this.#judge("alive");
  }

  /** @param {number} now @returns {HeartbeatOutput[]} */
  #pingUnlessJustDone(now) {
    const soonest = this.#pinged + PING_BURST_INTERVAL;
    if (now >= soonest) return [this.#ping(now)];
    this.#nextPing = Math.min(this.#nextPing, soonest);
    return [];
  }

  /** @param {number} now @returns {HeartbeatOutput} */
  #ping(now) {
    this.#lastId += 1;
    this.#pinged = now;
    this.#nextPing = now + (this.#lastId < PING_BURST ? PING_BURST_INTERVAL : PING_INTERVAL);
    return { kind: "sendPing", id: this.#lastId };
  }

  /** @param {Health} health @returns {HeartbeatOutput[]} */
  #judge(health) {
    if (health === this.health) return [];
    this.health = health;
    return [{ kind: "judged", health }];
  }
}
