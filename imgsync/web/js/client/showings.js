/**
 * From the order to show an image to what became of it, as the wire's stages tell.
 *
 *     loading ──▶ fetched ──▶ shown ──▶ hidden     another took its place, or the session ended
 *        │           │          │├────▶ hidden     (exposure_over, answered) its own time is over
 *        │           │          ▲└────▶ hidden     (hidden_tab) nobody looks at the page any more;
 *        │           │          ├────── shown      and now they do again
 *        │           │          └────▶ hidden     (resized, zoomed) it has another size; `shown` in that follows
 *        │           ├──▶ failed (hidden_tab)      put up unseen; `shown` follows when it is seen
 *        ├───────────┴──▶ failed (superseded)      another was to be shown before it was up
 *        └──▶ failed (http_403, timeout, ...)      and the screen is empty
 *
 * Until an image is decoded, the one before stays. An image that can't be had leaves the background
 * alone: the one before is not what was asked for. Text is there at once, and is not `fetched`.
 *
 * What is on the screen is told as `shown` once it is known since when, which is some frames later;
 * with it, and with the same time, what was there before as `hidden`.
 *
 * @import { Drawn, Image, Response, StageName } from "../core/protocol/wire.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Exposed } from "../core/channel/exposure.js"
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { Decoding } from "./decoding.js"
 * @import { DisplayWatch } from "./display.js"
 * @import { Loader } from "./loader.js"
 * @import { Watcher } from "./viewer.js"
 *
 * @typedef {{image: Image, control: AbortController, isOver: boolean}} Showing
 *   `isOver`: it is up or has failed, and can't be superseded any more
 * @typedef {{image: Image, exposed: Partial<Exposed> & {detail?: string}}} Sight what can be seen; `exposed`:
 *   where it had a time of its own, and that has ended
 *
 * @typedef {object} Told
 * @property {number} at
 * @property {string} [reason] why it failed, or is hidden
 * @property {string} [detail] what else is known of that
 * @property {Onset} [onset] of what is shown
 * @property {Drawn} [drawn] how large it is, of a picture that is shown
 * @property {number} [frames] for how many refreshes of the screen it was up, where it had a time of its own
 * @property {number} [dropped] in how many of these the page had no frame
 *
 * @typedef {object} Listener
 * @property {(image: Image, stage: StageName, told: Told) => void} staged it came to this stage
 * @property {(image: Image, facts: Facts) => void} identified it was fetched, and is this picture
 * @property {(image: Image, at: number) => void} seen it is put up; `shown` follows, with another time
 * @property {(said: Response) => void} responded to the one that is up, or was up last
 */

import { imageKey } from "../core/protocol/naming.js";
import { now } from "../peer/clock.js";
import { ANSWERED, HIDDEN_TAB } from "../core/protocol/numbers.js";
import { Answering } from "./answering.js";
import { ImageFailed } from "./fetching.js";
import { makeTextScreen } from "./text_screen.js";
import { Viewer } from "./viewer.js";

export class Showings {
  #decoding;
  #viewer;
  #answering;
  #listener;
  #sizing;
  /** What was to be shown last. @type {Showing | null} */
  #current = null;
  /** What can be seen. @type {Sight | null} */
  #seen = null;

  /**
   * @param {Decoding} decoding
   * @param {HTMLElement} stage
   * @param {DisplayWatch} display
   * @param {Listener} listener
   */
  constructor(decoding, stage, { meter, sizing }, listener) {
    this.#decoding = decoding;
    this.#sizing = sizing;
    this.#listener = listener;
    this.#viewer = new Viewer(stage, meter);
    this.#answering = new Answering(stage, meter, {
      responded: listener.responded,
      over: () => this.#viewer.takeAway(ANSWERED),
    });
  }

  /** Show this now. @param {Image} image @param {Loader} loader of its session */
  async show(image, loader) {
    const asked = now();
    this.#supersede();
    const showing = { image, control: new AbortController(), isOver: false };
    this.#current = showing;
    this.#decoding.hold(imageKey(image));
    if (image.text !== undefined) {
      this.#putUp(showing, makeTextScreen(image.text));
      return;
    }
    try {
      const { element, fetchedAt, facts } = await loader.load(image, showing.control.signal);
      if (showing !== this.#current) return;
      this.#listener.staged(image, "fetched", { at: Math.max(fetchedAt, asked) });
      if (facts !== null) this.#listener.identified(image, facts);
      this.#sizing.place(element, image, pixelsOf(element, facts));
      this.#putUp(showing, element);
    } catch (error) {
      if (showing !== this.#current) return;
      if (!(error instanceof ImageFailed)) throw error;
      showing.isOver = true;
      this.#empty();
      this.#fail(image, now(), error.reason, error.detail);
    }
  }

  /** Nothing is to be shown any more. */
  clear() {
    this.#supersede();
    this.#current = null;
    this.#empty();
  }

  /** Whether the tap that is under way is an answer. */
  get isTapTaken() {
    return this.#answering.isTapTaken;
  }

  #empty() {
    this.#hide(this.#viewer.clear());
    this.#answering.close();
    this.#sizing.forget();
  }

  #supersede() {
    const before = this.#current;
    if (before === null || before.isOver) return;
    before.isOver = true;
    before.control.abort();
    this.#viewer.cancel();
    this.#fail(before.image, now(), "superseded");
  }

  /** @param {Image} image @param {number} at @param {string} reason @param {string} [detail] */
  #fail(image, at, reason, detail) {
    this.#decoding.release(imageKey(image));
    this.#listener.staged(image, "failed", detail ? { at, reason, detail } : { at, reason });
  }

  /** @param {number} at @param {string} [reason] */
  #hide(at, reason) {
    const seen = this.#seen;
    this.#seen = null;
    if (seen !== null) this.#tellHidden(seen, at, reason);
  }

  /** @param {Sight} sight @param {number} at @param {string} [reason] */
  #tellHidden({ image, exposed }, at, reason) {
    const told = { at, ...exposed };
    this.#listener.staged(image, "hidden", reason === undefined ? told : { ...told, reason });
  }

  /** @param {Showing} showing @param {HTMLElement} element */
  #putUp(showing, element) {
    const { showFor, frames } = showing.image;
    const isLimited = showFor !== undefined || frames !== undefined;
    this.#viewer.putUp(element, this.#watch(showing, element), isLimited ? showing.image : null);
  }

  /** @param {Showing} showing @param {HTMLElement} element @returns {Watcher} */
  #watch(showing, element) {
    const { image } = showing;
    /** @type {Sight} */
    const sight = { image, exposed: {} };
    /** Whose place it took. @type {Sight | null} */
    let before = null;
    return {
      seen: (at) => {
        showing.isOver = true;
        before = this.#seen;
        this.#seen = sight;
        this.#answering.ask(image, element, this.#sizing.drawnOf(element));
        this.#listener.seen(image, at);
      },
      shown: (onset) => {
        this.#decoding.release(imageKey(image));
        const { at } = onset;
        if (before !== null) this.#tellHidden(before, at);
        const drawn = this.#sizing.drawnOf(element);
        this.#listener.staged(image, "shown", { at, onset, ...(drawn && { drawn }) });
        this.#answering.begin(image, onset);
      },
      unseen: (at) => {
        showing.isOver = true;
        this.#hide(at);
        this.#fail(image, at, HIDDEN_TAB);
      },
      hidden: (at, reason) => this.#hide(at, reason),
      exposed: (exposed) => (sight.exposed = exposed),
      leaving: () => (this.#seen = null),
      gone: (at, reason) => this.#tellHidden(sight, at, reason),
    };
  }
}

/**
 * Browsers tell of some pictures how large they are to be printed, and not how many pixels they have.
 *
 * @param {HTMLImageElement} element @param {Facts | null} facts
 */
function pixelsOf({ naturalWidth, naturalHeight }, facts) {
  const { width, height } = facts ?? { width: null, height: null };
  return width && height ? { width, height } : { width: naturalWidth, height: naturalHeight };
}
