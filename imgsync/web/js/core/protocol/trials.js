/**
 * What is asked of a client beside showing an image, as it goes out: core/protocol/trials.py has the same.
 * What is as it would be without is left out.
 *
 * @import { Respond, Trial } from "./wire.js"
 */

/** @param {Respond} respond @returns {Respond} */
function respondFields({ keys = [], taps = false, ends = false }) {
  return { ...(keys.length > 0 && { keys }), ...(taps && { taps }), ...(ends && { ends }) };
}

/** @param {Trial} [trial] @returns {Trial} the fields of an image that say so */
export function trialFields({ showFor, frames, respond, text, sizeMm, sizeDeg, scale } = {}) {
  return {
    ...(showFor !== undefined && { showFor }),
    ...(frames !== undefined && { frames }),
    ...(respond !== undefined && { respond: respondFields(respond) }),
    ...(text !== undefined && { text }),
    ...(sizeMm !== undefined && { sizeMm }),
    ...(sizeDeg !== undefined && { sizeDeg }),
    ...(scale !== undefined && { scale }),
  };
}
