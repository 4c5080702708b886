/**
 * The files that a person drops or chooses: single ones, and those of folders. What lies in a folder
 * inside of a folder is left out, as the commands do.
 *
 * @typedef {object} Gathered
 * @property {string} name of the folder, or of the only file; empty where there are several
 * @property {File[]} files
 * @property {string[]} folders inside of what was dropped
 * @property {string[]} gone what could not be opened
 * @property {boolean} isFolder whether a folder was named, so that what it holds is meant
 */

import { isOfSystem } from "../core/pictures/names.js";

/** Files that are opened at a time: thousands would be one task, of seconds. */
const OPENED = 50;

/**
 * What is carried is there during its event only: nothing here waits before all of it was taken.
 *
 * @param {DataTransfer | null} carried
 * @returns {Promise<Gathered>}
 */
export async function gatherDropped(carried) {
  const items = [...(carried?.items ?? [])].filter(({ kind }) => kind === "file");
  const found = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const folders = found.map(({ entry }) => entry).filter(isFolder);
  const files = found.filter(({ entry }) => !isFolder(entry)).map(({ file }) => file);
  /** @type {Gathered} */
  const gathered = { name: "", files: [], folders: [], gone: [], isFolder: folders.length > 0 };
  for (const file of files) if (file !== null) gathered.files.push(file);
  for (const folder of folders) await addFolder(gathered, folder).catch(() => gathered.gone.push(folder.name));
  const [first] = folders;
  gathered.name = folders.length === 1 && first !== undefined ? first.name : nameOf(gathered.files);
  return gathered;
}

/** @param {readonly File[]} files that were chosen, one by one or as a folder @returns {Gathered} */
export function gatherChosen(files) {
  const paths = files.map((file) => file.webkitRelativePath.split("/"));
  const [top = ""] = paths[0] ?? [];
  const inner = paths.filter((path) => path.length > 2).map((path) => path[1] ?? "");
  return {
    name: top || nameOf(files),
    files: files.filter((_, place) => (paths[place] ?? []).length < 3),
    folders: [...new Set(inner)].filter((name) => !isOfSystem(name)),
    gone: [],
    isFolder: top !== "",
  };
}

/** @param {readonly File[]} files */
function nameOf(files) {
  return files.length === 1 ? (files[0]?.name ?? "") : "";
}

/** @param {FileSystemEntry | null} entry @returns {entry is FileSystemDirectoryEntry} */
function isFolder(entry) {
  return entry !== null && entry.isDirectory;
}

/** @param {Gathered} gathered @param {FileSystemDirectoryEntry} folder */
async function addFolder(gathered, folder) {
  const reader = folder.createReader();
  for (;;) {
    // It gives some of them, of the first ones a hundred, and none when there are no more.
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    const meant = entries.filter(({ name }) => !isOfSystem(name));
    for (let at = 0; at < meant.length; at += OPENED) {
      await Promise.all(meant.slice(at, at + OPENED).map((entry) => addEntry(gathered, entry)));
    }
  }
}

/** @param {Gathered} gathered @param {FileSystemEntry} entry */
async function addEntry(gathered, entry) {
  if (isFolder(entry)) {
    gathered.folders.push(entry.name);
    return;
  }
  const { file } = /** @type {FileSystemFileEntry} */ (entry);
  try {
    gathered.files.push(await new Promise(file.bind(entry)));
  } catch {
    gathered.gone.push(entry.name); // it has gone meanwhile, or may not be read
  }
}
