/**
 * The screen: one image at a time, put up in an animation frame, and whether it can be seen.
 *
 * In a tab that is hidden no frame comes; there an image is put in place at once, unseen, so that
 * it is there when the tab is looked at again.
 *
 * An image in another size is another image to the eye. So a change of the size ends the time that it
 * was seen, and once the size stays the same, another time begins.
 *
 * @import { Onset } from "../core/channel/onsets.js"
 *
 * @typedef {object} Watcher hears of one image that is put up
 * @property {(at: number) => void} seen it has come into view; it is not yet known since when
 * @property {(onset: Onset) => void} shown now it is
 * @property {(at: number) => void} unseen it was put up in a hidden tab
 * @property {(at: number, reason: string) => void} hidden the tab was hidden, or its size changed,
 *   while it was in view
 *
 * @typedef {{element: Element, watcher: Watcher}} PutUp
 */

import { HIDDEN_TAB } from "../core/protocol/numbers.js";
import { momentOf, now } from "../peer/clock.js";
import { OnsetWatch } from "./onset_watch.js";

/** After so long a size is taken to stay: a window that is pulled at has another in each frame. */
const STEADY_MS = 200;

/** In pixels of the screen: where the browser zooms, the window has as many, and so has the image. */
function sizeOfScreen() {
  const scale = devicePixelRatio * (visualViewport?.scale ?? 1);
  return [innerWidth * scale, innerHeight * scale];
}

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
  #size = sizeOfScreen();
  /** Until the size stays the same. @type {number | undefined} */
  #steadying;

  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.#stage = stage;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    addEventListener("resize", () => this.#resized());
    visualViewport?.addEventListener("resize", () => this.#resized());
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
    // It may have come into view again meanwhile, and was left to the one that would take its place.
    this.#lookAgain();
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
      this.#lookAgain();
      return;
    }
    const wasSeen = this.#isSeen;
    this.#cancelFrame();
    this.#watch.settle();
    this.#isSeen = false;
    if (wasSeen) this.#up?.watcher.hidden(now(), HIDDEN_TAB);
    if (this.#next !== null) this.#putUpUnseen();
  }

  #resized() {
    const [before, size] = [this.#size, sizeOfScreen()];
    // Browsers that zoom round to whole pixels of the page.
    const isSame = size.every((side, index) => Math.abs(side - (before[index] ?? 0)) <= 2 * devicePixelRatio);
    if (isSame) return;
    this.#size = size;
    if (this.#isSeen) {
      this.#watch.settle();
      this.#isSeen = false;
      this.#up?.watcher.hidden(now(), "resized");
    }
    clearTimeout(this.#steadying);
    this.#steadying = setTimeout(() => this.#lookAgain(), STEADY_MS);
  }

  /** Where it can be seen as it is. */
  #lookAgain() {
    const isLookedAt = document.visibilityState === "visible";
    if (isLookedAt && this.#up !== null && !this.#isSeen && this.#frame === 0) this.#awaitFrame();
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
