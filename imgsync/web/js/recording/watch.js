/**
 * What becomes of the devices while they are wanted, and when they are asked for again. It decides
 * and does nothing; times are seconds on a clock that only goes forward.
 *
 *     asked for ──▶ on ──▶ ended ────────────────────▶ asked for at once
 *          │         └───▶ muted, and not only shortly ──▶ asked for: another one may hear
 *          ├──▶ missing, in use ──▶ asked for after a pause, and when devices come or go
 *          └──▶ forbidden, by whomever ──▶ asked for when a session begins, or a person asks
 *
 * A device that has ended may be back in a moment, as after a call, or when it is plugged in again.
 * What a person has forbidden is not asked for again by itself, as the browser might ask them each
 * time, over an image.
 *
 * @import { DeviceState, Kind } from "../words/recording.js"
 */

/** What is muted for less is not told: some devices are so for a moment when they are switched. */
const MUTED_AFTER = 1;
/** At most, between two tries. */
const MAX_PAUSE = 60;

/** @type {readonly DeviceState[]} */
const MAY_PASS = ["ended", "muted", "missing", "in_use"];

/** Whether one is on, or is asked for again by itself. @param {DeviceState} state */
export function isWanted(state) {
  return state === "on" || MAY_PASS.includes(state);
}

export class Watch {
  /** When to call `tick`; Infinity for never. */
  due = Infinity;
  /** Of those that were asked for. @type {Map<Kind, DeviceState>} */
  states = new Map();
  /** Those that fell silent, and since when. @type {Map<Kind, number>} */
  #silent = new Map();
  #failures = 0;
  #askAt = Infinity;

  /** They are not wanted any more. */
  off() {
    this.states.clear();
    this.#silent.clear();
    this.#failures = 0;
    this.#ask(Infinity);
  }

  /** @param {Kind} kind @param {boolean} isMuted from the beginning @param {number} now */
  opened(kind, isMuted, now) {
    this.#silent.delete(kind);
    if (isMuted) this.#failed(kind, "muted", now);
    else this.#isOn(kind);
  }

  /** It can't be opened. @param {Kind} kind @param {DeviceState} why @param {number} now */
  failed(kind, why, now) {
    const before = this.states.get(kind);
    // It is still there, and may be heard again.
    if (before === "muted") {
      if (MAY_PASS.includes(why)) this.#failed(kind, "muted", now);
      return;
    }
    const hasEnded = before === "ended" && why === "missing";
    this.#failed(kind, hasEnded ? "ended" : why, now);
  }

  /** @param {Kind} kind @param {number} now */
  ended(kind, now) {
    this.states.set(kind, "ended");
    this.#silent.delete(kind);
    this.#failures = 0;
    this.#ask(now);
  }

  /** @param {Kind} kind @param {number} now */
  muted(kind, now) {
    this.#silent.set(kind, now);
    this.#ask(this.#askAt);
  }

  /** @param {Kind} kind */
  unmuted(kind) {
    this.#silent.delete(kind);
    if (this.states.get(kind) === "muted") this.#isOn(kind);
    else this.#ask(this.#askAt);
  }

  /** One was plugged in, or out. @param {number} now */
  changed(now) {
    this.#failures = 0;
    if (this.#askAt !== Infinity) this.#ask(now);
  }

  /** `due` has come. @param {number} now @returns {Kind[]} those to ask for, then `opened` or `failed` */
  tick(now) {
    for (const [kind, since] of this.#silent) {
      if (now < since + MUTED_AFTER) continue;
      this.#silent.delete(kind);
      this.states.set(kind, "muted");
      this.#askAt = now;
    }
    const isTime = now >= this.#askAt;
    this.#ask(isTime ? Infinity : this.#askAt);
    return isTime ? [...this.states.keys()].filter((kind) => this.#mayPass(kind)) : [];
  }

  /** @param {Kind} kind */
  #isOn(kind) {
    this.states.set(kind, "on");
    const isAnyLeft = [...this.states.keys()].some((one) => this.#mayPass(one));
    if (!isAnyLeft) this.#failures = 0;
    this.#ask(isAnyLeft ? this.#askAt : Infinity);
  }

  /** @param {Kind} kind @param {DeviceState} why @param {number} now */
  #failed(kind, why, now) {
    this.states.set(kind, why);
    if (!this.#mayPass(kind)) return;
    // Those that fail together are one failure.
    if (this.#askAt <= now || this.#askAt === Infinity) {
      this.#failures += 1;
      this.#ask(now + Math.min(MAX_PAUSE, 2 ** Math.min(this.#failures, 10) / 2));
    }
  }

  /** @param {Kind} kind */
  #mayPass(kind) {
    const state = this.states.get(kind);
    return state !== undefined && MAY_PASS.includes(state);
  }

  /** @param {number} at */
  #ask(at) {
    this.#askAt = at;
    const told = [...this.#silent.values()].map((since) => since + MUTED_AFTER);
    this.due = Math.min(at, ...told);
  }
}

/**
 * Why a device can't be opened.
 *
 * @param {{name: string, message: string}} error of `getUserMedia`
 * @param {boolean} isAllowedHere whether the page's own policy, and that of a page around it, allows it
 * @returns {DeviceState}
 */
export function reasonOf({ name, message }, isAllowedHere) {
  switch (name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotAllowedError":
    case "SecurityError":
      if (!isAllowedHere) return "policy";
      // Chromium's word for what the system's settings forbid the whole browser.
      return /\bsystem\b/i.test(message) ? "system" : "denied";
    default:
      return "in_use";
  }
}
