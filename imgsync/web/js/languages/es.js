/** @type {import("./en.js").Texts} */
export default {
  name: "Español",
  direction: "ltr",
  page: {
    title: "Sesión de imágenes",
    noScript: "Esta página necesita JavaScript.",
  },
  relay: {
    unreachable: "No hay ningún servidor a su alcance.",
    full: "El servidor está lleno en este momento.",
    draining: "El servidor se está reiniciando.",
    tooMany: "El servidor no acepta más conexiones desde aquí en este momento.",
    origin: "El servidor está ahí, pero no deja entrar a esta página.",
    upgrade: "El servidor está ahí, pero algo en el camino no deja pasar conexiones duraderas.",
    elsewhere: "Otra cosa responde en lugar del servidor.",
    behind: "Algo delante del servidor no deja pasar a esta página.",
    notFound: "El servidor no está donde esta página lo busca.",
    noRelay: "El servidor no funciona en este momento.",
    unavailable: "El servidor no está disponible en este momento.",
    tooLate: "El servidor no responde en este momento.",
    broken: "El servidor está averiado en este momento.",
    tooManyCode: "demasiadas conexiones",
    originCode: "rechaza el origen {origin}",
    upgradeCode: "no pasa ningún WebSocket",
    again: "Esta página lo vuelve a intentar por sí sola.",
    againOrTell:
      "Esta página lo vuelve a intentar por sí sola. Si esto sigue así, dígaselo por favor a la persona que le dio este enlace ({code}).",
    tell: "Dígaselo por favor a la persona que le dio este enlace ({code}).",
    signIn:
      "Quizá tenga que identificarse primero en esta red; para ello, vuelva a cargar esta página. Si no, dígaselo por favor a la persona que le dio este enlace.",
  },
  recording: {
    ask: "¿Permite que este estudio le grabe?",
    allow: "Permitir la grabación",
    refuse: "Participar sin grabación",
    free: "Puede participar sin grabación, y detenerla siempre que no se muestre ninguna imagen. Quien dirige la sesión sabe si se le está grabando.",
    what: "Qué",
    whatText: {
      camera: "Su imagen, con la cámara de este dispositivo, sin sonido.",
      microphone: "Su voz, con el micrófono de este dispositivo.",
      both: "Su imagen y su voz, con la cámara y el micrófono de este dispositivo.",
    },
    when: "Cuándo",
    whenText: {
      camera:
        "Mientras se muestra una imagen, y no entre una y otra. La cámara se apaga al terminar la sesión.",
      microphone:
        "Mientras se muestra una imagen, y no entre una y otra. El micrófono se apaga al terminar la sesión.",
      both: "Mientras se muestra una imagen, y no entre una y otra. La cámara y el micrófono se apagan al terminar la sesión.",
    },
    sign: "Señal",
    signText:
      "Ninguna en esta página mientras se muestra una imagen. Puede que su dispositivo tenga una luz propia.",
    where: "Dónde",
    onDevice:
      "En este dispositivo. Puede guardar las grabaciones después de la sesión; nadie las recibe si usted no las entrega.",
    toServer:
      "Al servidor de este estudio, {host}. Hasta que las tenga, se guardan en este dispositivo.",
    dialog: {
      camera:
        "Si su navegador pregunta ahora si esta página puede usar su cámara, permítalo por favor.",
      microphone:
        "Si su navegador pregunta ahora si esta página puede usar su micrófono, permítalo por favor.",
      both: "Si su navegador pregunta ahora si esta página puede usar su cámara y su micrófono, permítalo por favor.",
    },
    cantRecord: "Este navegador no puede grabar.",
    notSecure: "Una página solo puede grabar si su dirección empieza por https.",
    notKept: "Este navegador no guarda grabaciones de esta página.",
    unknownRequest:
      "Este enlace pide grabar «{record}», y esta página no puede. Dígaselo por favor a la persona que se lo dio.",
    without: "La sesión continúa sin grabación.",
    ended: {
      camera: "Su cámara ya no está o se ha apagado.",
      microphone: "Su micrófono ya no está o se ha apagado.",
      both: "Su cámara y su micrófono ya no están o se han apagado.",
    },
    muted: {
      camera: "Este dispositivo ha silenciado su cámara, y no llega nada de ella.",
      microphone: "Este dispositivo ha silenciado su micrófono, y no llega nada de él.",
      both: "Este dispositivo ha silenciado su cámara y su micrófono, y no llega nada de ellos.",
    },
    missing: {
      camera: "No se ha encontrado ninguna cámara.",
      microphone: "No se ha encontrado ningún micrófono.",
      both: "No se ha encontrado ni cámara ni micrófono.",
    },
    inUse: {
      camera: "No se puede usar su cámara; quizá la use otro programa.",
      microphone: "No se puede usar su micrófono; quizá lo use otro programa.",
      both: "No se pueden usar su cámara y su micrófono; quizá los use otro programa.",
    },
    denied: {
      camera:
        "El navegador no deja que esta página use su cámara. Puede permitirlo en los ajustes del navegador para esta página.",
      microphone:
        "El navegador no deja que esta página use su micrófono. Puede permitirlo en los ajustes del navegador para esta página.",
      both: "El navegador no deja que esta página use su cámara y su micrófono. Puede permitirlo en los ajustes del navegador para esta página.",
    },
    policy: {
      camera:
        "El sitio web no deja que su página use su cámara. Dígaselo por favor a la persona que le dio el enlace.",
      microphone:
        "El sitio web no deja que su página use su micrófono. Dígaselo por favor a la persona que le dio el enlace.",
      both: "El sitio web no deja que su página use su cámara y su micrófono. Dígaselo por favor a la persona que le dio el enlace.",
    },
    system: {
      camera: "Los ajustes de este dispositivo no dejan que el navegador use su cámara.",
      microphone: "Los ajustes de este dispositivo no dejan que el navegador use su micrófono.",
      both: "Los ajustes de este dispositivo no dejan que el navegador use su cámara y su micrófono.",
    },
    isOn: {
      camera: "Su cámara está encendida. Se le graba mientras se muestra una imagen.",
      microphone: "Su micrófono está encendido. Se le graba mientras se muestra una imagen.",
      both: "Su cámara y su micrófono están encendidos. Se le graba mientras se muestra una imagen.",
    },
    isOnUntilEnd: {
      camera:
        "Su cámara está encendida. Se le graba mientras se muestra una imagen, hasta el final de la sesión.",
      microphone:
        "Su micrófono está encendido. Se le graba mientras se muestra una imagen, hasta el final de la sesión.",
      both: "Su cámara y su micrófono están encendidos. Se le graba mientras se muestra una imagen, hasta el final de la sesión.",
    },
    full: "Ya no queda sitio para grabaciones en este dispositivo: no se graba nada más hasta que se hayan enviado o guardado algunas.",
    storeGone:
      "En este momento no se puede acceder a la memoria de este navegador. Lo que se graba mientras tanto solo lo conserva esta página, en la medida en que haya sitio: por favor, déjela abierta.",
    failed: "No se ha podido conservar una grabación en este dispositivo ({error}).",
    nothingCame:
      "De una imagen no hay ninguna grabación que se pueda reproducir, porque no llegó nada de sus dispositivos.",
    removed:
      "Una grabación se eliminó de la memoria de este navegador mientras se hacía; lo que vino después se ha conservado.",
    loss: "quedan {left} de {size} bytes",
    notSaved: "No se ha guardado: {why}",
    panel: "Grabaciones",
    stop: "Detener la grabación",
    sendAgain: "Intentar enviar de nuevo",
    saveAll: "Guardar todas en una carpeta …",
    image: "Imagen {number}",
    save: "Guardar",
    saveAgain: "Guardar de nuevo",
    saveOf: "Guardar: imagen {number}, {time}",
    saveAgainOf: "Guardar de nuevo: imagen {number}, {time}",
    savedIn: "Lo que ha guardado está en la carpeta «{folder}».",
    stuck:
      "Se quedan en este dispositivo, y puede guardarlas aquí. Dígaselo por favor a quien dirige el estudio.",
    stuckLive:
      "Se quedan en este dispositivo, y puede guardarlas después de la sesión. Dígaselo por favor a quien dirige el estudio.",
    unsent: {
      one: "Queda {count} grabación por enviar.",
      many: "Quedan {count} de grabaciones por enviar.",
      other: "Quedan {count} grabaciones por enviar.",
    },
    keepOpen: "Por favor, deje abierta esta página.",
    notTaken:
      "El servidor no las acepta en este momento; esta página lo vuelve a intentar por sí sola.",
    unsendable: {
      one: "No se puede enviar {count} grabación.",
      many: "No se pueden enviar {count} de grabaciones.",
      other: "No se pueden enviar {count} grabaciones.",
    },
    unreadable:
      "El servidor responde, pero no deja que esta página lea sus respuestas (no indica Access-Control-Allow-Origin, o se interrumpe). Puede que ya tenga algunas.",
    http401: "El servidor pide un permiso que esta página no tiene (401).",
    http403: "El servidor no deja que esta página las envíe (403).",
    http404: "La dirección para las grabaciones no existe (404).",
    http405: "La dirección no acepta grabaciones (405).",
    http410: "La dirección para las grabaciones ya no existe (410).",
    http413: "Son demasiado grandes para el servidor (413).",
    http415: "El servidor no acepta grabaciones de este tipo (415).",
    redirect:
      "La dirección para las grabaciones lleva a otra, a la que esta página no debe enviarlas.",
    notHttps:
      "La dirección para las grabaciones empieza por http, adonde las páginas con https no pueden enviar nada.",
    damaged: "La memoria de este navegador ha perdido una parte de ellas.",
    refused: "El servidor no las acepta ({code}).",
    kept: {
      one: "{count} grabación en este dispositivo.",
      many: "{count} de grabaciones en este dispositivo.",
      other: "{count} grabaciones en este dispositivo.",
    },
    keptHint: "Puede guardarlas después de la sesión.",
    toSave: {
      one: "Queda {count} grabación por guardar.",
      many: "Quedan {count} de grabaciones por guardar.",
      other: "Quedan {count} grabaciones por guardar.",
    },
    toSaveHint: "Hasta que las guarde, solo están en este dispositivo.",
    toSaveOfSome: "Las que quedan por guardar solo están, hasta entonces, en este dispositivo.",
    savedAll: "Ha guardado todas las grabaciones.",
    savedOthers: "Ha guardado las demás.",
    savedHint: "Compruebe por favor que están en sus descargas antes de cerrar esta página.",
  },
  door: {
    title: "Le damos la bienvenida",
    text: "Toque el botón cuando pueda empezar. El estudio comenzará entonces en este dispositivo.",
    leftAlone:
      "La ventana en la que participaba está cerrada. Puede continuar aquí: toque el botón cuando pueda empezar.",
    ready: "Puedo empezar",
    titleElsewhere: "Ya está participando en otro lugar",
    inThisBrowser:
      "Este estudio está abierto en otra pestaña o ventana de este navegador. Puede continuar allí o participar aquí en su lugar.",
    inAnother:
      "Este estudio está abierto en otro dispositivo o en otro navegador. Puede continuar allí o participar aquí en su lugar.",
    elsewhere:
      "Este estudio está abierto en otra pestaña o ventana, o en otro dispositivo. Puede continuar allí o participar aquí en su lugar.",
    takeOver: "Participar aquí",
    check: "Comprobar antes este dispositivo",
  },
  client: {
    imagesHereTap: "Las imágenes aparecerán aquí. Toque la página para llenar la pantalla.",
    incompleteLink: "Este enlace está incompleto.",
    incompleteLinkHint: "Abra por favor el enlace entero que recibió.",
    refusedLink: "Este enlace no es válido, o ya no lo es.",
    refusedLinkHint: "Pida por favor uno nuevo.",
    connectingTo: "Conectando con {name} …",
    connectedTo: "Hay conexión con {name}.",
    interrupted: "La conexión se ha interrumpido.",
    interruptedHint: "Vuelve por sí sola. Espere por favor.",
    ended: "La sesión ha terminado. Gracias.",
    endedHint: "Puede cerrar esta página.",
    endedEarly: "La sesión se terminó antes de empezar.",
    anotherTry: "Espere aquí por favor a otro intento.",
    replaced: "Está a punto de empezar una nueva sesión.",
    replacedHint: "Espere un momento por favor.",
    peerGone: "La sesión ha terminado: la otra parte se ha ido.",
    peerGoneHint: "Puede esperar aquí a otra.",
    claimedElsewhere: "Está participando en otra ventana o en otro dispositivo.",
    claimedElsewhereHint:
      "Esta página no hace falta. Para usarla, cierre la otra y vuelva a cargar esta.",
    relayShutdown: "La sesión no ha podido empezar.",
    tokenExpired: "El tiempo de esta sesión ha terminado.",
    tokenExpiredHint: "Para participar en otra, pida un enlace nuevo.",
    connectionLost: "La conexión se perdió y no se pudo restablecer.",
    connectionLostHint: "Puede esperar aquí a una nueva sesión.",
    connectTimeout: "No se ha podido establecer conexión con la otra parte.",
    connectTimeoutHint: "Espere aquí por favor a otro intento, o pruebe con otra red.",
    negotiationFailed: "No se ha podido establecer la conexión.",
    negotiationFailedHint: "Espere aquí por favor a otro intento, o vuelva a cargar esta página.",
    unsupported: "Esta conexión no es posible con estos navegadores.",
    unsupportedHint:
      "Espere aquí por favor a otro intento, o abra esta página en otro navegador.",
    signallingLost: "Se perdió el servidor antes de que empezara la sesión.",
    signallingLostHint: "Espere aquí por favor.",
    withDetail: "{hint} (Para la asistencia: {detail})",
    connecting: "Conectando …",
    ready: "Listo.",
    imagesHere: "Las imágenes aparecerán aquí.",
  },
  invite: {
    subject: "Su enlace para nuestra sesión",
    greeting: "Hola:",
    link: "Este es su enlace personal para nuestra sesión:",
    device: "Ábralo en el navegador del dispositivo en el que quiera ver las imágenes. No tiene que instalar nada.",
    until: "El enlace es válido hasta el {time}.",
    alone: "Es solo para usted; por favor, no lo comparta.",
  },
  browser: {
    tooOld: "Este navegador es demasiado antiguo para esta página.",
    tooOldHint:
      "Actualícelo, por favor, o abra el mismo enlace en una versión reciente de Chrome, Edge, Firefox o Safari. En un iPhone o iPad, actualice el propio dispositivo: Ajustes, General, Actualización de software.",
    lockdown: "El modo de aislamiento impide que esta página funcione.",
    lockdownHint:
      "Toque el símbolo de los ajustes de la página junto a su dirección, desactive el modo de aislamiento para este sitio web y vuelva a cargar la página. O abra el mismo enlace en otro dispositivo.",
    noWebRtc: "Este navegador no puede mostrar las imágenes.",
    noWebRtcHint:
      "No deja que esta página se conecte, quizá por una extensión o por un ajuste de privacidad. Abra, por favor, el mismo enlace en Chrome, Edge, Firefox o Safari.",
    inside: "Está dentro de {program}, y no en su navegador.",
    insideAnother: "Está dentro de otra aplicación, y no en su navegador.",
    openOnIos:
      "Ahí es posible que la sesión no funcione bien. Toque el menú o la brújula en el borde de la pantalla y elija «Abrir en el navegador» o «Abrir en Safari». O copie el enlace y péguelo en Safari, donde está la dirección.",
    openOnAndroid:
      "Ahí es posible que la sesión no funcione bien. Toque el menú (⋮) de arriba y elija «Abrir en el navegador» o «Abrir en Chrome». O copie el enlace y péguelo en su navegador, donde está la dirección.",
    openElsewhere:
      "Ahí es posible que la sesión no funcione bien. Copie el enlace y péguelo en su navegador, donde está la dirección.",
    copyLink: "Copiar el enlace",
    copied: "El enlace está copiado. Abra ahora su navegador y péguelo donde está la dirección.",
    copyByHand: "Copie usted mismo el enlace del campo, por favor: manténgalo pulsado y elija «Copiar».",
    link: "Su enlace",
    goOn: "Continuar aquí",
  },
  size: {
    offer: "Medir esta pantalla",
    offerAgain: "Medir esta pantalla de nuevo",
    wanted: "Las imágenes se mostrarán en su tamaño real. Para ello, hay que medir esta pantalla una vez.",
    wantedDistance:
      "Las imágenes se mostrarán con el tamaño que deben tener vistas desde su sitio. Para ello, hay que medir esta pantalla y la distancia a la que está usted.",
    measured: "Esta pantalla está medida.",
    otherScreen: "Esta no es la pantalla que se midió, o su configuración ha cambiado. Mídala de nuevo, por favor.",
    screenTitle: "¿Qué tamaño tiene esta pantalla?",
    cardText:
      "Sostenga una tarjeta bancaria plana contra el recuadro de la pantalla. Mueva el control hasta que el recuadro sea exactamente tan ancho como la tarjeta.",
    cardUpright:
      "Sostenga una tarjeta bancaria en vertical y plana contra el recuadro de la pantalla. Mueva el control hasta que el recuadro sea exactamente tan ancho como el lado corto de la tarjeta.",
    rulerText:
      "Sostenga una regla contra la barra de la pantalla. Mueva el control hasta que la barra mida exactamente {length} cm.",
    slider: "Anchura",
    narrower: "Un poco más estrecho",
    wider: "Un poco más ancho",
    fits: "Coincide",
    useRuler: "Usar mejor una regla",
    useCard: "Usar mejor una tarjeta bancaria",
    later: "Ahora no",
    distanceTitle: "¿A qué distancia está usted?",
    distanceText:
      "Siéntese como va a sentarse para ver las imágenes. Mida desde sus ojos hasta la pantalla, o deje que la página lo averigüe.",
    centimetres: "Distancia en centímetros",
    useDistance: "Usar esta distancia",
    distanceWrong: "Escriba un número de {least} a {most}, por favor.",
    findOut: "Averiguarlo sin regla",
    tooNarrow:
      "Para averiguarlo hace falta más anchura. Ponga el dispositivo en horizontal o haga la ventana más ancha, o escriba la distancia.",
    blindTitle: "Averiguar la distancia",
    blindText:
      "Tápese el ojo derecho. Mire la cruz con el ojo izquierdo y no aparte la vista de ella. Un punto se aleja de la cruz. En cuanto deje de ver el punto, toque la pantalla o pulse la barra espaciadora.",
    begin: "Empezar",
    vanished: "El punto ha desaparecido",
    stop: "Parar",
    turn: "Medición {number} de {total}",
    found: "Está usted a unos {distance} cm. Las mediciones se apartan de eso hasta {within} cm.",
    unsure: "Las mediciones son muy diferentes. Mida de nuevo, por favor, o escriba la distancia.",
    again: "Medir de nuevo",
    typeIt: "Escribir la distancia",
  },
};
