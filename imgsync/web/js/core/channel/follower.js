/**
 * The client's side of the talk on the channel: each image once to the page, an ack for every copy,
 * and what became of it. It decides and does nothing: what is to be sent is returned.
 *
 *     opened ──▶ ready
 *     image ──▶ to the page ──▶ ack          copy of the last image ──▶ ack alone
 *     stage of an image ──▶ sent, and said again on each new channel
 *
 * A stage has no ack: what was on its way when a channel was lost may not have arrived. The
 * evaluator tells each stage of a showing once.
 *
 * @import { Ack, Image, Ready, Stage, StageName } from "../protocol/wire.js"
 */

const FEATURES = ["ping", "stage", "preload"];

/** Of more images than can be under way when a connection goes silent. */
const MAX_STAGES = 256;

export class Follower {
  /** @type {Image | null} */
  #last = null;
  /** @type {Stage[]} */
  #stages = [];

  /** A channel is open. @returns {(Ready | Stage)[]} to send */
  opened() {
    return [{ type: "ready", features: FEATURES }, ...this.#stages];
  }

  /**
   * An image came in.
   *
   * @param {Image} image
   * @param {number} receivedAt
   * @returns {{isNew: boolean, ack: Ack}} whether to show it, and then what to send
   */
  received(image, receivedAt) {
    const { sentAt, imageIndex } = image;
    const isNew = this.#last?.sentAt !== sentAt || this.#last.imageIndex !== imageIndex;
    this.#last = image;
    return { isNew, ack: { type: "ack", sentAt, receivedAt, imageIndex } };
  }

  /**
   * Something became of an image.
   *
   * @param {Image} image
   * @param {StageName} stage
   * @param {number} at
   * @param {string} [reason]
   * @returns {Stage} to send
   */
  reached({ imageIndex, sentAt }, stage, at, reason) {
    /** @type {Stage} */
    const told = { type: "stage", imageIndex, sentAt, stage, at };
    if (reason !== undefined) told.reason = reason;
    this.#stages = [...this.#stages, told].slice(-MAX_STAGES);
    return told;
  }
}
