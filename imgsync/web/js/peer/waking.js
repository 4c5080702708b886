/**
 * When a page is to look after its connections at once, instead of waiting for timers: it has slept,
 * or is looked at again, or the network is another.
 *
 * @import { Signalling } from "./signalling.js"
 */

import { SLEPT } from "../core/protocol/numbers.js";

/** Between two looks at the wall clock, which goes on while the machine sleeps, and this page does not. */
const LOOK_MS = 2000;

/**
 * A page that nobody looks at, as a tab in the background or one that is loaded before anybody asks for it,
 * is nobody's: the relay hears nothing of it.
 *
 * @param {Signalling} signalling
 * @param {boolean} hasBegun whether the relay has heard of this page, when somebody looked at it
 */
export function startInSight(signalling, hasBegun) {
  const start = () => {
    signalling.start();
    wakeOnReturn(signalling);
  };
  if (hasBegun || document.visibilityState === "visible") start();
  else document.addEventListener("visibilitychange", start, { once: true });
}

/** @param {Signalling} signalling */
export function wakeOnReturn(signalling) {
  addEventListener("online", () => signalling.wake());
  addEventListener("offline", () => signalling.probe());
  addEventListener("focus", () => signalling.wake());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") signalling.wake();
  });
  addEventListener("pageshow", ({ persisted }) => {
    // Of a page that the browser had put aside, the connections are gone without a word.
    if (persisted) location.reload();
  });
  let before = Date.now();
  setInterval(() => {
    const now = Date.now();
    // It may have been set as well: to look once too often costs nothing.
    if (Math.abs(now - before - LOOK_MS) > SLEPT * 1000) signalling.wake();
    before = now;
  }, LOOK_MS);
}
