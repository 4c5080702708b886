/**
 * How large the pixels of a screen are, and from how far away they are seen. Only pages measure that, so that
 * only JavaScript decides it.
 *
 * What is kept is in pixels of the screen, of which there are as many in a millimetre at any zoom. It is
 * good for the screen on which it was measured, which is known by its size: some browsers tell that in pixels
 * of the system, some in those of the page, which are larger where it is zoomed.
 *
 * @import { Calibration } from "../protocol/wire.js"
 *
 * @typedef {{width: number, height: number, base: number | null}} Screen its size as the browser tells it; `base`:
 *   pixels of the screen in each of these, null where that can't be told
 * @typedef {Calibration & {pxPerMm: number, screen: Screen}} Kept what a device remembers; `pxPerMm`: pixels of the screen
 */

import { isDuration, isObject, isPositive, isReason } from "../protocol/values.js";
import { may, must, read } from "../protocol/wire.js";

/** Millimetres of a bank card (ISO/IEC 7810, ID-1). */
export const CARD = { long: 85.6, short: 53.98 };

/**
 * Degrees from what an eye looks at to where a dot that moves towards its temple is lost: on average, with the time
 * that people take to say so (Li et al. 2020, doi.org/10.1038/s41598-019-57204-1).
 */
const BLIND_SPOT = 13.5;

/** Pixels by which two sizes of one screen may differ: browsers that zoom round to whole pixels of the page. */
const ROUNDING = 2;

const KEPT = {
  pxPerMm: must(isPositive),
  calibratedBy: may(isReason),
  distanceMm: may(isPositive),
  distanceBy: may(isReason),
  distanceWithinMm: may(isDuration),
  screen: {
    test: isObject,
    of: { width: must(isPositive), height: must(isPositive), base: may(isPositive) },
  },
};

/** @param {unknown} value of JSON @returns {Kept | null} null for what is none */
export function readKept(value) {
  const kept = read(value, KEPT);
  return kept && /** @type {Kept} */ ({ ...kept, screen: { base: null, ...kept.screen } });
}

/**
 * What is known of a screen that is looked at now.
 *
 * @param {Kept | null} kept
 * @param {Screen} screen
 * @param {number} perCss pixels of the screen for each CSS pixel
 * @returns {Calibration} of nothing, where another one was measured
 */
export function calibrationOn(kept, screen, perCss) {
  if (kept === null || !isSameScreen(kept.screen, screen)) return {};
  const { screen: _, pxPerMm, ...others } = kept;
  return { ...others, pxPerMm: Number((pxPerMm / perCss).toPrecision(8)) };
}

/** @param {Screen} one @param {Screen} other in whichever way it is turned */
export function isSameScreen(one, other) {
  const isTold = one.base !== null && other.base !== null;
  const [known, now] = [one, other].map(({ width, height, base }) => {
    const scale = isTold ? Number(base) : 1;
    return [Math.min(width, height) * scale, Math.max(width, height) * scale];
  });
  const within = isTold ? ROUNDING * Math.max(Number(one.base), Number(other.base)) : ROUNDING;
  return known?.every((side, index) => Math.abs(side - (now?.[index] ?? 0)) <= within) ?? false;
}

/**
 * @param {readonly number[]} lengths millimetres from what was looked at to where the dot was lost; one at least
 * @returns {{distanceMm: number, distanceWithinMm: number}}
 */
export function distanceOf(lengths) {
  const distances = lengths.map((length) => length / Math.tan((BLIND_SPOT * Math.PI) / 180));
  const distanceMm = distances.reduce((sum, one) => sum + one, 0) / distances.length;
  const distanceWithinMm = Math.max(...distances.map((one) => Math.abs(one - distanceMm)));
  return { distanceMm, distanceWithinMm };
}

/** From so far away at most the dot would be lost. @param {number} length millimetres that it can move */
export function farthest(length) {
  return distanceOf([length]).distanceMm;
}
