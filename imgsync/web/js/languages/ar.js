/** @type {import("./en.js").Texts} */
export default {
  name: "العربية",
  direction: "rtl",
  client: {
    connecting: "جارٍ الاتصال …",
    ready: "جاهز.",
    imagesHere: "ستظهر الصور هنا.",
  },
  invite: {
    subject: "رابطكم لجلستنا",
    greeting: "مرحبًا،",
    link: "هذا رابطكم الشخصي لجلستنا:",
    device: "افتحوه في متصفح الجهاز الذي تريدون مشاهدة الصور عليه. لا حاجة إلى تثبيت أي شيء.",
    until: "الرابط صالح حتى {time}.",
    alone: "هذا الرابط لكم وحدكم، فالرجاء عدم إعطائه لأحد.",
  },
};
