/**
 * The first module of a page, which imports nothing: it opens the socket to the relay while the rest
 * of the page loads.
 *
 * @import { Opened } from "../peer/opening.js"
 */

/** Beside this page, wherever a proxy has put the relay. */
export const relayUrl = findRelay();

/** Whether there can be sessions: without WebRTC the relay hears nothing of this page. */
export const isAble = canConnect();

/** Null where there is nothing to say to the relay, or nobody looks at the page yet. */
export const opened = isAble && isLookedAt() && new URL(location.href).searchParams.get("user") ? open() : null;

/** What was imported did not come: `complete.js`, which stands in the page, has it loaded anew. */
export function loadAgain() {
  dispatchEvent(new Event("incomplete"));
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
