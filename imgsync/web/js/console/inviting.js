/**
 * Inviting a client: a name typed, a link, its QR code and a mail. Each link takes the place of the
 * one before it here; that one goes on to be good.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 * @import { Grant } from "./granting.js"
 * @import { Mail } from "../words/mail.js"
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
  NO_ANSWER,
  NO_ID,
  TIMES,
  TOO_LONG,
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
    const error = find("invite-error", HTMLElement);
    try {
      if (!isId(userId)) throw new Refused(NO_ID);
      await this.#makeLink(userId);
      setText(error, "");
    } catch (refused) {
      // Else what it takes could not be loaded.
      setText(error, refused instanceof Refused ? refused.message : NO_ANSWER);
      this.#user.focus();
    }
  }

  /** @param {string} userId */
  async #makeLink(userId) {
    const [seconds, language] = [Number(this.#time.value), this.#language.value || null];
    const { token, expiresAt } = await this.#ask(userId, seconds);
    const devices = this.#record.value === "" ? [] : this.#record.value.split(",");
    const link = makeLink(new URL("client", location.href).href, { userId, language, devices, token });
    const tag = language ?? "en";
    const [code, mail] = await Promise.all([drawCode(link, labelCode(userId)), writeMail(tag, link, expiresAt)]);
    this.#invited = userId;
    setText(find("invitation-title", HTMLElement), titleInvitation(userId));
    find("invitation-link", HTMLInputElement).value = link;
    find("invitation-code", HTMLElement).replaceChildren(code ?? TOO_LONG);
    setText(find("invitation-end", HTMLElement), describeEndOfLink(expiresAt, seconds, Date.now()));
    setText(find("invitation-warning", HTMLElement), warnOfLink(link));
    setText(find("invitation-said", HTMLElement), "");
    this.#fill(mail, tag);
    this.#render();
    const place = find("invitation", HTMLElement);
    place.hidden = false;
    place.focus();
  }

  /** @param {Mail} mail @param {string} language */
  #fill({ subject, body, direction }, language) {
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
