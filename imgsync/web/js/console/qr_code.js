/**
 * A QR code as a drawing: black on white with four modules of white around it, whatever the page
 * looks like, as many readers take no other (ISO/IEC 18004, 6.3.8).
 *
 * @typedef {{size: number, get: (x: number, y: number) => boolean}} Code `get`: whether a module is dark
 */

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4;

/**
 * @param {string} text
 * @param {string} label what it is, for who can't see it
 * @returns {Promise<SVGElement | null>} null where no code can hold so much
 */
export async function drawCode(text, label) {
  // It is loaded where somebody is invited.
  /** @type {{generate: any}} */
  const { generate } = await import("../vendor/lean-qr.js");
  const code = encode(() => generate(text));
  if (code === null) return null;
  const side = code.size + 2 * QUIET;
  const drawing = draw("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label });
  drawing.setAttribute("shape-rendering", "crispEdges");
  drawing.append(draw("rect", { width: String(side), height: String(side), fill: "#fff" }));
  drawing.append(draw("path", { d: strokesOf(code), fill: "#000" }));
  return drawing;
}

/** @param {() => Code} generate @returns {Code | null} */
function encode(generate) {
  try {
    return generate();
  } catch {
    return null;
  }
}

/** @param {Code} code */
function strokesOf({ size, get }) {
  let path = "";
  for (let y = 0; y < size; y += 1) {
    for (let x = 0, end = 0; x < size; x = end) {
      const isDark = get(x, y);
      for (end = x + 1; end < size && get(end, y) === isDark; ) end += 1;
      if (isDark) path += `M${QUIET + x} ${QUIET + y}h${end - x}v1h${x - end}z`;
    }
  }
  return path;
}

/** @param {string} tag @param {Record<string, string>} attributes @returns {SVGElement} */
function draw(tag, attributes) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
