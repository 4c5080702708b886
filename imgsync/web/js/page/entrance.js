/**
 * Who the link says that this is. The token comes behind the #, which no browser sends, so that no
 * proxy can log it, or in the query. It does not stay in the address bar, where it would be seen,
 * copied and kept in the history; the tab remembers it, so that a reload works.
 *
 * @typedef {{userId: string, token: string | undefined, relayUrl: string, first: Opening | null,
 *   door: Threshold | null}} Entrance `userId` is empty where the link does not say it; `first`: the way
 *   to the relay that is being opened already; `door`: of a client, where it has one
 *
 * @import { Opened } from "../peer/opening.js"
 * @import { Role } from "../core/protocol/wire.js"
 */

import { Opening } from "../peer/opening.js";
import { Threshold } from "./threshold.js";

/**
 * @param {Role} role as which the relay is told of us
 * @param {{opened: Opened | null, relayUrl: string}} begun what the first module has begun
 * @returns {Entrance}
 */
export function enter(role, { opened, relayUrl }) {
  const page = new URL(location.href);
  const userId = page.searchParams.get("user") ?? "";
  const token = takeToken(page, page.pathname);
  loadForNewToken();
  // A screen that nobody can touch, as a projector's, has a link that says so.
  const hasDoor = role === "client" && userId !== "" && page.searchParams.get("door") !== "off";
  const door = hasDoor ? new Threshold(userId) : null;
  const first = opened && new Opening(opened);
  first?.register({ userId, role, token, door });
  return { userId, token, relayUrl, first, door };
}

/**
 * @param {URL} page its address
 * @param {string} path of the page whose token it is
 * @returns {string | undefined}
 */
export function takeToken(page, path) {
  const key = keyOf(page, path);
  const fragment = fragmentOf(page);
  const given = fragment.get("token") ?? page.searchParams.get("token");
  if (given === null) return recall(key);
  remember(key, given);
  page.searchParams.delete("token");
  fragment.delete("token");
  page.hash = fragment.toString();
  history.replaceState(history.state, "", page);
  return given;
}

/** A link that differs from this page's behind the # only does not load the page anew. */
export function loadForNewToken() {
  addEventListener("hashchange", () => {
    if (fragmentOf(new URL(location.href)).has("token")) location.reload();
  });
}

/** The link that was opened, with its token, for another browser of theirs. */
export function wholeLink() {
  const page = new URL(location.href);
  const token = recall(keyOf(page, page.pathname));
  if (token !== undefined) {
    const fragment = fragmentOf(page);
    fragment.set("token", token);
    page.hash = fragment.toString();
  }
  return page.href;
}

/** Under which the tab remembers a token. @param {URL} page @param {string} path of the page whose token it is */
function keyOf(page, path) {
  return `imgsync token of ${page.searchParams.get("user") ?? ""} at ${path}`;
}

/** @param {URL} page */
function fragmentOf(page) {
  return new URLSearchParams(page.hash.slice(1));
}

/** @param {string} key @param {string} token */
function remember(key, token) {
  try {
    sessionStorage.setItem(key, token);
  } catch {
    // Storage may be forbidden: then a reload needs the whole link again.
  }
}

/** @param {string} key @returns {string | undefined} */
function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
