/**
 * A whole study: what is shown in which order, what is asked, and what is wrong with it. The rules of
 * core/study/study.py, which says what is shuffled.
 *
 * @import { Entry, Fault } from "./entries.js"
 * @import { Path } from "./places.js"
 * @import { Trial } from "../protocol/wire.js"
 *
 * @typedef {object} Plan what a study file says
 * @property {Entry[]} entries in the order of the file, without what comes before and behind
 * @property {boolean} isStudy whether it asks for anything but to show images
 * @property {string | null} name
 * @property {"given" | "shuffled"} order
 * @property {number | null} seed null where any will do
 * @property {Texts} texts
 *
 * @typedef {{welcome?: string, consent?: string, instructions?: string, break?: string, end?: string}} Texts
 */

import { MAX_FAULTS, MAX_SCREEN_TEXT, MAX_SEED, MAX_STUDY_NAME } from "../protocol/numbers.js";
import { isObject, isScreenText, isStudyName, isWhole } from "../protocol/values.js";
import { EntryReader, isLeftOut, oddName, onOneLine } from "./entries.js";
import { generator, shuffled } from "./shuffling.js";

const GIVEN = "given";
const SHUFFLED = "shuffled";

/** @type {readonly (keyof Texts)[]} */
const TEXTS = ["welcome", "consent", "instructions", "break", "end"];

const MEMBERS = ["name", "order", "seed", ...TEXTS, "entries"];
/** Members that are for other programs. */
const OTHERS = ["$schema"];

/** How participants say that they consent: not by any key. */
const CONSENTS = { keys: ["Enter"], taps: true, ends: true };

const NO_TEXT = `that is not a text of 1 to ${MAX_SCREEN_TEXT} characters, without control characters but line breaks`;

/** @type {[string, (value: any) => boolean, string][]} */
const RULES = [
  ["name", isStudyName, `has a name that is not 1 to ${MAX_STUDY_NAME} printable characters`],
  ["order", (value) => value === GIVEN || value === SHUFFLED, 'has an order that is neither "given" nor "shuffled"'],
  [
    "seed",
    (value) => isWhole(value) && value >= 0 && value <= MAX_SEED,
    `has a seed that is no whole number from 0 to ${MAX_SEED}`,
  ],
  ["welcome", isScreenText, `has a welcome ${NO_TEXT}`],
  ["consent", isScreenText, `has a consent ${NO_TEXT}`],
  ["instructions", isScreenText, `has instructions ${NO_TEXT}`],
  ["break", isScreenText, `has a break ${NO_TEXT}`],
  ["end", isScreenText, `has an end ${NO_TEXT}`],
];

/**
 * @param {any} content as JSON has it, or the rows of CSV as objects
 * @returns {{plan: Plan} | {faults: Fault[]}} what is wrong: at most MAX_FAULTS, at least one
 */
export function readPlan(content) {
  /** @type {Fault[]} */
  const faults = [];
  /** @type {Omit<Plan, "entries" | "isStudy">} */
  const alone = { name: null, order: GIVEN, seed: null, texts: {} };
  if (Array.isArray(content)) {
    const entries = readEntries(content, [], faults);
    const isStudy = entries.some(({ trial }) => trial !== null);
    return faults.length > 0 ? { faults: faults.slice(0, MAX_FAULTS) } : { plan: { ...alone, entries, isStudy } };
  }
  faults.push(...faultsOfWhole(content));
  const has = (/** @type {string} */ name) => (Object.hasOwn(content, name) ? content[name] : null);
  if (!Array.isArray(has("entries"))) {
    return { faults: [...faults, { path: ["entries"], what: "has no entries that are a list of images and texts" }] };
  }
  const entries = readEntries(content.entries, ["entries"], faults);
  if (content.entries.length === 0) {
    faults.push({ path: ["entries"], what: "has no entries; name what is to be shown" });
  }
  const isShuffled = has("order") === SHUFFLED;
  if (faults.length === 0) {
    faults.push(...(isShuffled ? faultsOfBlocks(entries) : []), ...faultsOfBreak(content, entries));
  }
  if (faults.length > 0) return { faults: faults.slice(0, MAX_FAULTS) };
  const texts = Object.fromEntries(TEXTS.filter((one) => has(one)).map((one) => [one, has(one)]));
  const order = isShuffled ? SHUFFLED : GIVEN;
  const seed = isNone(content, "seed") ? null : has("seed");
  return { plan: { entries, isStudy: true, name: has("name") || null, order, seed, texts } };
}

/**
 * @param {Plan} plan
 * @param {number | null} seed of 32 bits; null for the order given
 * @returns {Entry[]} what is shown, from the welcome to the end, in the order that it makes of it
 */
export function arranged({ entries, texts }, seed) {
  const draw = seed === null ? null : generator(seed);
  const all = draw === null ? entries : groupsOf(entries).flatMap((group) => shuffled(group, draw));
  return [
    ...screenOf(texts.welcome),
    ...screenOf(texts.consent, { respond: CONSENTS }),
    ...screenOf(texts.instructions),
    ...all.flatMap((entry, place) => [...(endsBlock(all[place - 1], entry) ? screenOf(texts.break) : []), entry]),
    ...screenOf(texts.end),
  ];
}

/** @param {string} [text] @param {Trial} [asked] @returns {Entry[]} */
function screenOf(text, asked = {}) {
  if (text === undefined) return [];
  return [{ imageUrl: null, signedUrl: null, trial: { ...asked, text }, block: null, extra: {} }];
}

/** Whether a block ends with the one, and another one begins with the next. @param {Entry | undefined} before @param {Entry} entry */
function endsBlock(before, entry) {
  return before !== undefined && before.block !== null && entry.block !== null && before.block !== entry.block;
}

/** Whether it stays where it is. @param {Entry} entry */
function isDivider({ block, trial }) {
  return block === null && trial?.text !== undefined;
}

/** @param {readonly Entry[]} entries @returns {Entry[][]} those that are shuffled among each other, in their order */
function groupsOf(entries) {
  /** @type {Entry[][]} */
  const groups = [];
  for (const entry of entries) {
    const before = groups.at(-1)?.[0];
    // Of dividers in a row, as pages of instructions, each is alone.
    const isSame = before !== undefined && before.block === entry.block && !isDivider(before) && !isDivider(entry);
    if (isSame) groups.at(-1)?.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/**
 * A URL alone is an `imageUrl`; where no entry has a `signedUrl`, that is good for both.
 *
 * @param {any[]} list
 * @param {Path} path
 * @param {Fault[]} faults what is wrong is put to them
 * @returns {Entry[]} good for nothing where there are faults
 */
function readEntries(list, path, faults) {
  const named = list.map((one) => (typeof one === "string" ? { imageUrl: one } : one));
  const known = named.filter((one) => isObject(one));
  const isDoubled = known.every((one) => isLeftOut(one.signedUrl));
  /** @type {Entry[]} */
  const found = [];
  /** @type {Map<string | number, number>} */
  const ids = new Map();
  for (const [place, one] of named.entries()) {
    if (faults.length >= MAX_FAULTS) break;
    const fields = isObject(one) ? /** @type {Record<string, any>} */ (one) : {};
    const reader = new EntryReader(fields, [...path, place], isDoubled);
    const entry = reader.read();
    faults.push(...reader.faults);
    if (entry === null) continue;
    found.push(entry);
    const id = Object.hasOwn(fields, "id") ? fields.id : null;
    if (isLeftOut(id)) continue;
    const earlier = ids.get(id);
    if (earlier === undefined) ids.set(id, place);
    else faults.push({ path: [...path, place, "id"], what: `has the id of entry ${earlier + 1}; give each one of its own` });
  }
  return found;
}

/** @param {Record<string, any>} content @returns {Fault[]} */
function faultsOfWhole(content) {
  /** @type {Fault[]} */
  const faults = [];
  for (const name of Object.keys(content)) {
    if (MEMBERS.includes(name) || OTHERS.includes(name)) continue;
    const [, meant = null] = oddName([name], MEMBERS) ?? [];
    const isMeant = meant !== null && !Object.hasOwn(content, meant);
    const all = `a study has ${MEMBERS.join(", ")}, and others belong to its entries`;
    faults.push({ path: [name], what: `has a member "${onOneLine(name)}"; ${isMeant ? `call it ${meant}` : all}` });
  }
  for (const [name, isRight, what] of RULES) {
    const value = Object.hasOwn(content, name) ? content[name] : null;
    if (!isLeftOut(value) && !isRight(value)) faults.push({ path: [name], what });
  }
  if (!isNone(content, "seed") && content.order !== SHUFFLED) {
    faults.push({ path: ["seed"], what: 'has a seed, and its order is not "shuffled"; leave the seed out, or shuffle' });
  }
  return faults;
}

/** @param {Record<string, any>} content @param {string} name */
function isNone(content, name) {
  return !Object.hasOwn(content, name) || isLeftOut(content[name]);
}

/** @param {Record<string, any>} content @param {readonly Entry[]} entries @returns {Fault[]} */
function faultsOfBreak(content, entries) {
  const isAsked = !isNone(content, "break");
  if (!isAsked || entries.some((entry, place) => endsBlock(entries[place - 1], entry))) return [];
  const what = "has a break, which comes between two blocks, and no block follows another";
  return [{ path: ["break"], what: `${what}; name blocks, or put a text between the entries` }];
}

/** A block in two places would be shuffled as two. @param {readonly Entry[]} entries @returns {Fault[]} */
function faultsOfBlocks(entries) {
  /** @type {string | number | null} */
  let last = null;
  const over = new Set();
  /** @type {Fault[]} */
  const faults = [];
  for (const [place, entry] of entries.entries()) {
    if (entry.block === last || isDivider(entry)) continue;
    if (last !== null) over.add(last);
    last = entry.block;
    if (last !== null && over.has(last)) {
      const what = "names a block that others have ended; put what is of one block together";
      faults.push({ path: ["entries", place, "block"], what });
    }
  }
  return faults;
}
