/**
 * What is known of the screen's size, which the device remembers, and images in the size that is asked.
 *
 * How large each one is, `drawing.js` decides. A size is set before an image is put up, and at each change
 * of the window before that is drawn anew, so that none is seen in a wrong one.
 *
 * @import { Calibration, Drawn, Trial } from "../core/protocol/wire.js"
 * @import { Kept } from "../core/study/calibration.js"
 * @import { Size, Surface } from "../core/study/drawing.js"
 *
 * @typedef {{element: HTMLElement, asked: Trial, picture: Size, drawn: Drawn}} Placed
 */

import { calibrationOn, readKept } from "../core/study/calibration.js";
import { drawnOf, isSized } from "../core/study/drawing.js";
import { lookAtScreen, pixelsPerCss, roomInSight } from "../device/screen_facts.js";

const KEY = "imgsync size";

/** How far a ratio may be off: some browsers tell it as a short number. */
const WHOLE = 1e-6;

export class Sizing {
  /** @type {Kept | null} */
  #kept = recall();
  /** Of what is kept. @type {(() => void)[]} */
  #listeners = [];
  /** What is to be put up, and what is up until then. @type {Placed[]} */
  #placed = [];

  constructor() {
    const placeAnew = () => this.#placed.forEach((placed) => (placed.drawn = this.#place(placed)));
    addEventListener("resize", placeAnew);
    visualViewport?.addEventListener("resize", placeAnew);
    addEventListener("storage", ({ key }) => {
      if (key === KEY) this.#know(recall());
    });
  }

  /** @param {() => void} listener hears of each measurement, also in another tab */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Kept | null} kept */
  #know(kept) {
    this.#kept = kept;
    for (const listener of this.#listeners) listener();
  }

  /** What is known of the screen that is looked at; nothing of another one. @returns {Calibration} */
  get calibration() {
    return calibrationOn(this.#kept, lookAtScreen(), pixelsPerCss());
  }

  /** Whether a screen was measured, and it is not this one. */
  get isOfAnother() {
    return this.#kept !== null && this.calibration.pxPerMm === undefined;
  }

  /** This screen was measured. @param {Calibration & {pxPerMm: number}} calibration in CSS pixels as they are now */
  keep({ pxPerMm, ...others }) {
    const kept = { ...others, pxPerMm: pxPerMm * pixelsPerCss(), screen: lookAtScreen() };
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // Storage may be forbidden: then it is known until the page goes.
    }
    this.#know(kept);
  }

  /**
   * A picture is to be put up: it gets its size, as long as it may be up.
   *
   * @param {HTMLElement} element
   * @param {Trial} asked
   * @param {Size} picture in its own pixels
   */
  place(element, asked, picture) {
    const placed = { element, asked, picture, drawn: { widthPx: 0, heightPx: 0 } };
    placed.drawn = this.#place(placed);
    this.#placed = [placed, ...this.#placed.slice(0, 1)];
  }

  /** Nothing of it is to be up any more. */
  forget() {
    this.#placed = [];
  }

  /** How large it is. @param {HTMLElement} element @returns {Drawn | undefined} nothing of what is no picture */
  drawnOf(element) {
    return this.#placed.find((placed) => placed.element === element)?.drawn;
  }

  /** @param {Pick<Placed, "element" | "asked" | "picture">} placed @returns {Drawn} */
  #place({ element, asked, picture }) {
    const perCss = pixelsPerCss();
    /** @type {Surface} */
    const surface = { room: roomInSight(), pixelRatio: perCss, ...this.calibration };
    const drawn = drawnOf(asked, picture, surface);
    const hasSize = isSized(asked) && drawn.fitted === undefined;
    element.classList.toggle("sized", hasSize);
    const box = asked.scale === undefined ? { width: drawn.widthPx, height: drawn.heightPx } : multiplied(picture, perCss);
    if (hasSize) setBox(element, box, drawn, surface);
    else element.removeAttribute("style");
    return rounded(drawn);
  }
}

/** So many times a picture may be laid out larger than it is drawn, for ratios such as 1.925. */
const MOST_TIMES = 64;

/**
 * Browsers put the edges of a box on whole pixels, some on those of the screen and some on those of the page; and what
 * is not a whole number of the picture's own is blurred by that. So it is laid out as many times as large as makes both
 * whole, and scaled down to one pixel on one.
 *
 * @param {Size} picture
 * @param {number} perCss
 * @returns {Size}
 */
function multiplied({ width, height }, perCss) {
  let times = 1;
  while (times < MOST_TIMES && Math.abs(times * perCss - Math.round(times * perCss)) > times * WHOLE) times += 1;
  return times < MOST_TIMES ? { width: times * width, height: times * height } : { width, height };
}

/**
 * In the middle, and on whole pixels of the screen.
 *
 * @param {HTMLElement} element
 * @param {Size} box that is laid out
 * @param {Drawn} drawn what is to come of it
 * @param {Surface} surface
 */
function setBox({ style }, { width, height }, { widthPx, heightPx }, { room, pixelRatio }) {
  const middle = (/** @type {number} */ space) => `${Math.round((space / 2) * pixelRatio) / pixelRatio}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
  const moved = `translate(${middle(room.width - widthPx)}, ${middle(room.height - heightPx)})`;
  style.transform = width === widthPx ? moved : `${moved} scale(${widthPx / width})`;
}

/** @param {Drawn} drawn @returns {Drawn} with digits that mean something */
function rounded(drawn) {
  const told = Object.entries(drawn).map(([name, value]) => [name, typeof value === "number" ? Number(value.toFixed(3)) : value]);
  return /** @type {any} */ (Object.fromEntries(told));
}

/** @returns {Kept | null} */
function recall() {
  try {
    return readKept(JSON.parse(localStorage.getItem(KEY) ?? "null"));
  } catch {
    return null;
  }
}
