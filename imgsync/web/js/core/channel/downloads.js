/**
 * Which image is fetched next and from where on, and when one is given up.
 *
 *     announce ──▶ waiting ── MAX_FETCHES at a time ──▶ running ──▶ there
 *     show ──────▶ waiting ── first, and alone ───────▶ running ──▶ there
 *     running ── another one is to be shown ──▶ waiting, with the bytes that are here
 *     running ── broken off, or no byte for FETCH_STALL ──▶ waiting for a pause, or failed
 *     waiting, running ── not to be shown any more, and not announced ──▶ given up
 *     failed ── shown or announced once more ──▶ waiting
 *     there ── no room for it ──▶ forgotten where it was shown, or else waiting
 *
 * A line that is slow carries one image in the time of four that share it, so nothing else is fetched
 * while an image is due. How long an image takes in all is nobody's concern as long as bytes come.
 * What was fetched goes on from its last byte where the host has ranges of it, and is begun anew where
 * not.
 *
 * What is there is kept, up to MAX_KEPT bytes. What was shown goes first, the longest ago before the
 * others; then what was announced before what has come in. One that would not fit behind those before
 * it is not fetched ahead. What is to be shown now needs no room.
 *
 * What is here in part, and waits, is kept within the same MAX_KEPT; the last that would be fetched
 * goes first. So there are never more bytes here than MAX_KEPT, MAX_FETCHES images that are under way
 * or have just come, and the one that is to be shown: 448 MiB.
 *
 * Whoever drives this has a way to fetch, by HTTP or any other: a name and an offset go in, bytes come
 * out. It numbers each try, so that what one says that was stopped is passed over. Images are known by
 * their key, as the signature of a URL may be another each time. `now` is on a clock that only goes
 * forward, s. It decides and does nothing.
 *
 * @import { UpcomingImage } from "../protocol/wire.js"
 *
 * @typedef {{announced: number, there: number, failed: number, isFull: boolean}} Counts
 *   of the images that were announced and are still to be shown; `isFull`: there is no room for more of
 *   them until some were shown
 *
 * @typedef {{kind: "start", number: number, name: string, url: string | null, offset: number,
 *   isUrgent: boolean}} Start `number`: of this try; `offset`: bytes of it that are here already; 0:
 *   what is here is of no use any more; `isUrgent`: it is to be shown now
 * @typedef {{kind: "stop", number: number}} Stop what is here of it is kept
 * @typedef {{kind: "givenUp", name: string, reason: string, detail: string}} GivenUp nothing more is
 *   done for it, and what is here of it is of no use; `detail`: what else is known, for people
 * @typedef {{reason: string, mayPass: boolean, keeps: boolean, detail: string}} Failure `mayPass`:
 *   another try may help; `keeps`: what it has brought is of use
 * @typedef {{kind: "evict", name: string}} Evict it was there, or a part of it, and
 *   has to make room
 * @typedef {{kind: "progress"} & Counts} Progress
 * @typedef {Start | Stop | GivenUp | Evict | Progress} DownloadOutput
 *
 * @typedef {object} Download
 * @property {string} name
 * @property {UpcomingImage} image
 * @property {"waiting" | "running" | "there" | "failed"} state
 * @property {boolean} isAnnounced
 * @property {[number, number]} rank the smallest goes first: by announcement, the newest before
 *   others, then by place in it; of what was shown it is how long ago
 * @property {number} number
 * @property {string | null} url what the running try fetches from
 * @property {number} have bytes that are here
 * @property {boolean} isResumable whether the host can go on from there
 * @property {number} best most that a try before the last one had come to
 * @property {number} failures in a row, without FETCH_PROGRESS in between
 * @property {number} again when it may be tried again
 * @property {number} stalls when the running try counts as standing still
 */

import { imageKey } from "../protocol/naming.js";
import {
  CROWDED_OUT,
  FETCH_PROGRESS,
  FETCH_STALL,
  FETCH_TRIES,
  FETCH_UNSEEN,
  MAX_ANNOUNCED,
  MAX_FETCHES,
  MAX_KEPT,
  PRELOAD_PAUSE,
  PRELOADED_INTERVAL,
  SLEPT,
  SUPERSEDED,
} from "../protocol/numbers.js";

/** Of what came in part: its line was lost, perhaps. @type {Failure} */
const STALLED = { reason: "timeout", mayPass: true, keeps: true, detail: `no byte came for ${FETCH_STALL} s` };
/** Of what never came: its host is there and says nothing, and the image's time is over by then. */
const SILENT = { ...STALLED, mayPass: false };

/** @param {UpcomingImage} image @param {number} again @returns {Download} */
function newDownload(image, again) {
  const rest = { number: 0, url: null, isResumable: false, stalls: Infinity };
  const begun = { have: 0, best: 0, failures: 0, again };
  return { name: imageKey(image), image, state: "waiting", isAnnounced: false, rank: [0, 0], ...rest, ...begun };
}

/** As one that was never tried. @param {Download} download */
function beginAnew(download) {
  download.state = "waiting";
  download.again = -Infinity;
  download.have = download.best = download.failures = 0;
}

/** @param {Download} download */
function isPending({ state }) {
  return state === "waiting" || state === "running";
}

/** Its try is over; what it has brought is of use, or not. @param {Download} download @param {boolean} keeps */
function halt(download, keeps) {
  download.state = "waiting";
  download.stalls = Infinity;
  if (!keeps || !download.isResumable) download.have = 0;
}

/** A try has failed; one that has got further than any before it was not in vain. @param {Download} download */
function countFailure(download) {
  const hasProgressed = download.have >= download.best + FETCH_PROGRESS;
  download.failures = hasProgressed ? 0 : download.failures + 1;
  download.best = Math.max(download.best, download.have);
}

/** @param {Pick<Download, "rank">} one @param {Pick<Download, "rank">} other */
function byRank(one, other) {
  return one.rank[0] - other.rank[0] || one.rank[1] - other.rank[1];
}

/** How often it is told how many images are there: when all are, and else now and then. */
class Telling {
  /** @type {Counts} */
  #told = { announced: 0, there: 0, failed: 0, isFull: false };
  #isTold = true;
  #next = -Infinity;

  get due() {
    return this.#isTold ? Infinity : this.#next;
  }

  /**
   * @param {Download[]} coming what was announced and is not shown yet
   * @param {boolean} isFull whether there is no room for more of it
   * @param {number} now
   * @returns {Progress[]}
   */
  count(coming, isFull, now) {
    const count = (/** @type {string} */ state) => coming.filter((one) => one.state === state).length;
    const counted = { announced: coming.length, there: count("there"), failed: count("failed"), isFull };
    const completes = isSettled(counted) && !isSettled(this.#told);
    this.#isTold = isSame(counted, this.#told);
    if (this.#isTold || !(completes || now >= this.#next)) return [];
    this.#told = counted;
    this.#isTold = true;
    this.#next = now + PRELOADED_INTERVAL;
    return [{ kind: "progress", ...counted }];
  }
}

/** Whether nothing more of it will come. @param {Counts} counts */
function isSettled({ announced, there, failed }) {
  return there + failed === announced;
}

/** @param {Counts} one @param {Counts} other */
function isSame(one, other) {
  const isAsMany = one.announced === other.announced && one.there === other.there;
  return isAsMany && one.failed === other.failed && one.isFull === other.isFull;
}

/** Those that are under way. */
class Tries {
  /** By number. @type {Map<number, Download>} */
  #running = new Map();
  #lastNumber = 0;
  #pause;

  /** @param {(failures: number) => number} pause */
  constructor(pause) {
    this.#pause = pause;
  }

  get size() {
    return this.#running.size;
  }

  /** When the first of them counts as standing still. */
  get stalls() {
    return Math.min(...[...this.#running.values()].map((one) => one.stalls));
  }

  /** @param {number} number @returns {Download | undefined} undefined for one that was stopped */
  find(number) {
    return this.#running.get(number);
  }

  /** This is so of one that was not stopped. @param {number} number @param {Partial<Download>} news */
  note(number, news) {
    Object.assign(this.#running.get(number) ?? {}, news);
  }

  /** @param {Download} download @param {number} now @param {boolean} isUrgent @returns {Start} */
  start(download, now, isUrgent) {
    const { name } = download;
    const url = download.image.signedUrl;
    const number = (this.#lastNumber += 1);
    Object.assign(download, { number, url, state: "running", stalls: now + FETCH_STALL });
    this.#running.set(number, download);
    return { kind: "start", number, name, url, offset: download.have, isUrgent };
  }

  /** @param {Download} download @returns {Stop[]} */
  stop(download) {
    if (download.state !== "running") return [];
    this.#running.delete(download.number);
    halt(download, true);
    return [{ kind: "stop", number: download.number }];
  }

  /** @param {Download} but @returns {Stop[]} */
  stopAll(but) {
    return [...this.#running.values()].filter((one) => one !== but).flatMap((one) => this.stop(one));
  }

  /** @param {Download} download */
  finish(download) {
    this.#running.delete(download.number);
    const { have } = download;
    beginAnew(download);
    Object.assign(download, { state: "there", stalls: Infinity, have });
  }

  /**
   * It has failed, and waits for the next try, if there is one.
   *
   * @param {Download} download
   * @param {Failure} failure
   * @param {number} now
   * @returns {GivenUp[]}
   */
  fail(download, { reason, mayPass, keeps, detail }, now) {
    this.#running.delete(download.number);
    countFailure(download);
    halt(download, keeps);
    if (download.url !== download.image.signedUrl) {
      // That one may have been too old; the one that we have now is not.
      download.failures = 0;
      return [];
    }
    if (mayPass && download.failures < FETCH_TRIES) {
      download.again = now + this.#pause(Math.max(0, download.failures - 1));
      return [];
    }
    beginAnew(download);
    download.state = "failed";
    return [{ kind: "givenUp", name: download.name, reason, detail }];
  }

  /** Its URL may be signed anew by now. @param {Download} download @param {UpcomingImage} image */
  renew(download, image) {
    const before = download.image.signedUrl;
    download.image = image;
    if (download.state === "failed") {
      beginAnew(download);
    } else if (download.state === "waiting" && before !== image.signedUrl) {
      download.failures = 0;
      download.again = -Infinity;
    }
  }

  /** Those that stand still. Who looks late was asleep, and may not have heard them. @param {number} now */
  overdue(now) {
    for (const download of this.#running.values()) {
      if (now > download.stalls + SLEPT) download.stalls = now + FETCH_STALL;
    }
    return [...this.#running.values()].filter((one) => now >= one.stalls);
  }
}

/** The images by name, and which of them is to be shown. */
class Images {
  /** @type {Map<string, Download>} */
  #downloads = new Map();
  /** The name of what is to be shown. @type {string | null} */
  shown = null;
  /** The rank that what was shown last had in the announcement of now. @type {[number, number]} */
  passed = [-Infinity, 0];
  #announcement = 0;
  #place = 0;
  #isAnnouncing = false;

  get all() {
    return [...this.#downloads.values()];
  }

  /** What is to be shown some time later, the first one first. */
  get coming() {
    return this.all.filter((one) => one.isAnnounced && one.name !== this.shown).sort(byRank);
  }

  /** The same, and first what comes behind the one that was shown last: a person may pass over some. */
  get likeliest() {
    const isPassed = (/** @type {Download} */ one) => byRank(one, { rank: this.passed }) < 0;
    const { coming } = this;
    return [...coming.filter((one) => !isPassed(one)), ...coming.filter(isPassed)];
  }

  /** What is to be shown, as long as it is not there. @returns {Download | null} */
  get urgent() {
    const download = this.shown === null ? undefined : this.find(this.shown);
    return download !== undefined && isPending(download) ? download : null;
  }

  /** @param {string} name */
  find(name) {
    return this.#downloads.get(name);
  }

  /** An announcement begins, or goes on. */
  announce() {
    if (this.#isAnnouncing) return;
    this.#announcement += 1;
    this.#isAnnouncing = true;
    this.passed = [-Infinity, 0];
  }

  /** It is the next one of what is being announced. @param {Download} download */
  rank(download) {
    download.isAnnounced = true;
    this.#place += 1;
    download.rank = [-this.#announcement, this.#place];
  }

  /** @param {string} name @returns {Download | undefined} what was to be shown until now */
  show(name) {
    const before = this.shown === null || this.shown === name ? undefined : this.find(this.shown);
    this.shown = name;
    this.#isAnnouncing = false;
    return before;
  }

  /** @param {string} name */
  remove(name) {
    this.#downloads.delete(name);
  }

  /** One that is new may begin then. @param {UpcomingImage} image @param {number} first @returns {Download} */
  take(image, first) {
    const fresh = newDownload(image, first);
    const download = this.find(fresh.name) ?? fresh;
    this.#downloads.set(fresh.name, download);
    return download;
  }
}

/** What of the images of a session is kept, and what there is room for. */
class Room {
  #images;
  #uses = 0;

  /** @param {Images} images */
  constructor(images) {
    this.#images = images;
  }

  /** It is there, and shown. @param {Download} download */
  use(download) {
    this.#uses += 1;
    download.rank = [0, this.#uses];
    download.isAnnounced = false;
  }

  /** Whether what comes before it, and what is fetched in part, leave some for it. @param {Download} download */
  has(download) {
    const isBefore = (/** @type {Download} */ one) => one.isAnnounced && byRank(one, download) < 0;
    const counted = this.#images.all.filter((one) => isPending(one) || isBefore(one));
    return counted.reduce((sum, one) => sum + one.have, 0) < MAX_KEPT;
  }

  /** What has to go, now that this one is there, or shown. @param {Download} arrived @returns {Evict[]} */
  evict(arrived) {
    const there = this.#images.all.filter((one) => one.state === "there");
    const others = there.filter((one) => one.name !== this.#images.shown);
    // What is to be shown now is the first to go when another is.
    const behind = arrived.isAnnounced
      ? others.filter((one) => one.isAnnounced && one.rank[0] > arrived.rank[0])
      : [];
    return this.#makeRoom([...spent(others), ...behind.sort((one, other) => byRank(other, one))], there);
  }

  /** What has to go, as all but what is to be shown and what is under way is too much. @returns {Evict[]} */
  trim() {
    const others = this.#images.all.filter((one) => one.name !== this.#images.shown);
    const resting = others.filter((one) => one.state !== "running" && one.have > 0);
    const parts = resting.filter((one) => one.state === "waiting");
    return this.#makeRoom([...spent(resting), ...parts.sort((one, other) => byRank(other, one))], resting);
  }

  /**
   * Have these go, in their order, until what is left of all fits.
   *
   * @param {Download[]} going
   * @param {Download[]} all
   * @returns {Evict[]}
   */
  #makeRoom(going, all) {
    let size = all.reduce((sum, one) => sum + one.have, 0);
    /** @type {Evict[]} */
    const gone = [];
    for (const one of going) {
      if (size <= MAX_KEPT) break;
      size -= one.have;
      gone.push({ kind: "evict", name: one.name });
      if (one.state === "waiting") one.have = 0;
      else if (one.isAnnounced) beginAnew(one);
      else this.#images.remove(one.name);
    }
    return gone;
  }
}

/** Those that were shown, the longest ago first. @param {Download[]} others */
function spent(others) {
  return others.filter((one) => one.state === "there" && !one.isAnnounced).sort(byRank);
}

/** The images of one session. */
export class Downloads {
  #images = new Images();
  #room = new Room(this.#images);
  #tries;
  #telling = new Telling();

  /**
   * @param {(failures: number) => number} pause seconds to wait after so many failures in a row; it
   *   throws the dice
   */
  constructor(pause) {
    this.#tries = new Tries(pause);
  }

  /** When to call `tick`. */
  get due() {
    const again = this.#next().map((one) => one.again);
    return Math.min(...again, this.#tries.stalls, this.#telling.due);
  }

  /** Names of what was announced and is not shown yet, the likeliest first. @returns {string[]} */
  get coming() {
    return this.#images.likeliest.map((one) => one.name);
  }

  /**
   * What will be shown soon, the next one first. An announcement goes before those before it. It may
   * come in parts: what follows without an image that is shown in between is a part of the same.
   *
   * @param {readonly UpcomingImage[]} images
   * @param {number} now
   * @returns {DownloadOutput[]}
   */
  announce(images, now) {
    this.#images.announce();
    /** @type {DownloadOutput[]} */
    const outputs = [];
    for (const image of images) {
      this.#images.rank(this.#take(image, now + PRELOAD_PAUSE));
    }
    const queue = this.#images.coming.filter((one) => one.state !== "there");
    for (const download of queue.slice(MAX_ANNOUNCED)) outputs.push(...this.#drop(download, CROWDED_OUT));
    return [...outputs, ...this.#advance(now)];
  }

  /**
   * This one is to be shown now, and no other any more.
   *
   * @param {UpcomingImage} image
   * @param {number} now
   * @returns {DownloadOutput[]}
   */
  show(image, now) {
    /** @type {DownloadOutput[]} */
    const outputs = [];
    const before = this.#images.show(imageKey(image));
    if (before !== undefined && !before.isAnnounced) {
      if (isPending(before)) outputs.push(...this.#drop(before, SUPERSEDED));
      else if (before.state === "failed") this.#images.remove(before.name);
    }
    const download = this.#take(image, now);
    if (download.isAnnounced) this.#images.passed = download.rank;
    if (download.state === "there") {
      this.#room.use(download);
      outputs.push(...this.#room.evict(download));
    }
    if (download.failures === 0) download.again = -Infinity;
    return [...outputs, ...this.#advance(now)];
  }

  // ── of one try ─────────────────────────────────────────────────────────────────────────────────

  /**
   * The host answers.
   *
   * @param {number} number
   * @param {number} offset from which on it sends; where that is 0, what was here is of no use
   * @param {number} now
   * @param {boolean} isResumable whether a later try can go on from where this one stops
   */
  answered(number, offset, now, isResumable) {
    this.#tries.note(number, { have: offset, isResumable, stalls: now + FETCH_STALL });
  }

  /** It is not its turn yet: until bytes come, or an answer, it does not stand still. @param {number} number */
  parked(number) {
    this.#tries.note(number, { stalls: Infinity });
  }

  /** So many bytes came in. @param {number} number @param {number} count @param {number} now */
  came(number, count, now) {
    const download = this.#tries.find(number);
    if (download === undefined) return;
    download.have += count;
    download.stalls = now + FETCH_STALL;
  }

  /** From here on, nobody can see whether bytes come. @param {number} number @param {number} now */
  unseen(number, now) {
    this.#tries.note(number, { have: 0, isResumable: false, stalls: now + FETCH_UNSEEN });
  }

  /** It is there, whole. @param {number} number @param {number} now @returns {DownloadOutput[]} */
  done(number, now) {
    const download = this.#tries.find(number);
    if (download === undefined) return [];
    this.#tries.finish(download);
    if (download.name === this.#images.shown) this.#room.use(download);
    return [...this.#room.evict(download), ...this.#advance(now)];
  }

  /**
   * The try has come to nothing.
   *
   * @param {number} number
   * @param {Failure} failure
   * @param {number} now
   * @returns {DownloadOutput[]}
   */
  failed(number, failure, now) {
    const download = this.#tries.find(number);
    if (download === undefined) return [];
    return [...this.#tries.fail(download, failure, now), ...this.#advance(now)];
  }

  /**
   * What is there has turned out to be of no use.
   *
   * @param {string} name
   * @param {string} reason
   * @param {number} now
   * @returns {DownloadOutput[]}
   */
  spoiled(name, reason, now) {
    const download = this.#images.find(name);
    if (download?.state !== "there") return [];
    beginAnew(download);
    download.state = "failed";
    return [{ kind: "givenUp", name, reason, detail: "" }, ...this.#advance(now)];
  }

  /** `due` has come. @param {number} now @returns {DownloadOutput[]} */
  tick(now) {
    /** @type {DownloadOutput[]} */
    const outputs = [];
    for (const download of this.#tries.overdue(now)) {
      outputs.push({ kind: "stop", number: download.number });
      outputs.push(...this.#tries.fail(download, download.have > 0 ? STALLED : SILENT, now));
    }
    return [...outputs, ...this.#advance(now)];
  }

  // ── what follows from it ───────────────────────────────────────────────────────────────────────

  /** The one of this name, with the URL that is newest. @param {UpcomingImage} source @param {number} first */
  #take({ imageUrl, signedUrl }, first) {
    const image = { imageUrl, signedUrl };
    const download = this.#images.take(image, first);
    this.#tries.renew(download, image);
    return download;
  }

  /** @param {Download} download @param {string} reason @returns {DownloadOutput[]} */
  #drop(download, reason) {
    const { name } = download;
    this.#images.remove(name);
    return [...this.#tries.stop(download), { kind: "givenUp", name, reason, detail: "" }];
  }

  /** What waits and may be fetched, once its pause is over; the first one first. @returns {Download[]} */
  #next() {
    const urgent = this.#images.urgent;
    if (urgent !== null) return urgent.state === "waiting" ? [urgent] : [];
    if (this.#tries.size >= MAX_FETCHES) return [];
    const waiting = this.#waiting;
    return waiting[0] !== undefined && this.#room.has(waiting[0]) ? waiting : [];
  }

  /** What waits to be fetched ahead, the first one first. */
  get #waiting() {
    return this.#images.coming.filter((one) => one.state === "waiting");
  }

  /** Start and stop what is to be started and stopped now. @param {number} now @returns {DownloadOutput[]} */
  #advance(now) {
    const urgent = this.#images.urgent;
    /** @type {DownloadOutput[]} */
    const outputs = urgent === null ? [] : this.#tries.stopAll(urgent);
    outputs.push(...this.#room.trim());
    for (const download of this.#next()) {
      if (download.again <= now && this.#tries.size < MAX_FETCHES) {
        outputs.push(this.#tries.start(download, now, download === urgent));
      }
    }
    const first = this.#waiting[0];
    const isFull = first !== undefined && !this.#room.has(first);
    return [...outputs, ...this.#telling.count(this.#images.coming, isFull, now)];
  }
}
