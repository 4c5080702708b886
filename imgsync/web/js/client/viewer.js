/**
 * The screen: one image at a time, put up in an animation frame, and whether it can be seen.
 *
 * In a tab that is hidden no frame comes; there an image is put in place at once, unseen, so that
 * it is there when the tab is looked at again.
 *
 * An image in another size is another image to the eye. So a change of the size ends the time that it
 * was seen, and once the size stays the same, another time begins.
 *
 * What is up for a time of its own is taken away in an animation frame, by a grey of which the browser
 * tells when it was presented, as it does of an image. Where nobody looks meanwhile, it does not come
 * again.
 *
 * @import { Asked, Exposed } from "../core/channel/exposure.js"
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { RefreshMeter } from "../device/refresh_meter.js"
 *
 * @typedef {object} Watcher hears of one image that is put up
 * @property {(at: number) => void} seen it has come into view; it is not yet known since when
 * @property {(onset: Onset) => void} shown now it is
 * @property {(at: number) => void} unseen it was put up in a hidden tab
 * @property {(at: number, reason: string) => void} hidden the tab was hidden, or its size changed,
 *   while it was in view
 * @property {(exposed: Exposed & {detail?: string}) => void} exposed its own time has ended; what ended
 *   it is told after that
 * @property {() => void} leaving it was taken away; it is not yet known since when
 * @property {(at: number, reason: string) => void} gone now it is
 *
 * @typedef {{element: Element, watcher: Watcher, asked: Asked | null, exposing: Exposing | null}} PutUp
 *   `exposing`: what has a time of its own and has been seen
 */

import { Lags } from "../core/channel/exposure.js";
import { EXPOSURE_OVER, HIDDEN_TAB } from "../core/protocol/numbers.js";
import { momentOf, now } from "../peer/clock.js";
import { Exposing } from "./exposing.js";
import { OnsetWatch } from "./onset_watch.js";
import { watchSize } from "./window_size.js";

/** The grey alone, as text that is painted, of which browsers tell: an image might be decoded later. */
function makeGrey() {
  const grey = document.createElement("p");
  grey.className = "grey";
  grey.setAttribute("aria-hidden", "true");
  grey.textContent = ".";
  return grey;
}

export class Viewer {
  #stage;
  #meter;
  #watch = new OnsetWatch();
  /** The animation frame in which something comes into view; 0 for none. */
  #frame = 0;
  /** The one in which what is up goes before its time; 0 for none. */
  #leaving = 0;
  /** What is put up in that frame; null where it is in place already. @type {PutUp | null} */
  #next = null;
  /** What is in place. @type {PutUp | null} */
  #up = null;
  #isSeen = false;
  /** Of the greys. */
  #lags = new Lags();

  /** @param {HTMLElement} stage @param {RefreshMeter} meter */
  constructor(stage, meter) {
    this.#stage = stage;
    this.#meter = meter;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    watchSize(
      (reason) => this.#resized(reason),
      () => this.#lookAgain(),
    );
  }

  /**
   * @param {HTMLElement} element decoded, and never in the document
   * @param {Watcher} watcher
   * @param {Asked | null} asked for how long, where it has a time of its own
   */
  putUp(element, watcher, asked) {
    this.#cancelFrame();
    this.#next = { element, watcher, asked, exposing: null };
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

  /** What is up goes in the next frame; what is to be put up comes. @param {string} reason */
  takeAway(reason) {
    if (this.#up === null || this.#leaving !== 0) return;
    this.#inFrame(
      (frameAt) => this.#takeAway(frameAt, reason),
      (id) => (this.#leaving = id),
    );
  }

  /** Nothing but the background. @returns {number} when */
  clear() {
    this.#cancelFrame();
    this.#makeRoom();
    this.#next = null;
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
    const [up, wasSeen] = [this.#up, this.#isSeen];
    this.#cancelFrame();
    this.#watch.settle();
    this.#isSeen = false;
    if (this.#leaving !== 0 || (up !== null && up.exposing !== null)) {
      this.#makeRoom();
      this.#stage.replaceChildren();
    }
    if (wasSeen) up?.watcher.hidden(now(), HIDDEN_TAB);
    if (this.#next !== null) this.#putUpUnseen();
  }

  /** @param {string} reason */
  #resized(reason) {
    if (!this.#isSeen) return;
    this.#watch.settle();
    this.#isSeen = false;
    this.#up?.watcher.hidden(now(), reason);
  }

  /** Where it can be seen as it is. */
  #lookAgain() {
    const isLookedAt = document.visibilityState === "visible";
    if (isLookedAt && this.#up !== null && !this.#isSeen && this.#frame === 0) this.#awaitFrame();
  }

  #awaitFrame() {
    const asked = now();
    const show = (/** @type {number} */ frameAt) => {
      this.#frame = 0;
      const isNew = this.#switch(frameAt);
      const up = this.#up;
      if (up === null) return;
      this.#isSeen = true;
      const putAt = isNew ? now() : asked;
      if (up.asked !== null) up.exposing ??= this.#expose(up.asked, frameAt);
      up.watcher.seen(Math.max(frameAt, putAt));
      this.#watch.putUp(up.element, frameAt, putAt, (onset) => {
        if (onset.timing === "presented") up.exposing?.presented(onset.at - frameAt);
        up.watcher.shown(onset);
      });
    };
    this.#inFrame(show, (id) => (this.#frame = id));
  }

  /** @param {(frameAt: number) => void} act @param {(id: number) => void} keep what cancels it */
  #inFrame(act, keep) {
    const last = (/** @type {number} */ timestamp) => act(momentOf(timestamp));
    // A browser that tells nothing of its frames is Firefox, where the first one after a pause may
    // have any time, and the second one comes right behind it; an animation would begin in between.
    const first = OnsetWatch.isTold ? last : () => keep(requestAnimationFrame(last));
    keep(requestAnimationFrame(first));
  }

  #putUpUnseen() {
    this.#switch();
    this.#isSeen = false;
    this.#up?.watcher.unseen(now());
  }

  /** @param {number} [frameAt] of its frame @returns {boolean} whether there was something to put up */
  #switch(frameAt) {
    if (this.#next === null) return false;
    this.#makeRoom(frameAt);
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

  // ── a time of its own ──────────────────────────────────────────────────────────────────────────

  /** @param {Asked} asked @param {number} frameAt */
  #expose(asked, frameAt) {
    const over = (/** @type {number} */ at) => this.#takeAway(at, EXPOSURE_OVER);
    return new Exposing(asked, frameAt, this.#meter, this.#lags, over);
  }

  /** What is up is not any more. @param {number} [frameAt] of the frame in which something takes its place */
  #makeRoom(frameAt) {
    cancelAnimationFrame(this.#leaving);
    this.#leaving = 0;
    const up = this.#up;
    this.#up = null;
    if (up === null || up.exposing === null) return;
    up.exposing.stop(frameAt);
    up.watcher.exposed(up.exposing.tell(null));
  }

  /** In an animation frame. @param {number} frameAt its time @param {string} reason */
  #takeAway(frameAt, reason) {
    const [up, wasSeen] = [this.#up, this.#isSeen];
    if (up === null) return;
    this.#makeRoom(frameAt);
    this.#isSeen = false;
    const grey = makeGrey();
    this.#watch.name(grey);
    this.#stage.replaceChildren(grey);
    // Of one whose size has just changed it was told already that it is not what it was.
    if (!wasSeen) return;
    up.watcher.leaving();
    this.#watch.putUp(grey, frameAt, now(), ({ at, timing }) => {
      const lag = timing === "presented" ? at - frameAt : null;
      if (lag !== null) this.#lags.add(lag);
      if (up.exposing !== null) up.watcher.exposed(up.exposing.tell(lag));
      up.watcher.gone(at, reason);
    });
  }
}
