/** What a browser and its system are called, and how far it is zoomed, as far as a page can tell. */

/** The first one that is there: most name others behind themselves. @type {readonly [name: RegExp, called: string][]} */
const BROWSERS = [
  [/\bEdg(?:A|iOS)?\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bSamsungBrowser\/(\d+)/, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+(?:\.\d+)?).* Safari\//, "Safari"],
];

/** @type {readonly [name: RegExp, called: string][]} */
const SYSTEMS = [
  [/\biP(?:hone|ad|od)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** What browsers zoom by. */
const ZOOMS = [0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5];
/** How much the border of a window may make of it. */
const BORDER = 0.025;
/** Pixels of the screen for one of the system come in steps of that. */
const SCALE_STEP = 0.25;

/**
 * @param {string} userAgent
 * @param {number} touchPoints an iPad says that it is a Mac, which has none
 * @returns {{browser?: string, system?: string}}
 */
export function describeAgent(userAgent, touchPoints) {
  const found = BROWSERS.find(([name]) => name.test(userAgent));
  const version = found && found[0].exec(userAgent)?.[1];
  const system = SYSTEMS.find(([name]) => name.test(userAgent))?.[1];
  const isTablet = system === "macOS" && touchPoints > 1;
  return {
    ...(found && { browser: `${found[1]} ${version}` }),
    ...(system && { system: isTablet ? "iOS" : system }),
  };
}

/**
 * How far the page is zoomed: a window has the size that it has for the system, and what is in it the one
 * that it has for the page. Some browsers give the page's for both, and a panel beside the page takes a part
 * of the width; so it counts where the pixels of the screen are as many for the system as there can be.
 *
 * @param {{outerWidth: number, innerWidth: number, devicePixelRatio: number}} window
 * @param {number} pinched by touch
 * @returns {number | null} 1 for none; null where that can't be told
 */
export function zoomOf({ outerWidth, innerWidth, devicePixelRatio }, pinched) {
  const seen = outerWidth / innerWidth;
  const zoom = ZOOMS.find((one) => Math.abs(seen / one - 1) <= BORDER);
  if (zoom === undefined) return null;
  const steps = devicePixelRatio / zoom / SCALE_STEP;
  return Math.abs(steps - Math.round(steps)) < 0.02 ? zoom * pinched : null;
}
