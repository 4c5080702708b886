/**
 * Whether a participant can take part in this browser, and whether it is one: mail and chat programs open
 * links in windows of their own, which can't fill the screen, forget what they are asked to keep, and lose
 * the page when a message comes in.
 *
 * @typedef {object} Seen
 * @property {string} userAgent
 * @property {readonly string[]} brands of Client Hints, where the browser has them
 * @property {number} touchPoints
 * @property {boolean} isInstalled whether it was opened from the home screen, as a program of its own
 * @property {boolean} isRecent whether it has what the page needs and came last
 * @property {boolean} hasWebRtc
 * @property {boolean} hasWebAssembly
 *
 * @typedef {"tooOld" | "lockdown" | "noWebRtc"} Lack
 * @typedef {"ios" | "android" | "other"} System
 *
 * @typedef {object} Judgement
 * @property {Lack | null} lack why nobody can take part here
 * @property {string | null} program whose window it is, "" where it has no name; null for a browser
 * @property {System} system
 */

/** The first one that is there. @type {readonly [mark: RegExp, program: string][]} */
const PROGRAMS = [
  [/\bMessenger(?:ForiOS|Lite)\b|\bOrca-Android\b|\bFB_IAB\/(?:MESSENGER|Orca)/, "Messenger"],
  [/\bInstagram\b/, "Instagram"],
  [/\bBarcelona \d/, "Threads"],
  [/\bFB(?:AN|AV|_IAB)\//, "Facebook"],
  [/\bWhatsApp\/|\bWAiOS\//, "WhatsApp"],
  [/\bLine\/\d/, "LINE"],
  [/\bMicroMessenger\//, "WeChat"],
  [/\bQQ\/\d/, "QQ"],
  [/\bBytedanceWebview\/|\bmusical_ly|\btrill_|\bByteLocale\//, "TikTok"],
  [/\bLinkedInApp\b/, "LinkedIn"],
  [/\bSnapchat\//, "Snapchat"],
  [/\bTwitter(?:Android\b| for iP)/, "X"],
  [/\bTelegram\b/, "Telegram"],
  [/\bKAKAOTALK\b/, "KakaoTalk"],
  [/\bZalo\//, "Zalo"],
  [/\bNAVER\(inapp/, "NAVER"],
  [/\bOutlook\b/, "Outlook"],
  [/\bTeams(?:Mobile-|\/)/, "Teams"],
  [/\bSlack\//, "Slack"],
  [/\bdiscord\//i, "Discord"],
  [/\bBlueMail\b/, "BlueMail"],
  [/\bThunderbird\//, "Thunderbird"],
  [/\bYJApp-/, "Yahoo"],
  [/\bGSA\//, "Google"],
];

/** These are browsers, although they say what otherwise only windows of other programs say. */
const BROWSERS =
  /\b(?:DuckDuckGo|Ddg|Focus|FxiOS|CriOS|EdgiOS|EdgA|OPT|OPiOS|OPR|Ecosia|VivoBrowser|MiuiBrowser|YaBrowser|UCBrowser|MQQBrowser)\b/;

const ANDROID_WINDOW = /; wv\)/;
const DESKTOP_PROGRAM = /\bElectron\//;
/** Engine of all browsers on iOS; Safari and those that are like it name it behind that. */
const WEBKIT_OF_APPLE = /\((?:iP(?:hone|ad|od)|Macintosh)\b.*\bAppleWebKit\//;
const CHROMIUM = /\bChrom(?:e|ium)\//;

/** @param {Seen} seen @returns {Judgement} */
export function judgeBrowser(seen) {
  return { lack: findLack(seen), program: findProgram(seen), system: findSystem(seen) };
}

/** @param {Seen} seen @returns {Lack | null} */
function findLack({ userAgent, isRecent, hasWebRtc, hasWebAssembly }) {
  if (!isRecent) return "tooOld";
  if (hasWebRtc) return null;
  // Lockdown Mode takes both away, and nothing else does so there.
  const isLockedDown = !hasWebAssembly && isOfApple(userAgent);
  return isLockedDown ? "lockdown" : "noWebRtc";
}

/** @param {Seen} seen @returns {string | null} */
function findProgram({ userAgent, brands, isInstalled }) {
  const named = PROGRAMS.find(([mark]) => mark.test(userAgent));
  if (named !== undefined) return named[1];
  if (isInstalled || BROWSERS.test(userAgent)) return null;
  const isWindow =
    ANDROID_WINDOW.test(userAgent) ||
    brands.includes("Android WebView") ||
    DESKTOP_PROGRAM.test(userAgent) ||
    (isOfApple(userAgent) && !userAgent.includes("Safari/"));
  return isWindow ? "" : null;
}

/** @param {Seen} seen @returns {System} */
function findSystem({ userAgent, touchPoints }) {
  if (/\bAndroid\b/.test(userAgent)) return "android";
  // An iPad says that it is a Mac, which has no touch screen.
  const isTablet = userAgent.includes("(Macintosh") && touchPoints > 1;
  return isTablet || /\(iP(?:hone|ad|od)\b/.test(userAgent) ? "ios" : "other";
}

/** @param {string} userAgent */
function isOfApple(userAgent) {
  return WEBKIT_OF_APPLE.test(userAgent) && !CHROMIUM.test(userAgent);
}
