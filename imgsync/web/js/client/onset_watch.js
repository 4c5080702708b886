/**
 * Watches when the elements that are put up are presented; what that means, `Onsets` decides.
 *
 * Browsers with Element Timing tell of an element once, when it has been presented for the first
 * time. Of anything else all that is known is its frame, and that it is past in the third frame after
 * it, if each of those has something to paint: Firefox begins no frame while two are not composited
 * (`nsRefreshDriver::IsWaitingForPaint`).
 *
 * @import { Onset } from "../core/channel/onsets.js"
 *
 * @typedef {PerformanceEntry & {identifier: string, renderTime: number, presentationTime?: number | null}} ElementEntry
 */

import { Onsets } from "../core/channel/onsets.js";
import { Timer, momentOf, now, seconds } from "../peer/clock.js";

/** What browsers round these times by in a page that is not isolated. */
const COARSE_MS = 4;

/** Frames after which one is past. */
const FRAMES_BEHIND = 3;
/** Something to paint that nobody sees: the grey of the stage, and as good as that. */
const GREYS = ["", "rgb(128 128 128 / 0.996)"];

/** A picture itself, or the part that has the text: browsers tell of no other. @param {Element} element */
function timedPart(element) {
  return element.firstElementChild ?? element;
}

export class OnsetWatch {
  /** Whether this browser can tell. */
  static isTold = PerformanceObserver.supportedEntryTypes.includes("element");
  #onsets = new Onsets();
  #count = 0;
  /** Who waits for which. @type {Map<string, (onset: Onset) => void>} */
  #tells = new Map();
  /** What has been in view. @type {WeakSet<Element>} */
  #known = new WeakSet();
  #timer = new Timer(() => this.#perform(this.#onsets.tick(now())));

  constructor() {
    if (!OnsetWatch.isTold) return;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#presented(/** @type {ElementEntry} */ (entry));
    });
    observer.observe({ type: "element" });
  }

  /** An element is to be put into the document for the first time. @param {Element} element */
  name(element) {
    timedPart(element).setAttribute("elementtiming", this.#nextId());
  }

  #nextId() {
    return String((this.#count += 1));
  }

  /**
   * In an animation frame, which goes on, an element has come into view.
   *
   * @param {Element} element that was named
   * @param {number} frameAt the time of that frame
   * @param {number} putAt when it was in the document
   * @param {(onset: Onset) => void} tell
   */
  putUp(element, frameAt, putAt, tell) {
    const isNew = !this.#known.has(element);
    // Of one that comes into view again the browser tells nothing more, and what it has still to tell
    // is of the first time.
    const id = isNew ? (timedPart(element).getAttribute("elementtiming") ?? "") : this.#nextId();
    const isTold = OnsetWatch.isTold && isNew;
    this.#known.add(element);
    this.#tells.set(id, tell);
    this.#onsets.putUp(id, frameAt, putAt);
    this.#perform([]);
    if (!isTold) this.#follow(id, /** @type {HTMLElement} */ (element.parentElement), FRAMES_BEHIND);
  }

  /** @param {string} id @param {HTMLElement} stage @param {number} frames still to come */
  #follow(id, stage, frames) {
    requestAnimationFrame(() => {
      stage.style.backgroundColor = GREYS[frames % 2] ?? "";
      if (frames > 1) this.#follow(id, stage, frames - 1);
      else this.#perform(this.#onsets.past(id, now()));
    });
  }

  /** What is in view will not be any more. */
  settle() {
    this.#perform(this.#onsets.settle(now()));
  }

  /** @param {ElementEntry} entry */
  #presented({ identifier, renderTime, presentationTime }) {
    const at = presentationTime || renderTime;
    const within = crossOriginIsolated ? 0 : COARSE_MS;
    // Some tell that it was presented, but not when, where its host does not allow that.
    const isKnown = at > 0;
    this.#perform(
      isKnown
        ? this.#onsets.presented(identifier, momentOf(at), within, now())
        : this.#onsets.past(identifier, now()),
    );
  }

  /** @param {Onset[]} onsets */
  #perform(onsets) {
    for (const onset of onsets) {
      const tell = this.#tells.get(onset.id);
      this.#tells.delete(onset.id);
      tell?.(onset);
    }
    const { due } = this.#onsets;
    this.#timer.set(due === Infinity ? Infinity : seconds() + Math.max(0, due - now()) / 1000);
  }
}
