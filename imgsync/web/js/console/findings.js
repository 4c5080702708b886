/**
 * What is found of a client while its session lasts: how long the way to it is, and what it shows images on.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Presentation } from "./presentation.js"
 */

import { ClientFacts } from "./client_facts.js";
import { LatencyView } from "./latency_view.js";

export class Findings {
  #latency = new LatencyView();
  #facts = new ClientFacts();

  /**
   * @param {Presentation | null} presentation the session, or the last one
   * @param {boolean} isLive
   * @param {readonly Listed[]} images to be shown
   */
  render(presentation, isLive, images) {
    this.#latency.render(presentation?.latency ?? null, presentation?.clockOffset ?? null);
    this.#facts.render(isLive && presentation !== null ? presentation.remarks : null, images);
  }
}
