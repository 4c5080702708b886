/** The start of the page that checks a device: who the link is for, and where it leads. */

import { find } from "../page/dom.js";
import { loadForNewToken, takeToken } from "../page/entrance.js";
import { parseKinds } from "../recording/devices.js";
import { Check } from "./check.js";

/** Nothing is asked for by a page that nobody looks at. */
function whenSeen() {
  return new Promise((resolve) => {
    const look = () => document.visibilityState === "visible" && resolve(undefined);
    document.addEventListener("visibilitychange", look);
    look();
  });
}

async function start() {
  const page = new URL(location.href);
  const session = new URL("client", page);
  const token = takeToken(page, session.pathname);
  loadForNewToken();
  session.search = page.search;
  find("go-on", HTMLAnchorElement).href = session.href;
  const kinds = parseKinds(page.searchParams.get("record") ?? "") ?? [];
  const userId = page.searchParams.get("user") ?? "";
  const check = new Check({ url: new URL("ws", page), userId, token, isRecorded: kinds.length > 0 }, kinds);
  await whenSeen();
  await check.examine();
}

void start();
