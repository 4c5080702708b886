/** @type {import("./en.js").Texts} */
export default {
  name: "Deutsch",
  direction: "ltr",
  client: {
    connecting: "Verbindung wird hergestellt …",
    ready: "Bereit.",
    imagesHere: "Hier erscheinen die Bilder.",
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
