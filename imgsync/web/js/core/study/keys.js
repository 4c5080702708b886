/**
 * Which keys may be asked for in a study: core/study/keys.py has the same list.
 *
 * A page sees every key that types one character. Of the others, some never reach it, and some do
 * something else in a browser first: Escape ends the full screen, Tab leaves the picture.
 */

import { NAMED_KEYS } from "../protocol/keys.js";
import { isKeys } from "../protocol/values.js";

/** @type {Map<string, string>} */
const MEANT = new Map([
  ...NAMED_KEYS.map((name) => /** @type {[string, string]} */ ([name.toLowerCase(), name])),
  ...NAMED_KEYS.map((name) => /** @type {[string, string]} */ ([name.toLowerCase().replace(/^arrow/, ""), name])),
  [" ", "Space"],
  ["spacebar", "Space"],
  ["return", "Enter"],
  ["del", "Delete"],
]);

/** What keys do that a page can't have. @type {Map<string, string>} */
const TAKEN = new Map([
  ["Escape", "ends the full screen"],
  ["Tab", "leaves the picture"],
  ["PrintScreen", "is the system's"],
  ...Array.from({ length: 24 }, (_, place) => /** @type {[string, string]} */ ([`F${place + 1}`, "is the browser's"])),
  ...["Shift", "Control", "Alt", "AltGraph", "Meta", "Fn", "CapsLock", "NumLock", "ScrollLock"].map(
    (name) => /** @type {[string, string]} */ ([name, "changes what other keys mean"]),
  ),
]);

/**
 * Why no page can hear this key, as what follows the name of an image.
 *
 * @param {unknown} name
 * @returns {string | null} null where it can
 */
export function faultOfKey(name) {
  if (typeof name !== "string" || !(name === " " || isKeys([name]))) {
    return "asks in respond for a key whose name is not 1 to 32 printable characters";
  }
  const meant = MEANT.get(name.toLowerCase());
  if (NAMED_KEYS.includes(name) || ([...name].length === 1 && meant === undefined)) return null;
  if (meant !== undefined) return `asks for the key "${name}"; call it ${meant}`;
  const taken = TAKEN.get(name);
  const why = taken === undefined ? "which no page knows; see the list of keys" : `which ${taken}`;
  return `asks for the key "${name}", ${why}; choose another one`;
}
