/**
 * The evaluator's side of the talk on the channel: what is current, and which images were acked.
 *
 *     opened, ready ──▶ current image          ack ──▶ acked
 *     show ──▶ image                           next image, not acked ──▶ superseded
 *     preload ──▶ preload, once on a channel     stage ──▶ staged, and neverShown of what it passed by
 *     renew ──▶ nothing, until it is sent again
 *     drained ──▶ what was kept back            recording ──▶ recorded, preloaded ──▶ counted
 *
 * The current image is the last one that was to be shown. A resend repeats the very same payload,
 * `sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. Only
 * the signature of its URL may have been renewed. An image that has not been acked when its channel goes, and is not the current one, will not be sent
 * again: it is superseded. The client says its last stages again on every channel; one with the same
 * time is told once, and so is how the participant is recorded.
 *
 * Who asks may ask often, and read slowly: while much waits to be sent, copies and preloads are kept
 * back. What waits is told in bytes; `drained` has to follow on more than MAX_UNSENT.
 * It decides and does nothing.
 *
 * @import { Ack, ChannelMessage, Image, ImageSource, Preload, Preloaded, Recording, Stage, StageName, Timing } from "../protocol/wire.js"
 *
 * @typedef {Pick<Image, "imageIndex" | "imageUrl" | "sentAt">} Shown an image without its secret
 *
 * @typedef {{kind: "transmit", message: Image | Preload}} Transmitted
 *
 * @typedef {Transmitted
 *   | {kind: "acked", image: Shown, receivedAt: number, copies: number}
 *   | {kind: "superseded", image: Shown}
 *   | {kind: "tooLarge", image: Shown}
 *   | {kind: "staged", image: Shown, stage: StageName, at: number, reason: string | null,
 *       timing: Timing | null, within: number | null, detail: string | null}
 *   | {kind: "neverShown", image: Shown}
 *   | {kind: "counted", said: Preloaded}
 *   | {kind: "recorded", devices: string[], troubles: string[], at: number}
 *   } PresenterOutput `copies`: how often the image was sent until its ack; `tooLarge`: the client on
 *   this channel takes no message of this size, and the image is not shown; `neverShown`: it was not
 *   on the screen, and will not be, as a later one is
 *
 * @typedef {{image: Shown, copies: number, told: Set<string>, isOver: boolean}} Showing
 *   `isOver`: it was shown, or never will be
 */

import {
  EPSILON,
  FEATURE_PRELOAD,
  MAX_CHANNEL_MESSAGE,
  MAX_RECORDINGS,
  MAX_SETTLED,
  MAX_STAGES,
  MAX_UNACKED,
  MAX_UNSENT,
  TICK,
} from "../protocol/numbers.js";
import { newestUrl } from "../protocol/naming.js";
import { encodeMessage } from "../protocol/wire.js";
import { Upcoming } from "./preload.js";

/** What the client has said of the recording of its participant. */
class Recordings {
  #last = "";
  #count = 0;

  /** @param {Recording} said @returns {PresenterOutput[]} nothing where it is no news */
  take({ devices, troubles, at }) {
    const said = JSON.stringify([devices, troubles, at]);
    if (said === this.#last || this.#count >= MAX_RECORDINGS) return [];
    this.#last = said;
    this.#count += 1;
    return [{ kind: "recorded", devices, troubles, at }];
  }
}

/** What of the showings is still of interest: no ack yet, or stages may come. */
class Showings {
  /** By `sentAt`. @type {Map<number, Showing>} */
  unacked = new Map();
  /** Those that were acked or superseded last. @type {Map<number, Showing>} */
  settled = new Map();

  /** Of which showing a stage is news. @param {Stage} said @returns {Showing | null} */
  hear({ imageIndex, sentAt, stage, at }) {
    const showing = this.unacked.get(sentAt) ?? this.settled.get(sentAt);
    if (showing?.image.imageIndex !== imageIndex) return null;
    // One that was hidden may be shown again; that is another time.
    const key = `${stage} ${at}`;
    if (showing.told.has(key) || showing.told.size >= MAX_STAGES) return null;
    showing.told.add(key);
    if (stage !== "fetched") showing.isOver = true;
    return showing;
  }

  /**
   * There is one screen: what came before this and was not on it will not be.
   *
   * @param {Showing} shown
   * @returns {PresenterOutput[]}
   */
  passBy({ image }) {
    const settled = [...this.settled.values()];
    const passed = settled.filter((one) => !one.isOver && one.image.sentAt < image.sentAt);
    for (const one of passed) one.isOver = true;
    return passed.map((one) => ({ kind: "neverShown", image: one.image }));
  }

  /** @param {Showing | null} but @returns {PresenterOutput[]} */
  supersede(but) {
    const gone = [...this.unacked.values()].filter((showing) => showing !== but);
    return gone.map((showing) => this.giveUp(showing));
  }

  /** @param {Showing} showing @returns {PresenterOutput} */
  giveUp(showing) {
    this.settle(showing);
    showing.isOver = true;
    return { kind: "superseded", image: showing.image };
  }

  /** No ack of it is waited for, but what becomes of it may still be told. @param {Showing} showing */
  settle(showing) {
    this.unacked.delete(showing.image.sentAt);
    this.settled.set(showing.image.sentAt, showing);
    const [oldest] = this.settled.keys();
    if (this.settled.size > MAX_SETTLED && oldest !== undefined) this.settled.delete(oldest);
  }
}

export class Presenter {
  /** @type {{image: Image, showing: Showing} | null} */
  #current = null;
  #showings = new Showings();
  #upcoming = new Upcoming();
  #recordings = new Recordings();
  #isOpen = false;
  /** Bytes of a message that the client on the open channel takes. */
  #limit = MAX_CHANNEL_MESSAGE;
  /** Whether it is to be sent the current image when there is room. */
  #owesCopy = false;
  /** What is on its screen, as it said last on the open channel. @type {Showing | null} */
  #seen = null;
  #lastSentAt = 0;

  /**
   * @param {object} before what a page before this one has shown
   * @param {number} before.lastSentAt
   * @param {Image | null} [before.current] of the same session
   * @param {(Shown & {isOver: boolean})[]} [before.earlier] of the same session, the last ones
   */
  constructor({ lastSentAt, current = null, earlier = [] }) {
    this.#lastSentAt = lastSentAt;
    for (const image of earlier.slice(-MAX_SETTLED)) {
      const showing = { ...newShowing(image), isOver: image.isOver };
      if (image.sentAt !== current?.sentAt) this.#showings.settled.set(image.sentAt, showing);
    }
    if (current !== null) this.#makeCurrent(current);
  }

  /** @returns {Image | null} */
  get current() {
    return this.#current?.image ?? null;
  }

  /** Whether an image is on the screen of a client that can still say that it is hidden. */
  get isSeen() {
    return this.#seen !== null;
  }

  /** How often the current one was sent. */
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
    const sentAt = Math.max(now, nextTime(this.#lastSentAt));
    const image = { imageIndex, imageUrl, signedUrl, sentAt };
    encodeMessage(image, this.#limit);
    this.#lastSentAt = sentAt;
    // Without a channel, whatever waits for its ack has nothing to come on any more.
    const outputs = this.#isOpen ? [] : this.#showings.supersede(null);
    this.#makeCurrent(image);
    this.#upcoming.shown(imageUrl);
    const [oldest] = this.#showings.unacked.values();
    if (this.#showings.unacked.size > MAX_UNACKED && oldest) outputs.push(this.#showings.giveUp(oldest));
    return { image, outputs: [...outputs, ...this.#sendCurrent()] };
  }

  /**
   * Announce what will be shown soon, in the place of what was announced before. A client that names
   * `preload` is told, once that is known.
   *
   * @param {ImageSource[]} images @param {number} [waiting] bytes @returns {PresenterOutput[]}
   * @throws {RangeError} for one that is too large; then what was announced before stays so
   */
  preload(images, waiting = 0) {
    this.#upcoming.announce(images);
    return this.#sendUpcoming(waiting);
  }

  /** These have been signed anew: copies of the current image have its newest URL. @param {readonly ImageSource[]} images */
  renew(images) {
    if (this.#current !== null) this.#current.image = renewed(this.#current.image, images, this.#limit);
  }

  /**
   * @param {readonly string[]} [features] what the client speaks, as far as known @param {number} [limit] bytes it takes
   * @returns {PresenterOutput[]} what follows where a channel is open
   */
  opened(features = [], limit = MAX_CHANNEL_MESSAGE) {
    this.#isOpen = true;
    this.#limit = limit;
    this.#upcoming.opened(limit);
    return [...this.#dropTooLarge(), ...this.#beginTalk(features, 0)];
  }

  /** There is no open channel any more. @returns {PresenterOutput[]} */
  closed() {
    this.#isOpen = this.#owesCopy = false;
    this.#seen = null;
    this.#limit = MAX_CHANNEL_MESSAGE;
    this.#upcoming.closed();
    return this.#showings.supersede(this.#current?.showing ?? null);
  }

  /** Of what waited to be sent, little is left. @param {number} [waiting] bytes @returns {PresenterOutput[]} */
  drained(waiting = 0) {
    const copy = this.#owesCopy ? this.#copyCurrent(waiting) : [];
    return [...copy, ...this.#sendUpcoming(waiting + sizeOf(copy))];
  }

  /** @param {ChannelMessage} message @param {number} [waiting] bytes @returns {PresenterOutput[]} */
  received(message, waiting = 0) {
    if (!("type" in message)) return [];
    switch (message.type) {
      case "ready":
        return this.#beginTalk(message.features, waiting);
      case "ack":
        return this.#acked(message);
      case "stage":
        return this.#staged(message);
      case "preloaded":
        return [{ kind: "counted", said: message }];
      case "recording":
        return this.#recordings.take(message);
      default:
        return [];
    }
  }

  /** @param {readonly string[]} features @param {number} waiting @returns {PresenterOutput[]} */
  #beginTalk(features, waiting) {
    this.#upcoming.isWanted = this.#isOpen && features.includes(FEATURE_PRELOAD);
    // First what is to be seen now: the channel is ordered, and preloads can be long.
    const copy = this.#copyCurrent(waiting);
    return [...copy, ...this.#sendUpcoming(waiting + sizeOf(copy))];
  }

  /** @returns {PresenterOutput[]} */
  #dropTooLarge() {
    if (this.#current === null) return [];
    const { image, showing } = this.#current;
    if (encodeMessage(image).length <= this.#limit) return [];
    this.#current = null;
    if (!this.#showings.unacked.has(image.sentAt)) return [];
    this.#showings.settle(showing);
    showing.isOver = true;
    return [{ kind: "tooLarge", image: showing.image }];
  }

  /** @param {Image} image */
  #makeCurrent(image) {
    const { imageIndex, imageUrl, sentAt } = image;
    const showing = newShowing({ imageIndex, imageUrl, sentAt });
    this.#current = { image, showing };
    this.#showings.unacked.set(sentAt, showing);
  }

  /** @param {Ack} ack @returns {PresenterOutput[]} */
  #acked({ sentAt, receivedAt, imageIndex }) {
    const showing = this.#showings.unacked.get(sentAt);
    const isOfIt = imageIndex === undefined || imageIndex === showing?.image.imageIndex;
    if (showing === undefined || !isOfIt) return [];
    this.#showings.settle(showing);
    return [{ kind: "acked", image: showing.image, receivedAt, copies: showing.copies }];
  }

  /** @param {Stage} said @returns {PresenterOutput[]} */
  #staged(said) {
    const showing = this.#showings.hear(said);
    if (showing === null) return [];
    const { stage, at } = said;
    if (stage === "shown" && this.#isOpen) this.#seen = showing;
    else if (stage === "hidden" && this.#seen === showing) this.#seen = null;
    const { reason = null, timing = null, within = null, detail = null } = said;
    const told = { at, reason, timing, within, detail };
    /** @type {PresenterOutput} */
    const staged = { kind: "staged", image: showing.image, stage, ...told };
    return stage === "shown" ? [staged, ...this.#showings.passBy(showing)] : [staged];
  }

  /** @param {number} waiting @returns {Transmitted[]} */
  #sendUpcoming(waiting) {
    return this.#upcoming.take(waiting).map((message) => ({ kind: "transmit", message }));
  }

  /** For who asks, once there is room; who asks again until then has asked once. @param {number} waiting */
  #copyCurrent(waiting) {
    this.#owesCopy = waiting > MAX_UNSENT;
    return this.#owesCopy ? [] : this.#sendCurrent();
  }

  /** @returns {Transmitted[]} */
  #sendCurrent() {
    if (!this.#isOpen || this.#current === null) return [];
    this.#current.showing.copies += 1;
    return [{ kind: "transmit", message: this.#current.image }];
  }
}

/** @param {Transmitted[]} outputs @returns {number} bytes */
function sizeOf(outputs) {
  return outputs.reduce((sum, { message }) => sum + encodeMessage(message).length, 0);
}

/** @param {Image} image @param {readonly ImageSource[]} images @param {number} limit bytes of a message, into which it has to fit */
function renewed(image, images, limit) {
  const fresh = { ...image, signedUrl: newestUrl(image, images) };
  try {
    encodeMessage(fresh, limit);
    return fresh;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return image;
  }
}

/** The earliest that a showing after this one may have; another number, however large it is. @param {number} sentAt */
function nextTime(sentAt) {
  return sentAt + Math.max(TICK, Math.abs(sentAt) * EPSILON);
}

/** @param {Shown} image @returns {Showing} */
function newShowing({ imageIndex, imageUrl, sentAt }) {
  return { image: { imageIndex, imageUrl, sentAt }, copies: 0, told: new Set(), isOver: false };
}
