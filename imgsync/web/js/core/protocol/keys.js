/** Keys by their names, as `KeyboardEvent.key` has them: core/protocol/keys.py names them alike. */

import { isPrintable } from "./values.js";

/** Keys without a character of their own that a page can hear. */
export const NAMED_KEYS = [
  "Space",
  "Enter",
  "Backspace",
  "Delete",
  "Home",
  "End",
  "PageUp",
  "PageDown",
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
];

/**
 * Its name as it is compared and told: of a letter it does not matter whether it is a small one, and
 * what a space bar types with other keys held, as U+00A0, is no printable name.
 *
 * @param {string} name as browsers have it
 */
export function plainKey(name) {
  if ([...name].length !== 1) return name;
  return /\p{Z}/u.test(name) ? "Space" : name.toLowerCase();
}

/** Whether it says something, and does nothing to the page or to the browser. @param {string} name a plain one */
export function isAnyKey(name) {
  return NAMED_KEYS.includes(name) || ([...name].length === 1 && isPrintable(name));
}
