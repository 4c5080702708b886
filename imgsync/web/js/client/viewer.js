/**
 * The screen: one image at a time, put up in an animation frame, and whether it can be seen.
 *
 * In a tab that is hidden no frame comes; there an image is put in place at once, unseen, so that
 * it is there when the tab is looked at again.
 *
 * An image in another size is another image to the eye. So a change of the size ends the time that it
 * was seen, and once the size stays the same, another time begins.
 *
 * @typedef {{kind: "shown" | "hidden" | "resized" | "unseen", at: number}} Sight
 *   of the image that was put up last: it is on the screen since that frame; the tab was hidden
 *   while it was up; its size changed while it was up; it was put up in a hidden tab
 */

import { frameTime, now } from "../peer/clock.js";

/** After so long a size is taken to stay: a window that is pulled at has another in each frame. */
const STEADY_MS = 200;

/** In pixels of the screen: where the browser zooms, the window has as many, and so has the image. */
function sizeOfScreen() {
  const scale = devicePixelRatio * (visualViewport?.scale ?? 1);
  return [innerWidth * scale, innerHeight * scale];
}

export class Viewer {
  #stage;
  #sighted;
  /** The animation frame in which something becomes visible; 0 for none. */
  #frame = 0;
  /** What is put up in that frame; null where it is in place already. @type {Element | null} */
  #next = null;
  /** Hears when the image before is taken down. @type {((at: number) => void) | null} */
  #replaced = null;
  #isUp = false;
  #isSeen = false;
  #size = sizeOfScreen();
  /** Until the size stays the same. @type {number | undefined} */
  #steadying;

  /**
   * @param {HTMLElement} stage
   * @param {(sight: Sight) => void} sighted
   */
  constructor(stage, sighted) {
    this.#stage = stage;
    this.#sighted = sighted;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    addEventListener("resize", () => this.#resized());
    visualViewport?.addEventListener("resize", () => this.#resized());
  }

  /**
   * @param {HTMLImageElement} element decoded
   * @param {(at: number) => void} replaced called, before it is seen, when it takes the place of the
   *   one before
   */
  putUp(element, replaced) {
    this.#cancelFrame();
    this.#next = element;
    this.#replaced = replaced;
    if (document.visibilityState === "hidden") this.#putUpUnseen();
    else this.#awaitFrame();
  }

  /** Nothing but the background. @returns {number} when */
  clear() {
    this.#cancelFrame();
    this.#next = null;
    this.#stage.replaceChildren();
    this.#isUp = this.#isSeen = false;
    return now();
  }

  #visibilityChanged() {
    if (document.visibilityState === "visible") {
      this.#lookAgain();
      return;
    }
    const isWaiting = this.#frame !== 0 && this.#next !== null;
    this.#cancelFrame();
    if (isWaiting) {
      this.#putUpUnseen();
    } else if (this.#isUp && this.#isSeen) {
      this.#isSeen = false;
      this.#sighted({ kind: "hidden", at: now() });
    }
  }

  #resized() {
    const [before, size] = [this.#size, sizeOfScreen()];
    // Browsers that zoom round to whole pixels of the page.
    const isSame = size.every((side, index) => Math.abs(side - (before[index] ?? 0)) <= 2 * devicePixelRatio);
    if (isSame) return;
    this.#size = size;
    if (this.#isUp && this.#isSeen) {
      this.#isSeen = false;
      this.#sighted({ kind: "resized", at: now() });
    }
    clearTimeout(this.#steadying);
    this.#steadying = setTimeout(() => this.#lookAgain(), STEADY_MS);
  }

  /** Where it can be seen as it is. */
  #lookAgain() {
    const isLookedAt = document.visibilityState === "visible";
    if (isLookedAt && this.#isUp && !this.#isSeen && this.#frame === 0) this.#awaitFrame();
  }

  #awaitFrame() {
    const asked = now();
    this.#frame = requestAnimationFrame((timestamp) => {
      // A frame that is under way has its time from before we asked for it.
      const at = Math.max(frameTime(timestamp), asked);
      this.#frame = 0;
      this.#switch(at);
      this.#isSeen = true;
      this.#sighted({ kind: "shown", at });
    });
  }

  #putUpUnseen() {
    const at = now();
    this.#switch(at);
    this.#isSeen = false;
    this.#sighted({ kind: "unseen", at });
  }

  /** @param {number} at */
  #switch(at) {
    if (this.#next === null) return;
    this.#stage.replaceChildren(this.#next);
    this.#next = null;
    this.#isUp = true;
    this.#replaced?.(at);
  }

  #cancelFrame() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
