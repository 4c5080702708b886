/**
 * The way to measure the screen: a button at the door, and below what the page says while it waits. Where the
 * link says that sizes are needed, it is opened by itself once, as long as it was not done.
 *
 * @import { Sizing } from "./sizing.js"
 */

import { make, setText } from "../page/dom.js";
import { loadAgain } from "../page/first.js";
import { say } from "../words/language.js";

/** What the link may ask for: `&size=screen`, and with the distance to it `&size=distance`. */
const WANTED = new URL(location.href).searchParams.get("size");
const NEEDS_DISTANCE = WANTED === "distance";
const IS_WANTED = NEEDS_DISTANCE || WANTED === "screen";

/** @param {Sizing} sizing */
function isMissing({ calibration }) {
  return calibration.pxPerMm === undefined || (NEEDS_DISTANCE && calibration.distanceMm === undefined);
}

/** What there is to be said. @param {Sizing} sizing */
function describe(sizing) {
  if (sizing.isOfAnother) return say("size.otherScreen");
  if (!isMissing(sizing)) return sizing.calibration.pxPerMm === undefined ? "" : say("size.measured");
  if (!IS_WANTED) return "";
  return say(NEEDS_DISTANCE ? "size.wantedDistance" : "size.wanted");
}

/** @param {Sizing} sizing @param {HTMLElement} front where it is measured, and where the buttons have their places */
export function offerMeasuring(sizing, front) {
  const open = async () => {
    try {
      const { measure } = await import("./measuring.js");
      void measure(sizing, front, IS_WANTED ? NEEDS_DISTANCE : null);
    } catch {
      loadAgain();
    }
  };
  const offers = [...front.querySelectorAll("#size, #door-size")].map((place) => {
    const text = make("span");
    const button = make("button", { type: "button", class: "quiet" });
    button.addEventListener("click", () => void open());
    place.replaceChildren(text, " ", button);
    return { text, button };
  });
  const render = () => {
    const isMeasured = sizing.calibration.pxPerMm !== undefined;
    for (const { text, button } of offers) {
      setText(text, describe(sizing));
      setText(button, say(isMeasured ? "size.offerAgain" : "size.offer"));
    }
  };
  sizing.listen(render);
  addEventListener("resize", render); // of another screen, too
  render();
  if (IS_WANTED && isMissing(sizing)) void open();
}
