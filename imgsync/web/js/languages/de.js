/** @type {import("./en.js").Texts} */
export default {
  name: "Deutsch",
  direction: "ltr",
  page: {
    title: "Bildersitzung",
    noScript: "Diese Seite braucht JavaScript.",
  },
  relay: {
    unreachable: "Kein Server erreichbar.",
    full: "Der Server ist im Moment voll.",
    draining: "Der Server wird gerade neu gestartet.",
    tooMany: "Der Server nimmt im Moment keine weiteren Verbindungen von hier an.",
    origin: "Der Server ist da, lässt diese Seite aber nicht herein.",
    upgrade: "Der Server ist da, aber etwas auf dem Weg lässt keine dauerhafte Verbindung durch.",
    elsewhere: "Etwas anderes antwortet anstelle des Servers.",
    behind: "Etwas vor dem Server lässt diese Seite nicht durch.",
    notFound: "Der Server ist nicht dort, wo diese Seite ihn sucht.",
    noRelay: "Der Server läuft im Moment nicht.",
    unavailable: "Der Server ist im Moment nicht verfügbar.",
    tooLate: "Der Server antwortet im Moment nicht.",
    broken: "Der Server ist im Moment gestört.",
    tooManyCode: "zu viele Verbindungen",
    originCode: "er weist Seiten von {origin} ab",
    upgradeCode: "keine WebSocket-Verbindung kommt durch",
    again: "Diese Seite versucht es von selbst noch einmal.",
    againOrTell:
      "Diese Seite versucht es von selbst noch einmal. Wenn das so bleibt, sagen Sie es bitte der Person, von der Sie den Link haben ({code}).",
    tell: "Bitte sagen Sie es der Person, von der Sie den Link haben ({code}).",
    signIn:
      "Vielleicht müssen Sie sich erst in diesem Netz anmelden; laden Sie dazu diese Seite neu. Wenn nicht, sagen Sie es bitte der Person, von der Sie den Link haben.",
  },
  recording: {
    ask: "Darf diese Studie Sie aufnehmen?",
    allow: "Aufnahme erlauben",
    refuse: "Ohne Aufnahme teilnehmen",
    free: "Sie können auch ohne Aufnahme teilnehmen, und sie jederzeit beenden, wenn gerade kein Bild gezeigt wird. Wer die Sitzung leitet, erfährt, ob Sie aufgenommen werden.",
    what: "Was",
    whatText: {
      camera: "Ihr Bild, mit der Kamera dieses Geräts, ohne Ton.",
      microphone: "Ihre Stimme, mit dem Mikrofon dieses Geräts.",
      both: "Ihr Bild und Ihre Stimme, mit Kamera und Mikrofon dieses Geräts.",
    },
    when: "Wann",
    whenText: {
      camera:
        "Während ein Bild gezeigt wird, und nicht dazwischen. Die Kamera wird am Ende der Sitzung ausgeschaltet.",
      microphone:
        "Während ein Bild gezeigt wird, und nicht dazwischen. Das Mikrofon wird am Ende der Sitzung ausgeschaltet.",
      both: "Während ein Bild gezeigt wird, und nicht dazwischen. Kamera und Mikrofon werden am Ende der Sitzung ausgeschaltet.",
    },
    sign: "Zeichen",
    signText:
      "Keines auf dieser Seite, während ein Bild gezeigt wird. Ihr Gerät hat vielleicht ein eigenes Licht.",
    where: "Wohin",
    onDevice:
      "Auf dieses Gerät. Sie können die Aufnahmen nach der Sitzung speichern; niemand bekommt sie, wenn Sie sie nicht weitergeben.",
    toServer:
      "An den Server dieser Studie, {host}. Bis er sie hat, bleiben sie auf diesem Gerät.",
    dialog: {
      camera:
        "Wenn Ihr Browser jetzt fragt, ob diese Seite Ihre Kamera benutzen darf, erlauben Sie es dort bitte.",
      microphone:
        "Wenn Ihr Browser jetzt fragt, ob diese Seite Ihr Mikrofon benutzen darf, erlauben Sie es dort bitte.",
      both: "Wenn Ihr Browser jetzt fragt, ob diese Seite Ihre Kamera und Ihr Mikrofon benutzen darf, erlauben Sie es dort bitte.",
    },
    cantRecord: "Dieser Browser kann nicht aufnehmen.",
    notSecure: "Eine Seite kann nur aufnehmen, wenn ihre Adresse mit https beginnt.",
    notKept: "Dieser Browser bewahrt für diese Seite keine Aufnahmen auf.",
    unknownRequest:
      "Dieser Link möchte „{record}“ aufnehmen, und das kann diese Seite nicht. Bitte sagen Sie es der Person, von der Sie ihn haben.",
    without: "Die Sitzung geht ohne Aufnahme weiter.",
    ended: {
      camera: "Ihre Kamera ist nicht mehr da oder wurde ausgeschaltet.",
      microphone: "Ihr Mikrofon ist nicht mehr da oder wurde ausgeschaltet.",
      both: "Ihre Kamera und Ihr Mikrofon sind nicht mehr da oder wurden ausgeschaltet.",
    },
    muted: {
      camera: "Ihre Kamera ist von diesem Gerät stummgeschaltet, und es kommt nichts von ihr.",
      microphone: "Ihr Mikrofon ist von diesem Gerät stummgeschaltet, und es kommt nichts von ihm.",
      both: "Ihre Kamera und Ihr Mikrofon sind von diesem Gerät stummgeschaltet, und es kommt nichts von ihnen.",
    },
    missing: {
      camera: "Es wurde keine Kamera gefunden.",
      microphone: "Es wurde kein Mikrofon gefunden.",
      both: "Es wurde weder eine Kamera noch ein Mikrofon gefunden.",
    },
    inUse: {
      camera: "Ihre Kamera kann nicht benutzt werden; vielleicht benutzt sie ein anderes Programm.",
      microphone:
        "Ihr Mikrofon kann nicht benutzt werden; vielleicht benutzt es ein anderes Programm.",
      both: "Ihre Kamera und Ihr Mikrofon können nicht benutzt werden; vielleicht benutzt sie ein anderes Programm.",
    },
    denied: {
      camera:
        "Der Browser lässt diese Seite Ihre Kamera nicht benutzen. Sie können es in den Einstellungen des Browsers für diese Seite erlauben.",
      microphone:
        "Der Browser lässt diese Seite Ihr Mikrofon nicht benutzen. Sie können es in den Einstellungen des Browsers für diese Seite erlauben.",
      both: "Der Browser lässt diese Seite Ihre Kamera und Ihr Mikrofon nicht benutzen. Sie können es in den Einstellungen des Browsers für diese Seite erlauben.",
    },
    policy: {
      camera:
        "Die Website lässt ihre Seite Ihre Kamera nicht benutzen. Bitte sagen Sie es der Person, von der Sie den Link haben.",
      microphone:
        "Die Website lässt ihre Seite Ihr Mikrofon nicht benutzen. Bitte sagen Sie es der Person, von der Sie den Link haben.",
      both: "Die Website lässt ihre Seite Ihre Kamera und Ihr Mikrofon nicht benutzen. Bitte sagen Sie es der Person, von der Sie den Link haben.",
    },
    system: {
      camera: "Die Einstellungen dieses Geräts lassen den Browser Ihre Kamera nicht benutzen.",
      microphone: "Die Einstellungen dieses Geräts lassen den Browser Ihr Mikrofon nicht benutzen.",
      both: "Die Einstellungen dieses Geräts lassen den Browser Ihre Kamera und Ihr Mikrofon nicht benutzen.",
    },
    isOn: {
      camera: "Ihre Kamera ist an. Sie werden aufgenommen, während ein Bild gezeigt wird.",
      microphone: "Ihr Mikrofon ist an. Sie werden aufgenommen, während ein Bild gezeigt wird.",
      both: "Ihre Kamera und Ihr Mikrofon sind an. Sie werden aufgenommen, während ein Bild gezeigt wird.",
    },
    isOnUntilEnd: {
      camera:
        "Ihre Kamera ist an. Sie werden bis zum Ende der Sitzung aufgenommen, während ein Bild gezeigt wird.",
      microphone:
        "Ihr Mikrofon ist an. Sie werden bis zum Ende der Sitzung aufgenommen, während ein Bild gezeigt wird.",
      both: "Ihre Kamera und Ihr Mikrofon sind an. Sie werden bis zum Ende der Sitzung aufgenommen, während ein Bild gezeigt wird.",
    },
    full: "Auf diesem Gerät ist kein Platz mehr für Aufnahmen: Es wird nichts mehr aufgenommen, bis einige gesendet oder gespeichert sind.",
    storeGone:
      "Der Speicher dieses Browsers ist im Moment nicht erreichbar. Was jetzt aufgenommen wird, hält nur diese Seite, soweit Platz ist: Bitte lassen Sie sie offen.",
    failed: "Eine Aufnahme konnte auf diesem Gerät nicht aufbewahrt werden ({error}).",
    nothingCame:
      "Von einem Bild gibt es keine Aufnahme, die man abspielen kann, weil von Ihren Geräten nichts kam.",
    removed:
      "Eine Aufnahme wurde aus dem Speicher dieses Browsers entfernt, während sie gemacht wurde; was danach kam, ist aufbewahrt.",
    loss: "{left} von {size} Bytes sind noch da",
    notSaved: "Es wurde nicht gespeichert: {why}",
    panel: "Aufnahmen",
    stop: "Aufnahme beenden",
    sendAgain: "Noch einmal senden",
    saveAll: "Alle in einem Ordner speichern …",
    image: "Bild {number}",
    save: "Speichern",
    saveAgain: "Noch einmal speichern",
    saveOf: "Speichern: Bild {number}, {time}",
    saveAgainOf: "Noch einmal speichern: Bild {number}, {time}",
    savedIn: "Was Sie gespeichert haben, ist im Ordner „{folder}“.",
    stuck:
      "Sie bleiben auf diesem Gerät, und Sie können sie hier speichern. Bitte sagen Sie es der Person, die die Studie leitet.",
    stuckLive:
      "Sie bleiben auf diesem Gerät, und Sie können sie nach der Sitzung speichern. Bitte sagen Sie es der Person, die die Studie leitet.",
    unsent: {
      one: "{count} Aufnahme ist noch zu senden.",
      other: "{count} Aufnahmen sind noch zu senden.",
    },
    keepOpen: "Bitte lassen Sie diese Seite offen.",
    notTaken:
      "Der Server nimmt sie im Moment nicht an; diese Seite versucht es von selbst noch einmal.",
    unsendable: {
      one: "{count} Aufnahme kann nicht gesendet werden.",
      other: "{count} Aufnahmen können nicht gesendet werden.",
    },
    unreadable:
      "Der Server antwortet, lässt diese Seite seine Antworten aber nicht lesen (er nennt kein Access-Control-Allow-Origin, oder bricht ab). Vielleicht hat er schon einige davon.",
    http401: "Der Server verlangt eine Erlaubnis, die diese Seite nicht hat (401).",
    http403: "Der Server lässt diese Seite sie nicht senden (403).",
    http404: "Die Adresse für Aufnahmen gibt es nicht (404).",
    http405: "Die Adresse nimmt keine Aufnahmen an (405).",
    http410: "Die Adresse für Aufnahmen gibt es nicht mehr (410).",
    http413: "Sie sind zu groß für den Server (413).",
    http415: "Der Server nimmt keine Aufnahmen dieser Art an (415).",
    redirect:
      "Die Adresse für Aufnahmen führt zu einer anderen, wohin diese Seite sie nicht senden darf.",
    notHttps:
      "Die Adresse für Aufnahmen beginnt mit http, wohin Seiten mit https nichts senden können.",
    damaged: "Der Speicher dieses Browsers hat einen Teil davon verloren.",
    refused: "Der Server nimmt sie nicht an ({code}).",
    kept: {
      one: "{count} Aufnahme auf diesem Gerät.",
      other: "{count} Aufnahmen auf diesem Gerät.",
    },
    keptHint: "Sie können nach der Sitzung gespeichert werden.",
    toSave: {
      one: "{count} Aufnahme ist noch zu speichern.",
      other: "{count} Aufnahmen sind noch zu speichern.",
    },
    toSaveHint: "Bis Sie speichern, ist alles nur auf diesem Gerät.",
    toSaveOfSome: "Was noch zu speichern ist, ist bis dahin nur auf diesem Gerät.",
    savedAll: "Sie haben alle Aufnahmen gespeichert.",
    savedOthers: "Die anderen haben Sie gespeichert.",
    savedHint:
      "Bitte sehen Sie nach, ob sie in Ihren Downloads sind, bevor Sie diese Seite schließen.",
  },
  door: {
    title: "Willkommen",
    text:
      "Tippen Sie auf die Schaltfläche, wenn Sie bereit sind. Die Studie beginnt dann auf diesem Gerät.",
    leftAlone:
      "Das Fenster, in dem Sie teilgenommen haben, ist geschlossen. Sie können hier weitermachen: Tippen Sie auf die Schaltfläche, wenn Sie bereit sind.",
    ready: "Ich bin bereit",
    titleElsewhere: "Sie nehmen bereits anderswo teil",
    inThisBrowser:
      "Diese Studie ist in einem anderen Tab oder Fenster dieses Browsers geöffnet. Sie können dort weitermachen oder stattdessen hier teilnehmen.",
    inAnother:
      "Diese Studie ist auf einem anderen Gerät oder in einem anderen Browser geöffnet. Sie können dort weitermachen oder stattdessen hier teilnehmen.",
    elsewhere:
      "Diese Studie ist in einem anderen Tab oder Fenster oder auf einem anderen Gerät geöffnet. Sie können dort weitermachen oder stattdessen hier teilnehmen.",
    takeOver: "Hier teilnehmen",
    check: "Zuerst dieses Gerät prüfen",
  },
  client: {
    imagesHereTap: "Hier erscheinen die Bilder. Tippen Sie, um den Bildschirm zu füllen.",
    incompleteLink: "Dieser Link ist unvollständig.",
    incompleteLinkHint: "Bitte öffnen Sie den ganzen Link, den Sie bekommen haben.",
    refusedLink: "Dieser Link ist nicht gültig, oder nicht mehr.",
    refusedLinkHint: "Bitte fragen Sie nach einem neuen.",
    connectingTo: "Verbindung zu {name} wird hergestellt …",
    connectedTo: "Verbunden mit {name}.",
    interrupted: "Die Verbindung wurde unterbrochen.",
    interruptedHint: "Sie kommt von selbst zurück. Bitte warten Sie.",
    ended: "Die Sitzung ist beendet. Vielen Dank.",
    endedHint: "Sie können diese Seite schließen.",
    endedEarly: "Die Sitzung wurde beendet, bevor sie begonnen hat.",
    anotherTry: "Bitte warten Sie hier auf einen neuen Versuch.",
    replaced: "Gleich beginnt eine neue Sitzung.",
    replacedHint: "Bitte warten Sie einen Moment.",
    peerGone: "Die Sitzung ist beendet: Die andere Seite ist nicht mehr da.",
    peerGoneHint: "Sie können hier auf eine andere warten.",
    claimedElsewhere: "Sie nehmen in einem anderen Fenster oder an einem anderen Gerät teil.",
    claimedElsewhereHint:
      "Diese Seite wird nicht gebraucht. Um sie zu benutzen, schließen Sie die andere und laden Sie diese neu.",
    relayShutdown: "Die Sitzung konnte nicht beginnen.",
    tokenExpired: "Die Zeit für diese Sitzung ist vorbei.",
    tokenExpiredHint: "Um an einer anderen teilzunehmen, fragen Sie nach einem neuen Link.",
    connectionLost: "Die Verbindung ging verloren und konnte nicht wiederhergestellt werden.",
    connectionLostHint: "Sie können hier auf eine neue Sitzung warten.",
    connectTimeout: "Es kam keine Verbindung zur anderen Seite zustande.",
    connectTimeoutHint:
      "Bitte warten Sie hier auf einen neuen Versuch, oder versuchen Sie ein anderes Netz.",
    negotiationFailed: "Die Verbindung konnte nicht hergestellt werden.",
    negotiationFailedHint:
      "Bitte warten Sie hier auf einen neuen Versuch, oder laden Sie diese Seite neu.",
    unsupported: "Mit diesen Browsern lässt sich keine Verbindung herstellen.",
    unsupportedHint:
      "Bitte warten Sie hier auf einen neuen Versuch, oder öffnen Sie diese Seite in einem anderen Browser.",
    signallingLost: "Die Verbindung zum Server ging verloren, bevor die Sitzung begonnen hat.",
    signallingLostHint: "Bitte warten Sie hier.",
    withDetail: "{hint} (Für die Technik: {detail})",
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
  browser: {
    tooOld: "Dieser Browser ist zu alt für diese Seite.",
    tooOldHint:
      "Bitte aktualisieren Sie ihn, oder öffnen Sie denselben Link in einer neuen Version von Chrome, Edge, Firefox oder Safari. Auf einem iPhone oder iPad aktualisieren Sie das Gerät selbst: Einstellungen, Allgemein, Softwareupdate.",
    lockdown: "Der Blockierungsmodus verhindert, dass diese Seite funktioniert.",
    lockdownHint:
      "Tippen Sie neben der Adresse auf das Zeichen für die Einstellungen der Seite, schalten Sie den Blockierungsmodus für diese Website aus und laden Sie die Seite neu. Oder öffnen Sie denselben Link auf einem anderen Gerät.",
    noWebRtc: "Dieser Browser kann die Bilder nicht zeigen.",
    noWebRtcHint:
      "Er lässt diese Seite keine Verbindung aufbauen, vielleicht wegen einer Erweiterung oder einer Einstellung zum Schutz der Privatsphäre. Bitte öffnen Sie denselben Link in Chrome, Edge, Firefox oder Safari.",
    inside: "Sie sind in {program} und nicht in Ihrem Browser.",
    insideAnother: "Sie sind in einer anderen App und nicht in Ihrem Browser.",
    openOnIos:
      "Dort läuft die Sitzung vielleicht nicht gut. Tippen Sie am Rand des Bildschirms auf das Menü oder den Kompass und wählen Sie „Im Browser öffnen“ oder „In Safari öffnen“. Oder kopieren Sie den Link und fügen Sie ihn in Safari dort ein, wo die Adresse steht.",
    openOnAndroid:
      "Dort läuft die Sitzung vielleicht nicht gut. Tippen Sie oben auf das Menü (⋮) und wählen Sie „Im Browser öffnen“ oder „In Chrome öffnen“. Oder kopieren Sie den Link und fügen Sie ihn in Ihrem Browser dort ein, wo die Adresse steht.",
    openElsewhere:
      "Dort läuft die Sitzung vielleicht nicht gut. Kopieren Sie den Link und fügen Sie ihn in Ihrem Browser dort ein, wo die Adresse steht.",
    copyLink: "Link kopieren",
    copied:
      "Der Link ist kopiert. Öffnen Sie jetzt Ihren Browser und fügen Sie ihn dort ein, wo die Adresse steht.",
    copyByHand:
      "Bitte kopieren Sie den Link selbst aus dem Feld: Drücken Sie lange darauf und wählen Sie „Kopieren“.",
    link: "Ihr Link",
    goOn: "Hier weitermachen",
  },
  size: {
    offer: "Diesen Bildschirm vermessen",
    offerAgain: "Diesen Bildschirm neu vermessen",
    wanted:
      "Die Bilder werden in ihrer wirklichen Größe gezeigt. Dafür muss dieser Bildschirm einmal vermessen werden.",
    wantedDistance:
      "Die Bilder werden so groß gezeigt, wie sie von Ihrem Platz aus erscheinen sollen. Dafür müssen dieser Bildschirm und Ihr Abstand zu ihm vermessen werden.",
    measured: "Dieser Bildschirm ist vermessen.",
    otherScreen:
      "Dies ist nicht der Bildschirm, der vermessen wurde, oder er ist anders eingestellt. Bitte vermessen Sie ihn neu.",
    screenTitle: "Wie groß ist dieser Bildschirm?",
    cardText:
      "Halten Sie eine Bankkarte flach an das Feld auf dem Bildschirm. Bewegen Sie den Regler, bis das Feld genau so breit ist wie die Karte.",
    cardUpright:
      "Halten Sie eine Bankkarte hochkant und flach an das Feld auf dem Bildschirm. Bewegen Sie den Regler, bis das Feld genau so breit ist wie die kurze Seite der Karte.",
    rulerText:
      "Halten Sie ein Lineal an den Balken auf dem Bildschirm. Bewegen Sie den Regler, bis der Balken genau {length} cm lang ist.",
    slider: "Breite",
    narrower: "Etwas schmaler",
    wider: "Etwas breiter",
    fits: "Es passt",
    useRuler: "Lieber ein Lineal verwenden",
    useCard: "Lieber eine Bankkarte verwenden",
    later: "Nicht jetzt",
    distanceTitle: "Wie weit sitzen Sie entfernt?",
    distanceText:
      "Setzen Sie sich so hin, wie Sie die Bilder ansehen werden. Messen Sie von Ihren Augen bis zum Bildschirm, oder lassen Sie es die Seite herausfinden.",
    centimetres: "Abstand in Zentimetern",
    useDistance: "Diesen Abstand verwenden",
    distanceWrong: "Bitte geben Sie eine Zahl von {least} bis {most} ein.",
    findOut: "Ohne Lineal herausfinden",
    tooNarrow:
      "Um es herauszufinden, ist mehr Breite nötig. Drehen Sie das Gerät quer oder machen Sie das Fenster breiter, oder geben Sie den Abstand ein.",
    blindTitle: "Den Abstand herausfinden",
    blindText:
      "Bedecken Sie Ihr rechtes Auge. Sehen Sie mit dem linken Auge auf das Kreuz, und sehen Sie nicht davon weg. Ein Punkt bewegt sich von dem Kreuz fort. Sobald Sie den Punkt nicht mehr sehen, berühren Sie den Bildschirm oder drücken Sie die Leertaste.",
    begin: "Beginnen",
    vanished: "Der Punkt ist weg",
    stop: "Aufhören",
    turn: "Messung {number} von {total}",
    found:
      "Sie sitzen etwa {distance} cm entfernt. Die einzelnen Messungen weichen davon um bis zu {within} cm ab.",
    unsure:
      "Die Messungen weichen stark voneinander ab. Bitte messen Sie noch einmal, oder geben Sie den Abstand ein.",
    again: "Noch einmal messen",
    typeIt: "Den Abstand eingeben",
  },
};
