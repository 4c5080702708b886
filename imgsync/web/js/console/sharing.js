/**
 * Sends the evaluator's own pictures over the connection of one session. Which bytes go out when is
 * decided in core/transfer/sender.js; they are read in blocks, and never a whole file.
 *
 * A client may have what was shown or announced to it in this session, and nothing else.
 *
 * @import { Offered, Read, SenderOutput } from "../core/transfer/sender.js"
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { DataEvent } from "../peer/shared.js"
 *
 * @typedef {{blob: Blob | null, facts: {sha256: string, contentType: string, bytes: number}}} OwnPicture
 *   `blob`: null where the browser has lost it
 * @typedef {Offered & {blob: Blob | null}} Offer
 *
 * @typedef {object} SharingListener
 * @property {(data: string | ArrayBuffer) => void} send on the second channel
 * @property {(imageUrl: string, reason: string, detail: string) => void} failed it could not be read
 */

import { CHANGED, UNREADABLE } from "../core/protocol/numbers.js";
import { Budget } from "../core/transfer/budget.js";
import { Sender } from "../core/transfer/sender.js";
import { seconds } from "../peer/clock.js";

/** Of the page, whatever sessions there are. */
const budget = new Budget();

export class Sharing {
  #listener;
  /** By `imageUrl`. @type {Map<string, Offer>} */
  #offers = new Map();
  /** As long as there is a channel. @type {Sender | null} */
  #sender = null;

  /** @param {SharingListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** These are shown or announced: the client may ask for them. @param {readonly ImageSource[]} images */
  offer(images) {
    for (const { imageUrl, own } of images) {
      if (own === undefined) continue;
      const { blob, facts } = /** @type {OwnPicture} */ (own);
      const { contentType, bytes: length, sha256 } = facts;
      this.#offers.set(imageUrl, { contentType, length, sha256, blob });
    }
  }

  /** The second channel is being opened. */
  begin() {
    this.close();
    this.#sender = new Sender(this.#offers, budget);
  }

  /** Something is new on the second channel, or its connection is gone. @param {DataEvent} event */
  take(event) {
    const sender = this.#sender;
    if (sender === null) return;
    switch (event.kind) {
      case "dataReceived":
        this.#perform(sender, sender.receive(event.data, seconds()));
        break;
      case "dataDrained":
        this.#perform(sender, sender.drained(seconds()));
        break;
      case "unshared":
        this.close();
    }
  }

  /** There is no channel any more. */
  close() {
    this.#sender?.closed();
    this.#sender = null;
  }

  /** @param {Sender} sender @param {SenderOutput[]} outputs */
  #perform(sender, outputs) {
    for (const output of outputs) {
      switch (output.kind) {
        case "tell":
          this.#listener.send(output.text);
          break;
        case "sendChunk":
          this.#listener.send(output.data);
          break;
        case "read":
          void this.#read(sender, output);
          break;
        case "notSent":
          this.#listener.failed(output.imageUrl, output.reason, output.detail);
          break;
        case "drop":
          console.debug(`dropped a message of pictures: ${output.why}`);
      }
    }
  }

  /** @param {Sender} sender that is no more when another channel has come @param {Read} read */
  async #read(sender, { id, imageUrl, offset, size }) {
    const blob = this.#offers.get(imageUrl)?.blob ?? null;
    /** @type {() => SenderOutput[]} */
    let tell;
    try {
      if (blob === null) throw new Lost();
      const data = new Uint8Array(await blob.slice(offset, offset + size).arrayBuffer());
      tell = () => sender.read(id, data, seconds());
    } catch (error) {
      const { reason, detail } = describe(error);
      tell = () => sender.failed(id, reason, detail, seconds());
    }
    if (sender === this.#sender) this.#perform(sender, tell());
  }
}

/** The browser has kept the series over a reload, and not its pictures. */
class Lost extends Error {}

/** Browsers say `NotReadableError` of a file that was written to since. @param {unknown} error */
function describe(error) {
  if (/** @type {Error} */ (error).name === "NotReadableError") {
    return { reason: CHANGED, detail: "the evaluator's file is another one by now" };
  }
  const isLost = error instanceof Lost;
  const detail = isLost ? "the evaluator's browser has not kept it" : "the evaluator can't read its file any more";
  return { reason: UNREADABLE, detail };
}
