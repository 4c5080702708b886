"""Answers of the participant: the client tells each until it is acknowledged, and each counts once.

    an answer ──▶ response                   response ──▶ response_ack, and Responded once
    a new channel ──▶ those that are kept    one too many of its showing ──▶ response_ack alone
    response_ack ──▶ no longer kept

Of one showing MAX_RESPONSES are told, and of the next that there are more. A page that is loaded
again counts from 1 again, and so an answer is known by its number and its time.
"""

from collections import OrderedDict

import attrs

from imgsync.core.protocol.channel import Response, ResponseAck, ResponseKind
from imgsync.core.protocol.numbers import MAX_RESPONSES, MAX_RESPONSES_KEPT, MAX_SETTLED
from imgsync.core.protocol.signalling import Milliseconds

_Showing = tuple[Milliseconds, int]


def _showing_of(one: Response | ResponseAck) -> _Showing:
    return one.sent_at, one.image_index


class Unacknowledged:
    """The client's side: what it has told, and may have to tell again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[_Showing, int], Response] = OrderedDict()
        #: How many answers the last showings had.
        self._counts: OrderedDict[_Showing, int] = OrderedDict()

    @property
    def kept(self) -> list[Response]:
        """What was told and not acknowledged, the oldest first."""
        return list(self._kept.values())

    def add(self, response: Response) -> list[Response]:
        """The participant answers. Returns what is told: it, that there are more, or nothing."""
        showing = _showing_of(response)
        count = self._counts.pop(showing, 0) + 1
        self._counts[showing] = count
        if len(self._counts) > MAX_SETTLED:
            self._counts.popitem(last=False)
        if count > MAX_RESPONSES + 1:
            return []
        if count > MAX_RESPONSES:
            of = (response.image_index, response.sent_at, response.number, response.at)
            response = Response(*of, ResponseKind.TOO_MANY, "")
        self._kept[showing, response.number] = response
        if len(self._kept) > MAX_RESPONSES_KEPT:
            self._kept.popitem(last=False)
        return [response]

    def acknowledged(self, ack: ResponseAck) -> None:
        """The evaluator has it."""
        self._kept.pop((_showing_of(ack), ack.number), None)


@attrs.define
class Heard:
    """The evaluator's side, of one showing: which answers were heard."""

    _heard: set[tuple[int, Milliseconds]] = attrs.field(factory=set)

    def is_news(self, said: Response) -> bool:
        """Whether it counts: it was not heard before, and is not one too many."""
        key = (said.number, said.at)
        if key in self._heard or len(self._heard) > MAX_RESPONSES:
            return False
        self._heard.add(key)
        return True
