/**
 * What the console says of pictures from the evaluator's own disk: those that it takes, those that it
 * can't, and what to do then. Pictures count from 1 for people.
 *
 * @typedef {{why: string, todo: string}} Problem `why`: what it is, or what is the matter with it
 */

import { OTHERS } from "../core/pictures/others.js";
import { DECODE, OF_TYPE, TRUNCATED } from "../core/protocol/numbers.js";

/** @type {Problem} */
export const SAME_NAME = {
  why: "there is another picture of this name among them",
  todo: "Give each a name of its own.",
};

/** @type {Problem} */
export const OTHER_PICTURE = {
  why: "another picture of this name is here",
  todo: "Rename one, or remove the one that is here first.",
};

/** @param {string} list @returns {Problem} */
export function describeUnlisted(list) {
  return { why: `not named by the list ${list}`, todo: "Add them to it, or drop them without it." };
}

/** @type {Problem} */
export const INNER_FOLDER = { why: "a folder inside of the folder", todo: "Drop one by itself to take its pictures." };

/** @type {Problem} */
export const GONE = { why: "can\u2019t be opened", todo: "See that it is there still, and may be read; then drop it again." };

/** @param {number} limit in bytes @returns {Problem} */
export function describeLarge(limit) {
  return {
    why: `larger than clients take (${formatSize(limit)})`,
    todo: `Save a smaller copy: with fewer pixels, or as JPEG or WebP.`,
  };
}

/** @param {unknown} error @returns {Problem} */
export function describeUnread(error) {
  const isChanged = error instanceof DOMException && error.name === "NotReadableError";
  return isChanged
    ? { why: "can\u2019t be read, or has just changed", todo: "Close what writes it, and drop it again." }
    : { why: "can\u2019t be read", todo: "Copy it to this device, and drop it again." };
}

/** @param {string} type its media type @param {string} suffix @returns {Problem} */
export function describeMisnamed(type, suffix) {
  return { why: `${type}, but its name does not end so`, todo: `Rename, to end in .${suffix}.` };
}

/**
 * @param {string} reason as the wire has it
 * @param {string | null} type the media type of what it begins like
 * @param {boolean} isMeant by its name
 * @returns {Problem}
 */
export function describeProblem(reason, type, isMeant) {
  if (reason === TRUNCATED) return { why: "cut off: its end is missing", todo: "Copy anew." };
  if (reason === DECODE || type !== null) {
    return {
      why: `damaged, or ${type ?? "a picture"} of a form that browsers don\u2019t show`,
      todo: "Save anew as PNG or JPEG.",
    };
  }
  if (reason.startsWith(OF_TYPE)) return describeOther(reason.slice(OF_TYPE.length));
  return isMeant
    ? { why: "no picture, whatever its name says", todo: "Look whether it is the right file." }
    : { why: "no picture", todo: "Nothing needs to be done if it is not meant to be one." };
}

/** @param {string} type the media type of what no browser shows @returns {Problem} */
function describeOther(type) {
  const { name = type, advice = "save it as PNG or JPEG" } = OTHERS.get(type) ?? {};
  const known = name === type ? type : `${name} (${type})`;
  return { why: `${known}, which browsers don\u2019t show`, todo: `${advice.charAt(0).toUpperCase()}${advice.slice(1)}.` };
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

/** @param {number} done @param {number} count */
export function describeReading(done, count) {
  return `Reading ${group(done)} of ${group(count)} …`;
}

/** @param {number} count */
export function describeLeftOut(count) {
  return `${plural(count, "file")} left out, and why`;
}

/** @param {Problem} problem @param {number} count of files that it is true of */
export function describeGroup({ why, todo }, count) {
  return `${plural(count, "file")}: ${why}. ${todo}`;
}

/** @param {string} name of a folder, or empty @param {number} leftOut */
export function describeNoPictures(name, leftOut) {
  const where = name === "" ? "These files hold" : `${name} holds`;
  const why = leftOut === 0 ? "" : " Below stands why each is left out.";
  return `${where} no picture that can be shown.${why}`;
}

/**
 * @param {number} fresh pictures that are not here
 * @param {number} clashing others whose names are those of pictures that are here
 * @param {number} here
 */
export function askMore(fresh, clashing, here) {
  const parts = [`${group(fresh)} more ${fresh === 1 ? "picture is" : "pictures are"} ready.`];
  if (clashing > 0) parts.push(`${group(clashing)} with the name of one that is here ${clashing === 1 ? "is another picture" : "are other pictures"}.`);
  parts.push(`${group(here)} ${here === 1 ? "is" : "are"} here already.`);
  return parts.join(" ");
}

/** @param {number} found pictures that had been lost @param {number} known others that are here */
export function describeFound(found, known) {
  if (found === 0) return `${known === 1 ? "This picture is" : "These pictures are"} here already.`;
  return `${plural(found, "picture")} ${found === 1 ? "is" : "are"} here again.`;
}

/** @param {number} count */
export function describeTaken(count) {
  return `${plural(count, "picture")} taken.`;
}

// ── those that are here ──────────────────────────────────────────────────────────────────────────

/**
 * @param {object} own
 * @param {number} own.count of pictures
 * @param {number} own.bytes of all of them
 * @param {number} own.lost pictures that were not kept over a reload
 * @param {{state: "keeping" | "kept" | "full" | "none", kept: number}} keeping
 * @param {number} limit in bytes
 */
export function describeOwn({ count, bytes, lost }, keeping, limit) {
  const what = `${plural(count, "picture")} from this device, ${formatSize(bytes)}.`;
  const where = "None is uploaded to any server: each goes to the client alone, encrypted, when it is shown or about to be.";
  return [what, describeLost(lost), where, describeKeeping(keeping, count, limit)].filter(Boolean).join(" ");
}

/** @param {number} lost */
function describeLost(lost) {
  if (lost === 0) return "";
  const them = lost === 1 ? "1 picture was" : `${group(lost)} pictures were`;
  return `${them} not kept by this browser and can\u2019t be shown: drop the folder or the files again, and they are here as before.`;
}

/** @param {{state: string, kept: number}} keeping @param {number} count @param {number} limit */
function describeKeeping({ state, kept }, count, limit) {
  const until = "until you take others or remove the record";
  switch (state) {
    case "kept":
      return `This browser keeps them for a reload, on this device, ${until} (at most ${formatSize(limit)}).`;
    case "full":
      return (
        `This browser keeps ${group(kept)} of ${group(count)} for a reload: it has no room for more (at most` +
        ` ${formatSize(limit)} are kept). After a reload, drop the others again.`
      );
    case "none":
      return "This browser keeps no pictures for this page: after a reload, drop them again.";
    default:
      return "They are being kept for a reload …";
  }
}

/** What is current was not kept. */
export const NOT_HERE = "This picture was not kept by this browser. Drop its folder or file here again to show it.";

/** What became of that. */
export const NOT_SHOWN = "Not shown to the client.";

// ── arranging ────────────────────────────────────────────────────────────────────────────────────

export const ON_SCREEN = "This picture is what the client sees: show another one before you remove it.";
export const ONLY_ONE = "This is the only picture; take others in its place.";
export const UNDONE = "Undone.";

/** @param {number} place @param {string} name @param {number} count */
export function describePlace(place, name, count) {
  return `${name} is at place ${group(place + 1)} of ${group(count)}.`;
}

/** @param {string} name */
export function describeRemoved(name) {
  return `${name} is removed. Undo brings it back.`;
}

/** @param {number} bytes */
export function formatSize(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 && !Number.isInteger(size) ? 1 : 0)} ${units[unit]}`;
}

/** @param {number} count */
function group(count) {
  return count.toLocaleString("en-US");
}

/** @param {number} count @param {string} what */
function plural(count, what) {
  return `${group(count)} ${what}${count === 1 ? "" : "s"}`;
}
