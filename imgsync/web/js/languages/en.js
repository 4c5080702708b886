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
  size: {
    offer: "Measure this screen",
    offerAgain: "Measure this screen again",
    wanted: "The images will be shown in their real size. For that, this screen has to be measured once.",
    wantedDistance:
      "The images will be shown as large as they have to look from where you sit. For that, this screen and your distance to it have to be measured.",
    measured: "This screen has been measured.",
    otherScreen: "This is not the screen that was measured, or it was set up anew. Please measure it again.",
    screenTitle: "How large is this screen?",
    cardText:
      "Hold a bank card flat against the box on the screen. Move the slider until the box is exactly as wide as the card.",
    cardUpright:
      "Hold a bank card upright and flat against the box on the screen. Move the slider until the box is exactly as wide as the short side of the card.",
    rulerText:
      "Hold a ruler against the bar on the screen. Move the slider until the bar is exactly {length} cm long.",
    slider: "Width",
    narrower: "A little narrower",
    wider: "A little wider",
    fits: "It fits",
    useRuler: "Use a ruler instead",
    useCard: "Use a bank card instead",
    later: "Not now",
    distanceTitle: "How far away do you sit?",
    distanceText:
      "Sit as you will sit while you look at the images. Measure from your eyes to the screen, or let the page find it out.",
    centimetres: "Distance in centimetres",
    useDistance: "Use this distance",
    distanceWrong: "Please enter a number from {least} to {most}.",
    findOut: "Find it out without a ruler",
    tooNarrow:
      "To find it out, more width is needed. Turn the device on its side or make the window wider, or enter the distance.",
    blindTitle: "Find out the distance",
    blindText:
      "Cover your right eye. Look at the cross with your left eye, and keep looking at it. A dot moves away from the cross. As soon as you can no longer see the dot, touch the screen or press the space bar.",
    begin: "Begin",
    vanished: "The dot is gone",
    stop: "Stop",
    turn: "Measurement {number} of {total}",
    found: "You sit about {distance} cm away. The single measurements differ from that by up to {within} cm.",
    unsure: "The measurements differ a lot. Please measure again, or enter the distance.",
    again: "Measure again",
    typeIt: "Enter the distance",
  },
};

export default texts;
