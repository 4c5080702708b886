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
  browser: {
    tooOld: "This browser is too old for this page.",
    tooOldHint:
      "Please update it, or open the same link in a new version of Chrome, Edge, Firefox or Safari. On an iPhone or iPad, update the device itself: Settings, General, Software Update.",
    lockdown: "Lockdown Mode keeps this page from working.",
    lockdownHint:
      "Tap the sign for the page’s settings beside its address, turn Lockdown Mode off for this website, and load the page again. Or open the same link on another device.",
    noWebRtc: "This browser can’t show the images.",
    noWebRtcHint:
      "It does not let this page connect, perhaps because of an extension or of a privacy setting. Please open the same link in Chrome, Edge, Firefox or Safari.",
    inside: "You are inside {program}, and not in your browser.",
    insideAnother: "You are inside another app, and not in your browser.",
    openOnIos:
      "There the session may not run well. Tap the menu or the compass at the edge of the screen and choose “Open in browser” or “Open in Safari”. Or copy the link, and paste it into Safari where the address stands.",
    openOnAndroid:
      "There the session may not run well. Tap the menu (⋮) at the top and choose “Open in browser” or “Open in Chrome”. Or copy the link, and paste it into your browser where the address stands.",
    openElsewhere:
      "There the session may not run well. Copy the link, and paste it into your browser where the address stands.",
    copyLink: "Copy the link",
    copied: "The link is copied. Now open your browser and paste it where the address stands.",
    copyByHand: "Please copy the link from the field yourself: press on it for a while and choose “Copy”.",
    link: "Your link",
    goOn: "Go on here",
  },
};

export default texts;
