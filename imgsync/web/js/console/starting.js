/**
 * Starts sessions, one at a time: with a client that a person chooses, or the one that a page before
 * this has left, which is taken up as soon as that can be.
 *
 * @import { Place } from "./record_store.js"
 * @import { Route } from "../peer/route.js"
 * @import { Signalling } from "../peer/signalling.js"
 *
 * @typedef {object} StartingListener
 * @property {(route: Route, before: Place | null) => void} begun `before`: what was to be taken up
 * @property {() => void} changed whom is waited for, or why that was in vain
 */

import { RelayError } from "../peer/starting.js";
import { describeTrouble } from "../words/console.js";

export class Starting {
  /** Why the last one could not be started. */
  trouble = "";
  #signalling;
  #listener;
  /** A session of the page before this one, which is to be taken up. @type {Place | null} */
  #before = null;
  /** With whom a session is being started. @type {string | null} */
  #clientId = null;

  /** @param {Signalling} signalling @param {StartingListener} listener */
  constructor(signalling, listener) {
    this.#signalling = signalling;
    this.#listener = listener;
  }

  /** With whom a session is being started or taken up. @returns {string | null} */
  get awaited() {
    return this.#before?.clientId ?? this.#clientId;
  }

  /** The page before this one has left a session. @param {Place} before */
  remember(before) {
    this.#before = before;
    this.takeUp();
  }

  /** It is not wanted any more. @returns {Place | null} what there was of it */
  forget() {
    const before = this.#before;
    this.#before = null;
    return before;
  }

  /** A person has chosen this client. @param {string} clientId */
  choose(clientId) {
    if (this.#before?.clientId !== clientId) this.#before = null;
    void this.#start(clientId);
  }

  /** What can be taken up may be there now. */
  takeUp() {
    const clientId = this.#before?.clientId;
    if (clientId === undefined || this.#signalling.state !== "up") return;
    if (this.#signalling.clients.has(clientId)) void this.#start(clientId);
  }

  /** @param {string} clientId */
  async #start(clientId) {
    if (this.#clientId !== null) return;
    this.#clientId = clientId;
    this.trouble = "";
    this.#listener.changed();
    const before = this.#before;
    try {
      const route = await this.#signalling.startSession(clientId, before?.sessionId ?? null);
      this.#before = null;
      this.#listener.begun(route, before);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (before === null || !error.mayPass) {
        this.#before = null;
        this.trouble = describeTrouble(error.code, error.message);
      }
    } finally {
      this.#clientId = null;
      this.#listener.changed();
    }
  }
}
