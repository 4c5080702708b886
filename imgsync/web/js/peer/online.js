/**
 * Who is online, as the relay tells evaluators.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 */

export class Online {
  /** @type {Map<string, Presence>} */
  clients = new Map();
  #changed;

  /** @param {(clients: ReadonlyMap<string, Presence>) => void} changed told at each change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The relay is there, and says who else is. @param {readonly Presence[]} entries */
  registered(entries) {
    this.clients = new Map(entries.map((entry) => [entry.userId, entry]));
    this.#changed(this.clients);
  }

  /** A client came, went, became busy or free again. @param {Presence} presence */
  changed(presence) {
    if (presence.state === "offline") this.clients.delete(presence.userId);
    else this.clients.set(presence.userId, presence);
    this.#changed(this.clients);
  }
}
