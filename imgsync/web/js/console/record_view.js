/**
 * The record, to be taken away.
 *
 * @import { SessionRecord } from "./record.js"
 */

import { find, say } from "../page/dom.js";

export class RecordView {
  #record;
  #userId;

  /** @param {SessionRecord} record @param {string} userId */
  constructor(record, userId) {
    this.#record = record;
    this.#userId = userId;
    this.#offer("csv", "text/csv", () => record.toCsv());
    this.#offer("jsonl", "application/x-ndjson", () => record.toJsonl());
  }

  render() {
    const { rows, isKept } = this.#record;
    const sessions = new Set([...rows.values()].map((row) => row.sessionId)).size;
    const what = `${plural(rows.size, "showing")} in ${plural(sessions, "session")}`;
    const where = isKept
      ? "kept in this tab until you close it."
      : "but this browser can\u2019t keep all over a reload. Download them before.";
    say(find("record-note", HTMLElement), rows.size === 0 && isKept ? "" : `${what}, ${where}`);
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

/** @param {number} count @param {string} what */
function plural(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
