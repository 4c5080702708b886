/** @type {import("./en.js").Texts} */
export default {
  name: "Français",
  direction: "ltr",
  client: {
    connecting: "Connexion en cours …",
    ready: "Prêt.",
    imagesHere: "Les images apparaîtront ici.",
  },
  browser: {
    tooOld: "Ce navigateur est trop ancien pour cette page.",
    tooOldHint:
      "Veuillez le mettre à jour, ou ouvrir le même lien dans une version récente de Chrome, Edge, Firefox ou Safari. Sur un iPhone ou un iPad, mettez à jour l’appareil lui-même : Réglages, Général, Mise à jour logicielle.",
    lockdown: "Le mode Isolement empêche cette page de fonctionner.",
    lockdownHint:
      "Touchez le symbole des réglages de la page à côté de son adresse, désactivez le mode Isolement pour ce site web, puis rechargez la page. Ou ouvrez le même lien sur un autre appareil.",
    noWebRtc: "Ce navigateur ne peut pas afficher les images.",
    noWebRtcHint:
      "Il ne laisse pas cette page se connecter, peut-être à cause d’une extension ou d’un réglage de confidentialité. Veuillez ouvrir le même lien dans Chrome, Edge, Firefox ou Safari.",
    inside: "Vous êtes dans {program}, et non dans votre navigateur.",
    insideAnother: "Vous êtes dans une autre application, et non dans votre navigateur.",
    openOnIos:
      "La séance risque de ne pas bien s’y dérouler. Touchez le menu ou la boussole au bord de l’écran et choisissez « Ouvrir dans le navigateur » ou « Ouvrir dans Safari ». Ou copiez le lien et collez-le dans Safari, à la place de l’adresse.",
    openOnAndroid:
      "La séance risque de ne pas bien s’y dérouler. Touchez le menu (⋮) en haut et choisissez « Ouvrir dans le navigateur » ou « Ouvrir dans Chrome ». Ou copiez le lien et collez-le dans votre navigateur, à la place de l’adresse.",
    openElsewhere:
      "La séance risque de ne pas bien s’y dérouler. Copiez le lien et collez-le dans votre navigateur, à la place de l’adresse.",
    copyLink: "Copier le lien",
    copied: "Le lien est copié. Ouvrez maintenant votre navigateur et collez-le à la place de l’adresse.",
    copyByHand:
      "Veuillez copier vous-même le lien depuis le champ : appuyez longuement dessus et choisissez « Copier ».",
    link: "Votre lien",
    goOn: "Continuer ici",
  },
};
