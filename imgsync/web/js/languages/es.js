/** @type {import("./en.js").Texts} */
export default {
  name: "Español",
  direction: "ltr",
  client: {
    connecting: "Conectando …",
    ready: "Listo.",
    imagesHere: "Las imágenes aparecerán aquí.",
  },
};
