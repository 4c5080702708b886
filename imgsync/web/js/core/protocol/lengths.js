/**
 * How long a text may be that is told on to others; core/protocol/lengths.py has the same rule.
 * Characters are what people count, and bytes what a text costs: both are bounded.
 */

import { BYTES_PER_CHARACTER } from "./numbers.js";

/** @param {string} char one, as iterating over a text gives it @returns {number} bytes in UTF-8 */
function sizeOf(char) {
  const code = char.codePointAt(0) ?? 0;
  return 1 + Number(code > 0x7f) + Number(code > 0x7ff) + Number(code > 0xffff);
}

/**
 * Whether it has at most so many characters, and in UTF-8 no more than three bytes for each of these.
 *
 * @param {string} text @param {number} most
 */
export function fits(text, most) {
  return cut(text, most) === text;
}

/** As much of its beginning as fits. @param {string} text @param {number} most */
export function cut(text, most) {
  let characters = most;
  let bytes = most * BYTES_PER_CHARACTER;
  let end = 0;
  for (const char of text) {
    characters -= 1;
    bytes -= sizeOf(char);
    if (characters < 0 || bytes < 0) break;
    end += char.length;
  }
  return text.slice(0, end);
}
