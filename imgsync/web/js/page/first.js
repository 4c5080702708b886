/**
 * The first module of a page, which imports nothing: it opens the socket to the relay while the rest
 * of the page loads, and has the page loaded anew if something of it does not come.
 *
 * @import { Opened } from "../peer/opening.js"
 */

const RELOAD_MS = 5000;

/** Beside this page, wherever a proxy has put the relay. */
export const relayUrl = findRelay();

/** Whether there can be sessions: without WebRTC the relay hears nothing of this page. */
export const isAble = canConnect();

/** Null where there is nothing to say to the relay, or nobody looks at the page yet. */
export const opened = isAble && isLookedAt() && new URL(location.href).searchParams.get("user") ? open() : null;

// A script of the page, or one that it imports, did not come.
addEventListener("error", onError, true);

/** Has the page loaded anew as soon as the relay is there: at once, and after that with pauses. */
export async function loadAgain() {
  const isAgain = history.state === import.meta.url;
  history.replaceState(import.meta.url, "");
  if (isAgain) await pause();
  while (!(await isThere())) await pause();
  location.reload();
}

/** @returns {string} */
function findRelay() {
  const relay = new URL("ws", location.href);
  relay.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  relay.search = relay.hash = "";
  return relay.href;
}

/** Some browsers have no WebRTC; in others it is turned off, or an extension is in its way. */
function canConnect() {
  try {
    const connection = new RTCPeerConnection();
    connection.createDataChannel("");
    connection.close();
    return true;
  } catch {
    return false;
  }
}

/** Tabs in the background, and what browsers load before somebody asks for it, are hidden. */
function isLookedAt() {
  return document.visibilityState === "visible";
}

/** @returns {Opened} */
function open() {
  const socket = new WebSocket(relayUrl);
  /** @type {Opened} */
  const opened = { socket, heard: [], code: null };
  socket.onmessage = ({ data }) => opened.heard.push(data);
  socket.onclose = ({ code }) => (opened.code = code);
  return opened;
}

/** @param {Event} event */
function onError({ target }) {
  if (target instanceof HTMLScriptElement) void loadAgain();
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
}

/** @returns {Promise<boolean>} */
async function isThere() {
  try {
    return (await fetch(location.href, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
