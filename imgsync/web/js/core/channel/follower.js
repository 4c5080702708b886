/**
 * The client's side of the talk on the channel: each image once to the page, an ack for every copy,
 * and what became of it. It decides and does nothing: what is to be sent is returned.
 *
 *     opened ──▶ ready
 *     image ──▶ to the page ──▶ ack          copy of the last image ──▶ ack alone
 *     stage of an image ──▶ sent, and said again on each new channel
 *     what was fetched by a URL ──▶ identity, and again on each new channel
 *     recording has changed ──▶ sent, and how it is now said again on each new channel
 *     an answer ──▶ sent, and said again on each new channel until it is acknowledged
 *     what images are shown on ──▶ sent, and said again on each new channel
 *
 * A stage has no ack: what was on its way when a channel was lost may not have arrived. The
 * evaluator tells a stage with the same time once.
 *
 * @import { Ack, Display, Drawn, Identity, Image, Preloaded, Ready, Recording, Response, ResponseAck, Stage, StageName } from "../protocol/wire.js"
 * @import { Onset } from "./onsets.js"
 */

import { FEATURES, HIDDEN_TAB, MAX_IDENTITIES, MAX_STAGES } from "../protocol/numbers.js";
import { Unacknowledged } from "./responses.js";

/**
 * Whether a stage makes sense after what was said of the showing. There is one screen: an image is
 * shown, and hidden, and may be shown again. What has failed is not, unless it was only that nobody
 * looked. What is hidden without having been shown had no time at all.
 *
 * @param {readonly Stage[]} said of it, in their order
 * @param {StageName} stage
 */
function mayFollow(said, stage) {
  const wasSaid = (/** @type {StageName} */ one) => said.some((other) => other.stage === one);
  const sights = said.filter((one) => one.stage === "shown" || one.stage === "hidden");
  const isUp = sights.at(-1)?.stage === "shown";
  switch (stage) {
    case "fetched":
    case "failed":
      return !wasSaid(stage); // fetching may take longer than showing
    case "shown": {
      const isFinal = said.some((one) => one.stage === "failed" && one.reason !== HIDDEN_TAB);
      return !isUp && !isFinal && (sights.length === 0 || wasSaid("shown"));
    }
    case "hidden":
      return isUp || (sights.length === 0 && !wasSaid("failed"));
  }
}

export class Follower {
  /** @type {Image | null} */
  #last = null;
  /** @type {Stage[]} */
  #stages = [];
  /** @type {Identity[]} */
  #identities = [];
  #features;
  /** As it was told last; null where nothing is to be told of it. @type {Recording | null} */
  #recording = null;
  /** As it was told last. @type {Preloaded[]} */
  #preloaded = [];
  /** As it was told last. @type {Display[]} */
  #displayed = [];
  #responses = new Unacknowledged();

  /** @param {readonly string[]} [features] what the client speaks */
  constructor(features = FEATURES) {
    this.#features = [...features];
  }

  /** A channel is open. @returns {(Ready | Stage | Identity | Preloaded | Recording | Display | Response)[]} to send */
  opened() {
    const recording = this.#recording === null ? [] : [this.#recording];
    const said = [...this.#stages, ...this.#identities, ...this.#preloaded, ...recording];
    const told = [...this.#displayed, ...this.#responses.kept];
    return [{ type: "ready", features: this.#features }, ...said, ...told];
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
   * What was fetched by the URL of a showing.
   *
   * @param {Image} image
   * @param {{sha256: string, contentType: string, bytes: number, width: number | null, height: number | null}} facts
   *   `width`, `height`: null where it has no size of its own
   * @returns {Identity | null} to send; null where that was said before
   */
  identified({ imageIndex, sentAt }, { sha256, contentType, bytes, width, height }) {
    if (this.#identities.some((one) => one.sentAt === sentAt && one.imageIndex === imageIndex)) return null;
    /** @type {Identity} */
    const message = { type: "identity", imageIndex, sentAt, sha256, contentType, bytes };
    if (width !== null) message.width = width;
    if (height !== null) message.height = height;
    this.#identities = [...this.#identities, message].slice(-MAX_IDENTITIES);
    return message;
  }

  /**
   * The participant has answered an image; of too many answers to one that is said once.
   *
   * @param {Response} response
   * @returns {Response[]} to send
   */
  responded(response) {
    return this.#responses.add(response);
  }

  /** The evaluator has an answer. @param {ResponseAck} ack */
  acknowledged(ack) {
    this.#responses.acknowledged(ack);
  }

  /** Images are shown on this from now on. @param {Display} display @returns {Display} to send */
  displayed(display) {
    this.#displayed = [display];
    return display;
  }

  /**
   * So many of the images that were announced are there by now.
   *
   * @param {{announced: number, there: number, failed: number, isFull?: boolean}} counts
   * @returns {Preloaded} to send
   */
  preloaded({ announced, there, failed, isFull = false }) {
    /** @type {Preloaded} */
    const message = { type: "preloaded", announced, there, failed };
    if (isFull) message.full = true;
    this.#preloaded = [message];
    return message;
  }

  /**
   * The recording of the participant is another one, or something else is the matter with it.
   *
   * @param {string[]} devices that are recorded
   * @param {string[]} troubles
   * @param {number} at
   * @returns {Recording} to send
   */
  recorded(devices, troubles, at) {
    this.#recording = { type: "recording", devices, troubles, at };
    return this.#recording;
  }

  /**
   * Something became of an image. What makes no sense after its other stages is not said.
   *
   * @param {Image} image
   * @param {StageName} stage
   * @param {{at: number, reason?: string, detail?: string, onset?: Pick<Onset, "timing" | "within">, frames?: number,
   *   dropped?: number, drawn?: Drawn}} told
   * @returns {Stage | null} to send
   */
  reached({ imageIndex, sentAt }, stage, { at, reason, detail, onset, frames, dropped, drawn }) {
    const said = this.#stages.filter((one) => one.sentAt === sentAt && one.imageIndex === imageIndex);
    if (!mayFollow(said, stage)) return null;
    /** @type {Stage} */
    const message = { type: "stage", imageIndex, sentAt, stage, at };
    if (reason !== undefined) message.reason = reason;
    if (detail) message.detail = detail;
    if (onset !== undefined) {
      message.timing = onset.timing;
      message.within = onset.within;
    }
    if (frames !== undefined) message.frames = frames;
    if (dropped !== undefined) message.dropped = dropped;
    if (drawn !== undefined) message.drawn = drawn;
    this.#stages = [...this.#stages, message].slice(-MAX_STAGES);
    return message;
  }
}
