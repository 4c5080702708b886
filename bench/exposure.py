"""Is an image on the screen for exactly as many refreshes as were asked for, and does the record say so?

The evaluator is the library in this process, the client is the page of the relay in headless Chromium,
which has 60 frames a second. Images are shown for 3, 6 and 12 frames each. For how many each was up, a
trace of the browser tells (`PipelineReporter`: when the frame that put it up was presented, and when
the one that took it away), and not the page. A trace names the frames, too, that the compositor
dropped meanwhile.

Exit code 1 where of the images without a dropped frame less than 99 % were up for exactly as many as
asked for, or where the record does not name one that was not: the `frames` of its `hidden` are then
others than were asked for, or it has `dropped` some.

Then keys are pressed at times of our choice, some of them while the page is busy. `error` is from the
reaction time that the page tells to the one of the trace: from the presentation to the key.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import harness
import pytest
import trio

import imgsync
from imgsync.core.protocol.trials import Respond, Trial

if TYPE_CHECKING:
    from tests.kit.browsers import Started

FRAME = 1000 / 60  # ms, of a browser without a screen
COUNTS = (3, 6, 12)  # frames
ROUNDS, QUICK_ROUNDS = 200, 15  # showings of each
KEYS, QUICK_KEYS = 60, 10
RIGHT = 0.99  # of those without a dropped frame

SIZE = (1000, 800)  # pixels
AHEAD = 6  # images
PAUSES = (0.05, 0.15)  # s, from the end of one to the next
KEY_AFTER = (0.15, 0.3)  # s, since the onset
BUSY_MS = 40  # for which the page hears of nothing while every second key is pressed
WAIT_S = 30.0

CATEGORIES = ("cc", "benchmark", "viz", "devtools.timeline", "blink.user_timing")

# Says in the trace in which frame an image was put into the document, and in which it was taken out.
MARKS = """
window.count = 0;
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.id !== "stage") continue;
    for (const { tagName } of addedNodes) {
      if (tagName === "IMG") performance.mark(`put ${(count += 1) - 1}`);
      else performance.mark(`gone ${count - 1}`);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""

TOLD = """
sent.filter((one) => one.type === "stage" && one.stage === "hidden")
"""
