/**
 * Who the link says that this is. The token comes behind the #, which no browser sends, so that no
 * proxy can log it, or in the query. It does not stay in the address bar, where it would be seen,
 * copied and kept in the history; the tab remembers it, so that a reload works.
 *
 * @typedef {{userId: string, token: string | undefined, relayUrl: string, first: Opening | null,
 *   door: Threshold | null}} Entrance `userId` is empty where the link does not say it; `first`: the way
 *   to the relay that is being opened already; `door`: of a client
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
  const door = role === "client" && userId !== "" ? new Threshold(userId) : null;
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
  const key = `imgsync token of ${page.searchParams.get("user") ?? ""} at ${path}`;
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
