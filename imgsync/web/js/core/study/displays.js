/**
 * What of a client's screen and clock is worth a warning before a study begins. Each warning is a short
 * word; core/study/displays.py says what it means.
 *
 * @import { Display, Trial } from "../protocol/wire.js"
 *
 * @typedef {{frames: boolean, keys: boolean, size: boolean, distance: boolean}} ScreenNeeds what a series needs of a
 *   client's screen: `frames`: an image is to be up for so long; `keys`: keys are answers; `size`: one is to have a size
 *   in millimetres or degrees; `distance`: in degrees
 */

import {
  LOW_REFRESH,
  NO_DISTANCE,
  NOT_CALIBRATED,
  REFRESH_TOLERANCE,
  USUAL_REFRESH,
  ZOOM_TOLERANCE,
} from "../protocol/numbers.js";
import { exposureOf } from "./running.js";
import { needsCalibration } from "./sizes.js";

/** @param {readonly Trial[]} trials all that are asked @returns {ScreenNeeds} */
export function screenNeedsOf(trials) {
  return {
    frames: trials.some((trial) => exposureOf(trial) !== undefined),
    keys: trials.some(({ respond }) => (respond?.keys ?? []).length > 0),
    size: trials.some(needsCalibration),
    distance: trials.some(({ sizeDeg }) => sizeDeg !== undefined),
  };
}

/** @param {number | undefined} rate @param {boolean} needsFrames @returns {string[]} */
function ofRefresh(rate, needsFrames) {
  if (rate === undefined) return needsFrames ? ["refresh_unknown"] : [];
  if (rate < LOW_REFRESH) return ["refresh_low"];
  const isUsual = Math.abs(rate - USUAL_REFRESH) <= REFRESH_TOLERANCE;
  return isUsual || !needsFrames ? [] : ["refresh_not_60"];
}

/**
 * @param {Omit<Display, "type">} display
 * @param {ScreenNeeds} needs
 * @returns {string[]} the words for what may be in the way, the most important one first
 */
export function warningsOf(display, needs) {
  const { refreshRate, zoom, isolated, pointer, keyboard } = display;
  const warnings = [];
  if (needs.size && display.pxPerMm === undefined) warnings.push(NOT_CALIBRATED);
  if (needs.distance && display.distanceMm === undefined) warnings.push(NO_DISTANCE);
  warnings.push(...ofRefresh(refreshRate, needs.frames));
  if (zoom !== undefined && Math.abs(zoom - 1) > ZOOM_TOLERANCE) warnings.push("zoomed");
  if (isolated === false) warnings.push("not_isolated");
  if (needs.keys && pointer === "coarse" && !keyboard) warnings.push("no_keyboard");
  return warnings;
}
