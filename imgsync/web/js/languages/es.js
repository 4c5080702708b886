/** @type {import("./en.js").Texts} */
export default {
  name: "Español",
  direction: "ltr",
  client: {
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
};
