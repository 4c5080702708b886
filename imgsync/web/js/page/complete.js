/**
 * Has the page loaded anew if a part of it does not come: a script, what one imports, a style sheet, or
 * the end of the page itself. The relay writes this into the page, so that it is there before all that may
 * not come. A script that any browser understands.
 */
(function () {
  "use strict";

  var PAUSE_MS = 5000;
  /** A part that does not come so soon after the page was loaded for that is not asked for again at once. */
  var SOON_MS = 60000;
  /** A connection may be dead without anybody saying so. */
  var PATIENCE_MS = 10000;

  var isIncomplete = false;
  /** Some browsers say that what a page still loads has failed, when it is left. */
  var isLeft = false;

  // Those that have not even this are told that they are too old.
  if (!("replaceState" in history)) return;

  addEventListener("error", function (event) { if (isPart(event.target)) loadAgain(); }, true);
  // A module says so of what it has imported while it ran.
  addEventListener("incomplete", loadAgain);
  addEventListener("beforeunload", function () { isLeft = true; });
  addEventListener("DOMContentLoaded", function () {
    if (!document.querySelector("body > noscript")) loadAgain();
  });

  /** Extensions of the browser put scripts of theirs into pages, too. @param {EventTarget | null} target */
  function isPart(target) {
    if (!(target instanceof Element) || !("matches" in target)) return false;
    return target.matches('script[src^="web/"], link[rel="stylesheet"][href^="web/"]');
  }

  /** As soon as the relay is there: at once, and after that with pauses. */
  function loadAgain() {
    if (isIncomplete) return;
    isIncomplete = true;
    var wasJustLoadedAgain = Date.now() - history.state < SOON_MS;
    setTimeout(ask, isLeft ? SOON_MS : wasJustLoadedAgain ? PAUSE_MS : 0);
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.onloadend = function () {
      if (request.status === 200) reload();
      else setTimeout(ask, PAUSE_MS);
    };
    request.open("GET", location.href);
    // A browser that goes back to a page would take the copy that it has.
    request.setRequestHeader("cache-control", "no-cache");
    request.timeout = PATIENCE_MS;
    request.send();
  }

  function reload() {
    history.replaceState(Date.now(), "");
    location.reload();
  }
})();
