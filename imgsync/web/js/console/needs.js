/**
 * What a series needs of a client, beside that it shows images.
 *
 * @import { Listed } from "./manifest.js"
 *
 * @typedef {{screen: ScreenNeeds, features: readonly string[]}} Needs `features`: what the client has to speak
 *
 * @import { ScreenNeeds } from "../core/study/displays.js"
 */

import { screenNeedsOf } from "../core/study/displays.js";
import { asksSize } from "../core/study/sizes.js";
import { FEATURE_EXPOSURE, FEATURE_RESPONSE, FEATURE_SIZE, FEATURE_TEXT } from "../core/protocol/numbers.js";

/** By series, as it is drawn often. @type {WeakMap<readonly Listed[], Needs>} */
const known = new WeakMap();

/** @param {readonly Listed[]} images @returns {Needs} */
export function needsOf(images) {
  const needs = known.get(images) ?? gather(images);
  known.set(images, needs);
  return needs;
}

/** @param {readonly Listed[]} images @returns {Needs} */
function gather(images) {
  const trials = images.flatMap(({ trial }) => trial ?? []);
  const screen = screenNeedsOf(trials);
  const features = [
    ...(screen.frames ? [FEATURE_EXPOSURE] : []),
    ...(trials.some(({ respond }) => respond !== undefined) ? [FEATURE_RESPONSE] : []),
    ...(trials.some(({ text }) => text !== undefined) ? [FEATURE_TEXT] : []),
    ...(trials.some(asksSize) ? [FEATURE_SIZE] : []),
  ];
  return { screen, features };
}
