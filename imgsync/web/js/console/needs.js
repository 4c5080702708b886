/**
 * What a series needs of a client, beside that it shows images.
 *
 * @import { Listed } from "./manifest.js"
 *
 * @typedef {{frames: boolean, keys: boolean, features: readonly string[]}} Needs `frames`: an image is to be up for
 *   so long; `keys`: keys are answers; `features`: what the client has to speak for all that
 */

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
  const frames = trials.some(({ showFor, frames }) => showFor !== undefined || frames !== undefined);
  const keys = trials.some(({ respond }) => (respond?.keys ?? []).length > 0);
  return { frames, keys, features: featuresFor(trials) };
}
