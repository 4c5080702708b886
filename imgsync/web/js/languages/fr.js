/** @type {import("./en.js").Texts} */
export default {
  name: "Français",
  direction: "ltr",
  client: {
    connecting: "Connexion en cours …",
    ready: "Prêt.",
    imagesHere: "Les images apparaîtront ici.",
  },
  invite: {
    subject: "Votre lien pour notre séance",
    greeting: "Bonjour,",
    link: "voici votre lien personnel pour notre séance :",
    device: "Ouvrez-le dans le navigateur de l’appareil sur lequel vous souhaitez voir les images. Vous n’avez rien à installer.",
    until: "Ce lien est valable jusqu’au {time}.",
    alone: "Il est réservé à vous seul(e) ; merci de ne pas le transmettre.",
  },
};
