/**
 * A dot moves away from a cross that the left eye looks at, until it is lost in the blind spot. How far away
 * that is, `core/study/calibration.js` knows.
 */

import { farthest } from "../core/study/calibration.js";
import { make, setText } from "../page/dom.js";
import { say } from "../words/language.js";
import { makeButton, makeTitle } from "./panels.js";

const TIMES = 5;
/** Millimetres in a second: slow enough to be followed from the corner of an eye. */
const SPEED = 30;
/** Millimetres from the cross at which it begins: another one each time, so that nobody learns the time. */
const BEGINS = 12;
const BEGINS_WITHIN = 15;
/** Millimetres: a telephone in a hand. Where the dot can't be lost from there, nothing is to be found. */
const NEAR = 300;
/** CSS pixels from either end of the strip, as the style has it. */
const MARGIN = 24;

/** @param {HTMLElement} panel */
function roomIn(panel) {
  return panel.clientWidth - 2 * MARGIN;
}

/** @param {HTMLElement} panel @param {number} pxPerMm */
export function hasRoomToFind(panel, pxPerMm) {
  return farthest(roomIn(panel) / pxPerMm) >= NEAR;
}

/**
 * @param {HTMLElement} panel
 * @param {number} pxPerMm CSS pixels
 * @returns {Promise<number[] | null>} millimetres from the cross at which the dot was lost; null where they have stopped
 */
export async function watchDot(panel, pxPerMm) {
  const leaving = new AbortController();
  const dot = make("span", { class: "dot" });
  const strip = make("div", { class: "strip", "aria-hidden": "true" }, make("span", { class: "cross" }), dot);
  const turn = make("p", { class: "hint", role: "status" });
  const title = makeTitle(say("size.blindTitle"));
  const text = make("p", {}, say("size.blindText"));
  const main = makeButton(say("size.begin"), () => {}, { class: "main" });
  const stop = makeButton(say("size.stop"), () => leaving.abort());
  // Its keydown counts, so that a click, for which it has to be let go, would be a second answer.
  main.addEventListener("keyup", (event) => event.key === " " && event.preventDefault());
  panel.replaceChildren(title, text, strip, turn, make("div", { class: "buttons" }, main, stop));
  main.focus();
  /** @type {number[]} */
  const lengths = [];
  try {
    await pressed(panel, main, leaving.signal);
    setText(main, say("size.vanished"));
    while (lengths.length < TIMES) {
      setText(turn, say("size.turn", { number: lengths.length + 1, total: TIMES }));
      lengths.push(await lostAt(panel, main, dot, pxPerMm, leaving.signal));
    }
    return lengths;
  } catch (error) {
    if (leaving.signal.aborted) return null;
    throw error;
  }
}

/**
 * @param {HTMLElement} panel @param {HTMLElement} main @param {HTMLElement} dot @param {number} pxPerMm
 * @param {AbortSignal} signal whose reason is thrown
 * @returns {Promise<number>} millimetres from the cross
 */
async function lostAt(panel, main, dot, pxPerMm, signal) {
  const begin = BEGINS + BEGINS_WITHIN * Math.random();
  const path = roomIn(panel) / pxPerMm - begin;
  const began = performance.now();
  // It goes from its start to the end of the strip, and again.
  const at = (/** @type {number} */ time) => begin + (((Math.max(time - began, 0) / 1000) * SPEED) % path);
  let frame = 0;
  const move = (/** @type {number} */ time) => {
    dot.style.translate = `${-at(time) * pxPerMm}px`;
    frame = requestAnimationFrame(move);
  };
  move(began);
  try {
    return at(await pressed(panel, main, signal));
  } finally {
    cancelAnimationFrame(frame);
  }
}

/**
 * The space bar, a touch anywhere but on another button, or a click on this one.
 *
 * @param {HTMLElement} panel @param {HTMLElement} main @param {AbortSignal} signal whose reason is thrown
 * @returns {Promise<number>} when
 */
function pressed(panel, main, signal) {
  return new Promise((resolve, reject) => {
    const answered = new AbortController();
    const until = { signal: answered.signal };
    const settle = (/** @type {Event} */ event) => {
      answered.abort();
      resolve(event.timeStamp);
    };
    signal.addEventListener("abort", () => (answered.abort(), reject(signal.reason)), until);
    const isOther = (/** @type {Event} */ { target }) => target instanceof Element && target.closest("button") !== null;
    panel.addEventListener("pointerdown", (event) => isOther(event) || settle(event), until);
    main.addEventListener("click", settle, until);
    const keyDown = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== " " || event.repeat || (isOther(event) && event.target !== main)) return;
      event.preventDefault(); // no click of the button comes of it
      settle(event);
    };
    addEventListener("keydown", keyDown, until);
  });
}
