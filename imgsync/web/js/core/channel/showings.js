/**
 * What of the showings is still of interest to the presenter, and what the client says of them.
 *
 * @import { Ack, Drawn, Identity, Image, Response, ResponseAck, Stage, StageName, Timing } from "../protocol/wire.js"
 * @import { Heard } from "./responses.js"
 *
 * @typedef {Pick<Image, "imageIndex" | "imageUrl" | "sentAt">} Shown an image without its secret
 *
 * @typedef {Shown & {isOver: boolean, responses?: readonly Heard[]}} Earlier one that a page before this one has shown;
 *   `responses`: the answers to it that were heard
 *
 * @typedef {{image: Shown, copies: number, told: Set<string>, isIdentified: boolean, isOver: boolean,
 *   answers: HeardResponses}} Showing `isOver`: it was shown, or never will be
 *
 * @typedef {{kind: "superseded" | "neverShown", image: Shown}} Passed
 * @typedef {{kind: "transmit", message: ResponseAck}} Acknowledged
 * @typedef {{kind: "acked", image: Shown, receivedAt: number, copies: number}
 *   | {kind: "staged", image: Shown, stage: StageName, at: number, reason: string | null,
 *       timing: Timing | null, within: number | null, detail: string | null, frames: number | null,
 *       dropped: number | null, drawn: Drawn | null}
 *   | {kind: "responded", image: Shown, said: Response}
 *   | {kind: "identified", image: Shown, said: Identity}} Told
 */

import { MAX_SETTLED, MAX_STAGES, MAX_UNACKED } from "../protocol/numbers.js";
import { HeardResponses } from "./responses.js";

export class Showings {
  /** By `sentAt`. @type {Map<number, Showing>} */
  unacked = new Map();
  /** Those that were acked or superseded last, or could not be sent. @type {Map<number, Showing>} */
  settled = new Map();

  /** What is on the client's screen, as it said last on the open channel. @type {Showing | null} */
  seen = null;

  /** A page before this one has shown these. @param {readonly Earlier[]} earlier of the same session */
  remember(earlier) {
    for (const image of earlier.slice(-MAX_SETTLED)) {
      this.settled.set(image.sentAt, { ...newShowing(image, image.responses), isOver: image.isOver });
    }
  }

  /** There is no open channel any more. @param {Showing | null} current which will be sent on the next @returns {Passed[]} */
  closed(current) {
    this.seen = null;
    return this.supersede(current);
  }

  // ── what the client says ───────────────────────────────────────────────────────────────────────

  /** It has an image. @param {Ack} ack @returns {Told[]} */
  acked({ sentAt, receivedAt, imageIndex }) {
    const showing = this.unacked.get(sentAt);
    const isOfIt = imageIndex === undefined || imageIndex === showing?.image.imageIndex;
    if (showing === undefined || !isOfIt) return [];
    this.settle(showing);
    return [{ kind: "acked", image: showing.image, receivedAt, copies: showing.copies }];
  }

  /**
   * An image has come to a stage.
   *
   * @param {Stage} said @param {boolean} isOpen whether a channel is open on which it can say that it is hidden
   * @returns {(Told | Passed)[]}
   */
  staged(said, isOpen) {
    const showing = this.#hear(said);
    if (showing === null) return [];
    const { stage, at, reason = null, timing = null, within = null, detail = null } = said;
    const { frames = null, dropped = null, drawn = null } = said;
    const more = { reason, timing, within, detail, frames, dropped, drawn };
    if (stage === "shown" && isOpen) this.seen = showing;
    else if (stage === "hidden" && this.seen === showing) this.seen = null;
    /** @type {Told} */
    const staged = { kind: "staged", image: showing.image, stage, at, ...more };
    return stage === "shown" ? [staged, ...this.#passBy(showing)] : [staged];
  }

  /** It has fetched an image by its URL. @param {Identity} said @returns {Told[]} */
  identified(said) {
    const showing = this.#find(said.sentAt, said.imageIndex);
    if (showing === null || showing.isIdentified) return [];
    showing.isIdentified = true;
    return [{ kind: "identified", image: showing.image, said }];
  }

  /** The participant has answered an image. @param {Response} said @returns {(Told | Acknowledged)[]} */
  responded(said) {
    const { imageIndex, sentAt, number } = said;
    /** @type {Acknowledged} */
    const acknowledged = { kind: "transmit", message: { type: "response_ack", imageIndex, sentAt, number } };
    const showing = this.#find(sentAt, imageIndex);
    const isNews = showing !== null && showing.answers.isNews(said);
    return isNews ? [acknowledged, { kind: "responded", image: showing.image, said }] : [acknowledged];
  }

  /** Of which showing a stage is news. @param {Stage} said @returns {Showing | null} */
  #hear({ imageIndex, sentAt, stage, at }) {
    const showing = this.#find(sentAt, imageIndex);
    if (showing === null) return null;
    // One that was hidden may be shown again; that is another time.
    const key = `${stage} ${at}`;
    if (showing.told.has(key) || showing.told.size >= MAX_STAGES) return null;
    showing.told.add(key);
    if (stage !== "fetched") showing.isOver = true;
    return showing;
  }

  /** @param {number} sentAt @param {number} imageIndex @returns {Showing | null} the one that the client speaks of */
  #find(sentAt, imageIndex) {
    const showing = this.unacked.get(sentAt) ?? this.settled.get(sentAt);
    return showing?.image.imageIndex === imageIndex ? showing : null;
  }

  /**
   * There is one screen: what came before this and was not on it will not be.
   *
   * @param {Showing} shown
   * @returns {Passed[]}
   */
  #passBy({ image }) {
    const settled = [...this.settled.values()];
    const passed = settled.filter((one) => !one.isOver && one.image.sentAt < image.sentAt);
    for (const one of passed) one.isOver = true;
    return passed.map((one) => ({ kind: "neverShown", image: one.image }));
  }

  // ── which are waited for ───────────────────────────────────────────────────────────────────────

  /**
   * These will not be acked: there is no channel for that, or they were never sent.
   *
   * @param {Showing | null} but @param {boolean} [isOpen] whether there is a channel @returns {Passed[]}
   */
  supersede(but, isOpen = false) {
    const others = [...this.unacked.values()].filter((showing) => showing !== but);
    const gone = others.filter(({ copies }) => !isOpen || copies === 0);
    return gone.map((showing) => this.#giveUp(showing));
  }

  /** Of those without an ack, so many are enough. @returns {Passed[]} */
  limit() {
    const [oldest] = this.unacked.values();
    return this.unacked.size > MAX_UNACKED && oldest ? [this.#giveUp(oldest)] : [];
  }

  /** @param {Showing} showing @returns {Passed} */
  #giveUp(showing) {
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

/** @param {Shown} image @param {readonly Heard[]} [responses] the answers to it that were heard @returns {Showing} */
export function newShowing({ imageIndex, imageUrl, sentAt }, responses = []) {
  const image = { imageIndex, imageUrl, sentAt };
  const answers = new HeardResponses(responses);
  return { image, copies: 0, told: new Set(), isIdentified: false, isOver: false, answers };
}
