/**
 * On which side of its door a participant's page is, as this tab remembers it: whoever has touched the
 * page is not asked again when it is loaded again. A tab that was copied is another one.
 *
 *     waiting ── touched ──▶ entered ── another window was touched ──▶ waiting
 *
 * What a tab remembers is copied with it, and the copy is to wait. So a page that has entered says no more
 * than that it lives, and hands on that it has entered only as it goes: to the page that is next in this
 * tab. One that was killed could not do that; the lock that it held tells it from one that lives.
 *
 * @import { DoorState } from "../core/protocol/wire.js"
 */

const LIVES = "lives";
const HANDED_ON = "handed on";

export class Threshold {
  /** @type {DoorState} */
  state = "waiting";
  /** Whether a page of this tab, or of the one of which this is a copy, has not handed on that it had entered. */
  isInDoubt;
  #key;
  #release = () => {};
  /** Once others in this browser can tell that this page has entered. */
  told = Promise.resolve();

  /** @param {string} userId */
  constructor(userId) {
    this.#key = `imgsync door of ${userId} at ${location.pathname}`;
    const kept = this.#recall();
    this.isInDoubt = kept === LIVES;
    if (kept === HANDED_ON) this.enter();
    addEventListener("pagehide", () => this.#remember(HANDED_ON));
    // It has come back as it was, and not by being loaded.
    addEventListener("pageshow", ({ persisted }) => persisted && this.#remember(LIVES));
  }

  enter() {
    this.state = "entered";
    this.isInDoubt = false;
    this.#remember(LIVES);
    // A page that is not secure has no locks.
    const { locks } = navigator;
    if (locks !== undefined) this.told = new Promise((resolve) => this.#hold(locks, () => resolve()));
  }

  /** @param {LockManager} locks @param {() => void} done whether or not it could be had */
  async #hold(locks, done) {
    /** @type {Promise<void>} */
    const released = new Promise((resolve) => (this.#release = resolve));
    const held = () => {
      done();
      return released;
    };
    await locks.request(this.#key, { mode: "shared" }, held).catch(done);
  }

  /** Another window takes part in its place. */
  leave() {
    this.state = "waiting";
    this.#release();
    try {
      sessionStorage.removeItem(this.#key);
    } catch {
      // Storage may be forbidden.
    }
  }

  /** Whether another page of this browser has entered, where that can be told; this one has not. @returns {Promise<boolean | null>} */
  async isTakenHere() {
    try {
      const { held } = await navigator.locks.query();
      return held?.some(({ name }) => name === this.#key) ?? null;
    } catch {
      return null;
    }
  }

  /** @param {string} what */
  #remember(what) {
    if (this.state !== "entered") return;
    try {
      sessionStorage.setItem(this.#key, what);
    } catch {
      // Then a page that is loaded again is to be touched again.
    }
  }

  #recall() {
    try {
      return sessionStorage.getItem(this.#key);
    } catch {
      return null;
    }
  }
}
