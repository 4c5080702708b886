/**
 * Inviting a client: a name typed, a link, its QR code and a mail. Each link takes the place of the
 * one before it here; that one goes on to be good.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 * @import { Grant } from "./granting.js"
 *
 * @typedef {(userId: string, seconds: number) => Promise<Grant>} Ask see `askForToken`
 */

import { makeLink } from "../core/protocol/invitation.js";
import { isId } from "../core/protocol/values.js";
import { find, make, setText } from "../page/dom.js";
import {
  COPIED,
  LANGUAGE_OF_BROWSER,
  NOT_COPIED,
  NO_ID,
  TIMES,
  describeEndOfLink,
  describeInvited,
  labelCode,
  titleInvitation,
  warnOfLink,
} from "../words/console_invitation.js";
import { listLanguages, mailLink, nameLanguage, writeMail } from "../words/mail.js";
import { Refused } from "./granting.js";
import { drawCode } from "./qr_code.js";

const USUAL_TIME = 86_400;

export class Inviting {
  #ask;
  #user = find("invite-user", HTMLInputElement);
  #language = find("invite-language", HTMLSelectElement);
  #time = find("invite-time", HTMLSelectElement);
  #record = find("invite-record", HTMLSelectElement);
  #mail = find("invitation-mail", HTMLTextAreaElement);
  #subject = "";
  /** For whom the link is that stands there. @type {string | null} */
  #invited = null;
  /** @type {ReadonlyMap<string, Presence>} */
  #online = new Map();

  /** @param {Ask} ask */
  constructor(ask) {
    this.#ask = ask;
    this.#offerChoices();
    find("invite-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#invite();
    });
    this.#mail.addEventListener("input", () => this.#linkMail());
    onCopy("invitation-copy-link", () => find("invitation-link", HTMLInputElement).value);
    onCopy("invitation-copy-mail", () => this.#mail.value);
  }

  /** @param {ReadonlyMap<string, Presence>} online */
  present(online) {
    this.#online = online;
    this.#render();
  }

  fold() {
    find("invite-fold", HTMLDetailsElement).open = false;
  }

  #offerChoices() {
    this.#language.append(make("option", { value: "" }, LANGUAGE_OF_BROWSER));
    for (const tag of listLanguages()) this.#language.append(make("option", { value: tag }, nameLanguage(tag)));
    for (const [seconds, text] of TIMES) this.#time.append(make("option", { value: String(seconds) }, text));
    this.#time.value = String(USUAL_TIME);
  }

  async #invite() {
    const userId = this.#user.value.trim().replace(/\s+/gu, " ");
    const [error, seconds] = [find("invite-error", HTMLElement), Number(this.#time.value)];
    try {
      if (!isId(userId)) throw new Refused(NO_ID);
      const { token, expiresAt } = await this.#ask(userId, seconds);
      const devices = this.#record.value === "" ? [] : this.#record.value.split(",");
      const language = this.#language.value || null;
      const link = makeLink(new URL("client", location.href).href, { userId, language, devices, token });
      setText(error, "");
      await this.#show(userId, link, describeEndOfLink(expiresAt, seconds, Date.now()));
      await this.#write(language ?? "en", link, expiresAt);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setText(error, refused.message);
      this.#user.focus();
    }
  }

  /** @param {string} userId @param {string} link @param {string} end */
  async #show(userId, link, end) {
    const code = await drawCode(link, labelCode(userId));
    this.#invited = userId;
    setText(find("invitation-title", HTMLElement), titleInvitation(userId));
    find("invitation-link", HTMLInputElement).value = link;
    find("invitation-code", HTMLElement).replaceChildren(code);
    setText(find("invitation-end", HTMLElement), end);
    setText(find("invitation-warning", HTMLElement), warnOfLink(link));
    setText(find("invitation-said", HTMLElement), "");
    const place = find("invitation", HTMLElement);
    place.hidden = false;
    this.#render();
    place.focus();
  }

  /** @param {string} language @param {string} link @param {number | null} expiresAt */
  async #write(language, link, expiresAt) {
    const { subject, body, direction } = await writeMail(language, link, expiresAt);
    this.#subject = subject;
    this.#mail.value = body;
    this.#mail.lang = language;
    this.#mail.dir = direction;
    this.#linkMail();
  }

  #linkMail() {
    find("invitation-send", HTMLAnchorElement).href = mailLink(this.#subject, this.#mail.value);
  }

  #render() {
    if (this.#invited === null) return;
    const state = this.#online.get(this.#invited)?.state ?? null;
    const text = find("invitation-state", HTMLElement);
    setText(text, describeInvited(this.#invited, state));
    text.dataset.mood = state === null ? "calm" : "good";
  }
}

/** @param {string} id of a button @param {() => string} text */
function onCopy(id, text) {
  find(id, HTMLButtonElement).addEventListener("click", async () => {
    const said = find("invitation-said", HTMLElement);
    setText(said, ""); // so that it is read out again
    try {
      await navigator.clipboard.writeText(text());
      setText(said, COPIED);
    } catch {
      setText(said, NOT_COPIED); // it is there for https alone
    }
  });
}
