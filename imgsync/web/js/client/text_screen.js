/** What is put up for a text: as large as it can be read well, and scrolled where it does not fit. */

/** @param {string} text with its line breaks @returns {HTMLElement} */
export function makeTextScreen(text) {
  const screen = document.createElement("div");
  screen.className = "text";
  // Browsers tell of text by the element that it is in.
  const words = document.createElement("p");
  words.dir = "auto";
  words.textContent = text;
  screen.append(words);
  return screen;
}
