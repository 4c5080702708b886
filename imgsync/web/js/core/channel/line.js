/**
 * One open channel: what comes in is read, pings are answered and sent, the other side is judged.
 *
 *     ping ──▶ sendPong, at once               pong of a ping of ours ──▶ ponged: measure by it
 *     ready that names ping, or a ping ──▶ the heartbeat begins; ready without it ──▶ it rests
 *     opened, with a client that the relay knows to speak ping ──▶ it begins before any ready
 *     image, ack, ready, ... ──▶ heard: for whoever speaks on the channel
 *
 * @import { Ping, Pong, TalkMessage } from "../protocol/wire.js"
 * @import { HeartbeatOutput } from "./heartbeat.js"
 *
 * @typedef {HeartbeatOutput
 *   | {kind: "sendPong", ping: Ping, t1: number}
 *   | {kind: "ponged", pong: Pong, t3: number}
 *   | {kind: "heard", message: TalkMessage, at: number}
 *   | {kind: "drop", why: string}} LineOutput
 *   `t1`, `t3`, `at`: when it came in, on our clock; `drop`: a message was ignored, for the log
 */

import { FEATURE_PING } from "../protocol/numbers.js";
import { decodeMessage } from "../protocol/wire.js";
import { Heartbeat } from "./heartbeat.js";

/** Of one channel; a new one has a new line. `now` is on a clock that only goes forward, in seconds. */
export class Line {
  #heartbeat = new Heartbeat();

  /** When to call `tick`. */
  get due() {
    return this.#heartbeat.due;
  }

  /**
   * The channel is open.
   *
   * @param {readonly string[]} features what the other side speaks, as far as the relay knows
   * @param {number} now
   * @returns {HeartbeatOutput[]}
   */
  opened(features, now) {
    return features.includes(FEATURE_PING) ? this.#heartbeat.begin(now) : [];
  }

  /** `due` has come. @param {number} now @returns {HeartbeatOutput[]} */
  tick(now) {
    return this.#heartbeat.tick(now);
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
    const message = decodeMessage(data);
    if (message === null) return [{ kind: "drop", why: "it can't be read, or its kind is not known" }];
    if (!("type" in message)) return [{ kind: "heard", message, at }];
    switch (message.type) {
      case "ping":
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
        const judged = speaksPing ? heartbeat.begin(now) : heartbeat.rest();
        return [...judged, { kind: "heard", message, at }];
      }
      default:
        return [{ kind: "heard", message, at }];
    }
  }
}
