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
import { needsOf as featuresFor } from "../core/study/running.js";

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
  return { screen: screenNeedsOf(trials), features: featuresFor(trials) };
}
