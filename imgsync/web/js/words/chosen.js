/**
 * The language of who reads the page. A relay serves this module once for each that there is, with all
 * others of the page under a version of its own; so its texts come with the page, and no way to the relay
 * and back later. As it stands here, it is English.
 */

import texts from "../languages/en.js";

/** Its tag (BCP 47). */
export const LANGUAGE = "en";

/** What the study says itself, by name. @type {Partial<Record<"welcome" | "consent" | "thanks", string>>} */
export const OWN = {};

export default texts;
