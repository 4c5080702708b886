/**
 * How a manifest comes into the page: pasted, chosen, dropped, or by its URL. One that can't be used
 * is told of, and changes nothing.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 *
 * @typedef {(images: ImageSource[], name: string) => void} OnSeries
 */

import { publicUrl } from "../core/protocol/urls.js";
import { find, setText } from "../page/dom.js";
import { describeSeries } from "../words/console.js";
import { PASTED } from "../words/manifest.js";
import { BadManifest, fetchManifest, parseManifest, readManifest } from "./manifest.js";

export class Intake {
  #fold = find("intake", HTMLDetailsElement);
  #error = find("intake-error", HTMLElement);
  #paste = find("paste", HTMLTextAreaElement);
  #file = find("file", HTMLInputElement);
  #url = find("url", HTMLInputElement);
  #loaded;
  /** Of the last one that was asked for; what comes late is not wanted any more. */
  #number = 0;

  /** @param {OnSeries} loaded */
  constructor(loaded) {
    this.#loaded = loaded;
    onSubmit("paste-form", () => {
      void this.#read(PASTED, async () => parseManifest(this.#paste.value, PASTED));
    });
    onSubmit("url-form", () => void this.load(this.#url.value.trim()));
    this.#file.addEventListener("change", () => {
      const [file] = this.#file.files ?? [];
      if (file !== undefined) void this.#readFile(file);
      this.#file.value = ""; // the same file may be chosen again, corrected
    });
    acceptDrops((file) => void this.#readFile(file));
  }

  /** @param {string} url of a manifest */
  load(url) {
    return this.#read(publicUrl(url), () => fetchManifest(url));
  }

  /** @param {number} count @param {string} name */
  render(count, name) {
    setText(find("series-name", HTMLElement), describeSeries(count, name));
  }

  fold() {
    this.#fold.open = false;
  }

  /** @param {File} file */
  #readFile(file) {
    return this.#read(file.name, () => readManifest(file, file.name));
  }

  /** @param {string} name @param {() => Promise<ImageSource[]>} read */
  async #read(name, read) {
    const number = (this.#number += 1);
    setText(this.#error, "");
    try {
      const images = await read();
      if (number === this.#number) this.#loaded(images, name);
    } catch (error) {
      if (!(error instanceof BadManifest)) throw error;
      if (number !== this.#number) return;
      setText(this.#error, error.message);
      this.#fold.open = true;
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

/** Anywhere on the page. @param {(file: File) => void} read */
function acceptDrops(read) {
  const hasFile = (/** @type {DragEvent} */ event) =>
    event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    document.body.dataset.drop = "over";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete document.body.dataset.drop;
  });
  addEventListener("drop", (event) => {
    delete document.body.dataset.drop;
    if (!hasFile(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file !== undefined) read(file);
  });
}
