/** @type {import("./en.js").Texts} */
export default {
  name: "Français",
  direction: "ltr",
  page: {
    title: "Séance d’images",
    noScript: "Cette page a besoin de JavaScript.",
  },
  relay: {
    unreachable: "Aucun serveur n’est joignable.",
    full: "Le serveur est complet en ce moment.",
    draining: "Le serveur est en train de redémarrer.",
    tooMany: "Le serveur n’accepte plus de connexions d’ici en ce moment.",
    origin: "Le serveur est là, mais il n’accepte pas cette page.",
    upgrade: "Le serveur est là, mais quelque chose en chemin ne laisse passer aucune connexion durable.",
    elsewhere: "Autre chose répond à la place du serveur.",
    behind: "Quelque chose devant le serveur ne laisse pas passer cette page.",
    notFound: "Le serveur n’est pas là où cette page le cherche.",
    noRelay: "Le serveur ne fonctionne pas en ce moment.",
    unavailable: "Le serveur n’est pas disponible en ce moment.",
    tooLate: "Le serveur ne répond pas en ce moment.",
    broken: "Le serveur est en panne en ce moment.",
    tooManyCode: "trop de connexions",
    originCode: "il refuse l’origine {origin}",
    upgradeCode: "aucun WebSocket ne passe",
    again: "Cette page réessaie d’elle-même.",
    againOrTell:
      "Cette page réessaie d’elle-même. Si cela continue, veuillez le dire à la personne qui vous a donné ce lien ({code}).",
    tell: "Veuillez le dire à la personne qui vous a donné ce lien ({code}).",
    signIn:
      "Vous devez peut-être d’abord vous identifier sur ce réseau ; pour cela, rechargez cette page. Sinon, veuillez le dire à la personne qui vous a donné ce lien.",
  },
  recording: {
    ask: "Cette étude peut-elle vous enregistrer ?",
    allow: "Autoriser l’enregistrement",
    refuse: "Participer sans enregistrement",
    free: "Vous pouvez participer sans enregistrement, et l’arrêter chaque fois qu’aucune image n’est affichée. La personne qui dirige la séance sait si l’on vous enregistre.",
    what: "Quoi",
    whatText: {
      camera: "Votre image, par la caméra de cet appareil, sans le son.",
      microphone: "Votre voix, par le microphone de cet appareil.",
      both: "Votre image et votre voix, par la caméra et le microphone de cet appareil.",
    },
    when: "Quand",
    whenText: {
      camera:
        "Pendant qu’une image est affichée, et pas entre les images. La caméra est éteinte à la fin de la séance.",
      microphone:
        "Pendant qu’une image est affichée, et pas entre les images. Le microphone est éteint à la fin de la séance.",
      both: "Pendant qu’une image est affichée, et pas entre les images. La caméra et le microphone sont éteints à la fin de la séance.",
    },
    sign: "Signe",
    signText:
      "Aucun sur cette page pendant qu’une image est affichée. Votre appareil a peut-être son propre voyant.",
    where: "Où",
    onDevice:
      "Sur cet appareil. Vous pourrez garder les enregistrements après la séance ; personne ne les reçoit si vous ne les transmettez pas.",
    toServer:
      "Au serveur de cette étude, {host}. Jusqu’à ce qu’il les ait, ils restent sur cet appareil.",
    dialog: {
      camera:
        "Si votre navigateur demande maintenant si cette page peut utiliser votre caméra, veuillez l’autoriser.",
      microphone:
        "Si votre navigateur demande maintenant si cette page peut utiliser votre microphone, veuillez l’autoriser.",
      both: "Si votre navigateur demande maintenant si cette page peut utiliser votre caméra et votre microphone, veuillez l’autoriser.",
    },
    cantRecord: "Ce navigateur ne peut pas enregistrer.",
    notSecure: "Une page ne peut enregistrer que si son adresse commence par https.",
    notKept: "Ce navigateur ne garde pas d’enregistrements pour cette page.",
    unknownRequest:
      "Ce lien demande d’enregistrer « {record} », ce que cette page ne peut pas faire. Veuillez le dire à la personne qui vous l’a donné.",
    without: "La séance continue sans enregistrement.",
    ended: {
      camera: "Votre caméra n’est plus là ou a été éteinte.",
      microphone: "Votre microphone n’est plus là ou a été éteint.",
      both: "Votre caméra et votre microphone ne sont plus là ou ont été éteints.",
    },
    muted: {
      camera: "Votre caméra est coupée par cet appareil, et rien n’en vient.",
      microphone: "Votre microphone est coupé par cet appareil, et rien n’en vient.",
      both: "Votre caméra et votre microphone sont coupés par cet appareil, et rien n’en vient.",
    },
    missing: {
      camera: "Aucune caméra n’a été trouvée.",
      microphone: "Aucun microphone n’a été trouvé.",
      both: "Ni caméra ni microphone n’ont été trouvés.",
    },
    inUse: {
      camera: "Votre caméra ne peut pas être utilisée ; un autre programme l’utilise peut-être.",
      microphone:
        "Votre microphone ne peut pas être utilisé ; un autre programme l’utilise peut-être.",
      both: "Votre caméra et votre microphone ne peuvent pas être utilisés ; un autre programme les utilise peut-être.",
    },
    denied: {
      camera:
        "Le navigateur ne laisse pas cette page utiliser votre caméra. Vous pouvez l’autoriser dans les réglages du navigateur pour cette page.",
      microphone:
        "Le navigateur ne laisse pas cette page utiliser votre microphone. Vous pouvez l’autoriser dans les réglages du navigateur pour cette page.",
      both: "Le navigateur ne laisse pas cette page utiliser votre caméra et votre microphone. Vous pouvez l’autoriser dans les réglages du navigateur pour cette page.",
    },
    policy: {
      camera:
        "Le site ne laisse pas sa page utiliser votre caméra. Veuillez le dire à la personne qui vous a donné le lien.",
      microphone:
        "Le site ne laisse pas sa page utiliser votre microphone. Veuillez le dire à la personne qui vous a donné le lien.",
      both: "Le site ne laisse pas sa page utiliser votre caméra et votre microphone. Veuillez le dire à la personne qui vous a donné le lien.",
    },
    system: {
      camera: "Les réglages de cet appareil ne laissent pas le navigateur utiliser votre caméra.",
      microphone:
        "Les réglages de cet appareil ne laissent pas le navigateur utiliser votre microphone.",
      both: "Les réglages de cet appareil ne laissent pas le navigateur utiliser votre caméra et votre microphone.",
    },
    isOn: {
      camera: "Votre caméra est allumée. On vous enregistre pendant qu’une image est affichée.",
      microphone:
        "Votre microphone est allumé. On vous enregistre pendant qu’une image est affichée.",
      both: "Votre caméra et votre microphone sont allumés. On vous enregistre pendant qu’une image est affichée.",
    },
    isOnUntilEnd: {
      camera:
        "Votre caméra est allumée. On vous enregistre pendant qu’une image est affichée, jusqu’à la fin de la séance.",
      microphone:
        "Votre microphone est allumé. On vous enregistre pendant qu’une image est affichée, jusqu’à la fin de la séance.",
      both: "Votre caméra et votre microphone sont allumés. On vous enregistre pendant qu’une image est affichée, jusqu’à la fin de la séance.",
    },
    full: "Il n’y a plus de place pour les enregistrements sur cet appareil : rien n’est plus enregistré tant que certains n’ont pas été envoyés ou gardés.",
    storeGone:
      "La mémoire de ce navigateur n’est pas accessible en ce moment. Ce qui est enregistré entre-temps n’est gardé que par cette page, autant qu’il y a de place : veuillez la laisser ouverte.",
    failed: "Un enregistrement n’a pas pu être gardé sur cet appareil ({error}).",
    nothingCame:
      "Pour une image, il n’y a pas d’enregistrement lisible, car rien n’est venu de vos appareils.",
    removed:
      "Un enregistrement a été retiré de la mémoire de ce navigateur pendant qu’il se faisait ; ce qui est venu ensuite est gardé.",
    loss: "il reste {left} octets sur {size}",
    notSaved: "Cela n’a pas été gardé : {why}",
    panel: "Enregistrements",
    stop: "Arrêter l’enregistrement",
    sendAgain: "Réessayer d’envoyer",
    saveAll: "Tout garder dans un dossier …",
    image: "Image {number}",
    save: "Garder",
    saveAgain: "Garder encore une fois",
    saveOf: "Garder : image {number}, {time}",
    saveAgainOf: "Garder encore une fois : image {number}, {time}",
    savedIn: "Ce que vous avez gardé est dans le dossier « {folder} ».",
    stuck:
      "Ils restent sur cet appareil, et vous pouvez les garder ici. Veuillez le dire à la personne qui mène l’étude.",
    stuckLive:
      "Ils restent sur cet appareil, et vous pourrez les garder après la séance. Veuillez le dire à la personne qui mène l’étude.",
    unsent: {
      one: "{count} enregistrement reste à envoyer.",
      many: "{count} d’enregistrements restent à envoyer.",
      other: "{count} enregistrements restent à envoyer.",
    },
    keepOpen: "Veuillez laisser cette page ouverte.",
    notTaken: "Le serveur ne les accepte pas en ce moment ; cette page réessaie d’elle-même.",
    unsendable: {
      one: "{count} enregistrement ne peut pas être envoyé.",
      many: "{count} d’enregistrements ne peuvent pas être envoyés.",
      other: "{count} enregistrements ne peuvent pas être envoyés.",
    },
    unreadable:
      "Le serveur répond, mais ne laisse pas cette page lire ses réponses (il n’indique pas d’Access-Control-Allow-Origin, ou s’interrompt). Il en a peut-être déjà une partie.",
    http401: "Le serveur demande une autorisation que cette page n’a pas (401).",
    http403: "Le serveur ne laisse pas cette page les envoyer (403).",
    http404: "L’adresse pour les enregistrements n’existe pas (404).",
    http405: "L’adresse n’accepte pas d’enregistrements (405).",
    http410: "L’adresse pour les enregistrements n’existe plus (410).",
    http413: "Ils sont trop volumineux pour le serveur (413).",
    http415: "Le serveur n’accepte pas les enregistrements de ce type (415).",
    redirect:
      "L’adresse pour les enregistrements mène à une autre, où cette page ne doit pas les envoyer.",
    notHttps:
      "L’adresse pour les enregistrements commence par http, où les pages en https ne peuvent rien envoyer.",
    damaged: "La mémoire de ce navigateur en a perdu une partie.",
    refused: "Le serveur ne les accepte pas ({code}).",
    kept: {
      one: "{count} enregistrement sur cet appareil.",
      many: "{count} d’enregistrements sur cet appareil.",
      other: "{count} enregistrements sur cet appareil.",
    },
    keptHint: "Vous pourrez les garder après la séance.",
    toSave: {
      one: "{count} enregistrement reste à garder.",
      many: "{count} d’enregistrements restent à garder.",
      other: "{count} enregistrements restent à garder.",
    },
    toSaveHint: "Tant que vous ne les gardez pas, ils ne sont que sur cet appareil.",
    toSaveOfSome: "Ceux qui restent à garder ne sont pour l’instant que sur cet appareil.",
    savedAll: "Vous avez gardé tous les enregistrements.",
    savedOthers: "Vous avez gardé les autres.",
    savedHint:
      "Veuillez vérifier qu’ils sont dans vos téléchargements avant de fermer cette page.",
  },
  door: {
    title: "Bienvenue",
    text: "Touchez le bouton lorsque vous pouvez commencer. L’étude commencera alors sur cet appareil.",
    leftAlone:
      "La fenêtre dans laquelle vous participiez est fermée. Vous pouvez continuer ici : touchez le bouton lorsque vous pouvez commencer.",
    ready: "Je peux commencer",
    titleElsewhere: "Vous participez déjà ailleurs",
    inThisBrowser:
      "Cette étude est ouverte dans un autre onglet ou une autre fenêtre de ce navigateur. Vous pouvez continuer là-bas, ou participer ici à la place.",
    inAnother:
      "Cette étude est ouverte sur un autre appareil ou dans un autre navigateur. Vous pouvez continuer là-bas, ou participer ici à la place.",
    elsewhere:
      "Cette étude est ouverte dans un autre onglet, une autre fenêtre ou sur un autre appareil. Vous pouvez continuer là-bas, ou participer ici à la place.",
    takeOver: "Participer ici",
    check: "Vérifier d’abord cet appareil",
  },
  client: {
    imagesHereTap: "Les images apparaîtront ici. Touchez la page pour remplir l’écran.",
    incompleteLink: "Ce lien est incomplet.",
    incompleteLinkHint: "Veuillez ouvrir le lien entier que vous avez reçu.",
    refusedLink: "Ce lien n’est pas valable, ou ne l’est plus.",
    refusedLinkHint: "Veuillez en demander un nouveau.",
    connectingTo: "Connexion à {name} en cours …",
    connectedTo: "Connexion établie avec {name}.",
    interrupted: "La connexion a été interrompue.",
    interruptedHint: "Elle revient d’elle-même. Veuillez patienter.",
    ended: "La séance est terminée. Merci.",
    endedHint: "Vous pouvez fermer cette page.",
    endedEarly: "La séance a été terminée avant d’avoir commencé.",
    anotherTry: "Veuillez attendre ici un nouvel essai.",
    replaced: "Une nouvelle séance va commencer.",
    replacedHint: "Veuillez patienter un instant.",
    peerGone: "La séance est terminée : l’autre côté est parti.",
    peerGoneHint: "Vous pouvez en attendre une autre ici.",
    claimedElsewhere: "Vous participez dans une autre fenêtre ou sur un autre appareil.",
    claimedElsewhereHint:
      "Cette page n’est pas nécessaire. Pour l’utiliser, fermez l’autre et rechargez celle-ci.",
    relayShutdown: "La séance n’a pas pu commencer.",
    tokenExpired: "Le temps prévu pour cette séance est écoulé.",
    tokenExpiredHint: "Pour participer à une autre, demandez un nouveau lien.",
    connectionLost: "La connexion a été perdue et n’a pas pu être rétablie.",
    connectionLostHint: "Vous pouvez attendre ici une nouvelle séance.",
    connectTimeout: "Aucune connexion avec l’autre côté n’a pu s’établir.",
    connectTimeoutHint: "Veuillez attendre ici un nouvel essai, ou essayer un autre réseau.",
    negotiationFailed: "La connexion n’a pas pu s’établir.",
    negotiationFailedHint: "Veuillez attendre ici un nouvel essai, ou recharger cette page.",
    unsupported: "Cette connexion n’est pas possible avec ces navigateurs.",
    unsupportedHint:
      "Veuillez attendre ici un nouvel essai, ou ouvrir cette page dans un autre navigateur.",
    signallingLost: "Le serveur a été perdu avant le début de la séance.",
    signallingLostHint: "Veuillez attendre ici.",
    withDetail: "{hint} (Pour l’assistance : {detail})",
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
