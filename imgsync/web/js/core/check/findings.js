/**
 * What a check of a device can find. A finding has a word, by which the wire and records name it, and
 * what is in the way of a session has a code, which a participant can read out: a letter for what was
 * looked at, and a number. Both are names that stay: new ones come last.
 *
 * @typedef {keyof typeof LETTERS} Subject what is looked at
 * @typedef {"ok" | "careful" | "wrong" | "skipped"} Level `careful`: it may give trouble; `skipped`: it is
 *   not looked at, and nothing is to be done about it
 * @typedef {Record<string, string | number>} Values what is said of it in numbers and names
 * @typedef {{subject: Subject, word: string, level: Level, values: Values}} Finding
 * @typedef {{level: "ok" | "careful" | "wrong", found: string[], codes: string[]}} Summary
 */

import { MAX_FEATURES } from "../protocol/numbers.js";

const LETTERS = /** @type {const} */ ({
  browser: "B",
  server: "S",
  socket: "W",
  link: "L",
  direct: "D",
  turn: "T",
  clock: "C",
  screen: "R",
  storage: "M",
  filling: "F",
  waking: "A",
  camera: "K",
  microphone: "H",
});

/** All that is looked at, in the order in which it is told. */
export const SUBJECTS = /** @type {Subject[]} */ (Object.keys(LETTERS));

/** Why a server is not reached, as `Obstacle` has it. */
const OBSTACLES = [
  ...["unreachable", "origin", "full", "draining", "too_many", "upgrade", "moved", "portal", "malformed"],
  ...["sign_in", "barred", "not_found", "proxy_sign_in", "too_large", "no_relay", "unavailable", "too_late"],
  ...["broken", "other"],
];

/** What may be the matter with a device, as `DeviceState` and `Obstacle` of a recording have it. */
const DEVICES = ["missing", "in_use", "denied", "policy", "system", "muted", "ended", "not_secure", "silent"];

/** What is in the way, by the number that it has in a code. @type {Record<Subject, readonly string[]>} */
const IN_THE_WAY = {
  browser: ["without_webrtc", "old", "unknown"],
  server: OBSTACLES,
  socket: [...OBSTACLES, "closed"],
  link: ["incomplete", "refused", "unanswered"],
  direct: ["failed", "no_way_out"],
  turn: ["refused", "silent", "failed", "slow"],
  clock: ["off", "coarse"],
  screen: ["slow", "unknown", "zoomed"],
  storage: ["none", "little"],
  filling: [],
  waking: ["missing"],
  camera: DEVICES,
  microphone: DEVICES,
};

/** What a participant reads out, by the word of what is in the way. @type {ReadonlyMap<string, string>} */
export const CODES = new Map(
  SUBJECTS.flatMap((subject) =>
    IN_THE_WAY[subject].map((what, place) => [`${subject}_${what}`, `${LETTERS[subject]}${place + 1}`]),
  ),
);

/**
 * @param {Subject} subject
 * @param {string} what `ok`, or what is the matter
 * @param {Level} level
 * @param {Values} [values]
 * @returns {Finding}
 */
export function finding(subject, what, level, values = {}) {
  return { subject, word: `${subject}_${what}`, level, values };
}

/** @param {readonly Finding[]} findings @returns {Summary} `found`: in words, the worst first */
export function sumUp(findings) {
  const [wrong, careful] = /** @type {const} */ (["wrong", "careful"]).map((level) =>
    findings.filter((one) => one.level === level).map(({ word }) => word),
  );
  const found = [...(wrong ?? []), ...(careful ?? [])].slice(0, MAX_FEATURES);
  const level = wrong?.length ? "wrong" : careful?.length ? "careful" : "ok";
  return { level, found, codes: found.map((word) => CODES.get(word) ?? word) };
}
