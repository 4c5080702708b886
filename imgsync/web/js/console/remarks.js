/**
 * What there is to say to the evaluator of the client, and of what could not be shown to it.
 *
 * @import { ChannelMessage, Display } from "../core/protocol/wire.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 */

import { describeRecording, describeTooLong, describeUnsendable } from "../words/console.js";

export class Remarks {
  /** Why the last image was not shown. */
  trouble = "";
  /** What the client shows images on, as it has said last. @type {Display | null} */
  display = null;
  /** What the client speaks, as it says itself; null until then. @type {readonly string[] | null} */
  speaks = null;
  /** What is the matter with the recording of the participant. */
  #recording = "";

  /** What is in the way. */
  get text() {
    return this.trouble || this.#recording;
  }

  /** @param {ChannelMessage} message of the client's */
  hear(message) {
    if ("type" in message && message.type === "ready") this.speaks = message.features;
  }

  /** @param {PresenterOutput} output */
  heed(output) {
    switch (output.kind) {
      case "tooLarge":
        this.trouble = describeTooLong(output.image.imageIndex);
        break;
      case "unsendable":
        this.trouble = describeUnsendable(output.image.imageIndex, output.feature);
        break;
      case "recorded":
        this.#recording = describeRecording(output.devices, output.troubles);
        break;
      case "displayed":
        this.display = output.said;
    }
  }
}
