/**
 * What an image of a series is called, for people.
 *
 * @import { Listed } from "./manifest.js"
 */

import { nameOf } from "./manifest.js";
import { nameText, nameTextScreen } from "../words/trials.js";

/** @param {Listed} listed @returns {string} the name of its file, or the beginning of its text */
export function nameListed({ imageUrl, trial }) {
  return trial?.text === undefined ? nameOf(imageUrl) : nameText(trial.text);
}

/** @param {string} imageUrl of a showing, whose text is not at hand @returns {string} */
export function nameShown(imageUrl) {
  return nameTextScreen(imageUrl) ?? nameOf(imageUrl);
}
