/**
 * How long the ways take, as a drawing and in numbers.
 *
 * @import { Bounded } from "../core/channel/clocks.js"
 * @import { Latency } from "./latency.js"
 */

import { find, say } from "../page/dom.js";
import { formatMs, median } from "./latency.js";
import { Plot } from "./plot.js";

export class LatencyView {
  #plot = new Plot(find("plot", HTMLElement));

  /** @param {Latency | null} latency @param {Bounded | null} offset of the client's clock */
  render(latency, offset) {
    const trips = latency?.trips ?? [];
    const roundTrip = spread(trips.map((trip) => trip.roundTrip)) || "not measured yet";
    say(find("round-trip", HTMLElement), roundTrip);
    const ways = trips.flatMap(({ oneWay }) => (oneWay === null ? [] : [oneWay]));
    const times = ways.map((way) => way.value);
    const oneWay = spread(times, ways.at(-1)?.bound) || "not measured yet";
    say(find("one-way", HTMLElement), oneWay);
    say(find("clock", HTMLElement), describeClock(offset));
    this.#plot.render(trips, `The last ${trips.length} round trips: ${roundTrip}. One way: ${oneWay}.`);
  }
}

/** @param {number[]} values @param {number} [bound] @returns {string} empty where there are none */
function spread(values, bound) {
  const last = values.at(-1);
  if (last === undefined) return "";
  const within = bound === undefined ? "" : ` \u00b1\u00a0${formatMs(bound)}`;
  return `${formatMs(last)}${within}, median ${formatMs(median(values))}`;
}

/** @param {Bounded | null} offset */
function describeClock(offset) {
  if (offset === null) return "not compared yet";
  const { value, bound } = offset;
  const side = value < 0 ? "behind" : "ahead";
  const within = `\u00b1\u00a0${formatMs(bound)} (about half the shortest round trip)`;
  return `${formatMs(Math.abs(value))} ${side}, ${within}`;
}
