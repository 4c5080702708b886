/** What this device and its browser give to a page. */

import { RefreshMeter } from "../device/refresh_meter.js";
import { answer } from "../page/storage.js";
import { within } from "./loop.js";

/** A measurement takes less than a second, where frames come at all. */
const FRAMES_MS = 4000;
/** Some browsers forget to answer at times. */
const STORAGE_MS = 5000;

const NAME = "imgsync check of storage";

/** @returns {Promise<number | null>} Hz; null where no frames come */
export function measureRate() {
  const measured = new Promise((/** @type {(rate: number | null) => void} */ resolve) => {
    const meter = new RefreshMeter(() => resolve(meter.rate));
    meter.measure();
  });
  return within(FRAMES_MS, measured, null);
}

/** @param {boolean} isRecorded whether there have to be databases, too */
export async function canKeep(isRecorded) {
  try {
    localStorage.setItem(NAME, NAME);
    const isKept = localStorage.getItem(NAME) === NAME;
    localStorage.removeItem(NAME);
    return isKept && (!isRecorded || (await within(STORAGE_MS, canKeepMuch(), false)));
  } catch {
    return false;
  }
}

async function canKeepMuch() {
  const database = await answer(indexedDB.open(NAME));
  database.close();
  indexedDB.deleteDatabase(NAME);
  return true;
}

/** @returns {Promise<number | null>} bytes that are left for this page; null where the browser does not tell */
export async function findRoom() {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined ? null : quota - (usage ?? 0);
  } catch {
    return null;
  }
}

/** Whether the browser keeps the screen on for this page, as it does in a session. */
export async function canKeepAwake() {
  try {
    const lock = await navigator.wakeLock?.request("screen");
    await lock?.release();
    return lock !== undefined;
  } catch {
    return false;
  }
}
