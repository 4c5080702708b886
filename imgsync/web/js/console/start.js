/** The start of the console: it is at the relay with these few files, while all others load. */

import { enter } from "../page/entrance.js";
import { loadAgain, opened, relayUrl } from "../page/first.js";

const entrance = enter("evaluator", { opened, relayUrl });
import("./console.js").then(({ begin }) => begin(entrance), loadAgain);
