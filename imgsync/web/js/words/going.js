/**
 * What the console says of a study that goes on by itself, and of its order.
 *
 * @import { Phase } from "./console.js"
 *
 * @typedef {"off" | "going" | "paused" | "through"} GoingState see console/going.js
 */

/** Images that are named one by one. */
const MANY = 8;

/** Of the button, by what it does. @param {GoingState} state */
export function nameGo(state) {
  if (state === "going") return "Pause";
  return state === "paused" ? "Continue" : "Go on by itself";
}

/** @param {number} index @param {number} count */
export function countShown(index, count) {
  return `${index + 1} of ${count}`;
}

/** Why it can't go on by itself. @param {readonly number[]} places of what would never end */
export function describeEndless(places) {
  const named = places.slice(0, MANY).map((place) => String(place + 1));
  const more = places.length - named.length;
  const which = `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return (
    `It can’t go on by itself, as these would never end: ${which}. Each needs showFor, frames, or a respond with` +
    " an answer that ends it."
  );
}

/**
 * @param {GoingState} state
 * @param {Phase} phase of the session
 * @param {boolean} isUnseen whether nobody looks at the client's page
 */
export function describeGoing(state, phase, isUnseen) {
  switch (state) {
    case "off":
      return phase === "over" ? "Once there is a session, it can go on by itself." : "Each is shown when the one before is over.";
    case "paused":
      return "Paused: what is shown keeps its time, and nothing follows.";
    case "through":
      return "All was shown. To go on from another image, choose it.";
    case "going":
      if (phase === "waiting") return "It waits for the connection to the client, and goes on then.";
      if (phase === "unsure") return "It waits for the client, which is not answering.";
      return isUnseen ? "It waits until somebody looks at the client’s page." : "It goes on by itself.";
  }
}

/** @param {{name: string, order: "given" | "shuffled", seed: number | null, entries: number}} study */
export function describeOrder({ name, order, seed, entries }) {
  const what = `${name}: ${entries === 1 ? "1 entry" : `${entries} entries`}`;
  return order === "shuffled" ? `${what}, shuffled by the seed ${seed}.` : `${what}, in the order of the file.`;
}
