/**
 * The sound for somebody who comes in. Browsers let a page be heard once a person has touched it, and
 * it makes no sound that is waited for.
 */

import { find } from "../page/dom.js";

const KEY = "imgsync sound";
const OFF = "off";

/** Hertz, one after the other: a third, upwards. */
const NOTES = [587, 740];
const NOTE_SECONDS = 0.18;
/** Of the loudest there is: it is heard beside a voice, and startles nobody. */
const LOUDNESS = 0.12;
const SILENCE = 0.0001;

export class Chime {
  #button = find("sound", HTMLButtonElement);
  /** Once somebody has touched the page. @type {AudioContext | null} */
  #context = null;
  #isOn = isOn();

  constructor() {
    for (const touch of ["click", "keydown"]) addEventListener(touch, () => void this.#open(), { capture: true });
    this.#button.addEventListener("click", () => {
      this.#isOn = !this.#isOn;
      keep(this.#isOn);
      this.#render();
      void this.#open().then(() => this.ring()); // so that it is known how loud it is
    });
    this.#render();
  }

  ring() {
    const context = this.#context;
    if (!this.#isOn || context?.state !== "running") return;
    NOTES.forEach((pitch, place) => play(context, pitch, context.currentTime + place * NOTE_SECONDS));
  }

  /** Systems stop it at times, such as for a call. */
  async #open() {
    try {
      this.#context ??= new AudioContext();
      if (this.#context.state !== "running") await this.#context.resume();
    } catch {
      // There is no sound here, or no device for it.
    }
  }

  #render() {
    this.#button.setAttribute("aria-pressed", String(this.#isOn));
  }
}

/** @param {AudioContext} context @param {number} pitch @param {number} at seconds */
function play(context, pitch, at) {
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  const end = at + 2 * NOTE_SECONDS;
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(LOUDNESS, at);
  volume.gain.exponentialRampToValueAtTime(SILENCE, end); // without a click
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(end);
}

function isOn() {
  try {
    return localStorage.getItem(KEY) !== OFF;
  } catch {
    return true; // storage may be forbidden
  }
}

/** @param {boolean} isOn */
function keep(isOn) {
  try {
    if (isOn) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, OFF);
  } catch {
    // Then it is forgotten with the page.
  }
}
