/**
 * English: the texts from which those of all other languages are written.
 *
 * @typedef {typeof texts} English
 * @typedef {Exclude<keyof English, "name" | "direction">} Room of texts that belong together
 * @typedef {{[R in Room]: `${R}.${keyof English[R] & string}`}[Room]} Key of one text
 * @typedef {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Plural
 * @typedef {{[R in Room]: {[K in keyof English[R]]: string | Plural}} & {name: string, direction: "ltr" | "rtl"}} Texts
 *   `name`: of the language, in itself
 */

const texts = {
  name: "English",
  direction: "ltr",
  client: {
    connecting: "Connecting …",
    ready: "Ready.",
    imagesHere: "The images will appear here.",
  },
};

export default texts;
