/** What this device and its browser give to a page. */

import { RefreshMeter } from "../device/refresh_meter.js";
import { Connection, StorageFull } from "../page/storage.js";
import { within } from "./loop.js";

/** A measurement takes less than a second, where frames come at all. */
const FRAMES_MS = 4000;
/** Some browsers forget to answer at times. */
const STORAGE_MS = 5000;
/** Bytes that are tried: some minutes of a recording. */
const MUCH = 32e6;

const NAME = "imgsync check of storage";

/** @returns {Promise<number | null>} Hz; null where no frames come */
export function measureRate() {
  const measured = new Promise((/** @type {(rate: number | null) => void} */ resolve) => {
    const meter = new RefreshMeter(() => resolve(meter.rate));
    meter.measure();
  });
  return within(FRAMES_MS, measured, null);
}

/**
 * @param {boolean} isRecorded whether recordings are to be kept, too
 * @returns {Promise<{isKept: boolean, left: number | null}>} whether what is written is there when it is read, and
 *   for how many bytes more there is room; null where the browser does not tell
 */
export async function examineStorage(isRecorded) {
  const left = await findRoom();
  if (!isRecorded) return { isKept: keepsTexts(), left };
  const much = await keepMuch();
  // Some browsers tell of much room whatever there is.
  return { isKept: keepsTexts() && much !== "gone", left: much === "full" ? Math.min(left ?? MUCH, MUCH) : left };
}

function keepsTexts() {
  try {
    localStorage.setItem(NAME, NAME);
    const isKept = localStorage.getItem(NAME) === NAME;
    localStorage.removeItem(NAME);
    return isKept;
  } catch {
    return false;
  }
}

/** @returns {Promise<number | null>} */
async function findRoom() {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined ? null : quota - (usage ?? 0);
  } catch {
    return null;
  }
}

/** As recordings are kept, for a moment. @returns {Promise<"kept" | "full" | "gone">} */
async function keepMuch() {
  const connection = new Connection(NAME, (database) => database.createObjectStore("bytes"), STORAGE_MS);
  try {
    await connection.use((database) => put(database.transaction("bytes", "readwrite")));
    return "kept";
  } catch (error) {
    return error instanceof StorageFull ? "full" : "gone";
  } finally {
    try {
      indexedDB.deleteDatabase(NAME);
    } catch {
      // There is none where storage is forbidden.
    }
  }
}

/** @param {IDBTransaction} transaction @returns {Promise<unknown>} */
function put(transaction) {
  transaction.objectStore("bytes").put(new Blob([new Uint8Array(MUCH)]), 0);
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
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
