"""The inbox of one boot, as it is read; and whether it is.

Where probes of our own are put into it and do not come out, what is read is another's, or nobody's.
"""

import logging

import trio

from imgsync.core.protocol.errors import StoreAway
from imgsync.core.relay.nodes.store import Entry
from imgsync.relay.nodes.store import Store

log = logging.getLogger(__name__)

RETRY_S = 0.5
"""Seconds between two attempts to read from a store that is away."""

MISSED = 2
"""Probes that were put into the inbox and have not been read."""


class Reading:
    """See the module.

    :ivar last: the last entry that was read, by its id.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.last = "0-0"

    async def next(self) -> list[Entry]:
        """Those behind the last one; none where it was not heard, and is listened to anew.

        Raises EpochLost and LeaseLost.
        """
        for _ in range(MISSED + 1):
            if entries := await self._read():
                return entries
        log.error("the inbox of this node is not heard: it is listened to anew")
        self._store.listen_anew()
        return []

    async def _read(self) -> list[Entry]:
        """None where none came for a while; then one of our own is to come."""
        while True:
            try:
                entries = await self._store.read(self.last)
                if not entries:
                    await self._store.probe()
                return entries
            except StoreAway:
                # Calls tell whether all is away; the inbox is read on from where it was.
                await trio.sleep(RETRY_S)
