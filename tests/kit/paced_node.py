"""A relay of ours that is one of several nodes, and does in less time what takes it some.

    python -m tests.kit.paced_node PACE OPTION...

PACE is JSON, as `node_relays.Pace` writes it; the options are those of the relay.
"""

import json
import sys
from functools import partial
from typing import Any

from imgsync.commands.relay.main import main
from imgsync.commands.signals import leave_on_ctrl_c, leave_with
from imgsync.relay.nodes import driver, hearing, link, reading, store


def hasten(pace: dict[str, Any]) -> None:
    """Before anything of it runs."""
    lease = pace["lease"]
    store.open_store = partial(store.open_store, lease=lease, inbox=pace["inbox"])
    driver.RENEW_S = 0.3 * lease
    driver.RETRY_S = hearing.RETRY_S = reading.RETRY_S = 0.1
    driver.TRIM = max(1, pace["inbox"] // 8)
    store.BLOCK_S = link.SILENCE_S = pace["silence"]
    link.CALL_S = pace["call"]
    store.CALL_S = pace["call"]  # type: ignore[attr-defined]  # its own name for that of link
    if not pace["probes"]:

        async def probe(self: store.Store) -> None:
            pass

        store.Store.probe = probe  # type: ignore[method-assign]
        # That none of them is read means nothing then.
        reading.MISSED = sys.maxsize


if __name__ == "__main__":
    leave_on_ctrl_c()
    hasten(json.loads(sys.argv.pop(1)))
    leave_with(main(prog="python -m tests.kit.paced_node"))
