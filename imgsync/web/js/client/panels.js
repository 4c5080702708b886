/** What the panels of measuring have in common. */

import { make } from "../page/dom.js";

/** @param {string} text @param {() => void} act @param {Record<string, string>} [attributes] */
export function makeButton(text, act, attributes = {}) {
  const button = make("button", { type: "button", ...attributes }, text);
  button.addEventListener("click", act);
  return button;
}

/** Where a reader begins, as each step takes the place of the one before. @param {string} text */
export function makeTitle(text) {
  return make("h1", { id: "measuring-title", tabindex: "-1" }, text);
}
