/** @type {import("./en.js").Texts} */
export default {
  name: "Español",
  direction: "ltr",
  client: {
    connecting: "Conectando …",
    ready: "Listo.",
    imagesHere: "Las imágenes aparecerán aquí.",
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
