/**
 * Whether the series goes on by itself, as with `imgsync evaluator --auto`: each image or text is shown when
 * the one before is over.
 *
 *     off ──▶ going ◀──▶ paused         a person says so; paused also where a picture is not here
 *                └──▶ through           the last one is over; whoever chooses another one can go on from there
 *     any ──▶ off                       the session is over, or there is another series
 *
 * While it is going, whatever a person chooses is shown at once, and it goes on from there. Where the client is
 * away, or nobody looks at its page, nothing is over, and so nothing follows.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Presentation } from "./presentation.js"
 * @import { GoingState } from "../words/going.js"
 *
 * @typedef {{presentation: Presentation | null, images: readonly Listed[], index: number | null}} Here
 * @typedef {object} GoingListener
 * @property {() => Here} look where things stand
 * @property {(index: number) => void} show this one
 * @property {() => void} changed it is in another state; `step` follows, as on all that may be of interest
 */

import { endsByItself } from "../core/study/running.js";
import { now } from "../peer/clock.js";
import { isLost } from "./own_series.js";

/** By series, as it is drawn often. @type {WeakMap<readonly Listed[], readonly number[]>} */
const known = new WeakMap();

/** @param {readonly Listed[]} images @returns {readonly number[]} the places of those that nothing would ever end */
export function endlessIn(images) {
  const found = known.get(images) ?? images.flatMap(({ trial }, place) => (endsByItself(trial) ? [] : [place]));
  known.set(images, found);
  return found;
}

/** Whether there is something to go on with, to which there is an end. @param {readonly Listed[]} images */
function canGo(images) {
  return images.length > 0 && endlessIn(images).length === 0;
}

export class Going {
  /** @type {GoingState} */
  state = "off";
  #listener;
  #timer = 0;
  #isStepDue = false;

  /** @param {GoingListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** A person wants it to go on, or to pause. */
  toggle() {
    const { presentation, images } = this.#listener.look();
    if (presentation === null || presentation.isOver || !canGo(images)) return;
    if (this.state === "through") return;
    this.#become(this.state === "going" ? "paused" : "going");
  }

  /** A page before this one has left it going. */
  resume() {
    this.#become("going");
  }

  /** There is another series. */
  stop() {
    if (this.state !== "off") this.#become("off");
  }

  /** Something has happened; many things that happen at once are looked at once. */
  step() {
    if (this.#isStepDue || this.state === "off") return;
    this.#isStepDue = true;
    // Not by a timer, which browsers hold back where nobody looks at the page.
    queueMicrotask(() => {
      this.#isStepDue = false;
      this.#step(this.#listener.look());
    });
  }

  /** @param {Here} here */
  #step({ presentation, images, index }) {
    clearTimeout(this.#timer);
    if (presentation === null || presentation.isOver || presentation.isEnding) return this.stop();
    const { course } = presentation;
    course.tick(now());
    const current = index === null ? undefined : images[index];
    const isShown = current !== undefined && course.isOf(current.imageUrl);
    // Where a person goes back, there is more to come.
    if (this.state === "through" && !(isShown && isLast(images, index))) this.#become("paused");
    if (this.state !== "going" || !canGo(images)) return;
    if (!isShown) this.#show(images, index ?? 0);
    else if (!course.isOver) this.#tickAt(course.due);
    else if (isLast(images, index)) this.#become("through");
    else this.#show(images, Number(index) + 1);
  }

  /** @param {readonly Listed[]} images @param {number} index */
  #show(images, index) {
    if (isLost(images[index])) this.#become("paused");
    this.#listener.show(index);
  }

  /** @param {number} due */
  #tickAt(due) {
    if (due !== Infinity) this.#timer = setTimeout(() => this.step(), Math.max(due - now(), 0));
  }

  /** @param {GoingState} state */
  #become(state) {
    this.state = state;
    this.#listener.changed();
  }
}

/** @param {readonly Listed[]} images @param {number | null} index */
function isLast(images, index) {
  return index === images.length - 1;
}
