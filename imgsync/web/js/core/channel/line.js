/**
 * One open channel: what comes in is read, pings are answered and sent, the other side is judged.
 *
 *     ping ──▶ sendPong, at once               pong of a ping of ours ──▶ ponged: measure by it
 *     ready that names ping ──▶ a ping at once; ping ──▶ the heartbeat begins
 *     ready without ping ──▶ the heartbeat rests
 *     opened, with a client that the relay knows to speak ping ──▶ it begins before any ready
 *     client not pinged for some time ──▶ unanswered: its `ready` may be lost
 *     image, ack, ready, ... ──▶ heard: for whoever speaks on the channel
 *
 * @import { Ping, Pong, TalkMessage } from "../protocol/wire.js"
 * @import { HeartbeatOutput } from "./heartbeat.js"
 *
 * @typedef {HeartbeatOutput
 *   | {kind: "sendPong", ping: Ping, t1: number}
 *   | {kind: "ponged", pong: Pong, t3: number}
 *   | {kind: "heard", message: TalkMessage, at: number}
 *   | {kind: "unanswered"}
 *   | {kind: "drop", why: string}} LineOutput
 *   `t1`, `t3`, `at`: when it came in, on our clock; `unanswered`: what was said when the channel
 *   opened may be lost, and is to be said again; `drop`: a message was ignored, for the log
 */

import { FEATURE_PING } from "../protocol/numbers.js";
import { decodeMessage } from "../protocol/wire.js";
import { Greeting } from "./greeting.js";
import { Heartbeat } from "./heartbeat.js";

/** Of one channel; a new one has a new line. `now` is on a clock that only goes forward, in seconds. */
export class Line {
  #heartbeat = new Heartbeat();
  #greeting = new Greeting();
  /** When any message came. */
  #spoke = -Infinity;
  #greets;

  /** @param {boolean} [greets] whether ours is the client's side, which says `ready` until it is pinged */
  constructor(greets = false) {
    this.#greets = greets;
  }

  /** When to call `tick`. */
  get due() {
    return Math.min(this.#heartbeat.due, this.#greeting.due);
  }

  /** Whether what the other side says comes here, and what we say does not get there. */
  get isOneWay() {
    return this.#heartbeat.isOneWay(this.#spoke);
  }

  /**
   * The channel is open.
   *
   * @param {readonly string[]} features what the other side speaks, as far as the relay knows
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  opened(features, now) {
    if (this.#greets) this.#greeting.begin(now);
    return features.includes(FEATURE_PING) ? this.#heartbeat.begin(now) : [];
  }

  /** `due` has come. @param {number} now @returns {LineOutput[]} */
  tick(now) {
    const isDue = this.#greeting.tick(now);
    /** @type {LineOutput[]} */
    const unanswered = isDue ? [{ kind: "unanswered" }] : [];
    return [...this.#heartbeat.tick(now), ...unanswered];
  }

  /**
   * A message came off the network.
   *
   * @param {unknown} data of its event
   * @param {number} at of our clock, in milliseconds
   * @param {number} now
   * @returns {LineOutput[]}
   */
  receive(data, at, now) {
    const heartbeat = this.#heartbeat;
    this.#spoke = now;
    const message = decodeMessage(data);
    if (message === null) return [{ kind: "drop", why: "it can't be read, or its kind is not known" }];
    if (!("type" in message)) return [{ kind: "heard", message, at }];
    switch (message.type) {
      case "ping":
        this.#greeting.answered();
        return [{ kind: "sendPong", ping: message, t1: at }, ...heartbeat.begin(now)];
      case "pong": {
        const { id } = message;
        /** @type {LineOutput[]} */
        const measured = heartbeat.hasSent(id) ? [{ kind: "ponged", pong: message, t3: at }] : [];
        return [...measured, ...heartbeat.answer(id, now)];
      }
      case "ready": {
        // The channel's own word is newer than the relay's.
        const speaksPing = message.features.includes(FEATURE_PING);
        const judged = speaksPing ? heartbeat.greeted(now) : heartbeat.rest();
        return [...judged, { kind: "heard", message, at }];
      }
      default:
        return [{ kind: "heard", message, at }];
    }
  }
}
