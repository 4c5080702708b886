/**
 * What of the showings is still of interest to the presenter: no ack yet, or more may be told of them.
 *
 * @import { Identity, Image, Stage } from "../protocol/wire.js"
 *
 * @typedef {Pick<Image, "imageIndex" | "imageUrl" | "sentAt">} Shown an image without its secret
 *
 * @typedef {{image: Shown, copies: number, told: Set<string>, isIdentified: boolean, isOver: boolean}} Showing
 *   `isOver`: it was shown, or never will be
 *
 * @typedef {{kind: "superseded" | "neverShown", image: Shown}} Passed
 */

import { MAX_SETTLED, MAX_STAGES, MAX_UNACKED } from "../protocol/numbers.js";

export class Showings {
  /** By `sentAt`. @type {Map<number, Showing>} */
  unacked = new Map();
  /** Those that were acked or superseded last, or could not be sent. @type {Map<number, Showing>} */
  settled = new Map();

  /** Of which showing a stage is news. @param {Stage} said @returns {Showing | null} */
  hear({ imageIndex, sentAt, stage, at }) {
    const showing = this.#find(sentAt, imageIndex);
    if (showing === null) return null;
    // One that was hidden may be shown again; that is another time.
    const key = `${stage} ${at}`;
    if (showing.told.has(key) || showing.told.size >= MAX_STAGES) return null;
    showing.told.add(key);
    if (stage !== "fetched") showing.isOver = true;
    return showing;
  }

  /** Of which showing this is told for the first time. @param {Identity} said @returns {Showing | null} */
  identify({ imageIndex, sentAt }) {
    const showing = this.#find(sentAt, imageIndex);
    if (showing === null || showing.isIdentified) return null;
    showing.isIdentified = true;
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
  passBy({ image }) {
    const settled = [...this.settled.values()];
    const passed = settled.filter((one) => !one.isOver && one.image.sentAt < image.sentAt);
    for (const one of passed) one.isOver = true;
    return passed.map((one) => ({ kind: "neverShown", image: one.image }));
  }

  /** No channel is there any more on which they could be acked. @param {Showing | null} but @returns {Passed[]} */
  supersede(but) {
    const gone = [...this.unacked.values()].filter((showing) => showing !== but);
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

/** @param {Shown} image @returns {Showing} */
export function newShowing({ imageIndex, imageUrl, sentAt }) {
  const image = { imageIndex, imageUrl, sentAt };
  return { image, copies: 0, told: new Set(), isIdentified: false, isOver: false };
}
