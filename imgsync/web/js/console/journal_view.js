/**
 * The record, to be downloaded.
 *
 * @import { Journal } from "./journal.js"
 */

import { find, setText } from "../page/dom.js";
import { describeRecord } from "../words/console.js";

export class JournalView {
  #journal;
  #userId;

  /** @param {Journal} journal @param {string} userId */
  constructor(journal, userId) {
    this.#journal = journal;
    this.#userId = userId;
    this.#offer("csv", "text/csv", () => journal.toCsv());
    this.#offer("jsonl", "application/x-ndjson", () => journal.toJsonl());
  }

  render() {
    const { rows, isKept } = this.#journal;
    const sessions = new Set([...rows.values()].map((row) => row.sessionId)).size;
    setText(find("record-note", HTMLElement), describeRecord(rows.size, sessions, isKept));
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
