/**
 * How long the ways take, as a drawing and in numbers.
 *
 * @import { Bounded } from "../core/channel/drift.js"
 * @import { Latency } from "./latency.js"
 */

import { find, setText } from "../page/dom.js";
import { describeClock, describePlot, describeSpread } from "../words/console.js";
import { median } from "./latency.js";
import { Plot } from "./plot.js";

export class LatencyView {
  #plot = new Plot(find("plot", HTMLElement));

  /** @param {Latency | null} latency @param {Bounded | null} offset of the client's clock */
  render(latency, offset) {
    const trips = latency?.trips ?? [];
    const roundTrip = spread(trips.map((trip) => trip.roundTrip));
    setText(find("round-trip", HTMLElement), roundTrip);
    const ways = trips.flatMap(({ oneWay }) => (oneWay === null ? [] : [oneWay]));
    const times = ways.map((way) => way.value);
    const oneWay = spread(times, ways.at(-1)?.bound);
    setText(find("one-way", HTMLElement), oneWay);
    setText(find("clock", HTMLElement), describeClock(offset));
    this.#plot.render(trips, describePlot(trips.length, roundTrip, oneWay));
  }
}

/** @param {number[]} values @param {number} [bound] of the last one */
function spread(values, bound) {
  const last = values.at(-1);
  return describeSpread(last === undefined ? null : { last, bound, median: median(values) });
}
