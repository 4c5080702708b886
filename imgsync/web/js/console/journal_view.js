/**
 * The record, to be downloaded.
 *
 * @import { Journal } from "./journal.js"
 * @import { RecordStore } from "./record_store.js"
 */

import { Asking } from "./asking.js";
import { find, setText } from "../page/dom.js";
import { KEEP_DAYS } from "./record_store.js";
import { describeRecord } from "../words/console.js";

export class JournalView {
  #journal;
  #store;
  #userId;
  #remove;

  /** @param {Journal} journal @param {RecordStore} store @param {string} userId @param {() => void} remove */
  constructor(journal, store, userId, remove) {
    this.#journal = journal;
    this.#store = store;
    this.#userId = userId;
    this.#remove = new Asking("remove", remove, find("outcomes", HTMLElement));
    this.#offer("csv", "text/csv", () => journal.toCsv());
    this.#offer("jsonl", "application/x-ndjson", () => {
      void store.markDownloaded();
      return journal.toJsonl();
    });
  }

  /** @param {boolean} isLive whether there is a session, which goes on to write */
  render(isLive) {
    const { rows } = this.#journal;
    const sessions = new Set([...rows.values()].map((row) => row.sessionId)).size;
    setText(find("record-note", HTMLElement), describeRecord(rows.size, sessions, this.#store, KEEP_DAYS));
    this.#remove.render(rows.size > 0 || this.#store.series !== null, !isLive);
  }

  /** @param {"csv" | "jsonl"} kind @param {string} type @param {() => string} make */
  #offer(kind, type, make) {
    find(kind, HTMLButtonElement).addEventListener("click", () => {
      const time = new Date().toISOString().slice(0, 19).replaceAll(":", "");
      const who = this.#userId.replace(/[^\w.-]+/g, "_");
      save(new Blob([make()], { type }), `imgsync-${who}-${time}.${kind}`);
    });
  }
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
