/**
 * When a page is to look after its connections at once, instead of waiting for timers: it has slept,
 * or the network is another.
 *
 * @import { Signalling } from "./signalling.js"
 */

/** @param {Signalling} signalling */
export function wakeOnReturn(signalling) {
  addEventListener("online", () => signalling.wake());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") signalling.wake();
  });
  addEventListener("pageshow", ({ persisted }) => {
    // Of a page that the browser had put aside, the connections are gone without a word.
    if (persisted) location.reload();
  });
}
