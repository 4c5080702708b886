/**
 * What a handshake needs of others before it can act: to be heard, and to know that it may.
 *
 * @import { DescriptionSignal } from "../protocol/wire.js"
 */

/** Who hears what is said: signals go nowhere unless all three hold. */
export class Reach {
  /** Whether we are at the relay. */
  hasRelay = true;
  /** Whether the other side is. */
  hasPeer = true;
  /** Whether the relay knows the session. */
  isKnown = true;
  /** Whether the other side is in a session with somebody else instead. */
  isTaken = false;

  /** Whether the other side would hear a signal. */
  get canSignal() {
    return this.hasRelay && this.hasPeer && this.isKnown;
  }

  /** The relay has us in the session. @returns {boolean} whether that is news */
  restore() {
    const isNews = !(this.hasRelay && this.isKnown);
    this.hasRelay = this.hasPeer = this.isKnown = true;
    this.isTaken = false;
    return isNews;
  }
}

/** Which page of a user has the session, where that is to be seen by `due`. */
export class Ownership {
  due = Infinity;
  /** Whether it was unknown when we came in. */
  beganUnknown = false;
  /** Whether an offer is asked for where none has come by then. */
  asks = false;
  /** The offer that waits until it is known. @type {DescriptionSignal | null} */
  held = null;

  /** Another page has time to claim the session. @param {number} due @param {boolean} asks */
  doubt(due, asks) {
    this.beganUnknown = true;
    this.due = due;
    this.asks = asks;
  }

  /** Whether another page may still claim the session. */
  get isUnknown() {
    return this.due < Infinity;
  }

  /** Nobody has claimed it. @returns {DescriptionSignal | null} the offer that waited */
  settle() {
    this.due = Infinity;
    const { held } = this;
    this.held = null;
    return held;
  }
}
