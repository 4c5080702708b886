/**
 * Starts sessions, one at a time: with a client that a person chooses, or the one that a page before
 * this has left, which is taken up as soon as that can be.
 *
 * @import { Place } from "./own_page.js"
 * @import { Route } from "../peer/route.js"
 * @import { SharingSession } from "./sharing_session.js"
 * @import { Signalling } from "../peer/signalling.js"
 *
 * @typedef {object} StartingListener
 * @property {(route: Route) => SharingSession} open begins a session while the relay is asked for it
 * @property {(route: Route, before: Place | null, early: SharingSession | null) => void} begun `before`: what
 *   was to be taken up; `early`: the session, if it has begun already
 * @property {() => void} changed whom is waited for, or why that was in vain
 */

import { RelayError } from "../peer/starting.js";
import { describeTrouble } from "../words/console.js";

/** @typedef {{clientId: string, before: Place | null}} Wish `before`: of a page before this one, to be taken up */

export class Starting {
  /** Why the last one could not be started. */
  trouble = "";
  #signalling;
  #listener;
  /** What is wanted now. @type {Wish | null} */
  #wish = null;
  /** Whether the relay is being asked, for this or for what was wanted before. */
  #isAsking = false;

  /** @param {Signalling} signalling @param {StartingListener} listener */
  constructor(signalling, listener) {
    this.#signalling = signalling;
    this.#listener = listener;
  }

  /** With whom a session is being started or taken up. @returns {string | null} */
  get awaited() {
    return this.#wish?.clientId ?? null;
  }

  /** The page before this one has left a session. @param {Place} before */
  remember(before) {
    this.#wish = { clientId: before.clientId, before };
    this.takeUp();
  }

  /** It is not wanted any more: one that comes nevertheless is ended. @returns {Place | null} what there was of it */
  forget() {
    const before = this.#wish?.before ?? null;
    this.#wish = null;
    return before;
  }

  /** A person has chosen this client. @param {string} clientId */
  choose(clientId) {
    if (this.#wish?.clientId !== clientId) this.#wish = { clientId, before: null };
    void this.#start();
  }

  /** What can be taken up may be there now. */
  takeUp() {
    if (this.#wish === null || this.#wish.before === null || this.#signalling.state !== "up") return;
    if (this.#signalling.clients.has(this.#wish.clientId)) void this.#start();
  }

  async #start() {
    const wish = this.#wish;
    if (wish === null || this.#isAsking) return;
    this.#isAsking = true;
    this.trouble = "";
    this.#listener.changed();
    /** @type {SharingSession | null} */
    let early = null;
    const begin = (/** @type {Route} */ way) => (early = this.#listener.open(way));
    try {
      const route = await this.#signalling.startSession(wish.clientId, wish.before?.sessionId ?? null, begin);
      this.#started(wish, route, route.isEarly ? early : null);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      this.#refused(wish, error);
    } finally {
      this.#isAsking = false;
      this.#listener.changed();
    }
    // Of what is wanted instead, nothing was asked yet.
    if (this.#wish === wish) return;
    if (this.#wish?.before === null) void this.#start();
    else this.takeUp();
  }

  /** @param {Wish} wish @param {Route} route @param {SharingSession | null} early */
  #started(wish, route, early) {
    if (this.#wish === wish) {
      this.#wish = null;
      this.#listener.begun(route, wish.before, early);
    } else if (early !== null) {
      void early.close();
    } else {
      route.end();
      route.close();
    }
  }

  /** @param {Wish} wish @param {RelayError} error */
  #refused(wish, error) {
    if (this.#wish !== wish || (wish.before !== null && error.mayPass)) return;
    this.#wish = null;
    this.trouble = describeTrouble(error.code, error.message);
  }
}
