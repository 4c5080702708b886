/** @type {import("./en.js").Texts} */
export default {
  name: "Deutsch",
  direction: "ltr",
  client: {
    connecting: "Verbindung wird hergestellt …",
    ready: "Bereit.",
    imagesHere: "Hier erscheinen die Bilder.",
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
};
