/**
 * The start of the client's page: it is at the relay with these few files, while all others load.
 * What the relay says meanwhile waits for them.
 *
 * @import { Opened } from "../peer/opening.js"
 * @import { Status } from "../words/client.js"
 */

import { enter } from "../page/entrance.js";
import { isAble, loadAgain, opened } from "../page/first.js";
import { READY, UNABLE } from "../words/client.js";

/** @param {Status} status */
function say({ text, hint }) {
  document.querySelector("#text")?.replaceChildren(text);
  document.querySelector("#hint")?.replaceChildren(hint);
}

/** Say that it has registered, until the page has a voice of its own. @param {Opened} opened */
function sayWhenReady({ socket }) {
  const listening = new AbortController();
  socket.addEventListener(
    "message",
    ({ data }) => {
      if (JSON.parse(data).event === "registered") say(READY);
    },
    { once: true, signal: listening.signal },
  );
  return listening;
}

function start() {
  const entrance = enter("client");
  // Where the participant is recorded, there is something else to say first.
  const isRecorded = new URL(location.href).searchParams.has("record");
  const listening = opened && !isRecorded ? sayWhenReady(opened) : null;
  import("./client.js").then(({ Client }) => {
    listening?.abort();
    new Client(entrance);
  }, loadAgain);
}

if (isAble) start();
else say(UNABLE);
