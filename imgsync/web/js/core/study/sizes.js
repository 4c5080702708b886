/**
 * How large images are to be: core/study/sizes.py has the same, and says what a size is of.
 *
 * @import { Trial } from "../protocol/wire.js"
 */

/** Whether it is not to be as large as the window lets it be. @param {Trial} trial */
export function asksSize(trial) {
  return needsCalibration(trial) || trial.scale !== undefined;
}

/** Whether nobody can do that who does not know how large the pixels of the screen are. @param {Trial} trial */
export function needsCalibration({ sizeMm, sizeDeg }) {
  return sizeMm !== undefined || sizeDeg !== undefined;
}

/**
 * What has so many degrees of visual angle, seen from there.
 *
 * @param {number} degrees
 * @param {number} distance from the eye to the middle of it, in the unit of what is returned
 */
export function lengthOf(degrees, distance) {
  return 2 * distance * Math.tan((degrees * Math.PI) / 360);
}
