/**
 * A recording as files: the recording itself and the JSON beside it.
 *
 * @import { RecordingStore, Row } from "./store.js"
 */

import { make } from "../page/dom.js";

/** For how long a download may take to begin. */
const DOWNLOAD_MS = 60_000;

/** @type {Record<string, string>} */
const ENDINGS = { "video/mp4": "mp4", "audio/mp4": "m4a", "audio/ogg": "ogg" };

/** @param {Row} row @returns {string} */
export function fileName({ stem, about }) {
  const container = about.mimeType.split(";")[0] ?? "";
  return `${stem}.${ENDINGS[container] ?? "webm"}`;
}

/** @param {Row} row @returns {string} */
export function jsonName({ stem }) {
  return `${stem}.json`;
}

/** @param {Row} row @returns {Blob} */
export function jsonOf({ about }) {
  return new Blob([JSON.stringify(about, null, 2), "\n"], { type: "application/json" });
}

/** @type {(() => Promise<FileSystemDirectoryHandle>) | undefined} undefined where pages can't */
export const pickFolder =
  "showDirectoryPicker" in window
    ? () => {
        const { showDirectoryPicker } = /** @type {any} */ (window);
        return showDirectoryPicker.call(window, { id: "imgsync", mode: "readwrite" });
      }
    : undefined;

/**
 * Write it, whole, into a folder.
 *
 * @param {FileSystemDirectoryHandle} folder
 * @param {RecordingStore} store
 * @param {Row} row
 */
export async function writeTo(folder, store, row) {
  await writeFile(folder, fileName(row), await store.read(row));
  await writeFile(folder, jsonName(row), jsonOf(row));
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @param {Blob} content */
async function writeFile(folder, name, content) {
  const file = await folder.getFileHandle(name, { create: true });
  const stream = await file.createWritable();
  await stream.write(content);
  await stream.close();
}

/** Have the browser put both where it puts downloads. @param {RecordingStore} store @param {Row} row */
export async function download(store, row) {
  offer(fileName(row), await store.read(row));
  offer(jsonName(row), jsonOf(row));
}

/** @param {string} name @param {Blob} content */
function offer(name, content) {
  const url = URL.createObjectURL(content);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MS);
}
