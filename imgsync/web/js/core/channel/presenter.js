/**
 * The evaluator's side of the talk on the channel: what is current, and which images were acked.
 *
 *     opened, ready ──▶ current image          ack ──▶ acked
 *     show ──▶ image                           next image, not acked ──▶ superseded
 *     preload ──▶ preload, on each ready       stage ──▶ staged
 *
 * The current image is the last one that was to be shown. A resend repeats the very same payload,
 * `sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. An
 * image that has not been acked when its channel goes, and is not the current one, will not be sent
 * again: it is superseded. The client says its last stages again on every channel; each is told once.
 * It decides and does nothing.
 *
 * @import { Ack, ChannelMessage, Image, ImageSource, Preload, Stage, StageName } from "../protocol/wire.js"
 *
 * @typedef {Pick<Image, "imageIndex" | "imageUrl" | "sentAt">} Shown an image without its secret
 *
 * @typedef {{kind: "transmit", message: Image | Preload}
 *   | {kind: "acked", image: Shown, receivedAt: number, copies: number}
 *   | {kind: "superseded", image: Shown}
 *   | {kind: "staged", image: Shown, stage: StageName, at: number, reason: string | null}
 *   } PresenterOutput `copies`: how often the image was sent until its ack
 *
 * @typedef {{image: Shown, copies: number, told: Set<string>}} Showing
 */

import { splitPreload } from "./preload.js";
import { encodeMessage } from "../protocol/wire.js";

/** Images that may wait for their ack: a peer that acks nothing must not make us grow. */
const MAX_UNACKED = 256;
/** Images, acked or superseded, whose stages are listened for. */
const MAX_SETTLED = 256;
/** Milliseconds: clocks of browsers are coarse, and two showings are two. */
const TICK = 0.125;

export class Presenter {
  /** @type {{image: Image, showing: Showing} | null} */
  #current = null;
  /** @type {Map<number, Showing>} */
  #unacked = new Map();
  /** @type {Map<number, Showing>} */
  #settled = new Map();
  /** What was announced and has not been shown yet. @type {ImageSource[]} */
  #upcoming = [];
  #wantsPreload = false;
  #isOpen = false;
  #lastSentAt;

  /**
   * @param {object} before what a page before this one has shown
   * @param {number} before.lastSentAt
   * @param {Image | null} [before.current] of the same session
   * @param {Shown[]} [before.earlier] of the same session, the last ones
   */
  constructor({ lastSentAt, current = null, earlier = [] }) {
    this.#lastSentAt = lastSentAt;
    for (const image of earlier.slice(-MAX_SETTLED)) {
      if (image.sentAt !== current?.sentAt) this.#settled.set(image.sentAt, newShowing(image));
    }
    if (current !== null) this.#makeCurrent(current);
  }

  /** @returns {Image | null} */
  get current() {
    return this.#current?.image ?? null;
  }

  /** How often it was sent. */
  get copies() {
    return this.#current?.showing.copies ?? 0;
  }

  /**
   * Make an image the current one, and send it if the channel is open.
   *
   * @param {number} imageIndex
   * @param {ImageSource} source
   * @param {number} now milliseconds since the epoch; moved on a little where it was used before
   * @returns {{image: Image, outputs: PresenterOutput[]}}
   * @throws {RangeError} for one that is too large; then the current image stays what it was
   */
  show(imageIndex, { imageUrl, signedUrl }, now) {
    const sentAt = Math.max(now, this.#lastSentAt + TICK);
    const image = { imageIndex, imageUrl, signedUrl, sentAt };
    encodeMessage(image);
    this.#lastSentAt = sentAt;
    // Without a channel, whatever waits for its ack has nothing to come on any more.
    const outputs = this.#isOpen ? [] : this.#supersede(null);
    this.#makeCurrent(image);
    this.#upcoming = this.#upcoming.filter((other) => other.imageUrl !== imageUrl);
    const [oldest] = this.#unacked.values();
    if (this.#unacked.size > MAX_UNACKED && oldest) outputs.push(this.#giveUp(oldest));
    return { image, outputs: [...outputs, ...this.#sendCurrent()] };
  }

  /**
   * Announce what will be shown soon, in the place of what was announced before. A client that names
   * `preload` is told, once that is known.
   *
   * @param {ImageSource[]} images
   * @returns {PresenterOutput[]}
   */
  preload(images) {
    this.#upcoming = images;
    return this.#sendUpcoming();
  }

  /** A channel is open. @returns {PresenterOutput[]} */
  opened() {
    this.#isOpen = true;
    return this.#sendCurrent();
  }

  /** There is no open channel any more. @returns {PresenterOutput[]} */
  closed() {
    this.#isOpen = this.#wantsPreload = false;
    return this.#supersede(this.#current?.showing ?? null);
  }

  /** @param {ChannelMessage} message @returns {PresenterOutput[]} */
  received(message) {
    if (!("type" in message)) return [];
    switch (message.type) {
      case "ready":
        this.#wantsPreload = this.#isOpen && message.features.includes("preload");
        // First what is to be seen now: the channel is ordered, and preloads can be long.
        return [...this.#sendCurrent(), ...this.#sendUpcoming()];
      case "ack":
        return this.#acked(message);
      case "stage":
        return this.#staged(message);
      default:
        return [];
    }
  }

  /** @param {Image} image */
  #makeCurrent(image) {
    const { imageIndex, imageUrl, sentAt } = image;
    const showing = newShowing({ imageIndex, imageUrl, sentAt });
    this.#current = { image, showing };
    this.#unacked.set(sentAt, showing);
  }

  /** @param {Ack} ack @returns {PresenterOutput[]} */
  #acked({ sentAt, receivedAt, imageIndex }) {
    const showing = this.#unacked.get(sentAt);
    const isOfIt = imageIndex === undefined || imageIndex === showing?.image.imageIndex;
    if (showing === undefined || !isOfIt) return [];
    this.#settle(showing);
    return [{ kind: "acked", image: showing.image, receivedAt, copies: showing.copies }];
  }

  /** @param {Stage} said @returns {PresenterOutput[]} */
  #staged({ imageIndex, sentAt, stage, at, reason }) {
    const showing = this.#unacked.get(sentAt) ?? this.#settled.get(sentAt);
    if (showing?.image.imageIndex !== imageIndex) return [];
    // One that was hidden may be shown again; that is another time.
    const key = `${stage} ${at}`;
    if (showing.told.has(key)) return [];
    showing.told.add(key);
    return [{ kind: "staged", image: showing.image, stage, at, reason: reason ?? null }];
  }

  /** @param {Showing | null} but @returns {PresenterOutput[]} */
  #supersede(but) {
    const gone = [...this.#unacked.values()].filter((showing) => showing !== but);
    return gone.map((showing) => this.#giveUp(showing));
  }

  /** @param {Showing} showing @returns {PresenterOutput} */
  #giveUp(showing) {
    this.#settle(showing);
    return { kind: "superseded", image: showing.image };
  }

  /** No ack of it is waited for, but what becomes of it may still be told. @param {Showing} showing */
  #settle(showing) {
    this.#unacked.delete(showing.image.sentAt);
    this.#settled.set(showing.image.sentAt, showing);
    const [oldest] = this.#settled.keys();
    if (this.#settled.size > MAX_SETTLED && oldest !== undefined) this.#settled.delete(oldest);
  }

  /** @returns {PresenterOutput[]} */
  #sendCurrent() {
    if (!this.#isOpen || this.#current === null) return [];
    this.#current.showing.copies += 1;
    return [{ kind: "transmit", message: this.#current.image }];
  }

  /** @returns {PresenterOutput[]} */
  #sendUpcoming() {
    if (!this.#wantsPreload) return [];
    return splitPreload(this.#upcoming).map((message) => ({ kind: "transmit", message }));
  }
}

/** @param {Shown} image @returns {Showing} */
function newShowing({ imageIndex, imageUrl, sentAt }) {
  return { image: { imageIndex, imageUrl, sentAt }, copies: 0, told: new Set() };
}
