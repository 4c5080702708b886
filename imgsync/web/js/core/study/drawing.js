/**
 * How large an image is drawn. Only pages draw, so that only JavaScript decides this.
 *
 * Where the size that is asked can't be had, the image is as large as the window lets it be, as one is of
 * which nothing is asked, and it is told why: an image that is cut off would be another stimulus.
 *
 * @import { Calibration, Drawn, Trial } from "../protocol/wire.js"
 *
 * @typedef {{width: number, height: number}} Size
 * @typedef {{room: Size, pixelRatio: number, pxPerMm?: number, distanceMm?: number}} Surface what is drawn on:
 *   `room` in CSS pixels, `pixelRatio` pixels of the screen for each of these; the others as in `Calibration`
 */

import { NO_DISTANCE, NO_ROOM, NOT_CALIBRATED } from "../protocol/numbers.js";
import { lengthOf } from "./sizes.js";

/** CSS pixels: browsers round what they lay out, and a window that is a hair too small cuts nothing off. */
const ROUNDING = 0.5;

/**
 * @param {Pick<Trial, "sizeMm" | "sizeDeg" | "scale">} asked
 * @param {Size} picture in its own pixels; 0 for a picture that has no size of its own, and is taken for a square
 * @param {Surface} surface
 * @returns {Drawn}
 */
export function drawnOf(asked, picture, surface) {
  const sides = sidesOf(picture);
  const scale = scaleOf(asked, sides, surface);
  if (typeof scale === "number" && hasRoom(sides, scale, surface.room)) return drawn(sides, scale, surface);
  const { room } = surface;
  const fitting = Math.min(room.width / sides.width, room.height / sides.height);
  const fitted = typeof scale === "number" ? NO_ROOM : scale;
  return { ...drawn(sides, fitting, surface), ...(fitted !== null && { fitted }) };
}

/** Whether a size is asked, whatever becomes of it. @param {Pick<Trial, "sizeMm" | "sizeDeg" | "scale">} asked */
export function isSized({ sizeMm, sizeDeg, scale }) {
  return sizeMm !== undefined || sizeDeg !== undefined || scale !== undefined;
}

/** @param {Size} picture @returns {Size} */
function sidesOf({ width, height }) {
  return width > 0 && height > 0 ? { width, height } : { width: 1, height: 1 };
}

/**
 * @param {Pick<Trial, "sizeMm" | "sizeDeg" | "scale">} asked
 * @param {Size} sides
 * @param {Surface} surface
 * @returns {number | string | null} CSS pixels for one of the picture; null where nothing is asked, else why not
 */
function scaleOf({ sizeMm, sizeDeg, scale }, { width, height }, { pixelRatio, pxPerMm, distanceMm }) {
  if (scale !== undefined) return 1 / pixelRatio;
  if (sizeMm === undefined && sizeDeg === undefined) return null;
  if (pxPerMm === undefined) return NOT_CALIBRATED;
  const long = Math.max(width, height);
  if (sizeMm !== undefined) return (sizeMm * pxPerMm) / long;
  if (distanceMm === undefined) return NO_DISTANCE;
  return (lengthOf(Number(sizeDeg), distanceMm) * pxPerMm) / long;
}

/** @param {Size} sides @param {number} scale @param {Size} room */
function hasRoom({ width, height }, scale, room) {
  return width * scale <= room.width + ROUNDING && height * scale <= room.height + ROUNDING;
}

/** @param {Size} sides @param {number} scale @param {Surface} surface @returns {Drawn} */
function drawn({ width, height }, scale, { pxPerMm }) {
  const [widthPx, heightPx] = [width * scale, height * scale];
  if (pxPerMm === undefined) return { widthPx, heightPx };
  return { widthPx, heightPx, widthMm: widthPx / pxPerMm, heightMm: heightPx / pxPerMm };
}
