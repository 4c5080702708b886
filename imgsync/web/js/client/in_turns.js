/**
 * Work on what comes of pictures, in such small parts that it holds up nobody.
 *
 * A browser may hand out megabytes at once, and more right behind them: to check and hash all of it
 * takes a second for twenty megabytes on a phone, and no frame would come meanwhile. Timers would not
 * do for the breaks, as in a hidden tab one of them takes a second.
 */

/** Bytes: half a millisecond of work on a laptop. */
const PART = 64 * 1024;

/** Milliseconds after which others have their turn; a frame has 8 to 16. */
const TURN_MS = 4;

const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** When the turn began, which whatever is at work shares. */
let began = -Infinity;

/**
 * Its parts one after the other, with a break before one wherever it is time.
 *
 * @param {Uint8Array} data
 */
export async function* inTurns(data) {
  for (let at = 0; at < data.length; at += PART) {
    if (performance.now() - began > TURN_MS) {
      await new Promise((resolve) => {
        waiting.push(() => resolve(undefined));
        channel.port2.postMessage(null);
      });
      began = performance.now();
    }
    yield data.subarray(at, at + PART);
  }
}
