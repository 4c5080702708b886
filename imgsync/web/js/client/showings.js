/**
 * From the order to show an image to what became of it, as the wire's stages tell.
 *
 *     loading ──▶ fetched ──▶ shown ──▶ hidden     another took its place, or the session ended
 *        │           │          ▲└────▶ hidden     (hidden_tab) nobody looks at the page any more;
 *        │           │          ├────── shown      and now they do again
 *        │           │          └────▶ hidden     (resized) it has another size; `shown` in that follows
 *        │           ├──▶ failed (hidden_tab)      put up unseen; `shown` follows when it is seen
 *        ├───────────┴──▶ failed (superseded)      another was to be shown before it was up
 *        └──▶ failed (http_403, timeout, ...)      and the screen is empty
 *
 * Until an image is decoded, the one before stays. An image that can't be had leaves the background
 * alone: the one before is not what was asked for.
 *
 * @import { Image, StageName } from "../core/protocol/wire.js"
 * @import { Loader } from "./loader.js"
 * @import { Sight } from "./viewer.js"
 *
 * @typedef {{image: Image, control: AbortController, isOver: boolean}} Showing
 *   `isOver`: it is up or has failed, and can't be superseded any more
 *
 * @typedef {(image: Image, stage: StageName, at: number, reason?: string) => void} Report
 */

import { now } from "../peer/clock.js";
import { HIDDEN_TAB } from "../core/protocol/numbers.js";
import { ImageFailed } from "./fetching.js";
import { Viewer } from "./viewer.js";

export class Showings {
  #loader;
  #viewer;
  #report;
  /** What was to be shown last. @type {Showing | null} */
  #current = null;
  /** What can be seen. @type {Image | null} */
  #seen = null;

  /**
   * @param {Loader} loader
   * @param {HTMLElement} stage
   * @param {Report} report
   */
  constructor(loader, stage, report) {
    this.#loader = loader;
    this.#report = report;
    this.#viewer = new Viewer(stage, (sight) => this.#sighted(sight));
  }

  /** Show this now. @param {Image} image */
  async show(image) {
    const asked = now();
    this.#supersede();
    const showing = { image, control: new AbortController(), isOver: false };
    this.#current = showing;
    try {
      const { element, fetchedAt } = await this.#loader.load(image, showing.control.signal);
      if (showing !== this.#current) return;
      this.#report(image, "fetched", Math.max(fetchedAt, asked));
      this.#viewer.putUp(element, (at) => this.#hide(at));
    } catch (error) {
      if (showing !== this.#current) return;
      if (!(error instanceof ImageFailed)) throw error;
      showing.isOver = true;
      this.#hide(this.#viewer.clear());
      this.#report(image, "failed", now(), error.reason);
    }
  }

  /** Nothing is to be shown any more. */
  clear() {
    this.#supersede();
    this.#current = null;
    this.#hide(this.#viewer.clear());
  }

  #supersede() {
    const before = this.#current;
    if (before === null || before.isOver) return;
    before.isOver = true;
    before.control.abort();
    this.#report(before.image, "failed", now(), "superseded");
  }

  /** @param {number} at */
  #hide(at) {
    const seen = this.#seen;
    this.#seen = null;
    if (seen !== null) this.#report(seen, "hidden", at);
  }

  /** @param {Sight} sight */
  #sighted({ kind, at }) {
    const current = this.#current;
    if (kind === "hidden" || kind === "resized") {
      // What is up may not be what is current: that may still be loading.
      const seen = this.#seen;
      this.#seen = null;
      if (seen !== null) this.#report(seen, "hidden", at, kind === "hidden" ? HIDDEN_TAB : kind);
      return;
    }
    if (current === null) return;
    current.isOver = true;
    if (kind === "shown") {
      this.#seen = current.image;
      this.#report(current.image, "shown", at);
    } else {
      this.#report(current.image, "failed", at, HIDDEN_TAB);
    }
  }
}
