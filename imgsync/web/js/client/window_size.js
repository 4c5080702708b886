/** Whether the window, and with it what is shown, has changed its size, or the page was zoomed. */

import { RESIZED, ZOOMED } from "../core/protocol/numbers.js";
import { pixelsPerCss } from "../device/screen_facts.js";

/** After so long a size is taken to stay: a window that is pulled at has another in each frame. */
const STEADY_MS = 200;

/** Parts of it by which a zoom differs from none. */
const ZOOM = 0.001;

/** In pixels of the screen: where the browser zooms, the window has as many. */
function look() {
  const scale = pixelsPerCss();
  return { scale, sides: [innerWidth * scale, innerHeight * scale] };
}

/**
 * @param {(reason: string) => void} changed at each change
 * @param {() => void} steady once the size stays the same
 */
export function watchSize(changed, steady) {
  let last = look();
  /** @type {number | undefined} */
  let steadying;
  const resized = () => {
    const [before, now] = [last, look()];
    const isZoomed = Math.abs(now.scale / before.scale - 1) > ZOOM;
    // Browsers that zoom round to whole pixels of the page.
    const within = 2 * now.scale;
    const isSame = now.sides.every((side, index) => Math.abs(side - (before.sides[index] ?? 0)) <= within);
    if (isSame && !isZoomed) return;
    last = now;
    changed(isZoomed ? ZOOMED : RESIZED);
    clearTimeout(steadying);
    steadying = setTimeout(steady, STEADY_MS);
  };
  addEventListener("resize", resized);
  visualViewport?.addEventListener("resize", resized);
}
