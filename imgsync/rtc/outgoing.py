"""What is sent on a channel, and how much of it has not arrived.

aiortc's `bufferedAmount` does not tell: it is 0 a turn of the loop after `send()`, as a message
leaves it as a whole when SCTP begins with it. And what is on its way to the loop thread counts too.
"""

import logging
from collections.abc import Callable

from aiortc import InvalidStateError, RTCDataChannel, RTCSctpTransport

from imgsync.core.protocol.numbers import (
    DRAINED,
    MAX_BUFFERED,
    MAX_BUFFERED_MESSAGES,
    MAX_CHANNEL_MESSAGE,
    MAX_UNSENT,
)
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.rtc.transports import (
    UnsentBeside,
    largest_message,
    unsent_on,
    watch_acknowledgements,
)
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


class Backlog:
    """What was given to a channel and has not arrived, in bytes.

    :param drained: told on the loop thread when more than MAX_UNSENT has shrunk to DRAINED.
    """

    def __init__(self, drained: Callable[[], None]) -> None:
        self._drained = drained
        #: In all; written by the thread that sends alone.
        self._posted = 0
        self._taken = 0
        #: What is with the channel, less what it was given; one number, so that it is read as one.
        self._rest = 0
        self._is_high = False

    @property
    def waiting(self) -> int:
        """Bytes; in any thread."""
        return self._posted + self._rest

    @property
    def is_clear_aio(self) -> bool:
        """Whether nothing is on its way to the loop thread."""
        return self._posted == self._taken

    def post(self, size: int) -> None:
        """So much goes to the loop thread, from the thread that sends."""
        self._posted += size
        if self.waiting > MAX_UNSENT:
            self._is_high = True

    def take_aio(self, size: int) -> None:
        """So much has come to the loop thread; what became of it is told next."""
        self._taken += size

    def look_aio(self, unsent: int) -> None:
        """So much is with the channel now."""
        self._rest = unsent - self._taken
        if self.waiting > MAX_UNSENT:
            self._is_high = True
        elif self._is_high and self.waiting <= DRAINED:
            self._is_high = False
            self._drained()


class Outgoing:
    """What is sent on the channel of one link. All but what is said to be of any thread is called
    on the loop thread.

    :param drained: see Backlog.
    :param lost: told why, where the other side takes nothing.
    """

    def __init__(self, drained: Callable[[], None], lost: Callable[[str], None]) -> None:
        self.backlog = Backlog(drained)
        self._lost = lost
        self._is_stuck = False
        self._sctp: RTCSctpTransport | None = None
        self._channel: RTCDataChannel | None = None
        #: Of the channel of pictures, which waits for acknowledgements of its own.
        self._beside: UnsentBeside | None = None

    @property
    def max_message(self) -> int:
        """Bytes of a message that the other side takes; in any thread."""
        return MAX_CHANNEL_MESSAGE if self._sctp is None else largest_message(self._sctp)

    def adopt_aio(self, sctp: RTCSctpTransport, channel: RTCDataChannel) -> None:
        """What is sent goes here."""
        self._sctp, self._channel = sctp, channel
        watch_acknowledgements(sctp, self._look_aio)

    def beside_aio(self, channel: RTCDataChannel) -> None:
        """What is sent on this one is not of the talk, and counts only for who takes nothing."""
        if self._sctp is not None:
            self._beside = UnsentBeside(self._sctp, channel)

    def send_posted_aio(self, text: str) -> None:
        """Send what the backlog was told of."""
        self.backlog.take_aio(len(text))
        self.send_aio(text)

    def send_stamped_aio(self, make: Callable[[Milliseconds], str]) -> None:
        """Send what is made now."""
        if self._channel is None or self._channel.readyState != "open":
            return
        try:
            text = make(now_ms())
        except Exception:
            log.exception("a stamped message could not be made")
        else:
            self.send_aio(text)

    def send_aio(self, text: str) -> None:
        """Send it."""
        try:
            if self._channel is not None and not self._is_stuck:
                self._channel.send(text)
        except (InvalidStateError, ValueError) as exc:
            log.info("a message was not sent: %r", exc)
        self._look_aio()

    def _look_aio(self) -> None:
        """Something was sent, or has arrived."""
        if self._sctp is None or self._channel is None:
            self.backlog.look_aio(0)
            return
        begun, messages = unsent_on(self._sctp)
        buffered, beside = self._channel.bufferedAmount, self._beside
        self.backlog.look_aio(buffered + begun - (0 if beside is None else beside.bytes))
        unsent = buffered + begun + (0 if beside is None else beside.buffered)
        if not self._is_stuck and (unsent > MAX_BUFFERED or messages > MAX_BUFFERED_MESSAGES):
            self._is_stuck = True
            self._lost("the other side takes nothing of what is sent to it")
