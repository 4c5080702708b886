/**
 * The participant measures the screen, by a bank card or a ruler, and the distance to it. It is loaded when it is
 * wanted, and covers the page until it is over; an image that is shown meanwhile covers it.
 *
 * @import { Sizing } from "./sizing.js"
 */

import { make } from "../page/dom.js";
import { askDistance } from "./distance_panel.js";
import { askScreen } from "./screen_panel.js";

let isOpen = false;

/**
 * @param {Sizing} sizing keeps what is found
 * @param {HTMLElement} front of the page
 * @param {boolean | null} needsDistance whether that is to be measured, too; null where it may
 */
export async function measure(sizing, front, needsDistance) {
  if (isOpen) return;
  isOpen = true;
  const panel = make("section", { id: "measuring", "aria-labelledby": "measuring-title" });
  const { activeElement } = document;
  front.append(panel);
  document.body.toggleAttribute("data-measuring", true);
  try {
    await ask(panel, sizing, needsDistance);
  } finally {
    panel.remove();
    document.body.removeAttribute("data-measuring");
    isOpen = false;
    if (activeElement instanceof HTMLElement) activeElement.focus();
  }
}

/** @param {HTMLElement} panel @param {Sizing} sizing @param {boolean | null} needsDistance */
async function ask(panel, sizing, needsDistance) {
  const { calibration } = sizing;
  const found = await askScreen(panel, calibration);
  if (found === null) return;
  sizing.keep({ ...calibration, ...found });
  if (needsDistance === false) return;
  const distance = await askDistance(panel, found.pxPerMm, sizing.calibration.distanceMm);
  if (distance !== null) sizing.keep({ ...found, ...distance });
}
