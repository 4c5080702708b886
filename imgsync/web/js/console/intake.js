/**
 * How a series comes into the page: pictures from the evaluator's own disk, chosen or dropped; or a
 * manifest of URLs, pasted, chosen, dropped, or by its own URL. What can't be used is told of, and changes
 * nothing. Whatever comes in is wanted in the place of what is being read.
 *
 * @import { Gathered } from "./gathering.js"
 * @import { List, Listed } from "./manifest.js"
 * @import { Loaded, Series } from "./own_page.js"
 */

import { publicUrl } from "../core/protocol/urls.js";
import { find, setText } from "../page/dom.js";
import { describeSeries } from "../words/console.js";
import { gatherChosen, gatherDropped } from "./gathering.js";
import { NOTHING_DROPPED, PASTED, describeMany } from "../words/manifest.js";
import {
  BadManifest,
  fetchManifest,
  isPicture,
  parseManifest,
  readManifest,
} from "./manifest.js";
import { isNoText } from "./picture_files.js";
import { PicturesIntake } from "./pictures_intake.js";

export class Intake {
  #fold = find("intake", HTMLDetailsElement);
  #error = find("intake-error", HTMLElement);
  #paste = find("paste", HTMLTextAreaElement);
  #url = find("url", HTMLInputElement);
  #pictures;
  #loaded;
  /** @type {Series | null} */
  #series = null;
  /** Of the last one that was asked for; what comes late is not wanted any more. */
  #number = 0;

  /** @param {(loaded: Loaded) => void} loaded @param {(images: readonly Listed[]) => void} joined */
  constructor(loaded, joined) {
    this.#loaded = loaded;
    const complain = this.complain.bind(this);
    this.#pictures = new PicturesIntake({ loaded, joined, complain }, () => void this.#begin());
    onSubmit("paste-form", () => {
      void this.#read(PASTED, null, async () => parseManifest(this.#paste.value, PASTED));
    });
    onSubmit("url-form", () => void this.load(this.#url.value.trim()));
    onChosen("file", (gathering) => void this.#take(gathering));
    onChosen("folder", (gathering) => void this.#take(gathering));
    onDropped((gathering) => void this.#take(gathering));
  }

  /** That it can't be used. @param {string} why */
  complain(why) {
    setText(this.#error, why);
    this.#fold.open = true;
  }

  /** @param {string} url of a manifest */
  load(url) {
    return this.#read(publicUrl(url), url, () => fetchManifest(url));
  }

  /** @param {Series | null} series */
  render(series) {
    this.#series = series;
    setText(find("series-name", HTMLElement), describeSeries(series, Date.now()));
  }

  fold() {
    this.#fold.open = false;
  }

  /** @param {Promise<Gathered>} gathering */
  async #take(gathering) {
    const number = this.#begin();
    const gathered = await gathering;
    const { files, isFolder, gone } = gathered;
    const [file] = files;
    const areNamed = isFolder || files.some((one) => isPicture(one.type, one.name));
    const arePictures = areNamed || (file !== undefined && (await isNoText(file)));
    if (number !== this.#number) return;
    if (file === undefined && gone.length === 0 && !isFolder) this.complain(NOTHING_DROPPED);
    else if (arePictures || file === undefined) {
      const isWanted = () => number === this.#number;
      await this.#heed(number, () => this.#pictures.read(gathered, () => this.#series, isWanted));
    } else if (files.length > 1) this.complain(describeMany(files.length));
    else await this.#read(file.name, null, () => readManifest(file, file.name));
  }

  /** @returns {number} of what is wanted now */
  #begin() {
    setText(this.#error, "");
    this.#pictures.forget();
    return (this.#number += 1);
  }

  /** @param {string} name @param {string | null} source @param {() => Promise<List>} read */
  async #read(name, source, read) {
    const number = this.#begin();
    await this.#heed(number, async () => {
      const { images, study } = await read();
      if (number === this.#number) this.#loaded({ images, name, source, token: null, study });
    });
  }

  /** That a list can't be used. @param {number} number @param {() => Promise<void>} read */
  async #heed(number, read) {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof BadManifest)) throw error;
      if (number !== this.#number) return;
      this.#pictures.forget();
      this.complain(error.message);
    }
  }
}

/** @param {string} id of a form @param {() => void} act */
export function onSubmit(id, act) {
  find(id, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

/** @param {string} id of an input for files @param {(gathering: Promise<Gathered>) => void} take */
function onChosen(id, take) {
  const input = find(id, HTMLInputElement);
  input.addEventListener("change", () => {
    take(Promise.resolve(gatherChosen([...(input.files ?? [])])));
    input.value = ""; // the same file may be chosen again, corrected
  });
}

/**
 * Anywhere on the page: what is dropped there and not taken would take the place of the page.
 *
 * @param {(gathering: Promise<Gathered>) => void} take
 */
function onDropped(take) {
  const isText = (/** @type {DragEvent} */ { target, dataTransfer }) =>
    target instanceof Element && target.closest("input, textarea") !== null && !hasFiles(dataTransfer);
  addEventListener("dragover", (event) => {
    if (isText(event)) return;
    event.preventDefault();
    document.body.dataset.drop = "over";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete document.body.dataset.drop;
  });
  addEventListener("drop", (event) => {
    delete document.body.dataset.drop;
    if (isText(event)) return;
    event.preventDefault();
    take(gatherDropped(event.dataTransfer));
  });
}

/** @param {DataTransfer | null} carried */
function hasFiles(carried) {
  return carried?.types.includes("Files") ?? false;
}
