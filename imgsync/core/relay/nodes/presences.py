"""Where the clients of all nodes stand, as one node has heard of it.

Which of two news is the later one, their versions say: it hears of them on several ways. That
somebody is gone is remembered for a while, as older news may still come.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from imgsync.core.protocol.signalling import UserId
from imgsync.core.relay.nodes.records import load_standing
from imgsync.core.relay.nodes.store import ABSENT, Hint
from imgsync.core.relay.standings import Standing

MAX_GONE = 4096
"""Clients of which it is remembered that they are gone."""


class Presences:
    """See the module."""

    def __init__(self) -> None:
        self._known: dict[UserId, tuple[int, Standing]] = {}
        self._gone: OrderedDict[UserId, int] = OrderedDict()
        #: The last version that was heard of, and the one that was to be heard of by now.
        self._heard = 0
        self._expected = 0
        #: When whoever has not been heard of again is gone; infinity where that is known of all.
        self.due = math.inf

    def begin_again(self, due: float) -> None:
        """What was heard counts no more, but as long as not all can have been heard of again."""
        self._known = {client_id: (ABSENT, one) for client_id, (_, one) in self._known.items()}
        self._gone.clear()
        self._heard = self._expected = 0
        self.due = due

    def find(self, client_id: UserId) -> Standing | None:
        """Where it stands; None where it is not online."""
        known = self._known.get(client_id)
        return None if known is None else known[1]

    def put(self, client_id: UserId, version: int, standing: Standing | None) -> bool:
        """It stands here since this version. Returns whether that is news."""
        before = self._known.get(client_id)
        if version <= (self._gone.get(client_id, -1) if before is None else before[0]):
            return False
        if standing is None:
            if before is not None and before[0] == ABSENT:
                return False  # it may be on its way back
            self._drop(client_id, version)
        else:
            self._gone.pop(client_id, None)
            self._known[client_id] = version, standing
        return (None if before is None else before[1]) != standing

    def _drop(self, client_id: UserId, version: int) -> None:
        self._known.pop(client_id, None)
        self._gone[client_id] = version
        if len(self._gone) > MAX_GONE:
            self._gone.popitem(last=False)

    def replace(self, version: int, there: Mapping[UserId, tuple[int, str]]) -> Sequence[UserId]:
        """All that there were, by this version. Returns those that it may be news of."""
        self._heard = max(self._heard, version)
        news = [
            client_id
            for client_id, (since, _) in self._known.items()
            if client_id not in there and since <= version and self.due == math.inf
        ]
        for client_id in news:
            self._drop(client_id, version)
        for client_id, (since, text) in there.items():
            if self.put(client_id, since, load_standing(client_id, text)):
                news.append(client_id)
        return news

    def hint(self, hint: Hint) -> bool:
        """One stands elsewhere. Returns whether that is news."""
        self._heard = max(self._heard, hint.version)
        standing = None if hint.text is None else load_standing(hint.client_id, hint.text)
        return self.put(hint.client_id, hint.version, standing)

    def misses_some(self, version: int) -> bool:
        """Whether the last change that was to be heard of is not known yet. Then ask for all.

        :param version: the last one that there was by now.
        """
        missed = self._heard < self._expected
        self._expected = version
        return missed
