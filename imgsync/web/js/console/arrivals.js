/**
 * Who comes in while the console is open. Who was there before is no news, and neither is a page
 * that is loaded anew, or a session that is taken up.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 *
 * @typedef {{step: number, goneAt: number}} Seen `step`: see `STEPS`
 */

/** Milliseconds for which somebody may be away without coming in anew: a reload, a change of networks. */
const AGAIN_MS = 10_000;

/** How far in somebody is. @type {Record<Presence["state"], number>} */
const STEPS = { offline: 0, waiting: 1, available: 2, busy: 2 };

export class Arrivals {
  /** By user id; null until the relay has said who is there. @type {Map<string, Seen> | null} */
  #seen = null;

  /**
   * @param {ReadonlyMap<string, Presence>} online
   * @param {number} at milliseconds, on a clock that only goes forward
   * @returns {Presence[]} of those who are there, who is further in than before
   */
  present(online, at) {
    const seen = this.#seen ?? new Map();
    const isFirst = this.#seen === null;
    this.#seen = seen;
    for (const [userId, known] of seen) {
      if (online.has(userId)) continue;
      if (known.goneAt === Infinity) known.goneAt = at;
      else if (at - known.goneAt > AGAIN_MS) seen.delete(userId);
    }
    const news = [...online.values()].filter((presence) => isFurther(presence, seen.get(presence.userId), at));
    for (const { userId, state } of online.values()) seen.set(userId, { step: STEPS[state], goneAt: Infinity });
    return isFirst ? [] : news;
  }
}

/** @param {Presence} presence @param {Seen | undefined} before @param {number} at */
function isFurther({ state }, before, at) {
  // Who is in a session already was in before.
  if (state === "busy") return false;
  const wasThere = before !== undefined && at - Math.min(before.goneAt, at) <= AGAIN_MS;
  return STEPS[state] > (wasThere ? before.step : 0);
}
