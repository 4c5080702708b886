/**
 * Tells a participant whose browser is in the way what to do, and gives them their link for another one.
 *
 * @import { Status } from "../words/start.js"
 */

import { judgeBrowser } from "../core/browsers/browsers.js";
import { find, make, setText } from "../page/dom.js";
import { wholeLink } from "../page/entrance.js";
import { LINK_ACTIONS, describeCopy, describeLack, describeProgram } from "../words/browser.js";

/** That they go on here is not asked again where the page is loaded anew. */
const STAYS = "imgsync stays in this browser";

/** @param {{isRecent: boolean, hasWebRtc: boolean}} found */
export function offerOtherBrowser({ isRecent, hasWebRtc }) {
  const { program, lack, system } = judgeBrowser({
    userAgent: navigator.userAgent,
    brands: brandsOf(navigator),
    touchPoints: navigator.maxTouchPoints,
    isInstalled: matchMedia("(display-mode: standalone)").matches,
    isRecent,
    hasWebRtc,
    hasWebAssembly: "WebAssembly" in window,
  });
  if (program !== null) askToLeave(describeProgram(program, system), lack === null);
  else if (lack !== null && lack !== "tooOld") tell(describeLack(lack));
}

/** Not in the types of TypeScript, and not in all browsers. @param {Navigator} navigator @returns {string[]} */
function brandsOf(navigator) {
  /** @type {{brands?: {brand: string}[]} | undefined} */
  const told = Reflect.get(navigator, "userAgentData");
  return told?.brands?.map(({ brand }) => brand) ?? [];
}

/** @param {Status} status */
function tell({ text, hint }) {
  setText(find("text", HTMLElement), text);
  setText(find("hint", HTMLElement), hint);
}

/** @param {Status} status @param {boolean} canStay */
function askToLeave({ text, hint }, canStay) {
  if (canStay && isStaying()) return;
  const copy = make("button", { type: "button", class: "main" }, LINK_ACTIONS.copy);
  const link = make("input", { readonly: "", dir: "ltr", "aria-label": LINK_ACTIONS.link, hidden: "" });
  const note = make("p", { role: "status" });
  const buttons = make("div", { class: "buttons" }, copy);
  const title = make("h1", { id: "browser-title" }, text);
  const how = { id: "browser", class: "card", "aria-labelledby": "browser-title" };
  const card = make("section", how, title, make("p", {}, hint), link, note, buttons);
  copy.addEventListener("click", async () => setText(note, describeCopy(await giveLink(link))));
  if (canStay) buttons.append(makeGoOn(card));
  // A tap on it is for what it is on, and does not fill the screen.
  card.addEventListener("click", (event) => event.stopPropagation());
  document.body.toggleAttribute("data-browser", true);
  find("front", HTMLElement).prepend(card);
}

/** @param {HTMLElement} card */
function makeGoOn(card) {
  const goOn = make("button", { type: "button" }, LINK_ACTIONS.goOn);
  goOn.addEventListener("click", () => {
    stay();
    document.body.toggleAttribute("data-browser", false);
    card.remove();
  });
  return goOn;
}

/** Into the clipboard; where that is not given, to be taken by hand. @param {HTMLInputElement} link */
async function giveLink(link) {
  try {
    await navigator.clipboard.writeText(wholeLink());
    return true;
  } catch {
    link.value = wholeLink();
    link.hidden = false;
    link.select();
    return false;
  }
}

function isStaying() {
  try {
    return sessionStorage.getItem(STAYS) !== null;
  } catch {
    return false;
  }
}

function stay() {
  try {
    sessionStorage.setItem(STAYS, "");
  } catch {
    // Then they are asked again.
  }
}
