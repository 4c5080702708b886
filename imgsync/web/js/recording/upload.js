/**
 * Recordings to the study's server, where their participants have agreed to it, one after the other,
 * until it has answered each with a 2xx, or has refused it. A server may get one twice, where its
 * answer was lost: it has the same name, and the later one is as good.
 *
 * @import { RecordingStore, Row } from "./store.js"
 * @import { Answer } from "./sending.js"
 * @import { Sent } from "./destination.js"
 */

import { hostOf, isBlocked, mayGoTo } from "./destination.js";
import { fileName, jsonName, jsonOf } from "./files.js";
import { Sending, readRetryAfter } from "./sending.js";
import { Damaged } from "./store.js";
import { timeout } from "../peer/clock.js";

/** For one: a minute, and what it takes at 80 kbit/s. */
const POST_MS = 60_000;
const BYTES_PER_MS = 10;
/** For a look whether the server is there. */
const PROBE_MS = 10_000;
/** Until storage that could not be reached is asked again. */
const STORE_MS = 5000;

/** What all of this page's requests to it have in common. @type {RequestInit} */
const REQUEST = {
  credentials: "omit",
  referrerPolicy: "no-referrer",
  cache: "no-store",
  // Where it leads may answer 2xx without having got anything.
  redirect: "manual",
  // Images go first.
  priority: "low",
};

export class Upload {
  #sending = new Sending();
  #store;
  #changed;
  /** @type {string | null} */
  #url = null;
  #isBusy = false;
  /** There may be more by now. */
  #isStale = false;
  /** @type {number | undefined} */
  #timer;

  /** @param {RecordingStore} store @param {() => void} changed something became of one */
  constructor(store, changed) {
    this.#store = store;
    this.#changed = changed;
    addEventListener("online", () => {
      this.#sending.hurry();
      if (this.#sending.pause === 0) this.#rest();
    });
  }

  /** How it goes. @returns {Omit<Sent, "host">} */
  get sent() {
    const { failures, refused, isUnreadable } = this.#sending;
    return { failures, refused, isUnreadable };
  }

  /** @param {string | null} url where to post them; null for nowhere */
  sendTo(url) {
    if (url !== this.#url) this.#sending.renew();
    this.#url = url;
    this.wake();
  }

  /** Also what was refused. */
  tryAgain() {
    this.#sending.renew();
    this.#rest();
  }

  /** There may be more to send. */
  wake() {
    this.#isStale = true;
    if (this.#url !== null && !this.#isBusy && this.#sending.pause === 0) void this.#run();
  }

  /** The pause is over. */
  #rest() {
    clearTimeout(this.#timer);
    this.#sending.rested();
    this.wake();
  }

  async #run() {
    this.#isBusy = true;
    let isStoreThere = true;
    while (this.#isStale && isStoreThere && this.#sending.pause === 0) {
      this.#isStale = false;
      try {
        await this.#store.alone(() => this.#round());
      } catch (error) {
        console.debug(`recordings were not sent: ${error}`);
        isStoreThere = false;
      }
    }
    this.#isBusy = false;
    const pause = this.#sending.pause || (isStoreThere ? 0 : STORE_MS);
    clearTimeout(this.#timer);
    if (pause > 0) this.#timer = setTimeout(() => this.#rest(), pause);
    this.#changed();
  }

  /** As long as the server takes them. */
  async #round() {
    while (this.#url !== null && this.#sending.pause === 0) {
      const url = this.#url;
      const rows = (await this.#store.finished()).filter((row) => mayGoTo(row, hostOf(url)));
      const row = this.#sending.next(rows);
      if (row === undefined) return;
      const answer = await this.#post(row, url);
      if (this.#sending.settle(row.key, answer, Math.random())) await this.#store.remove(row.key);
      else console.debug(`recording ${row.stem} was not sent: ${JSON.stringify(answer)}`);
      this.#changed();
    }
  }

  /** @param {Row} row @param {string} url @returns {Promise<Answer>} */
  async #post(row, url) {
    if (isBlocked(url, location.href)) return { kind: "blocked" };
    const media = await this.#store.read(row).catch(ifDamaged);
    if (media === null) return { kind: "damaged" };
    const body = new FormData();
    body.set("metadata", jsonOf(row), jsonName(row));
    body.set("recording", media, fileName(row));
    const signal = timeout(POST_MS + row.about.size / BYTES_PER_MS);
    try {
      const response = await fetch(url, { ...REQUEST, method: "POST", body, signal });
      if (response.type === "opaqueredirect") return { kind: "redirected" };
      const wish = readRetryAfter(response.headers.get("retry-after"), Date.now());
      return { kind: "answered", status: response.status, wish };
    } catch {
      if (!(await canBeRead(media))) return { kind: "damaged" };
      const [isThere, isOpen] = await Promise.all([isAnswered(url, "no-cors"), isAnswered(url, "cors")]);
      return { kind: "failed", isThere, isOpen };
    }
  }
}

/** @param {unknown} error @returns {null} for a recording that is damaged @throws what else it is */
function ifDamaged(error) {
  if (error instanceof Damaged) return null;
  throw error;
}

/** A blob may have lost the file in which the browser keeps it. @param {Blob} blob */
async function canBeRead(blob) {
  return blob.arrayBuffer().then(
    () => true,
    () => false,
  );
}

/**
 * Whether the server answers a request that changes nothing: to a page, a server that does not let it
 * read an answer and a network that is gone are one.
 *
 * @param {string} url
 * @param {RequestMode} mode `cors`: in a way that this page may read
 */
async function isAnswered(url, mode) {
  const signal = timeout(PROBE_MS);
  // Where it leads is no matter here, and a request without CORS has to follow.
  const redirect = mode === "cors" ? "manual" : "follow";
  return fetch(url, { ...REQUEST, method: "HEAD", mode, redirect, signal }).then(
    () => true,
    () => false,
  );
}
