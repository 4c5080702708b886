// Runs what the console makes of its record in Node: `node record.mjs FOLDER_OF_MODULES < QUESTION`,
// where the question is JSON: [WHAT, GIVEN]. Prints the answer, as JSON.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/console/${name}.js`).href);
const { COLUMNS, thousandths } = await load("table");
const { EVENTS, tell } = await load("events");
const { iso } = await load("rows");
const { SessionRecord } = await load("record");

/** As that of a tab. */
class Storage {
  #kept = new Map();

  getItem(key) {
    return this.#kept.get(key) ?? null;
  }

  setItem(key, text) {
    this.#kept.set(key, text);
  }
}

const answers = {
  columns: () => COLUMNS,
  fields: () => Object.fromEntries(Object.entries(EVENTS).map(([name, has]) => [name, Object.keys(has)])),
  isTold: (events) => events.map((event) => tell(event) !== null),
  thousandths: (numbers) => numbers.map(thousandths),
  iso: (times) => times.map(iso),

  /** The downloads, JSONL and CSV, of records, each of which is a list of events. */
  async downloads(records) {
    const found = [];
    for (const events of records) {
      const storage = new Storage();
      let record = new SessionRecord(storage, "K");
      for (const { at, event, ...fields } of events) {
        if (event === "header") {
          await null; // what is added is kept by then
          record = new SessionRecord(storage, "K");
        }
        record.add(at, event, fields);
        // The table has looked in between; what it has seen must not be what is downloaded later.
        record.measured({ imageIndex: 0, ...fields });
      }
      found.push([record.toJsonl(), record.toCsv()]);
    }
    return found;
  },
};

const [what, given] = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(await answers[what](given)));
