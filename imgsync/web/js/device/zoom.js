/** How far this page is zoomed, where its browser tells. */

import { zoomOf } from "./agent.js";

/** @returns {number | null} 1 for none; null where that can't be told */
export function pageZoom() {
  // Others give one size for both, whatever the zoom.
  const isTold = /\b(?:Headless)?Chrome\//.test(navigator.userAgent);
  return isTold ? zoomOf({ outerWidth, innerWidth, devicePixelRatio }, visualViewport?.scale ?? 1) : null;
}
