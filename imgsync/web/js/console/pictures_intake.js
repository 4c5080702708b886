/**
 * Pictures from the evaluator's own disk on their way into the series: how far reading them is, which are
 * left out, and whether they are more of what is here, or something else.
 *
 * @import { Gathered } from "./gathering.js"
 * @import { Joined } from "./own_series.js"
 * @import { Taken } from "./picture_files.js"
 * @import { Arranged } from "./picture_lists.js"
 * @import { Listed } from "./manifest.js"
 * @import { Loaded, Series } from "./own_page.js"
 *
 * @typedef {object} PicturesListener
 * @property {(loaded: Loaded) => void} loaded a series of its own
 * @property {(images: readonly Listed[]) => void} joined the series that is here, with more of it
 * @property {(why: string) => void} complain
 */

import { find, setText } from "../page/dom.js";
import { LeftOutView } from "./left_out.js";
import { join, ownImage } from "./own_series.js";
import { readPictures } from "./picture_files.js";
import { byTheirList } from "./picture_lists.js";
import { makeToken } from "./tokens.js";
import {
  askMore,
  describeFound,
  describeNoPictures,
  describeReading,
  describeTaken,
} from "../words/pictures.js";

export class PicturesIntake {
  #reading = find("reading", HTMLElement);
  #bar = find("read", HTMLProgressElement);
  #more = find("more", HTMLElement);
  #leftOut = new LeftOutView();
  #listener;
  /** What a person is asked about. @type {(() => void) | null} */
  #add = null;
  /** @type {(() => void) | null} */
  #replace = null;

  /** @param {PicturesListener} listener @param {() => void} stop not to wait for what is being read */
  constructor(listener, stop) {
    this.#listener = listener;
    find("read-stop", HTMLButtonElement).addEventListener("click", stop);
    const answers = { "more-add": () => this.#add, "more-replace": () => this.#replace, "more-no": () => null };
    for (const [id, answer] of Object.entries(answers)) {
      find(id, HTMLButtonElement).addEventListener("click", () => {
        const act = answer();
        this.forget();
        find("stage", HTMLElement).focus({ preventScroll: true });
        act?.();
      });
    }
  }

  /** Something else is wanted. */
  forget() {
    this.#reading.hidden = true;
    this.#more.hidden = true;
    this.#add = this.#replace = null;
  }

  /**
   * @param {Gathered} gathered
   * @param {() => Series | null} here the series that there is
   * @param {() => boolean} isWanted
   * @throws {BadManifest} of the list that lies beside them
   */
  async read(gathered, here, isWanted) {
    const sorted = await readPictures(gathered, (done, count) => {
      if (isWanted()) this.#tell(done, count);
      return isWanted();
    });
    if (sorted === null) return;
    const listed = await byTheirList(sorted, gathered.files);
    if (!isWanted()) return;
    this.forget();
    const { taken, leftOut } = listed;
    this.#leftOut.render(leftOut, taken.length === 0);
    if (taken.length === 0) this.#listener.complain(describeNoPictures(gathered.name, leftOut.length));
    else this.#offer(gathered.name, listed, here);
  }

  /** @param {string} name @param {Arranged} sorted @param {() => Series | null} here */
  #offer(name, { taken, leftOut, study, listed }, here) {
    const replace = () => {
      const token = makeToken();
      const images = listed?.(token) ?? taken.map((one) => ownImage(token, one));
      this.#listener.loaded({ images, name: study?.name ?? name, source: null, token, study: study ?? null });
      say(describeTaken(taken.length));
    };
    const series = here();
    const joined = joinTo(series, taken);
    // A study is shown as it stands, and is no more of what is here, unless that had lost its pictures.
    const isOther = study !== undefined && joined?.found === 0;
    if (series === null || joined === null || isOther) return replace();
    if (joined.found > 0) this.#listener.joined(joined.images);
    if (joined.fresh.length + joined.clashing.length === 0) {
      return say(describeFound(joined.found, taken.length - joined.found));
    }
    this.#replace = replace;
    this.#add = () => {
      // Its order may be another by now.
      const { token = null } = here() ?? {};
      const { images, fresh, clashing } = joinTo(here(), taken) ?? joined;
      this.#leftOut.render([...leftOut, ...clashing], clashing.length > 0);
      this.#listener.joined([...images, ...fresh.map((one) => ownImage(token ?? "", one))]);
      say(describeTaken(fresh.length));
    };
    this.#ask(joined, series.images.length);
  }

  /** @param {Joined} joined @param {number} here */
  #ask({ fresh, clashing }, here) {
    setText(find("more-question", HTMLElement), askMore(fresh.length, clashing.length, here));
    find("more-add", HTMLButtonElement).hidden = fresh.length === 0;
    this.#more.hidden = false;
    // No key does any harm there.
    this.#more.focus({ preventScroll: true });
    this.#more.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} done @param {number} count */
  #tell(done, count) {
    this.#reading.hidden = false;
    this.#bar.max = Math.max(1, count);
    this.#bar.value = done;
    setText(find("read-text", HTMLElement), describeReading(done, count));
  }
}

/** @param {Series | null} series @param {readonly Taken[]} taken @returns {Joined | null} null where it has no pictures of its own */
function joinTo(series, taken) {
  if (series === null || series.token === null) return null;
  return join(series.token, series.images, taken);
}

/** To those who can't see it. @param {string} text */
function say(text) {
  setText(find("announcer", HTMLElement), text);
}
