/**
 * For browsers in which the modules of the page don't run, as they are too old: says so, in a script that any
 * browser understands. What it says is taken out of the file of the reader's language, where it stands as
 * in JSON.
 */
(function () {
  "use strict";

  var script = document.getElementById("old");
  var folder = script && (script.getAttribute("src") || "").replace(/page\/old\.js$/, "languages/");

  // What came last of all that the page needs; Chrome 100, Firefox 97, Safari 15.4. `client/start.js` asks the same.
  var isRecent = "AbortSignal" in window && "throwIfAborted" in AbortSignal.prototype && "hasOwn" in Object;
  if (!isRecent) speak(listTags());

  function listTags() {
    var asked = /[?&]lang=([a-z-]+)/i.exec(location.search);
    var wanted = (asked ? [asked[1]] : []).concat(navigator.languages || [navigator.language || ""]);
    var tags = [];
    for (var i = 0; i < wanted.length; i += 1) tags.push(wanted[i], String(wanted[i]).split("-")[0]);
    return tags.concat("en");
  }

  /** In the first of these languages that there is. */
  function speak(/** @type {(string | undefined)[]} */ tags) {
    var tag = tags[0];
    var request = new XMLHttpRequest();
    request.open("GET", folder + encodeURIComponent(String(tag)) + ".js");
    request.onreadystatechange = function () {
      if (request.readyState !== 4) return;
      if (request.status === 200) write(request.responseText);
      else if (tags.length > 1) speak(tags.slice(1));
    };
    request.send();
  }

  function write(/** @type {string} */ texts) {
    document.documentElement.dir = find(texts, "direction");
    fill("text", find(texts, "tooOld"));
    fill("hint", find(texts, "tooOldHint"));
  }

  function find(/** @type {string} */ texts, /** @type {string} */ name) {
    var found = new RegExp("\\b" + name + ':\\s*("(?:[^"\\\\]|\\\\.)*")').exec(texts);
    return found ? JSON.parse(String(found[1])) : "";
  }

  function fill(/** @type {string} */ id, /** @type {string} */ text) {
    var element = document.getElementById(id);
    if (element) element.innerHTML = "";
    if (element) element.appendChild(document.createTextNode(text));
  }
})();
