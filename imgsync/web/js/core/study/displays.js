/**
 * What of a client's screen and clock is worth a warning before a study begins. Each warning is a short
 * word; core/study/displays.py says what it means.
 *
 * @import { Display } from "../protocol/wire.js"
 */

import { LOW_REFRESH, REFRESH_TOLERANCE, USUAL_REFRESH, ZOOM_TOLERANCE } from "../protocol/numbers.js";

/** @param {number | undefined} rate @param {boolean} needsFrames @returns {string[]} */
function ofRefresh(rate, needsFrames) {
  if (rate === undefined) return needsFrames ? ["refresh_unknown"] : [];
  if (rate < LOW_REFRESH) return ["refresh_low"];
  const isUsual = Math.abs(rate - USUAL_REFRESH) <= REFRESH_TOLERANCE;
  return isUsual || !needsFrames ? [] : ["refresh_not_60"];
}

/**
 * @param {Omit<Display, "type">} display
 * @param {boolean} needsFrames whether an image is to be up for so long, or for so many frames
 * @param {boolean} needsKeys whether keys are answers
 * @returns {string[]} the words for what may be in the way, the most important one first
 */
export function warningsOf({ refreshRate, zoom, isolated, pointer, keyboard }, needsFrames, needsKeys) {
  const warnings = ofRefresh(refreshRate, needsFrames);
  if (zoom !== undefined && Math.abs(zoom - 1) > ZOOM_TOLERANCE) warnings.push("zoomed");
  if (isolated === false) warnings.push("not_isolated");
  if (needsKeys && pointer === "coarse" && !keyboard) warnings.push("no_keyboard");
  return warnings;
}
