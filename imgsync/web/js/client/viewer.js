/**
 * The screen: one image at a time, put up in an animation frame, and whether it can be seen.
 *
 * In a tab that is hidden no frame comes; there an image is put in place at once, unseen, so that
 * it is there when the tab is looked at again.
 *
 * @import { Onset } from "../core/channel/onsets.js"
 *
 * @typedef {object} Watcher hears of one image that is put up
 * @property {(at: number) => void} seen it has come into view; it is not yet known since when
 * @property {(onset: Onset) => void} shown now it is
 * @property {(at: number) => void} unseen it was put up in a hidden tab
 * @property {(at: number) => void} hidden the tab was hidden while it was in view
 *
 * @typedef {{element: Element, watcher: Watcher}} PutUp
 */

import { momentOf, now } from "../peer/clock.js";
import { OnsetWatch } from "./onset_watch.js";

export class Viewer {
  #stage;
  #watch = new OnsetWatch();
  /** The animation frame in which something comes into view; 0 for none. */
  #frame = 0;
  /** What is put up in that frame; null where it is in place already. @type {PutUp | null} */
  #next = null;
  /** What is in place. @type {PutUp | null} */
  #up = null;
  #isSeen = false;

  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.#stage = stage;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
  }

  /** @param {HTMLImageElement} element decoded, and never in the document @param {Watcher} watcher */
  putUp(element, watcher) {
    this.#cancelFrame();
    this.#next = { element, watcher };
    if (document.visibilityState === "hidden") this.#putUpUnseen();
    else this.#awaitFrame();
  }

  /** What was to be put up is not, unless it has been; what is up stays. */
  cancel() {
    if (this.#next === null) return;
    this.#cancelFrame();
    this.#next = null;
  }

  /** Nothing but the background. @returns {number} when */
  clear() {
    this.#cancelFrame();
    this.#next = this.#up = null;
    this.#isSeen = false;
    this.#stage.replaceChildren();
    this.#watch.settle();
    return now();
  }

  #visibilityChanged() {
    if (document.visibilityState === "visible") {
      if (this.#up !== null && !this.#isSeen && this.#frame === 0) this.#awaitFrame();
      return;
    }
    const wasSeen = this.#isSeen;
    this.#cancelFrame();
    this.#watch.settle();
    this.#isSeen = false;
    if (wasSeen) this.#up?.watcher.hidden(now());
    if (this.#next !== null) this.#putUpUnseen();
  }

  #awaitFrame() {
    const asked = now();
    const show = (/** @type {number} */ timestamp) => {
      this.#frame = 0;
      const isNew = this.#switch();
      if (this.#up === null) return;
      const { element, watcher } = this.#up;
      this.#isSeen = true;
      const putAt = isNew ? now() : asked;
      watcher.seen(Math.max(momentOf(timestamp), putAt));
      this.#watch.putUp(element, momentOf(timestamp), putAt, watcher.shown);
    };
    // A browser that tells nothing of its frames is Firefox, where the first one after a pause may
    // have any time, and the second one comes right behind it; an animation would begin in between.
    const first = OnsetWatch.isTold ? show : () => (this.#frame = requestAnimationFrame(show));
    this.#frame = requestAnimationFrame(first);
  }

  #putUpUnseen() {
    this.#switch();
    this.#isSeen = false;
    this.#up?.watcher.unseen(now());
  }

  /** @returns {boolean} whether there was something to put up */
  #switch() {
    if (this.#next === null) return false;
    this.#up = this.#next;
    this.#next = null;
    this.#watch.name(this.#up.element);
    this.#stage.replaceChildren(this.#up.element);
    return true;
  }

  #cancelFrame() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
