/** @type {import("./en.js").Texts} */
export default {
  name: "Français",
  direction: "ltr",
  client: {
    connecting: "Connexion en cours …",
    ready: "Prêt.",
    imagesHere: "Les images apparaîtront ici.",
  },
};
