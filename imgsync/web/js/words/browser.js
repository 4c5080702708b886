/**
 * What a participant is told of a browser in which they can't take part, or had better not.
 *
 * @import { Lack, System } from "../core/browsers/browsers.js"
 * @import { Status } from "./start.js"
 * @import { Key } from "../languages/en.js"
 */

import { say } from "./language.js";

/** That one is too old stands in the page. @type {Record<Exclude<Lack, "tooOld">, [text: Key, hint: Key]>} */
const LACKS = {
  lockdown: ["browser.lockdown", "browser.lockdownHint"],
  noWebRtc: ["browser.noWebRtc", "browser.noWebRtcHint"],
};

/** @type {Record<System, Key>} */
const WAYS_OUT = {
  ios: "browser.openOnIos",
  android: "browser.openOnAndroid",
  other: "browser.openElsewhere",
};

/** @param {keyof typeof LACKS} lack @returns {Status} */
export function describeLack(lack) {
  const [text, hint] = LACKS[lack];
  return { text: say(text), hint: say(hint) };
}

/** @param {string} program in whose window the page is; "" where it has no name @param {System} system @returns {Status} */
export function describeProgram(program, system) {
  const text = program === "" ? say("browser.insideAnother") : say("browser.inside", { program });
  return { text, hint: say(WAYS_OUT[system]) };
}

/** @param {boolean} isCopied whether the browser has let the page do it */
export function describeCopy(isCopied) {
  return say(isCopied ? "browser.copied" : "browser.copyByHand");
}

export const LINK_ACTIONS = { copy: say("browser.copyLink"), goOn: say("browser.goOn"), link: say("browser.link") };
