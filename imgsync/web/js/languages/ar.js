/** @type {import("./en.js").Texts} */
export default {
  name: "العربية",
  direction: "rtl",
  client: {
    connecting: "جارٍ الاتصال …",
    ready: "جاهز.",
    imagesHere: "ستظهر الصور هنا.",
  },
};
