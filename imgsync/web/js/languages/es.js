/** @type {import("./en.js").Texts} */
export default {
  name: "Español",
  direction: "ltr",
  client: {
    connecting: "Conectando …",
    ready: "Listo.",
    imagesHere: "Las imágenes aparecerán aquí.",
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
};
