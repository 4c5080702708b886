/**
 * Which screen this is, and how many of its pixels one of the page has.
 *
 * @import { Screen } from "../core/study/calibration.js"
 * @import { Size } from "../core/study/drawing.js"
 */

import { zoomOf } from "./agent.js";

const IS_CHROMIUM = /\b(?:Headless)?Chrome\//.test(navigator.userAgent);
const IS_WEBKIT = !IS_CHROMIUM && /\bAppleWebKit\//.test(navigator.userAgent);

function pinched() {
  return visualViewport?.scale ?? 1;
}

/** How far the page is zoomed, where the browser's own figures tell. @returns {number | null} null where they don't */
export function pageZoom() {
  return zoomOf({ outerWidth, innerWidth, devicePixelRatio }, 1);
}

/** How far it is zoomed in all, pinched too. @returns {number | null} likewise; others than Chromium give one size for both */
export function wholeZoom() {
  const zoom = IS_CHROMIUM ? pageZoom() : null;
  return zoom === null ? null : zoom * pinched();
}

/** Pixels of the screen for each CSS pixel, as it is drawn. */
export function pixelsPerCss() {
  // Safari has the same ratio at each zoom.
  const zoom = IS_WEBKIT ? (pageZoom() ?? 1) : 1;
  return devicePixelRatio * zoom * pinched();
}

/** @returns {Screen} */
export function lookAtScreen() {
  const { width, height } = screen;
  // Only Firefox tells the size of the screen in pixels of the page.
  const zoom = IS_CHROMIUM ? pageZoom() : 1;
  return { width, height, base: zoom === null ? null : devicePixelRatio / zoom };
}

/** Of what is in sight, in CSS pixels. @returns {Size} */
export function roomInSight() {
  const viewport = visualViewport;
  if (viewport === null || viewport.scale === 1) return { width: innerWidth, height: innerHeight };
  return { width: viewport.width, height: viewport.height };
}
