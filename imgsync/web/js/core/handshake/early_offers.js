/**
 * @import { EndSession } from "../protocol/wire.js"
 *
 * Starts whose offer does not wait for the relay's answer, on the evaluator's side. It goes out right
 * behind the question where relay and client have said that they take it so early. The question has a
 * name then, by which the session goes until its id is known, and the answer is of that question alone:
 *
 *     asked ── started ──▶ named, it goes on; what the client turns out not to take is said again
 *       └── over here ──▶ the relay is told so when it tells the id
 */

import { FEATURE_EARLY_OFFER } from "../protocol/numbers.js";

/** Of one evaluator. */
export class EarlyOffers {
  /** Whether the relay passes them on. */
  #arePassed = false;
  /** Who takes them, as the relay has said. @type {Set<string>} */
  #takers = new Set();
  #count = 0;
  /**
   * Questions without an answer; what the relay is to be told of a session that is over.
   * @type {Map<string, EndSession | null>}
   */
  #unanswered = new Map();

  /**
   * The relay speaks this, and so do the clients; it knows no question of before.
   *
   * @param {readonly string[]} features
   * @param {Iterable<readonly [string, readonly string[]]>} clients
   */
  registered(features, clients) {
    this.#arePassed = features.includes(FEATURE_EARLY_OFFER);
    this.#takers.clear();
    for (const [clientId, spoken] of clients) this.speaks(clientId, spoken);
    this.#unanswered.clear();
  }

  /** Nothing is passed on until we are registered again. */
  relayLost() {
    this.#arePassed = false;
  }

  /**
   * What a client speaks from now on, as far as the relay knows; nothing if it has gone.
   *
   * @param {string} clientId
   * @param {readonly string[]} features
   */
  speaks(clientId, features) {
    if (features.includes(FEATURE_EARLY_OFFER)) this.#takers.add(clientId);
    else this.#takers.delete(clientId);
  }

  /** The name of a question for a new session with this client; null where it waits. @param {string} clientId */
  ask(clientId) {
    if (!this.#arePassed || !this.#takers.has(clientId)) return null;
    this.#count += 1;
    const ref = String(this.#count);
    this.#unanswered.set(ref, null);
    return ref;
  }

  /** The session is over here: the relay is told when it has told the id. @param {string} ref @param {EndSession} message */
  over(ref, message) {
    if (this.#unanswered.has(ref)) this.#unanswered.set(ref, message);
  }

  /**
   * A question has its answer.
   *
   * @param {string | null} ref
   * @returns {EndSession | null} what there is to be told of the session
   */
  answered(ref) {
    const words = this.#unanswered.get(ref ?? "") ?? null;
    this.#unanswered.delete(ref ?? "");
    return words;
  }
}
