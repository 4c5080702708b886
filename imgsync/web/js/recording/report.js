/**
 * What the evaluator is told of the recording: which devices are recorded, and what is the matter.
 *
 * @import { RecordingSituation } from "./panel.js"
 */

import { sortRows } from "./destination.js";

/**
 * @param {RecordingSituation} situation
 * @returns {{devices: string[], troubles: string[]}} short words, such as `microphone_ended`, each once
 */
export function reportOf(situation) {
  const { states, obstacle, isFull, isStoreGone, lost, sent } = situation;
  const { unsent, refused } = sortRows(situation);
  const troubles = [];
  // In one order, whichever came first.
  const known = /** @type {const} */ (["camera", "microphone"]).filter((kind) => states.has(kind));
  if (obstacle !== null) troubles.push(obstacle);
  for (const kind of known) {
    if (states.get(kind) !== "on") troubles.push(`${kind}_${states.get(kind)}`);
  }
  if (isFull) troubles.push("storage_full");
  if (isStoreGone) troubles.push("storage_lost");
  if (lost !== "") troubles.push("recording_lost");
  for (const { key } of refused) troubles.push(`upload_${sent.refused.get(key)}`);
  if (sent.isUnreadable && unsent.length > 0) troubles.push("upload_unreadable");
  const isRecorded = !isFull && obstacle === null;
  const open = known.filter((kind) => states.get(kind) === "on");
  return { devices: isRecorded ? open : [], troubles: [...new Set(troubles)].slice(0, MOST) };
}

/** So many fit into a message. */
const MOST = 16;
