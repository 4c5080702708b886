/**
 * All that is looked at, side by side, each told as soon as it is known.
 *
 * @import { Finding } from "../core/check/findings.js"
 * @import { Registered } from "./reach.js"
 *
 * @typedef {{url: URL, userId: string, token: string | undefined, isRecorded: boolean}} Examined `url`: of the
 *   relay's socket, by http
 */

import { chooseIce } from "../core/protocol/ice.js";
import {
  judgeBrowser,
  judgeClock,
  judgeFilling,
  judgeLink,
  judgeReach,
  judgeScreen,
  judgeStorage,
  judgeWaking,
  judgeWays,
} from "../core/check/judging.js";
import { describeAgent } from "../device/agent.js";
import { wholeZoom } from "../device/screen_facts.js";
import { canKeepAwake, examineStorage, measureRate } from "./device.js";
import { askStun, canConnect, tryWay } from "./loop.js";
import { askClock, reachServer, register } from "./reach.js";

/**
 * @param {Examined} examined
 * @param {(finding: Finding) => void} tell
 * @returns {Promise<void>} once all is told
 */
export async function examine(examined, tell) {
  const { browser } = describeAgent(navigator.userAgent, navigator.maxTouchPoints);
  const isAble = canConnect();
  tell(judgeBrowser(browser, isAble));
  await Promise.all([examineServer(examined, isAble, tell), examineDevice(examined, tell)]);
}

/** @param {Examined} examined @param {boolean} isAble @param {(finding: Finding) => void} tell */
async function examineServer({ url, userId, token }, isAble, tell) {
  const server = await reachServer(url);
  tell(judgeReach("server", server.obstacle, server.ms));
  const clock = askClock(url).then((offset) => tell(judgeClock(offset, isSecureContext)));
  const registered = await register(url, userId, token);
  tell(judgeReach("socket", registered.obstacle, registered.ms));
  tell(judgeLink(userId, registered.answer));
  if (isAble) for (const finding of await examineWays(registered)) tell(finding);
  await clock;
}

/** @param {Registered} registered @returns {Promise<Finding[]>} */
async function examineWays({ iceServers }) {
  const { asked } = chooseIce(iceServers);
  const isTurn = (/** @type {typeof asked[number]} */ { urls }) => /^turns?:/i.test(String(urls));
  const turns = asked.filter(isTurn);
  const stuns = asked.filter((server) => !isTurn(server));
  const [direct, relayed, isSeen] = await Promise.all([
    tryWay(stuns, false),
    turns.length > 0 ? tryWay(turns, true) : null,
    stuns.length > 0 && askStun(stuns),
  ]);
  return judgeWays({
    direct: direct.measured,
    hasStun: stuns.length > 0,
    isSeen,
    turns: turns.length,
    relayed: relayed?.measured ?? null,
    causes: relayed?.causes ?? [],
  });
}

/** @param {Examined} examined @param {(finding: Finding) => void} tell */
async function examineDevice({ isRecorded }, tell) {
  tell(judgeFilling(document.fullscreenEnabled));
  tell(judgeWaking(await canKeepAwake()));
  const { isKept, left } = await examineStorage(isRecorded);
  tell(judgeStorage(isKept, left, isRecorded));
  tell(judgeScreen(await measureRate(), wholeZoom()));
}
