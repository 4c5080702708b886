/**
 * For browsers in which the modules of the page don't run, as they are too old: shows what is said of
 * that in place of all else. A script that any browser understands.
 */
(function () {
  "use strict";

  // What came last of all that the page needs: Chrome 100, Firefox 97, Safari 15.4. `client/start.js` asks the same.
  var isRecent = "AbortSignal" in window && "throwIfAborted" in AbortSignal.prototype && "hasOwn" in Object;
  if (isRecent) return;
  var told = document.getElementById("too-old");
  var status = document.getElementById("status");
  if (told) told.removeAttribute("hidden");
  if (status) status.setAttribute("hidden", "");
})();
