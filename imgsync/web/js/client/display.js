/**
 * What the screen and the browser of this page are, as far as it can know: told in each session, and when
 * something of it changes.
 *
 * @import { Display } from "../core/protocol/wire.js"
 */

import { MAX_FEATURE, MAX_FEATURES } from "../core/protocol/numbers.js";
import { recallCheck } from "../page/checked.js";
import { now } from "../peer/clock.js";
import { clockStep } from "../device/clock_step.js";
import { describeAgent } from "../device/agent.js";
import { RefreshMeter } from "../device/refresh_meter.js";
import { wholeZoom } from "../device/screen_facts.js";
import { Sizing } from "./sizing.js";

/** After so long things are taken to stay: a window that is pulled at has another size in each frame. */
const STEADY_MS = 500;
/** Hz that two measurements of one rate may differ by. */
const SAME_RATE = 0.5;

/** @typedef {Omit<Display, "type" | "at">} Facts */

/** @returns {"fine" | "coarse" | "none"} */
function pointer() {
  if (matchMedia("(pointer: fine)").matches) return "fine";
  return matchMedia("(pointer: coarse)").matches ? "coarse" : "none";
}

/** @returns {string[]} */
function languages() {
  return navigator.languages.filter((one) => one.length <= MAX_FEATURE).slice(0, MAX_FEATURES);
}

/** What the check of this device has found before, where there was one. @returns {Pick<Display, "checkedAt" | "checkFound">} */
function checkBefore() {
  const checked = recallCheck();
  return checked === null ? {} : { checkedAt: checked.at, checkFound: checked.found };
}

export class DisplayWatch {
  meter = new RefreshMeter(() => this.#look());
  sizing = new Sizing();
  #tell;
  /** As it was told last. @type {Facts | null} */
  #told = null;
  #hasKeyboard = false;
  /** @type {number | undefined} */
  #steadying;

  /** @param {(display: Display) => void} tell */
  constructor(tell) {
    this.#tell = tell;
    this.sizing.listen(() => this.#look());
    const keyDown = () => {
      this.#hasKeyboard = true;
      this.#changed();
    };
    addEventListener("keydown", keyDown, { once: true });
    // Another window, screen, or place of the tab among others: the rate may be another one.
    const changed = () => document.visibilityState === "visible" && this.#changed(true);
    addEventListener("resize", changed);
    visualViewport?.addEventListener("resize", changed);
    document.addEventListener("visibilitychange", changed);
    this.meter.measure();
  }

  /** Tell it to another session, and measure anew. */
  begin() {
    const isKnown = this.#told !== null;
    this.#told = null;
    this.meter.measure();
    if (isKnown) this.#look();
  }

  /** @param {boolean} [isOther] whether the rate may be another one */
  #changed(isOther = false) {
    clearTimeout(this.#steadying);
    this.#steadying = setTimeout(() => (isOther ? this.meter.measure() : this.#look()), STEADY_MS);
  }

  /** Tell what is news. */
  #look() {
    const facts = this.#gather();
    if (JSON.stringify(facts) === JSON.stringify(this.#told)) return;
    this.#told = facts;
    this.#tell({ type: "display", at: now(), ...facts });
  }

  /** @returns {Facts} */
  #gather() {
    const zoom = wholeZoom();
    const refreshRate = this.#rate();
    return {
      screenWidth: Math.round(screen.width),
      screenHeight: Math.round(screen.height),
      windowWidth: Math.round(innerWidth),
      windowHeight: Math.round(innerHeight),
      pixelRatio: devicePixelRatio,
      ...(zoom !== null && { zoom }),
      ...(refreshRate !== null && { refreshRate: Number(refreshRate.toFixed(3)) }),
      isolated: crossOriginIsolated,
      resolution: Number(clockStep().toFixed(6)),
      ...describeAgent(navigator.userAgent, navigator.maxTouchPoints),
      languages: languages(),
      pointer: pointer(),
      ...checkBefore(),
      ...(this.#hasKeyboard && { keyboard: true }),
      ...this.sizing.calibration,
    };
  }

  /** Another measurement of the same rate is no news. */
  #rate() {
    const { rate } = this.meter;
    const told = this.#told?.refreshRate;
    if (rate === null || told === undefined) return rate;
    return Math.abs(rate - told) < SAME_RATE ? told : rate;
  }
}
