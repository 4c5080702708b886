/**
 * What the check of this device has found last, kept on the device until the session that it was for:
 * the check and the session are two pages.
 *
 * @typedef {{at: number, found: string[]}} Checked `found`: the words of what is in the way
 */

import { now } from "../peer/clock.js";

const KEY = "imgsync check";

/** Milliseconds after which it says nothing of the device any more. */
const GOOD_FOR = 7 * 24 * 3600e3;

/** @param {Checked} checked */
export function keepCheck(checked) {
  try {
    localStorage.setItem(KEY, JSON.stringify(checked));
  } catch {
    // Storage may be forbidden or full: then it can still be read out.
  }
}

/** @returns {Checked | null} null where there was none of late */
export function recallCheck() {
  try {
    const { at, found } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const isRecent = typeof at === "number" && Math.abs(now() - at) < GOOD_FOR;
    return isRecent && Array.isArray(found) ? { at, found } : null;
  } catch {
    return null;
  }
}
