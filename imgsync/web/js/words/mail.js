/**
 * The mail with which a participant gets a link, in the participant's own language.
 *
 * @import { Key, Texts } from "../languages/en.js"
 *
 * @typedef {{subject: string, body: string, direction: string}} Mail
 */

import { writeTime } from "./console_invitation.js";

/** Those that the pages speak, as the page names them. @returns {string[]} tags */
export function listLanguages() {
  const named = document.querySelector('meta[name="languages"]')?.getAttribute("content");
  return named ? named.split(" ") : [];
}

/** @param {string} tag @returns {string} the language in itself, as who speaks it looks for it */
export function nameLanguage(tag) {
  return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
}

/**
 * @param {string} language its tag
 * @param {string} link
 * @param {number | null} expiresAt milliseconds since the epoch
 * @returns {Promise<Mail>}
 */
export async function writeMail(language, link, expiresAt) {
  /** @type {Texts} */
  const { direction, invite } = (await import(`../languages/${language}.js`)).default;
  /** @param {Key} key @returns {string} */
  const say = (key) => String(invite[/** @type {keyof typeof invite} */ (key.split(".")[1])]);
  const end = expiresAt === null ? [] : [say("invite.until").replace("{time}", writeTime(expiresAt, language))];
  // The link has a line of its own, and nothing in it that marks its direction: it is copied.
  const lines = [say("invite.greeting"), say("invite.link"), link, say("invite.device"), ...end, say("invite.alone")];
  return { subject: say("invite.subject"), body: lines.join("\n\n"), direction };
}

/** @param {string} subject @param {string} body @returns {string} what opens a program for mail with it */
export function mailLink(subject, body) {
  // RFC 6068: a line ends with CR and LF there.
  const lines = body.replace(/\r?\n/g, "\r\n");
  return `mailto:?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(lines)}`;
}
