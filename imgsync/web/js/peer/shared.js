/**
 * The second channel of a link, by which pictures are sent. The evaluator makes it when it knows that
 * the client takes them; with it or without it, the session goes on.
 *
 * @import { Came } from "../core/channel/early.js"
 *
 * @typedef {{kind: "shared"} | {kind: "dataReceived", data: unknown, at: number}
 *   | {kind: "dataDrained"} | {kind: "unshared"}} DataEvent `dataDrained`: nothing of what was given to it
 *   waits any more; `unshared`: it is closed, and there is no other on this link
 */

import { Early } from "../core/channel/early.js";
import { DATA_LABEL } from "../core/protocol/numbers.js";
import { now } from "./clock.js";

/**
 * Bytes that may wait in it: several times what our own sides have on their way. Who lets more wait
 * takes nothing, and a browser throws where 16 MiB do.
 */
const MAX_WAITING = 1024 * 1024;

export class SharedChannel {
  #tell;
  /** A client asks at once, and Chromium hands that out before it calls our own side open. */
  #early = new Early();
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
    channel.onmessage = ({ data }) => this.#read(this.#early.come(data, now()));
    channel.onbufferedamountlow = () => this.#tell({ kind: "dataDrained" });
    channel.onclose = () => this.#tell({ kind: "unshared" });
    const open = () => {
      this.#tell({ kind: "shared" });
      this.#read(this.#early.opened());
    };
    if (channel.readyState === "open") open();
    else channel.onopen = open;
  }

  /** @param {Came[]} came */
  #read(came) {
    for (const { data, at } of came) this.#tell({ kind: "dataReceived", data, at });
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
