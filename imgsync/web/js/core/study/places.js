/**
 * Where in a text of JSON each value stands: core/study/places.py finds the same.
 *
 * @typedef {(string | number)[]} Path what leads to a value: names of members, and places in lists
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/**
 * @param {string} text JSON, known to be right; of two members of one name the last one counts
 * @returns {{found: Map<string, number>, doubled: string[]}} where each value begins, by what leads to it, as
 *   JSON, and which stand there more than once
 */
function placesIn(text) {
  /** @type {Map<string, number>} */
  const found = new Map();
  /** @type {string[]} */
  const doubled = [];
  /** @type {(string | number | null)[]} */
  const path = [];
  for (const token of text.matchAll(TOKEN)) {
    const [word] = token;
    const last = path.at(-1);
    if (word === "}" || word === "]") path.pop();
    else if (word === ",") path[path.length - 1] = typeof last === "number" ? last + 1 : null;
    else if (last === null) path[path.length - 1] = JSON.parse(word);
    else if (word !== ":") {
      const leading = JSON.stringify(path);
      if (found.has(leading)) doubled.push(leading);
      found.set(leading, token.index);
      if (word === "{" || word === "[") path.push(word === "{" ? null : 0);
    }
  }
  return { found, doubled };
}

/** @param {string} text @returns {Path | null} what leads to the first member that an object has twice */
export function doubledIn(text) {
  const [first] = placesIn(text).doubled;
  return first === undefined ? null : JSON.parse(first);
}

/**
 * @param {Path} path
 * @param {string} text
 * @returns {[number, number]} the line and the column of a value, from 1; of what has it where it is missing
 */
export function placeOf(path, text) {
  const { found } = placesIn(text);
  let known = path;
  while (known.length > 0 && !found.has(JSON.stringify(known))) known = known.slice(0, -1);
  const lines = text.slice(0, found.get(JSON.stringify(known)) ?? 0).split(/\r\n|\r|\n/);
  return [lines.length, [...(lines.at(-1) ?? "")].length + 1];
}
