/** @type {import("./en.js").Texts} */
export default {
  name: "Deutsch",
  direction: "ltr",
  client: {
    connecting: "Verbindung wird hergestellt …",
    ready: "Bereit.",
    imagesHere: "Hier erscheinen die Bilder.",
  },
  invite: {
    subject: "Ihr Link für unsere Sitzung",
    greeting: "Guten Tag,",
    link: "dies ist Ihr persönlicher Link für unsere Sitzung:",
    device: "Öffnen Sie ihn im Browser des Geräts, auf dem Sie die Bilder sehen möchten. Sie müssen nichts installieren.",
    until: "Der Link gilt bis {time}.",
    alone: "Er ist nur für Sie bestimmt; bitte geben Sie ihn nicht weiter.",
  },
};
