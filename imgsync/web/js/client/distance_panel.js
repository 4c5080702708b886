/**
 * The distance from the eyes to the screen: typed, or found by the blind spot.
 *
 * @typedef {{distanceMm: number, distanceBy: string, distanceWithinMm?: number}} Distance
 */

import { distanceOf } from "../core/study/calibration.js";
import { make, setText } from "../page/dom.js";
import { say } from "../words/language.js";
import { hasRoomToFind, watchDot } from "./blind_spot.js";
import { makeButton, makeTitle } from "./panels.js";

/** Centimetres that people may type: a telephone before the nose, and a projector. */
const LEAST = 10;
const MOST = 500;

/** Parts of the distance by which measurements differ that are to be made again. */
const UNSURE = 0.2;

/**
 * @param {HTMLElement} panel
 * @param {number} pxPerMm CSS pixels
 * @param {number | undefined} known millimetres
 * @returns {Promise<Distance | null>} null where they don't want to
 */
export async function askDistance(panel, pxPerMm, known) {
  let typed = known;
  for (;;) {
    const asked = await askTyped(panel, pxPerMm, typed);
    if (asked !== "find") return asked;
    const found = await find(panel, pxPerMm);
    if (found?.isSure) return { ...found.distance, distanceBy: "blind_spot" };
    typed = found?.distance.distanceMm ?? typed;
  }
}

/**
 * As often as they want to.
 *
 * @param {HTMLElement} panel @param {number} pxPerMm
 * @returns {Promise<{distance: ReturnType<typeof distanceOf>, isSure: boolean} | null>} `isSure`: else they would rather
 *   type it; null where they have stopped
 */
async function find(panel, pxPerMm) {
  for (;;) {
    const lengths = await watchDot(panel, pxPerMm);
    if (lengths === null) return null;
    const distance = distanceOf(lengths);
    const answer = await confirm(panel, distance);
    if (answer !== "again") return { distance, isSure: answer === "use" };
  }
}

/**
 * @param {HTMLElement} panel @param {number} pxPerMm @param {number | undefined} known
 * @returns {Promise<Distance | "find" | null>}
 */
function askTyped(panel, pxPerMm, known) {
  return new Promise((resolve) => {
    const attributes = { type: "number", min: String(LEAST), max: String(MOST), step: "any", inputmode: "decimal" };
    const input = make("input", { ...attributes, value: known === undefined ? "" : (known / 10).toFixed(0) });
    const wrong = make("p", { role: "alert", class: "wrong" });
    const use = () => {
      const centimetres = input.valueAsNumber;
      if (centimetres >= LEAST && centimetres <= MOST) resolve({ distanceMm: centimetres * 10, distanceBy: "typed" });
      else setText(wrong, say("size.distanceWrong", { least: LEAST, most: MOST }));
    };
    const form = make("form", {}, make("label", {}, say("size.centimetres"), " ", input), wrong);
    const main = make("button", { class: "main" }, say("size.useDistance"));
    const find = makeButton(say("size.findOut"), () => resolve("find"));
    const later = makeButton(say("size.later"), () => resolve(null));
    form.append(make("div", { class: "buttons" }, main, find, later));
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      use();
    });
    const title = makeTitle(say("size.distanceTitle"));
    const narrow = make("p", { class: "hint" });
    const render = () => {
      find.disabled = !hasRoomToFind(panel, pxPerMm);
      setText(narrow, find.disabled ? say("size.tooNarrow") : "");
    };
    panel.replaceChildren(title, make("p", {}, say("size.distanceText")), form, narrow);
    new ResizeObserver(render).observe(form); // goes with it
    title.focus();
  });
}

/**
 * @param {HTMLElement} panel @param {{distanceMm: number, distanceWithinMm: number}} found
 * @returns {Promise<"use" | "again" | "type">}
 */
function confirm(panel, { distanceMm, distanceWithinMm }) {
  return new Promise((resolve) => {
    const isUnsure = distanceWithinMm > UNSURE * distanceMm;
    const values = { distance: Math.round(distanceMm / 10), within: Math.ceil(distanceWithinMm / 10) };
    const texts = [make("p", {}, say("size.found", values))];
    if (isUnsure) texts.push(make("p", { class: "wrong" }, say("size.unsure")));
    const use = makeButton(say("size.useDistance"), () => resolve("use"));
    const again = makeButton(say("size.again"), () => resolve("again"));
    (isUnsure ? again : use).className = "main";
    const type = makeButton(say("size.typeIt"), () => resolve("type"));
    const title = makeTitle(say("size.distanceTitle"));
    panel.replaceChildren(title, ...texts, make("div", { class: "buttons" }, use, again, type));
    title.focus();
  });
}
