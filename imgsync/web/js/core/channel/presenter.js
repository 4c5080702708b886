/**
 * The evaluator's side of the talk on the channel: what is current, and which images were acked.
 *
 *     opened, ready ──▶ current image          ack ──▶ acked
 *     show ──▶ image                           next image, not acked ──▶ superseded
 *     preload ──▶ preload, once on a channel     stage ──▶ staged, and neverShown of what it passed by
 *     first without a URL ──▶ share             identity ──▶ identified
 *     renew ──▶ nothing, until it is sent again
 *     drained ──▶ what was kept back            recording ──▶ recorded, preloaded ──▶ counted
 *                                              response ──▶ response_ack, and responded once
 *                                              display ──▶ displayed
 *
 * The current image is the last one that was to be shown. A resend repeats the very same payload,
 * `sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. Only
 * the signature of its URL may have been renewed, or its URL added for a client that needs it (see
 * sharing.js). An image that has not been acked when its channel goes, and is not the current one, will
 * not be sent again: it is superseded. The client says its last stages again on every channel; one with
 * the same time is told once, and so is how the participant is recorded, and what the client shows images
 * on. An answer is acknowledged however often it comes, and also where it is none that counts: the client
 * would tell it for ever.
 *
 * Who asks may ask often, and read slowly: while much waits to be sent, copies and preloads are kept
 * back. What waits is told in bytes; `drained` has to follow on more than MAX_UNSENT.
 * It decides and does nothing.
 *
 * @import { ChannelMessage, Image, ImageSource, Preload, ResponseAck } from "../protocol/wire.js"
 * @import { Said } from "./about.js"
 * @import { Earlier, Passed, Showing, Shown, Told } from "./showings.js"
 *
 * @typedef {{kind: "transmit", message: Image | Preload | ResponseAck} | {kind: "share"}} Transmitted
 * @typedef {{kind: "tooLarge", image: Shown} | {kind: "unsendable", image: Shown, feature: string}} Refused
 *
 * @typedef {Transmitted | Refused | Passed | Told | Said} PresenterOutput `copies`: how often the image was sent until its ack; `tooLarge`: the client on
 *   this channel takes no message of this size, and the image is not shown; `unsendable`: nor is this
 *   one, which needs `feature`, and the client does not speak that; `share`: open the
 *   channel for pictures, as what follows is the first that needs it; `neverShown`: it was not on the
 *   screen, and will not be, as a later one is; `identified`: what the client has got at its URL
 */

import {
  EPSILON,
  FEATURE_PRELOAD,
  MAX_CHANNEL_MESSAGE,
  MAX_UNSENT,
  TICK,
} from "../protocol/numbers.js";
import { trialFields } from "../protocol/trials.js";
import { encodeMessage } from "../protocol/wire.js";
import { About } from "./about.js";
import { Current, orTooLarge } from "./current.js";
import { Upcoming } from "./preload.js";
import { Sharing, isText, needOf } from "./sharing.js";
import { Showings } from "./showings.js";

/**
 * What a page before this one has shown last.
 *
 * @param {Image} image
 * @param {readonly Earlier[]} earlier
 */
function restore(image, earlier) {
  const heard = earlier.find(({ sentAt }) => sentAt === image.sentAt)?.responses;
  return new Current(image, { ...image, trial: trialFields(image) }, heard);
}

export class Presenter {
  /** @type {Current | null} */
  #current = null;
  #showings = new Showings();
  #sharing = new Sharing();
  #upcoming = new Upcoming(this.#sharing);
  #about = new About();
  #isOpen = false;
  /** Bytes of a message that the client on the open channel takes. */
  #limit = MAX_CHANNEL_MESSAGE;
  /** Whether it is to be sent the current image when there is room. */
  #owesCopy = false;
  #lastSentAt = 0;

  /**
   * @param {object} before what a page before this one has shown
   * @param {number} before.lastSentAt
   * @param {Image | null} [before.current] of the same session
   * @param {readonly Earlier[]} [before.earlier] of the same session, the last ones
   */
  constructor({ lastSentAt, current = null, earlier = [] }) {
    this.#lastSentAt = lastSentAt;
    this.#showings.remember(earlier.filter(({ sentAt }) => sentAt !== current?.sentAt));
    if (current !== null) this.#makeCurrent(restore(current, earlier));
  }

  /** @returns {Image | null} */
  get current() {
    return this.#current?.image ?? null;
  }

  /** Whether an image is on the screen of a client that can still say that it is hidden. */
  get isSeen() {
    return this.#showings.seen !== null;
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
   * @throws {RangeError} for one that is too large; then the current image stays what it was, as it does
   *   where the image can't be sent to this client
   */
  show(imageIndex, source, now) {
    const { imageUrl, signedUrl } = source;
    const sentAt = Math.max(now, nextTime(this.#lastSentAt));
    const image = { imageIndex, imageUrl, signedUrl, sentAt, ...trialFields(source.trial) };
    const current = new Current(image, source);
    const isSendable = current.address(this.#sharing, this.#limit);
    this.#lastSentAt = sentAt;
    if (!isSendable) return { image, outputs: [this.#refuse(current, "unsendable")] };
    // Without a channel, whatever waits for its ack has nothing to come on any more.
    const outputs = this.#showings.supersede(null, this.#isOpen);
    this.#makeCurrent(current);
    this.#upcoming.shown(imageUrl);
    outputs.push(...this.#showings.limit());
    return { image: current.image, outputs: [...outputs, ...this.#sendCurrent()] };
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
    this.#current?.renew(images, this.#limit);
  }

  /**
   * @param {readonly string[]} [features] what the client speaks, as far as known @param {number} [limit] bytes it takes
   * @returns {PresenterOutput[]} what follows where a channel is open
   */
  opened(features = [], limit = MAX_CHANNEL_MESSAGE) {
    this.#isOpen = true;
    this.#limit = limit;
    this.#sharing.opened(features);
    this.#upcoming.opened(limit);
    return this.#beginTalk(features, 0);
  }

  /** There is no open channel any more. @returns {PresenterOutput[]} */
  closed() {
    this.#isOpen = this.#owesCopy = false;
    this.#limit = MAX_CHANNEL_MESSAGE;
    this.#sharing.closed();
    this.#upcoming.closed();
    return this.#showings.closed(this.#current?.showing ?? null);
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
        return this.#greeted(message.features, waiting);
      case "ack":
        return this.#showings.acked(message);
      case "stage":
        return this.#showings.staged(message, this.#isOpen);
      case "response":
        return this.#showings.responded(message);
      case "identity":
        return this.#showings.identified(message);
      default:
        return this.#about.heard(message);
    }
  }

  /** @param {readonly string[]} features @param {number} waiting @returns {PresenterOutput[]} */
  #greeted(features, waiting) {
    if (!this.#isOpen) return [];
    if (this.#sharing.greeted(features)) this.#upcoming.tellAnew();
    return this.#beginTalk(features, waiting);
  }

  /** @param {readonly string[]} features @param {number} waiting @returns {PresenterOutput[]} */
  #beginTalk(features, waiting) {
    this.#upcoming.isWanted = features.includes(FEATURE_PRELOAD);
    const refused = this.#addressCurrent();
    // First what is to be seen now: the channel is ordered, and preloads can be long.
    const copy = this.#copyCurrent(waiting);
    return [...refused, ...copy, ...this.#sendUpcoming(waiting + sizeOf(copy))];
  }

  // ── whether it can be sent, and how ────────────────────────────────────────────────────────────

  /** @returns {Refused[]} */
  #addressCurrent() {
    if (this.#current === null) return [];
    const current = this.#current;
    const isFitting = orTooLarge(() => current.address(this.#sharing, this.#limit));
    if (isFitting) return [];
    this.#current = null;
    if (!this.#showings.unacked.has(current.image.sentAt)) return [];
    return [this.#refuse(current, isFitting === null ? "tooLarge" : "unsendable")];
  }

  /** @param {Current} current @param {Refused["kind"]} kind @returns {Refused} */
  #refuse({ showing, source }, kind) {
    this.#showings.settle(showing);
    showing.isOver = true;
    const { image } = showing;
    return kind === "tooLarge" ? { kind, image } : { kind, image, feature: needOf(source) ?? "" };
  }

  /** @param {Current} current */
  #makeCurrent(current) {
    this.#current = current;
    this.#showings.unacked.set(current.image.sentAt, current.showing);
  }

  // ── what goes out ──────────────────────────────────────────────────────────────────────────────

  /** @param {number} waiting @returns {Transmitted[]} */
  #sendUpcoming(waiting) {
    const preloads = this.#upcoming.take(waiting);
    const isShared = preloads.some(({ images }) => images.some(({ signedUrl }) => signedUrl === null));
    /** @type {Transmitted[]} */
    const sent = preloads.map((message) => ({ kind: "transmit", message }));
    return [...(isShared ? this.#sharing.begin() : []), ...sent];
  }

  /** For who asks, once there is room; who asks again until then has asked once. @param {number} waiting */
  #copyCurrent(waiting) {
    this.#owesCopy = waiting > MAX_UNSENT;
    return this.#owesCopy ? [] : this.#sendCurrent();
  }

  /** @returns {Transmitted[]} */
  #sendCurrent() {
    const current = this.#current;
    if (current === null || this.#sharing.isUndecided(current.source)) return [];
    current.showing.copies += 1;
    current.keepsUrl = current.image.signedUrl !== null;
    const isShared = !current.keepsUrl && !isText(current.source);
    return [...(isShared ? this.#sharing.begin() : []), { kind: "transmit", message: current.image }];
  }
}

/** @param {Transmitted[]} outputs @returns {number} bytes */
function sizeOf(outputs) {
  return outputs.reduce((sum, one) => sum + (one.kind === "transmit" ? encodeMessage(one.message).length : 0), 0);
}

/** The earliest that a showing after this one may have; another number, however large it is. @param {number} sentAt */
function nextTime(sentAt) {
  return sentAt + Math.max(TICK, Math.abs(sentAt) * EPSILON);
}
