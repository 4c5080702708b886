/**
 * The last round trips and one-way times as a small drawing. The numbers are beside it in text.
 *
 * @import { Trip } from "./latency.js"
 */

import { MAX_TRIPS } from "./latency.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 96;
const LEFT = 44;
const RIGHT = 6;
const TOP = 10;
const BOTTOM = 8;
/** Of the scale, at least: milliseconds. */
const LEAST = 1;

export class Plot {
  #drawing = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });

  /** @param {Element} place */
  constructor(place) {
    place.append(this.#drawing);
  }

  /** @param {readonly Trip[]} trips @param {string} label what it shows, in words */
  render(trips, label) {
    this.#drawing.setAttribute("aria-label", label);
    const top = niceCeiling(Math.max(LEAST, ...trips.map((trip) => trip.roundTrip)));
    /** @param {number} ms */
    const y = (ms) => {
      const inside = Math.min(top, Math.max(0, ms));
      return HEIGHT - BOTTOM - (inside / top) * (HEIGHT - TOP - BOTTOM);
    };
    /** @param {number} place */
    const x = (place) => LEFT + ((place + 0.5) / MAX_TRIPS) * (WIDTH - LEFT - RIGHT);
    const first = MAX_TRIPS - trips.length;
    const points = trips.map((trip, place) => `${x(first + place)},${y(trip.roundTrip)}`);
    const dots = trips.flatMap(({ oneWay }, place) =>
      oneWay === null ? [] : [draw("circle", { class: "way", cx: x(first + place), cy: y(oneWay.value), r: 2.5 })],
    );
    this.#drawing.replaceChildren(
      ...[0, top / 2, top].flatMap((ms) => gridLine(y(ms), ms)),
      draw("polyline", { class: "trip", points: points.join(" ") }),
      ...(points.length === 1 ? [draw("circle", { class: "only", cx: x(first), cy: y(trips[0]?.roundTrip ?? 0), r: 2 })] : []),
      ...dots,
    );
  }
}

/** @param {number} y @param {number} ms */
function gridLine(y, ms) {
  const label = draw("text", { x: LEFT - 5, y: y + 3.5, "text-anchor": "end" });
  label.textContent = `${ms} ms`;
  return [draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }), label];
}

/** @param {number} value above 0 @returns {number} 1, 2 or 5 times a power of ten, not below it */
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function draw(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
