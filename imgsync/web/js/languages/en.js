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
  /** The mail with which a link comes. */
  invite: {
    subject: "Your link for our session",
    greeting: "Hello,",
    link: "this is your own link for our session:",
    device: "Open it in a browser on the device on which you want to see the images. You need not install anything.",
    until: "The link works until {time}.",
    alone: "It is for you alone; please do not pass it on.",
  },
};

export default texts;
