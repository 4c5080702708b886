/**
 * A box that is to be made as wide as a bank card which is held to it, or a bar that is to be as long as a ruler
 * says: so the page knows how large its pixels are. On a screen that is higher than wide the card is held upright.
 *
 * @import { Calibration } from "../core/protocol/wire.js"
 *
 * @typedef {{mm: number, isCard: boolean}} Shape `mm`: how wide it is to be
 */

import { CARD } from "../core/study/calibration.js";
import { make, setText } from "../page/dom.js";
import { say } from "../words/language.js";
import { makeButton, makeTitle } from "./panels.js";
import { pixelsPerCss } from "../device/screen_facts.js";

/** CSS pixels in a millimetre that screens have, at the least and at the most. */
const LEAST = 0.7;
const MOST = 14;
/** What most screens have that are touched, and others. */
const TOUCHED = 6;
const OTHERS = 96 / 25.4;

/** Part of the window that the box may be high. */
const HIGHEST = 0.35;

/** Millimetres of a bar, of which the longest is taken that there is room for. */
const BARS = [100, 50, 20];

/** CSS pixels at either side of the panel that stay empty, so that the end of a shape is seen. */
const EDGE = 8;

/** A screen that is turned, a page that is zoomed: what fits is drawn anew. */
class ScreenPanel {
  #panel;
  #text = make("p");
  #shape = make("div", { class: "shape" });
  #slider = make("input", { type: "range", "aria-label": say("size.slider") });
  #other = makeButton("", () => this.#changeTool());
  /** Pixels of the screen in a millimetre. */
  #pxPerMm;
  #isCard = true;
  /** What it was adjusted to last. @type {"card" | "ruler"} */
  #by = "card";

  /** @param {HTMLElement} panel @param {Calibration} known @param {(by: string | null) => void} done null for nothing */
  constructor(panel, known, done) {
    this.#panel = panel;
    const guess = matchMedia("(pointer: coarse)").matches ? TOUCHED : OTHERS;
    this.#pxPerMm = (known.pxPerMm ?? guess) * pixelsPerCss();
    if (known.calibratedBy === "ruler") this.#by = "ruler";
    this.#slider.addEventListener("input", () => this.#take(Number(this.#slider.value)));
    const narrower = makeButton("−", () => this.#take(this.#width - 1), { "aria-label": say("size.narrower") });
    const wider = makeButton("+", () => this.#take(this.#width + 1), { "aria-label": say("size.wider") });
    const sliding = make("div", { class: "sliding" }, narrower, this.#slider, wider);
    const fits = makeButton(say("size.fits"), () => done(this.#by), { class: "main" });
    const later = makeButton(say("size.later"), () => done(null));
    const buttons = make("div", { class: "buttons" }, fits, this.#other, later);
    const title = makeTitle(say("size.screenTitle"));
    panel.replaceChildren(title, this.#text, this.#shape, sliding, buttons);
    title.focus();
    this.render();
  }

  /** In CSS pixels. */
  get pxPerMm() {
    return this.#pxPerMm / pixelsPerCss();
  }

  /** @returns {Shape} */
  get #held() {
    if (this.#isCard) return { mm: this.#isUpright ? CARD.short : CARD.long, isCard: true };
    const fitting = BARS.find((mm) => mm * this.pxPerMm <= this.#room);
    return { mm: fitting ?? BARS.at(-1) ?? 0, isCard: false };
  }

  get #isUpright() {
    return innerHeight > innerWidth;
  }

  /** CSS pixels that there are for it. */
  get #room() {
    return this.#panel.clientWidth - 2 * EDGE;
  }

  get #width() {
    return this.#held.mm * this.pxPerMm;
  }

  /** @param {number} width CSS pixels */
  #take(width) {
    const { mm, isCard } = this.#held;
    const most = Math.min(this.#room, mm * MOST);
    this.#pxPerMm = (Math.min(Math.max(width, mm * LEAST), most) / mm) * pixelsPerCss();
    this.#by = isCard ? "card" : "ruler";
    this.render();
  }

  #changeTool() {
    this.#isCard = !this.#isCard;
    this.render();
  }

  render() {
    const { mm, isCard } = this.#held;
    const width = this.#width;
    setText(this.#text, this.#describe(mm));
    setText(this.#other, say(isCard ? "size.useRuler" : "size.useCard"));
    this.#shape.classList.toggle("card-shape", isCard);
    this.#shape.style.width = `${width}px`;
    const height = width * (this.#isUpright ? CARD.long / CARD.short : CARD.short / CARD.long);
    // It is the width that counts: of a high card a part will do, so that the way on is in sight.
    const most = HIGHEST * innerHeight;
    this.#shape.classList.toggle("cut", isCard && height > most);
    this.#shape.style.height = isCard ? `${Math.min(height, most)}px` : "";
    this.#slider.min = String(mm * LEAST);
    this.#slider.max = String(Math.min(this.#room, mm * MOST));
    this.#slider.step = String(1 / pixelsPerCss());
    this.#slider.value = String(width);
  }

  /** @param {number} mm */
  #describe(mm) {
    if (!this.#isCard) return say("size.rulerText", { length: mm / 10 });
    return say(this.#isUpright ? "size.cardUpright" : "size.cardText");
  }
}

/**
 * @param {HTMLElement} panel
 * @param {Calibration} known
 * @returns {Promise<{pxPerMm: number, calibratedBy: string} | null>} in CSS pixels; null where they don't want to
 */
export function askScreen(panel, known) {
  const leaving = new AbortController();
  const { signal } = leaving;
  return new Promise((resolve) => {
    const asking = new ScreenPanel(panel, known, (calibratedBy) => {
      leaving.abort();
      resolve(calibratedBy === null ? null : { pxPerMm: asking.pxPerMm, calibratedBy });
    });
    addEventListener("resize", () => asking.render(), { signal });
  });
}
