/**
 * English: the texts from which those of all other languages are written. Another language is another file
 * beside this one, named by its tag (BCP 47), in this form, which the relay reads as JSON: names, texts in
 * double quotes, and nothing that is computed.
 *
 * @typedef {typeof texts} English
 * @typedef {Exclude<keyof English, "name" | "direction">} Room of texts that belong together
 * @typedef {{[R in Room]: `${R}.${keyof English[R] & string}`}[Room]} Key of one text
 * @typedef {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Plural by `{count}`
 * @typedef {{camera: string, microphone: string, both: string}} ByDevice by what it is of
 * @typedef {{[R in Room]: {[K in keyof English[R]]: English[R][K] extends ByDevice ? ByDevice : string | Plural}}
 *   & {name: string, direction: "ltr" | "rtl"}} Texts `name`: of the language, in itself
 */

const texts = {
  name: "English",
  direction: "ltr",
  page: {
    title: "Image session",
    noScript: "This page needs JavaScript.",
  },
  relay: {
    unreachable: "No server in reach.",
    full: "The server is full at this moment.",
    draining: "The server is being started anew.",
    tooMany: "The server takes no more connections from here at this moment.",
    origin: "The server is there, but does not let this page in.",
    upgrade: "The server is there, but something on the way lets no lasting connection through.",
    elsewhere: "Something else answers in place of the server.",
    behind: "Something in front of the server does not let this page through.",
    notFound: "The server is not where this page looks for it.",
    noRelay: "The server does not run at this moment.",
    unavailable: "The server can’t be had at this moment.",
    tooLate: "The server does not answer at this moment.",
    broken: "The server is out of order at this moment.",
    tooManyCode: "too many connections",
    originCode: "it refuses the origin {origin}",
    upgradeCode: "no WebSocket gets through",
    again: "This page tries again by itself.",
    againOrTell:
      "This page tries again by itself. If that goes on, please tell whoever gave you this link ({code}).",
    tell: "Please tell whoever gave you this link ({code}).",
    signIn:
      "You may have to sign in to this network first; reload this page for that. If not, please tell whoever gave you this link.",
  },
  recording: {
    ask: "May this study record you?",
    allow: "Allow recording",
    refuse: "Take part without recording",
    free: "You may take part without it, and can stop it whenever no image is shown. Whoever leads the session is told whether you are recorded.",
    what: "What",
    whatText: {
      camera: "Your picture, by the camera of this device, without sound.",
      microphone: "Your voice, by the microphone of this device.",
      both: "Your picture and your voice, by this device’s camera and microphone.",
    },
    when: "When",
    whenText: {
      camera:
        "While an image is shown, and not in between. The camera is switched off when the session ends.",
      microphone:
        "While an image is shown, and not in between. The microphone is switched off when the session ends.",
      both: "While an image is shown, and not in between. The camera and microphone are switched off when the session ends.",
    },
    sign: "Sign",
    signText: "None on this page while an image is shown. Your device may have a light of its own.",
    where: "Where",
    onDevice:
      "On this device. You can save them after the session; nobody gets them unless you hand them on.",
    toServer:
      "To the server of this study, {host}. Until it has them, they are kept on this device.",
    dialog: {
      camera:
        "If your browser now asks whether this page may use your camera, please allow it there.",
      microphone:
        "If your browser now asks whether this page may use your microphone, please allow it there.",
      both: "If your browser now asks whether this page may use your camera and microphone, please allow it there.",
    },
    cantRecord: "This browser can’t record.",
    notSecure: "A page can record only where its address begins with https.",
    notKept: "This browser keeps no recordings for this page.",
    unknownRequest:
      "This link asks to record “{record}”, which this page can’t. Please tell whoever gave it to you.",
    without: "The session goes on without recording.",
    ended: {
      camera: "Your camera has gone or was switched off.",
      microphone: "Your microphone has gone or was switched off.",
      both: "Your camera and microphone have gone or were switched off.",
    },
    muted: {
      camera: "Your camera is muted by this device, and nothing comes of it.",
      microphone: "Your microphone is muted by this device, and nothing comes of it.",
      both: "Your camera and microphone are muted by this device, and nothing comes of it.",
    },
    missing: {
      camera: "No camera was found.",
      microphone: "No microphone was found.",
      both: "No camera or microphone was found.",
    },
    inUse: {
      camera: "Your camera can’t be used; perhaps another program does.",
      microphone: "Your microphone can’t be used; perhaps another program does.",
      both: "Your camera and microphone can’t be used; perhaps another program does.",
    },
    denied: {
      camera:
        "The browser does not let this page use your camera. You can allow it in the browser’s settings for this page.",
      microphone:
        "The browser does not let this page use your microphone. You can allow it in the browser’s settings for this page.",
      both: "The browser does not let this page use your camera and microphone. You can allow it in the browser’s settings for this page.",
    },
    policy: {
      camera:
        "The website does not let its page use your camera. Please tell whoever gave you the link.",
      microphone:
        "The website does not let its page use your microphone. Please tell whoever gave you the link.",
      both: "The website does not let its page use your camera and microphone. Please tell whoever gave you the link.",
    },
    system: {
      camera: "The settings of this device do not let the browser use your camera.",
      microphone: "The settings of this device do not let the browser use your microphone.",
      both: "The settings of this device do not let the browser use your camera and microphone.",
    },
    isOn: {
      camera: "Your camera is on. You are recorded while an image is shown.",
      microphone: "Your microphone is on. You are recorded while an image is shown.",
      both: "Your camera and microphone are on. You are recorded while an image is shown.",
    },
    isOnUntilEnd: {
      camera:
        "Your camera is on. You are recorded while an image is shown, until the end of the session.",
      microphone:
        "Your microphone is on. You are recorded while an image is shown, until the end of the session.",
      both: "Your camera and microphone are on. You are recorded while an image is shown, until the end of the session.",
    },
    full: "There is no room left for recordings on this device: nothing more is recorded until some have been sent or saved.",
    storeGone:
      "This browser’s storage can’t be reached at this moment. What is recorded meanwhile is held by this page alone, as far as there is room: please keep it open.",
    failed: "A recording could not be kept on this device ({error}).",
    nothingCame:
      "Of an image there is no recording that can be played, as nothing came of your devices.",
    removed:
      "A recording was removed from this browser’s storage while it was made; what came after it is kept.",
    loss: "{left} of {size} bytes are left",
    notSaved: "It was not saved: {why}",
    panel: "Recordings",
    stop: "Stop recording",
    sendAgain: "Try to send again",
    saveAll: "Save all in a folder …",
    image: "Image {number}",
    save: "Save",
    saveAgain: "Save again",
    saveOf: "Save: image {number}, {time}",
    saveAgainOf: "Save again: image {number}, {time}",
    savedIn: "What you saved is in the folder “{folder}”.",
    stuck:
      "They stay on this device, and you can save them here. Please tell whoever runs the study.",
    stuckLive:
      "They stay on this device, and you can save them after the session. Please tell whoever runs the study.",
    unsent: {
      one: "{count} recording still to be sent.",
      other: "{count} recordings still to be sent.",
    },
    keepOpen: "Please keep this page open.",
    notTaken: "The server does not take them at this moment; this page tries again by itself.",
    unsendable: {
      one: "{count} recording can’t be sent.",
      other: "{count} recordings can’t be sent.",
    },
    unreadable:
      "The server answers, and does not let this page read its answers (it names no Access-Control-Allow-Origin, or breaks off). It may have some of them already.",
    http401: "The server wants a permission that this page does not have (401).",
    http403: "The server does not let this page send them (403).",
    http404: "The address for recordings is not there (404).",
    http405: "The address takes no recordings (405).",
    http410: "The address for recordings is not there any more (410).",
    http413: "They are too large for the server (413).",
    http415: "The server does not take recordings of this kind (415).",
    redirect:
      "The address for recordings leads to another one, where this page may not send them.",
    notHttps:
      "The address for recordings begins with http, where pages of https can’t send anything.",
    damaged: "This browser’s storage has lost a part of them.",
    refused: "The server does not take them ({code}).",
    kept: {
      one: "{count} recording on this device.",
      other: "{count} recordings on this device.",
    },
    keptHint: "You can save them after the session.",
    toSave: {
      one: "{count} recording still to be saved.",
      other: "{count} recordings still to be saved.",
    },
    toSaveHint: "They are on this device only, until you save them.",
    toSaveOfSome: "Those to be saved are on this device only, until you save them.",
    savedAll: "You have saved all recordings.",
    savedOthers: "You have saved the others.",
    savedHint: "Please look whether they are in your downloads before you close this page.",
  },
  door: {
    title: "Welcome",
    text: "Touch the button when you are ready to begin. The study then starts on this device.",
    leftAlone:
      "The window in which you took part is closed. You can go on here: touch the button when you are ready.",
    ready: "I am ready",
    titleElsewhere: "You are taking part elsewhere",
    inThisBrowser:
      "This study is open in another tab or window of this browser. You can go on there, or take part here instead.",
    inAnother:
      "This study is open on another device or in another browser. You can go on there, or take part here instead.",
    elsewhere:
      "This study is open in another tab or window, or on another device. You can go on there, or take part here instead.",
    takeOver: "Take part here",
    check: "Check this device first",
  },
  client: {
    imagesHereTap: "The images will appear here. Tap to fill the screen.",
    incompleteLink: "This link is incomplete.",
    incompleteLinkHint: "Please open the whole link you were given.",
    refusedLink: "This link is not valid, or not any more.",
    refusedLinkHint: "Please ask for a new one.",
    connectingTo: "Connecting to {name} …",
    connectedTo: "Connected to {name}.",
    interrupted: "The connection was interrupted.",
    interruptedHint: "It comes back by itself. Please wait.",
    ended: "The session has ended. Thank you.",
    endedHint: "You can close this page.",
    endedEarly: "The session was ended before it began.",
    anotherTry: "Please wait here for another try.",
    replaced: "A new session is about to begin.",
    replacedHint: "Please wait a moment.",
    peerGone: "The session has ended: the other side has gone.",
    peerGoneHint: "You can wait here for another.",
    claimedElsewhere: "You are taking part in another window or on another device.",
    claimedElsewhereHint:
      "This page is not needed. To use it, close the other one and reload this one.",
    relayShutdown: "The session could not begin.",
    tokenExpired: "The time for this session is over.",
    tokenExpiredHint: "To take part in another one, ask for a new link.",
    connectionLost: "The connection was lost and could not be restored.",
    connectionLostHint: "You can wait here for a new session.",
    connectTimeout: "No connection to the other side came about.",
    connectTimeoutHint: "Please wait here for another try, or try another network.",
    negotiationFailed: "The connection could not be made.",
    negotiationFailedHint: "Please wait here for another try, or reload this page.",
    unsupported: "This connection can’t be made with these browsers.",
    unsupportedHint: "Please wait here for another try, or open this page in another browser.",
    signallingLost: "The server was lost before the session began.",
    signallingLostHint: "Please wait here.",
    withDetail: "{hint} ({detail})",
    connecting: "Connecting …",
    ready: "Ready.",
    imagesHere: "The images will appear here.",
  },
  /** The mail with which a link comes. */
  invite: {
    subject: "Your link for our session",
    greeting: "Hello,",
    link: "this is your own link for our session:",
    device: "Open it in a browser on the device on which you want to see the images. You need not install anything.",
    until: "The link works until {time}.",
    alone: "It is for you alone; please do not pass it on.",
  },
  browser: {
    tooOld: "This browser is too old for this page.",
    tooOldHint:
      "Please update it, or open the same link in a new version of Chrome, Edge, Firefox or Safari. On an iPhone or iPad, update the device itself: Settings, General, Software Update.",
    lockdown: "Lockdown Mode keeps this page from working.",
    lockdownHint:
      "Tap the sign for the page’s settings beside its address, turn Lockdown Mode off for this website, and load the page again. Or open the same link on another device.",
    noWebRtc: "This browser can’t show the images.",
    noWebRtcHint:
      "It does not let this page connect, perhaps because of an extension or of a privacy setting. Please open the same link in Chrome, Edge, Firefox or Safari.",
    inside: "You are inside {program}, and not in your browser.",
    insideAnother: "You are inside another app, and not in your browser.",
    openOnIos:
      "There the session may not run well. Tap the menu or the compass at the edge of the screen and choose “Open in browser” or “Open in Safari”. Or copy the link, and paste it into Safari where the address stands.",
    openOnAndroid:
      "There the session may not run well. Tap the menu (⋮) at the top and choose “Open in browser” or “Open in Chrome”. Or copy the link, and paste it into your browser where the address stands.",
    openElsewhere:
      "There the session may not run well. Copy the link, and paste it into your browser where the address stands.",
    copyLink: "Copy the link",
    copied: "The link is copied. Now open your browser and paste it where the address stands.",
    copyByHand: "Please copy the link from the field yourself: press on it for a while and choose “Copy”.",
    link: "Your link",
    goOn: "Go on here",
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
