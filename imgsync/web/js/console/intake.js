/**
 * How a manifest comes into the page: pasted, chosen, dropped, or by its URL. One that can't be used
 * is told of, and changes nothing.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 *
 * @typedef {{images: ImageSource[], name: string, source: string | null}} Loaded `source`: its URL,
 *   where it can be read again
 */

import { publicUrl } from "../core/protocol/urls.js";
import { find, setText } from "../page/dom.js";
import { describeSeries } from "../words/console.js";
import { NOTHING_DROPPED, PASTED, describeMany, describePicture } from "../words/manifest.js";
import {
  BadManifest,
  fetchManifest,
  isPicture,
  parseManifest,
  readManifest,
} from "./manifest.js";

export class Intake {
  #fold = find("intake", HTMLDetailsElement);
  #error = find("intake-error", HTMLElement);
  #paste = find("paste", HTMLTextAreaElement);
  #file = find("file", HTMLInputElement);
  #url = find("url", HTMLInputElement);
  #loaded;
  /** Of the last one that was asked for; what comes late is not wanted any more. */
  #number = 0;

  /** @param {(loaded: Loaded) => void} loaded */
  constructor(loaded) {
    this.#loaded = loaded;
    onSubmit("paste-form", () => {
      void this.#read(PASTED, null, async () => parseManifest(this.#paste.value, PASTED));
    });
    onSubmit("url-form", () => void this.load(this.#url.value.trim()));
    this.#file.addEventListener("change", () => {
      void this.#readFiles([...(this.#file.files ?? [])]);
      this.#file.value = ""; // the same file may be chosen again, corrected
    });
    acceptDrops((files, folder) => void this.#readFiles(files, folder));
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

  /** @param {{images: readonly ImageSource[], name: string, readAt: number} | null} series */
  render(series) {
    setText(find("series-name", HTMLElement), describeSeries(series, Date.now()));
  }

  fold() {
    this.#fold.open = false;
  }

  /** @param {File[]} files @param {string} [folder] the name of one that is among them */
  #readFiles(files, folder) {
    const [file] = files;
    const name = file?.name ?? "";
    return this.#read(name, null, async () => {
      if (files.length > 1) {
        const arePictures = files.every((one) => isPicture(one.type, one.name));
        throw new BadManifest(describeMany(files.length, arePictures));
      }
      if (folder !== undefined) throw new BadManifest(describePicture(folder));
      if (file === undefined) throw new BadManifest(NOTHING_DROPPED);
      return readManifest(file, name);
    });
  }

  /** @param {string} name @param {string | null} source @param {() => Promise<ImageSource[]>} read */
  async #read(name, source, read) {
    const number = (this.#number += 1);
    setText(this.#error, "");
    try {
      const images = await read();
      if (number === this.#number) this.#loaded({ images, name, source });
    } catch (error) {
      if (!(error instanceof BadManifest)) throw error;
      if (number !== this.#number) return;
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

/**
 * Anywhere on the page: what is dropped there and not taken would take the place of the page.
 *
 * @param {(files: File[], folder: string | undefined) => void} read
 */
function acceptDrops(read) {
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
    const { files = [], items = [] } = event.dataTransfer ?? {};
    const folder = [...items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
    read([...files], folder?.name);
  });
}

/** @param {DataTransfer | null} carried */
function hasFiles(carried) {
  return carried?.types.includes("Files") ?? false;
}
