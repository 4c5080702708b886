/**
 * The start of the client's page: it is at the relay with these few files, while all others load.
 * What the relay says meanwhile waits for them. So do the texts; the page comes with the first one in it.
 *
 * @import { Opened } from "../peer/opening.js"
 */

import { enter } from "../page/entrance.js";
import { isAble, loadAgain, opened, relayUrl } from "../page/first.js";

const words = import("../words/start.js");
words.catch(loadAgain);

/** @param {"CONNECTING" | "READY"} what */
async function tell(what) {
  const { text, hint } = (await words)[what];
  document.querySelector("#text")?.replaceChildren(text);
  document.querySelector("#hint")?.replaceChildren(hint);
}

/** Of a moment nothing is said: where the line is quick, the page has a voice of its own by then. */
const QUIET_MS = 250;

/** Say that it has registered, as long as it is, until that is taken back. @param {Opened} opened */
function sayWhenReady({ socket }) {
  const listening = new AbortController();
  const { signal } = listening;
  const sayIt = () => {
    if (!signal.aborted && socket.readyState === WebSocket.OPEN) void tell("READY");
  };
  socket.addEventListener(
    "message",
    ({ data }) => {
      if (JSON.parse(data).event !== "registered") return;
      // Where a browser has none, it is said once all is there.
      AbortSignal.timeout?.(QUIET_MS).addEventListener("abort", sayIt);
    },
    { once: true, signal },
  );
  // What is still to come may not come then, for as long as the relay is gone.
  socket.addEventListener("close", () => void tell("CONNECTING"), { signal });
  return listening;
}

function start() {
  const entrance = enter("client", { opened, relayUrl });
  if (entrance.door?.state === "waiting") {
    // It can be read while the rest of the page loads; what is to be touched waits for that.
    document.querySelector("#door")?.removeAttribute("hidden");
    document.body.toggleAttribute("data-door", true);
  }
  // Where the participant is recorded, there is something else to say first.
  const isRecorded = new URL(location.href).searchParams.has("record");
  const listening = opened && !isRecorded ? sayWhenReady(opened) : null;
  import("./client.js").then(({ Client }) => {
    listening?.abort();
    new Client(entrance);
  }, loadAgain);
}

/** What came last of all that the page needs; `page/old.js` asks the same where this does not run. */
const isRecent = "throwIfAborted" in AbortSignal.prototype && "hasOwn" in Object;

if (isAble && isRecent) start();
import("./other_browser.js").then(
  ({ offerOtherBrowser }) => offerOtherBrowser({ isRecent, hasWebRtc: isAble }),
  loadAgain,
);
