/**
 * What a participant is told of a browser in which they can't take part, or had better not.
 *
 * @import { Judgement, Lack, System } from "../core/browsers/browsers.js"
 * @import { Status } from "./start.js"
 * @import { Key } from "../languages/en.js"
 */

import { say } from "./language.js";

/** @type {Record<Lack, [text: Key, hint: Key]>} */
const LACKS = {
  tooOld: ["browser.tooOld", "browser.tooOldHint"],
  lockdown: ["browser.lockdown", "browser.lockdownHint"],
  noWebRtc: ["browser.noWebRtc", "browser.noWebRtcHint"],
};

/** @type {Record<System, Key>} */
const WAYS_OUT = {
  ios: "browser.openOnIos",
  android: "browser.openOnAndroid",
  other: "browser.openElsewhere",
};

/** @param {Judgement} judgement of which something is in the way @returns {Status} */
export function describeBrowser({ lack, program, system }) {
  if (program !== null) return { text: nameProgram(program), hint: say(WAYS_OUT[system]) };
  const [text, hint] = LACKS[lack ?? "noWebRtc"];
  return { text: say(text), hint: say(hint) };
}

/** @param {string} program */
function nameProgram(program) {
  return program === "" ? say("browser.insideAnother") : say("browser.inside", { program });
}

/** @param {boolean} isCopied whether the browser has let the page do it */
export function describeCopy(isCopied) {
  return say(isCopied ? "browser.copied" : "browser.copyByHand");
}

export const LINK_ACTIONS = { copy: say("browser.copyLink"), goOn: say("browser.goOn"), link: say("browser.link") };
