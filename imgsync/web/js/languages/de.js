/** @type {import("./en.js").Texts} */
export default {
  name: "Deutsch",
  direction: "ltr",
  client: {
    connecting: "Verbindung wird hergestellt …",
    ready: "Bereit.",
    imagesHere: "Hier erscheinen die Bilder.",
  },
};
