/**
 * The second channel of a link, by which pictures are sent. The evaluator makes it when it knows that
 * the client takes them; with it or without it, the session goes on.
 *
 * @typedef {{kind: "shared"} | {kind: "dataReceived", data: unknown, at: number}
 *   | {kind: "dataDrained"} | {kind: "unshared"}} DataEvent `dataDrained`: nothing of what was given to it
 *   waits any more; `unshared`: it is closed, and there is no other on this link
 */

import { DATA_LABEL } from "../core/protocol/numbers.js";
import { now } from "./clock.js";

/**
 * Bytes that may wait in it: several times what our own sides have on their way. Who lets more wait
 * takes nothing, and a browser throws where 16 MiB do.
 */
const MAX_WAITING = 1024 * 1024;

export class SharedChannel {
  #tell;
  /** @type {RTCDataChannel | null} */
  #channel = null;

  /** @param {(event: DataEvent) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** Make it, if there was none. @param {RTCPeerConnection} connection */
  open(connection) {
    if (this.#channel === null) this.adopt(connection.createDataChannel(DATA_LABEL, { ordered: true }));
  }

  /** @param {RTCDataChannel} channel of its label */
  adopt(channel) {
    if (this.#channel !== null) return;
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = 0;
    channel.onmessage = ({ data }) => this.#tell({ kind: "dataReceived", data, at: now() });
    channel.onbufferedamountlow = () => this.#tell({ kind: "dataDrained" });
    channel.onclose = () => this.#tell({ kind: "unshared" });
    const open = () => this.#tell({ kind: "shared" });
    if (channel.readyState === "open") open();
    else channel.onopen = open;
  }

  /** @param {string | ArrayBuffer} data @returns {boolean} whether it is on its way */
  send(data) {
    const channel = this.#channel;
    if (channel?.readyState !== "open") return false;
    try {
      if (channel.bufferedAmount > MAX_WAITING) throw new RangeError("it takes nothing");
      channel.send(/** @type {any} */ (data)); // of a text or bytes, it is the same to call
      return true;
    } catch {
      // Nothing of it, or no message of that size, is taken over there.
      channel.close();
      return false;
    }
  }
}
