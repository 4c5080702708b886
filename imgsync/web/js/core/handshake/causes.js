/** What stands in the way of a connection, as this side finds out: for the detail of an end. */

import { Cause, REFUSED_AGAIN } from "../protocol/numbers.js";

/**
 * Whether to register again for new ICE servers, because of what one of them has said. Credentials
 * are told once to whoever does not hear of new ones, and may have expired since.
 *
 * @param {string} cause one of `Cause` @param {number} age seconds since the relay has named the servers
 */
export function asksAnew(cause, age) {
  return cause === Cause.TURN_UNAUTHORIZED && age >= REFUSED_AGAIN;
}

/** Those that were found since the session began, or was interrupted. */
export class Causes {
  /** In the order in which they were found, each once. @type {Set<string>} */
  #found = new Set();
  #gathered = "";

  /** Something is in the way. @param {string} cause one of `Cause` */
  add(cause) {
    this.#found.add(cause);
  }

  /** A candidate of ours was found: the server behind it is not in the way. @param {string | null} line */
  gather(line) {
    for (const kind of ["srflx", "relay"]) {
      if ((line ?? "").includes(` typ ${kind}`)) this.#gathered += kind;
    }
  }

  /** What of it stays: the next connection goes the same way as the one that is lost. */
  get ofPath() {
    const stays = new Causes();
    if (this.#found.has(Cause.PATH_MTU)) stays.add(Cause.PATH_MTU);
    return stays;
  }

  /** What may be why there is no connection. */
  get known() {
    const isServed = (/** @type {string} */ cause) =>
      (cause.startsWith("TURN") && this.#gathered.includes("relay")) ||
      (cause.startsWith("STUN") && this.#gathered.includes("srflx"));
    return [...this.#found].filter((cause) => !isServed(cause));
  }

  /** The detail of an end, and what this side knows beside it. @param {string} detail */
  explain(detail) {
    const found = this.known.map((cause) => `this side's ${cause}`);
    return [detail, ...found].filter((part) => part !== "").join("; ");
  }
}
