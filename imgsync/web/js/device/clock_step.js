/** How coarse the page's clock is, and so the times of its events. */

/** Steps that are looked at, and milliseconds for that; a clock may have steps of 100 ms. */
const [STEPS, PATIENCE_MS] = [20, 5];

/** @type {number | null} */
let known = null;

/** @returns {number} the smallest step of it that was seen, in milliseconds */
export function clockStep() {
  known ??= measure();
  return known;
}

function measure() {
  const began = performance.now();
  let [step, last] = [Infinity, began];
  for (let seen = 0; seen === 0 || (seen < STEPS && last - began < PATIENCE_MS); ) {
    const at = performance.now();
    if (at === last) continue;
    step = Math.min(step, at - last);
    last = at;
    seen += 1;
  }
  return step;
}
