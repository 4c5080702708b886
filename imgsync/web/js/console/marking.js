/**
 * The evaluator's own scores and notes of what is shown, or was shown last: a key for a score, or a field
 * for any score and a note.
 *
 * @typedef {{score: number | null, text: string | null}} Noted never both null
 */

import { keyed } from "./keys.js";
import { onSubmit } from "./intake.js";
import { find, setText } from "../page/dom.js";
import { nameMarked } from "../words/trials.js";

/** @type {Record<string, number | "note">} */
const KEYS = { ...Object.fromEntries([...Array(10).keys()].map((digit) => [digit, digit])), m: "note" };

export class Marking {
  #form = find("mark-form", HTMLFormElement);
  #score = find("score", HTMLInputElement);
  #note = find("note", HTMLInputElement);
  #stage = find("stage", HTMLElement);
  #mark;

  /** @param {(noted: Noted) => void} mark */
  constructor(mark) {
    this.#mark = mark;
    onSubmit("mark-form", () => this.#submit());
    addEventListener("keydown", (event) => this.#press(event));
    this.#form.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#leave();
    });
  }

  /** @param {number | null | undefined} index of what is marked; null before the first image, undefined for no session */
  render(index) {
    this.#form.hidden = index === undefined;
    if (index !== undefined) setText(find("note-label", HTMLElement), nameMarked(index));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const wanted = this.#form.offsetParent === null ? undefined : keyed(KEYS, event);
    if (wanted === undefined) return;
    event.preventDefault();
    if (event.repeat) return;
    if (wanted === "note") this.#note.focus();
    else this.#mark({ score: wanted, text: null });
  }

  #submit() {
    const [score, text] = [this.#score.valueAsNumber, this.#note.value.trim()];
    if (Number.isNaN(score) && text === "") return;
    this.#mark({ score: Number.isNaN(score) ? null : score, text: text || null });
    this.#form.reset();
    this.#leave();
  }

  /** Out of the fields, so that the keys drive again. */
  #leave() {
    this.#stage.focus({ preventScroll: true });
  }
}
