"""What is told of images before a session: how far their check has come, what is left out, and
whether clients can fetch them."""

import sys
import time

from imgsync.commands.events import LeftOut, OutOfReach, find_out_of_reach, group_left_out
from imgsync.commands.output import Output
from imgsync.commands.reasons import advice_on_left_out
from imgsync.core.network.reach import RelayPlace
from imgsync.images.folder import NOT_SHOWN
from imgsync.images.sources import Images

SLOW = 1.0
"""Seconds after which people want to know what goes on."""


class Checking:
    """A line on a terminal, where reading a folder takes long."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._is_told = False

    def tell(self, done: int, count: int) -> None:
        """So many files of so many are checked."""
        if not sys.stderr.isatty():
            return
        if done == count:
            if self._is_told:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._begun >= SLOW:
            self._is_told = True
            print(f"\rchecking images: {done} of {count}", end="", file=sys.stderr, flush=True)


def tell_of_images(images: Images, relay: RelayPlace, output: Output, prog: str) -> None:
    """To people on stderr, a line for each matter; to programs as events. Raises OutputLost."""
    events: list[LeftOut | OutOfReach] = [
        *group_left_out(images.left_out),
        *find_out_of_reach(relay, images),
    ]
    for event in events:
        if output.as_json:
            output.write(event)
        else:
            print(f"{prog}: {event.prose}", file=sys.stderr)
    for event in events:
        # What may have been meant to be shown; of other files people know.
        if isinstance(event, LeftOut) and event.why.endswith(NOT_SHOWN) and not output.as_json:
            print(f"{prog}: {advice_on_left_out(event.why)}", file=sys.stderr)
