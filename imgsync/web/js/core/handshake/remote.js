/**
 * What of the other side's signals belongs to the current attempt: told apart by the ICE user name
 * fragment, with the candidates that come before their description waiting for it, in order.
 */

/** @import { CandidateSignal } from "../protocol/wire.js" */

import { MAX_CANDIDATES, MAX_SDP } from "../protocol/numbers.js";

/** The other side sent what can't be used. */
export class Refused extends Error {}

/**
 * @param {string} sdp
 * @returns {string} its fragment; all else is for the browser to judge
 * @throws {Refused}
 */
export function ufragOf(sdp) {
  if (sdp.length > MAX_SDP) throw new Refused(`its SDP has more than ${MAX_SDP} characters`);
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  if (ufrag === undefined) throw new Refused("its SDP has no a=ice-ufrag");
  return ufrag;
}

/** @param {string} sdp @returns {string} the identification of its section, which an answer repeats */
export function midOf(sdp) {
  return /^a=mid:(\S+)/m.exec(sdp)?.[1] ?? "";
}

/** The other side as the current attempt knows it. */
export class Remote {
  /** Of its description; null before that is here. @type {string | null} */
  #ufrag = null;
  /** @type {CandidateSignal[]} */
  #early = [];
  #count = 0;
  /** @type {Set<string>} */
  #spent = new Set();

  /** Whether its description is here. */
  get isDescribed() {
    return this.#ufrag !== null;
  }

  /** @param {string} ufrag @returns {boolean} whether a description of it came before */
  knows(ufrag) {
    return ufrag === this.#ufrag || this.#spent.has(ufrag);
  }

  /**
   * Its description is here.
   *
   * @param {string} ufrag
   * @returns {CandidateSignal[]} those that waited for it
   */
  describe(ufrag) {
    this.#ufrag = ufrag;
    const isOfIt = (/** @type {CandidateSignal} */ signal) =>
      (signal.usernameFragment ?? ufrag) === ufrag;
    const waiting = this.#early.filter(isOfIt);
    this.#early = this.#early.filter((signal) => !isOfIt(signal));
    return waiting;
  }

  /**
   * A candidate came.
   *
   * @param {CandidateSignal} signal
   * @returns {"add" | "wait" | "drop"} what becomes of it
   * @throws {Refused} where there are too many
   */
  sort(signal) {
    const ufrag = signal.usernameFragment ?? null;
    if (ufrag !== null && this.#spent.has(ufrag)) return "drop";
    this.#count += 1;
    if (this.#count > MAX_CANDIDATES) throw new Refused(`over ${MAX_CANDIDATES} candidates`);
    if (this.#ufrag !== null && (ufrag === null || ufrag === this.#ufrag)) return "add";
    this.#early.push(signal);
    return "wait";
  }

  /**
   * The next attempt begins: nothing is left of the one before but its fragment.
   *
   * @param {boolean} keepEarly whether candidates may have come before the next offer
   */
  begin(keepEarly) {
    if (!keepEarly) this.#early = [];
    if (this.#ufrag !== null) this.#spent.add(this.#ufrag);
    this.#ufrag = null;
    this.#count = this.#early.length;
  }
}
