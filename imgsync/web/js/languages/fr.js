/** @type {import("./en.js").Texts} */
export default {
  name: "Français",
  direction: "ltr",
  client: {
    connecting: "Connexion en cours …",
    ready: "Prêt.",
    imagesHere: "Les images apparaîtront ici.",
  },
  size: {
    offer: "Mesurer cet écran",
    offerAgain: "Mesurer à nouveau cet écran",
    wanted: "Les images seront montrées dans leur taille réelle. Pour cela, cet écran doit être mesuré une fois.",
    wantedDistance:
      "Les images seront montrées à la taille qu’elles doivent avoir vues de votre place. Pour cela, il faut mesurer cet écran et votre distance à l’écran.",
    measured: "Cet écran est mesuré.",
    otherScreen:
      "Ce n’est pas l’écran qui a été mesuré, ou ses réglages ont changé. Veuillez le mesurer à nouveau.",
    screenTitle: "Quelle est la taille de cet écran ?",
    cardText:
      "Tenez une carte bancaire à plat contre le cadre à l’écran. Déplacez le curseur jusqu’à ce que le cadre soit exactement aussi large que la carte.",
    cardUpright:
      "Tenez une carte bancaire debout et à plat contre le cadre à l’écran. Déplacez le curseur jusqu’à ce que le cadre soit exactement aussi large que le petit côté de la carte.",
    rulerText:
      "Tenez une règle contre la barre à l’écran. Déplacez le curseur jusqu’à ce que la barre mesure exactement {length} cm.",
    slider: "Largeur",
    narrower: "Un peu plus étroit",
    wider: "Un peu plus large",
    fits: "C’est juste",
    useRuler: "Utiliser plutôt une règle",
    useCard: "Utiliser plutôt une carte bancaire",
    later: "Pas maintenant",
    distanceTitle: "À quelle distance êtes-vous assis(e) ?",
    distanceText:
      "Installez-vous comme vous le serez pour regarder les images. Mesurez de vos yeux à l’écran, ou laissez la page trouver la distance.",
    centimetres: "Distance en centimètres",
    useDistance: "Utiliser cette distance",
    distanceWrong: "Veuillez saisir un nombre de {least} à {most}.",
    findOut: "La trouver sans règle",
    tooNarrow:
      "Pour la trouver, il faut plus de largeur. Tournez l’appareil sur le côté ou élargissez la fenêtre, ou saisissez la distance.",
    blindTitle: "Trouver la distance",
    blindText:
      "Couvrez votre œil droit. Regardez la croix avec l’œil gauche, et ne la quittez pas des yeux. Un point s’éloigne de la croix. Dès que vous ne voyez plus le point, touchez l’écran ou appuyez sur la barre d’espace.",
    begin: "Commencer",
    vanished: "Le point a disparu",
    stop: "Arrêter",
    turn: "Mesure {number} sur {total}",
    found: "Vous êtes à environ {distance} cm. Les mesures s’en écartent de {within} cm au plus.",
    unsure: "Les mesures sont très différentes. Veuillez mesurer à nouveau, ou saisir la distance.",
    again: "Mesurer à nouveau",
    typeIt: "Saisir la distance",
  },
};
