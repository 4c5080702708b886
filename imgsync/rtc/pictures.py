"""The channel of pictures of one link, beside that of the talk.

It comes and goes without a word about the session, which lives by the other channel. What is said
on it before it is open waits for that; it is little, as nothing more is given until that is gone.
"""

import logging
from collections.abc import Callable
from functools import partial

from aiortc import InvalidStateError, RTCDataChannel, RTCPeerConnection, RTCSctpTransport

from imgsync.core.protocol.numbers import DATA_LABEL
from imgsync.rtc.outgoing import Outgoing
from imgsync.rtc.transports import has_unsent, watch_sending
from imgsync.seams import CarriedEvent, DataDrained, DataEvent, DataReceived, Shared, Unshared
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


class PictureChannel:
    """All but `post` is called on the loop thread.

    :param outgoing: what counts what the other side has not acknowledged.
    :param tell: told whether it is there.
    """

    def __init__(self, outgoing: Outgoing, tell: Callable[[DataEvent], None]) -> None:
        self._outgoing = outgoing
        self._tell = tell
        self._channel: RTCDataChannel | None = None
        #: Whether the other side may open it: it has the pictures.
        self.is_expected = False
        #: Messages; two numbers, as they are written where one is sent and on the loop thread.
        self._posted = self._taken = 0
        #: Whether what was given to it may wait in there.
        self._is_given = False
        self._early: list[str | bytes] = []
        self._hear: Callable[[CarriedEvent], None] = _drop

    def post(self) -> None:
        """A message goes to the loop thread, from whoever sends."""
        self._posted += 1

    def carry_aio(self, hear: Callable[[CarriedEvent], None]) -> None:
        """What happens on it is told there."""
        self._hear = hear

    def _carry_aio(self, event: CarriedEvent) -> None:
        try:
            self._hear(event)
        except Exception:  # one in a callback of aiortc's would end the connection
            log.exception("a message about pictures was not heard")

    def share_aio(self, pc: RTCPeerConnection) -> None:
        """Open it, on a connection that is there: a message in band, and no new offer."""
        if self._channel is None:
            channel = pc.createDataChannel(DATA_LABEL, ordered=True)
            channel.on("open", lambda: self._on_open_aio(channel))
            self._listen_aio(channel)

    def adopt_aio(self, channel: RTCDataChannel) -> bool:
        """The other side has opened a channel; whether it is this one."""
        is_ours = self.is_expected and channel.label == DATA_LABEL and self._channel is None
        if is_ours:
            self._listen_aio(channel)
            self._on_open_aio(channel)
        return is_ours

    def send_posted_aio(self, message: str | bytes) -> None:
        """Send what was posted."""
        self._taken += 1
        channel = self._channel
        if channel is not None and channel.readyState == "connecting":
            self._early.append(message)
        elif channel is not None:
            self._send_aio(channel, message)

    def _send_aio(self, channel: RTCDataChannel, message: str | bytes) -> None:
        self._is_given = True
        try:
            channel.send(message)
        except (InvalidStateError, ValueError) as exc:
            log.info("a message about pictures was not sent: %r", exc)

    def _listen_aio(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        self._outgoing.beside_aio(channel)
        watch_sending(channel.transport, partial(self._look_aio, channel.transport))
        channel.on("message", lambda message: self._carry_aio(DataReceived(message, now_ms())))
        channel.on("close", lambda: self._tell(Unshared()))
        channel.on("error", lambda exc: log.info("the channel of pictures reports %r", exc))

    def _on_open_aio(self, channel: RTCDataChannel) -> None:
        self._tell(Shared())
        early, self._early = self._early, []
        for message in early:
            self._send_aio(channel, message)

    def _look_aio(self, sctp: RTCSctpTransport) -> None:
        """Something was sent, of this channel or of another: what waits there goes out first."""
        # What is still on its way to this thread makes it come again.
        if self._is_given and self._posted == self._taken and not has_unsent(sctp):
            self._is_given = False
            self._carry_aio(DataDrained())


def _drop(event: CarriedEvent) -> None:
    """Where nobody listens: nothing is said there before it is asked for."""
