/**
 * Where the session stands, for the page after this one: a reload takes it up by itself, a console that
 * is opened anew offers to. The tab remembers it, and so does the browser's record; the signed URL of
 * what is current is in it.
 *
 * @import { Place } from "./own_page.js"
 * @import { RecordStore } from "./record_store.js"
 */

import { REPAIR_DEADLINE } from "../core/protocol/numbers.js";
import { now } from "../peer/clock.js";

/** For as long one that was left is offered: a day's work. */
const OFFER_MS = 12 * 3600 * 1000;

export class Memory {
  /** One that is to be taken up. @type {Place | null} */
  mine = null;
  /** One that can be taken up; `at`: when it was left. @type {Place & {at: number} | null} */
  left = null;
  #key;
  #store;

  /** @param {string} userId @param {RecordStore} store */
  constructor(userId, store) {
    this.#key = `imgsync console of ${userId} at ${location.pathname}: place`;
    this.#store = store;
    const ours = this.#recall();
    const place = ours ?? store.place;
    if (place === null || place.isOver) return;
    const at = store.earlier.at(-1)?.at ?? now();
    // A browser that is opened again days later has the tab's memory still.
    if (ours !== null && now() - at <= REPAIR_DEADLINE * 1000) this.mine = ours;
    else if (now() - at <= OFFER_MS) this.left = { ...place, isGoing: false, at };
  }

  /** @param {Place} place */
  keep(place) {
    this.left = null;
    this.#store.keepPlace(place);
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(place));
    } catch {
      // It may be forbidden. Then a reload is offered what the browser has kept, if anything.
    }
  }

  /** What was left is not wanted. */
  leave() {
    if (this.left !== null) this.giveUp(this.left);
  }

  /** @param {Place} place which is not to be taken up */
  giveUp(place) {
    this.keep({ ...place, isOver: true });
  }

  /** @returns {Place | null} */
  #recall() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
    } catch {
      return null;
    }
  }
}
