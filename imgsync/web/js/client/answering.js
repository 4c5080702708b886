/**
 * Keys and taps of the participant, as the browser tells of them. What of them is an answer, `Answers`
 * decides.
 *
 * Their times are those of the events, and not of when the page hears of them. Keys that are asked for do
 * nothing else in the page, others do what they do. A tap is an answer when it begins, and on text when it
 * ends, as text may be scrolled.
 *
 * @import { Drawn, Image, Response } from "../core/protocol/wire.js"
 * @import { Size } from "../core/study/drawing.js"
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { Output, Point } from "../core/channel/answers.js"
 * @import { RefreshMeter } from "../device/refresh_meter.js"
 *
 * @typedef {object} Listener
 * @property {(said: Response) => void} responded
 * @property {() => void} over what is up is to be taken away
 */

import { Answers, placeOnPicture } from "../core/channel/answers.js";
import { plainKey } from "../core/protocol/keys.js";
import { isSized } from "../core/study/drawing.js";
import { momentOf } from "../peer/clock.js";
import { clockStep } from "../device/clock_step.js";

/** Whether a key is held that makes another thing of others: a shortcut, and no answer. @param {KeyboardEvent} event */
function isShortcut(event) {
  const isAltGraph = event.getModifierState("AltGraph");
  return event.metaKey || (!isAltGraph && (event.ctrlKey || event.altKey));
}

/** @param {HTMLImageElement} element @returns {Size} */
function pixelsOf({ naturalWidth, naturalHeight }) {
  return { width: naturalWidth, height: naturalHeight };
}

/** @param {DOMRect} stage @param {Size} size */
function centred(stage, { width, height }) {
  const [left, top] = [stage.left + (stage.width - width) / 2, stage.top + (stage.height - height) / 2];
  return { left, top, width, height };
}

/**
 * What was put up.
 *
 * @typedef {{picture: Size | null, drawn: Size | null}} Up `picture`: its size in its own pixels; null for text;
 *   `drawn`: its size in CSS pixels, null where it fills the stage
 */

export class Answering {
  #answers = new Answers();
  #stage;
  #meter;
  #listener;
  /** What was put up last. @type {Up} */
  #up = { picture: null, drawn: null };
  /** What was up when the tap began that is under way, or was last, if it is an answer. @type {Up | null} */
  #touched = null;

  /** @param {HTMLElement} stage @param {RefreshMeter} meter @param {Listener} listener */
  constructor(stage, meter, listener) {
    this.#stage = stage;
    this.#meter = meter;
    this.#listener = listener;
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("pointerdown", (event) => this.#pointerDown(event), { capture: true });
    addEventListener("click", (event) => this.#clicked(event), { capture: true });
  }

  /** Whether the tap that is under way, or was last, is an answer. */
  get isTapTaken() {
    return this.#touched !== null;
  }

  /**
   * It is put up, or comes into view again.
   *
   * @param {Image} image @param {HTMLElement} element @param {Drawn} [drawn] how large a picture is
   */
  ask(image, element, drawn) {
    // It may be emptied once it is away.
    const picture = element instanceof HTMLImageElement ? pixelsOf(element) : null;
    const isFilling = drawn === undefined || drawn.fitted !== undefined || !isSized(image);
    this.#up = { picture, drawn: isFilling ? null : { width: drawn.widthPx, height: drawn.heightPx } };
    this.#answers.ask(image);
    this.#showPointer();
  }

  /** It is known since when it is on the screen. @param {Image} image @param {Onset} onset */
  begin(image, onset) {
    this.#perform(this.#answers.begin(image, onset, this.#meter.interval));
  }

  /** Nothing is there to be answered any more. */
  close() {
    this.#answers.close();
    this.#showPointer();
  }

  /** Who is to tap with a mouse has to see where it is. */
  #showPointer() {
    document.body.toggleAttribute("data-taps", this.#answers.takesTaps);
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const name = plainKey(event.key);
    if (event.isComposing || isShortcut(event) || !this.#answers.takesKey(name)) return;
    if (this.#answers.isAskedFor(name)) event.preventDefault();
    if (event.repeat) return;
    this.#perform(this.#answers.key(name, momentOf(event.timeStamp), clockStep()));
  }

  /** @param {PointerEvent} event */
  #pointerDown(event) {
    const isTap = event.isPrimary && event.button === 0;
    this.#touched = isTap && this.#answers.takesTaps ? this.#up : null;
    const picture = this.#touched?.picture ?? null;
    // It fills the stage, or is in its middle, or was.
    const stage = this.#stage.getBoundingClientRect();
    const box = this.#up.drawn === null ? stage : centred(stage, this.#up.drawn);
    if (picture !== null) this.#tap(event, placeOnPicture({ x: event.clientX, y: event.clientY }, box, picture));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const isOfText = this.#touched === this.#up && this.#up.picture === null;
    if (isOfText) this.#tap(event, null);
  }

  /** @param {MouseEvent} event @param {Point | null} point */
  #tap(event, point) {
    this.#perform(this.#answers.tap(point, momentOf(event.timeStamp), clockStep()));
  }

  /** @param {Output[]} outputs */
  #perform(outputs) {
    for (const output of outputs) {
      if (output.kind === "over") this.#listener.over();
      else this.#listener.responded(output.said);
    }
  }
}
