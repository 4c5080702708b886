/**
 * What the console says of trials, in plain words: what is asked, how it is answered, what the client shows
 * images on.
 *
 * @import { Display, Response, Trial } from "../core/protocol/wire.js"
 *
 * @typedef {Pick<Response, "kind" | "value" | "reactionTime" | "within" | "x" | "y">} Answer of the participant
 * @typedef {{score: number | null, text: string | null}} Mark of the evaluator
 */

import { NO_DISTANCE, NOT_CALIBRATED } from "../core/protocol/numbers.js";
import { formatNumber } from "./console.js";
import { describeCheck } from "./console_check.js";

/** Answers that are told one by one, beside an image. */
const MANY = 4;

/** Characters of a text that name it. */
const SHORT = 32;

// ── what is asked ────────────────────────────────────────────────────────────────────────────────

/** @param {string} key */
function nameKey(key) {
  return [...key].length === 1 ? key.toUpperCase() : key;
}

/** @param {readonly string[]} words */
function joinWords(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** @param {number} ms */
function formatTime(ms) {
  return ms < 10_000 ? `${Number(ms.toFixed(1))}\u00a0ms` : `${Number((ms / 1000).toFixed(1))}\u00a0s`;
}

/** @param {Trial} [trial] @returns {string} empty where nothing is asked */
export function describeTrial({ showFor, frames, respond, sizeMm, sizeDeg, scale } = {}) {
  const told = [];
  if (sizeMm !== undefined) told.push(`${formatNumber(sizeMm)}\u00a0mm long.`);
  if (sizeDeg !== undefined) told.push(`${formatNumber(sizeDeg)}° of visual angle.`);
  if (scale !== undefined) told.push("One pixel on each of the screen.");
  if (showFor !== undefined) told.push(`Up for ${formatTime(showFor)}.`);
  if (frames !== undefined) told.push(`Up for ${frames === 1 ? "1 frame" : `${frames} frames`}.`);
  if (respond !== undefined) {
    const { keys = [], taps = false, ends = false } = respond;
    const ways = [...keys.map(nameKey), ...(taps ? ["taps"] : [])];
    const answers = ways.length === 0 ? "Any answer counts" : `Answers: ${joinWords(ways)}`;
    told.push(`${answers}${ends ? "; the first one ends it" : ""}.`);
  }
  return told.join(" ");
}

/** A text that is shown in place of a picture, by its beginning. @param {string} text */
export function nameText(text) {
  const line = text.trim().split("\n", 1)[0] ?? "";
  const characters = [...line];
  const isLong = characters.length > SHORT || line !== text.trim();
  return `text “${characters.slice(0, SHORT).join("").trim()}${isLong ? " …" : ""}”`;
}

/** Of a showing, where the text is not at hand. @param {string} imageUrl @returns {string | null} null for a picture */
export function nameTextScreen(imageUrl) {
  return /^texts\/[0-9a-f]{8}\/[0-9]+$/.test(imageUrl) ? "text" : null;
}

// ── what comes of it ─────────────────────────────────────────────────────────────────────────────

/** @param {Answer} answer */
function nameAnswer({ kind, value, x, y }) {
  switch (kind) {
    case "key":
      return nameKey(value);
    case "button":
      return `“${value}”`;
    case "tap": {
      const where = x === undefined || y === undefined ? "" : ` at ${Math.round(x)}, ${Math.round(y)}`;
      return value === "picture" ? `tap on it${where}` : "tap beside it";
    }
    case "too_many":
      return "more than are counted";
  }
}

/** @param {Answer} answer */
export function describeAnswer(answer) {
  const { kind, reactionTime, within } = answer;
  if (kind === "too_many" || reactionTime === undefined) return nameAnswer(answer);
  const bound = within === undefined ? "" : ` ±\u00a0${formatNumber(within)}`;
  return `${nameAnswer(answer)} after ${formatNumber(reactionTime)}${bound}\u00a0ms`;
}

/** @param {readonly Answer[]} answers @returns {string} empty for none */
export function describeAnswers(answers) {
  if (answers.length === 0) return "";
  const told = answers.slice(0, MANY).map(describeAnswer);
  const more = answers.length - told.length;
  return `${answers.length === 1 ? "Answer" : "Answers"}: ${told.join("; ")}${more > 0 ? `; ${more} more` : ""}`;
}

/** @param {readonly Mark[]} marks @returns {string} empty for none */
export function describeMarks(marks) {
  const told = marks.flatMap(({ score, text }) => [
    ...(score === null ? [] : [`score ${String(score).replace("-", "\u2212")}`]),
    ...(text === null ? [] : [`“${text}”`]),
  ]);
  return told.length === 0 ? "" : `Noted: ${told.join("; ")}`;
}

/** What a mark is of. @param {number | null} index null before the first image */
export function nameMarked(index) {
  return index === null ? "Note on the session, before its first image" : `Note on image ${index + 1}`;
}

// ── what it is shown on ──────────────────────────────────────────────────────────────────────────

/** @param {number} rate */
function formatRate(rate) {
  return `${rate.toFixed(1)}\u00a0Hz`;
}

/** @param {number | undefined} width @param {number | undefined} height @returns {string} empty where it is not known */
function formatSize(width, height) {
  return width === undefined || height === undefined ? "" : `${width} × ${height}`;
}

/** On one line. @param {Display} display */
export function sumUpDisplay({ refreshRate, screenWidth, screenHeight }) {
  const rate = refreshRate === undefined ? "refresh not known" : formatRate(refreshRate);
  return [rate, formatSize(screenWidth, screenHeight)].filter(Boolean).join(", ");
}

/** @param {number} mm */
function formatCm(mm) {
  return (mm / 10).toFixed(1);
}

const POINTERS = { fine: "mouse, pad or pen", coarse: "finger", none: "none" };

/** @param {Display} display @returns {[string, string][]} names and values of what is known */
export function describeDisplay(display) {
  const { screenWidth, screenHeight, windowWidth, windowHeight, pixelRatio, zoom, refreshRate } = display;
  const { pxPerMm, distanceMm, distanceWithinMm } = display;
  const { isolated, resolution, browser, system, languages, pointer, keyboard } = display;
  const calibratedBy = display.calibratedBy === undefined ? "" : `, by a ${display.calibratedBy}`;
  const within = distanceWithinMm === undefined ? "" : ` ±\u00a0${formatCm(distanceWithinMm)}`;
  /** @type {[string, string | false | undefined][]} */
  const facts = [
    ["Refresh rate", refreshRate === undefined ? "not measured yet" : formatRate(refreshRate)],
    ["Screen", formatSize(screenWidth, screenHeight)],
    ["Window", formatSize(windowWidth, windowHeight)],
    ["Device pixels", pixelRatio !== undefined && `${Number(pixelRatio.toFixed(3))} for each`],
    ["Calibrated", pxPerMm !== undefined && `${Number(pxPerMm.toFixed(3))} pixels a\u00a0mm${calibratedBy}`],
    ["Viewing distance", distanceMm !== undefined && `${formatCm(distanceMm)}${within}\u00a0cm`],
    ["Zoom", zoom !== undefined && `${Math.round(zoom * 100)}\u00a0%`],
    ["Step of its clock", resolution !== undefined && `${Number(resolution.toPrecision(3))}\u00a0ms`],
    ["Isolated", isolated !== undefined && (isolated ? "yes" : "no")],
    ["Browser", browser],
    ["System", system],
    ["Languages", languages?.join(", ")],
    ["Pointer", pointer && POINTERS[pointer]],
    ["Checked before", describeCheck(display)],
    ["Keyboard", keyboard !== undefined && (keyboard ? "was used" : "not used yet")],
  ];
  return facts.flatMap(([name, fact]) => (fact ? [[name, fact]] : []));
}

/** @param {string} word of `warningsOf` @param {Display} display */
export function describeWarning(word, { refreshRate = 0, zoom = 1, resolution }) {
  switch (word) {
    case NOT_CALIBRATED:
      return (
        "Sizes are asked for, and the client’s screen is not calibrated: its images are as large as its window." +
        " Have the participant measure the screen, by the button on its page."
      );
    case NO_DISTANCE:
      return (
        "Sizes are asked for in degrees, and nobody knows from how far away the participant sees the screen." +
        " Have that measured, by the button on its page."
      );
    case "refresh_unknown":
      return "How often the client’s screen is refreshed is not known yet, and times of images are whole frames of it.";
    case "refresh_low":
      return (
        `The client’s screen is refreshed at ${formatRate(refreshRate)} only: a battery saver, or a remote desktop,` +
        " holds it back. Turn that off there."
      );
    case "refresh_not_60":
      return (
        `The client’s screen is refreshed at ${formatRate(refreshRate)}, and not at 60: a frame lasts` +
        ` ${formatNumber(1000 / refreshRate)}\u00a0ms there. Set it to 60 Hz if the study needs that.`
      );
    case "zoomed":
      return `The client’s page is zoomed to ${Math.round(zoom * 100)}\u00a0%. Ctrl and 0 there set it back.`;
    case "not_isolated": {
      const step = resolution === undefined ? "" : `, in steps of ${formatNumber(resolution)}\u00a0ms`;
      return `The client’s clock is coarse${step}, as its page is not isolated: open it by https, and in no frame.`;
    }
    case "no_keyboard":
      return "Keys are to be the answers, and only a touch screen is known of the client: let it connect a keyboard.";
    default:
      return word.replaceAll("_", " ");
  }
}

/** What a client can't do, by the name of the feature. @type {Record<string, string>} */
const NOT_SPOKEN = {
  exposure: "take images away by itself: each stays until the next one comes",
  response: "tell answers: there will be none",
  text: "show texts: they are passed over",
  size: "show images in the size that is asked: they are as large as its window",
};

/** @param {string} feature that is asked for */
export function describeNotSpoken(feature) {
  const what = NOT_SPOKEN[feature] ?? `do what is asked (${feature})`;
  return (
    `The client’s program can’t ${what}. The session goes on. Have the client open this server’s page in a browser,` +
    " or update its program."
  );
}
