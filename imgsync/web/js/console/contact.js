/**
 * Whether the client is there, by the two who can tell: the relay, which notices at once who is gone,
 * and the channel, which outlives the relay. Times are milliseconds since the epoch.
 */

export class Contact {
  #goneAt = Infinity;
  #heardAt = -Infinity;

  /** The client has said something. @param {number} at */
  heard(at) {
    this.#heardAt = at;
  }

  /** The relay says whether it has the client. @param {boolean} isOnline @param {number} at */
  told(isOnline, at) {
    this.#goneAt = isOnline ? Infinity : Math.min(this.#goneAt, at);
  }

  /** Whether it was lost, and nothing was heard of it since. */
  get isGone() {
    return this.#goneAt !== Infinity && this.#heardAt <= this.#goneAt;
  }
}
