"""Every error that imgsync raises on purpose, in one tree.

    ImgsyncError
    ├── InputError            what we were told to use can't be used: a folder, an address
    │   └── MissingExtra      ... because an optional package is not installed
    ├── Superseded            another image was shown before this one reached the client
    ├── NotSpoken             the client does not speak the extension that is asked for
    ├── MessageTooLarge       what we were told to send does not fit into one channel message
    ├── WireError             what came in is no message of the protocol
    ├── Unauthorized          who registers has no token that allows it
    ├── NegotiationError      what came in is a message, but its SDP makes no sense
    │   └── CandidateError    ... but it is a candidate, and others may do
    ├── ConnectError          the relay could not be reached
    │   ├── ConnectRefused    nobody listens there, or the name is unknown
    │   ├── ConnectTimeout    somebody listens, but did not answer in time
    │   ├── ProxyFailed       a proxy on the way is not there, or does not let us through
    │   ├── TlsFailed         the two sides do not agree on TLS
    │   └── UpgradeRefused    it answered, but not as a relay does
    ├── SocketClosed          the WebSocket was closed, by the other side or by the network
    ├── SignallingLost        there is no connection to the relay at this moment
    ├── StoreAway             what the nodes of a relay share can't be reached at this moment
    ├── LeaseLost             a node of a relay was silent for so long that it is taken for dead
    ├── EpochLost             what the nodes of a relay shared is lost, or it may be an old copy
    ├── RelayError            the relay answered with an error
    ├── ImageFailed           an image did not come to the client's screen; says why
    └── SessionEnded          the session is over; says why

Blame is in the class: the first two groups are ours to mend, the others came from outside.
"""

import shlex
from collections.abc import Iterable

from imgsync.core.protocol.obstacles import Obstacle
from imgsync.core.protocol.signalling import EndReason, ErrorCode


class ImgsyncError(Exception):
    """Base of all; its text is one sentence for a person: what failed, and what to do."""


class InputError(ImgsyncError):
    """A folder, file, manifest, URL or address that was named can't be used."""


class MissingExtra(InputError):
    """A feature needs an optional package that is not installed.

    :param feature: what can't be done, as the start of a sentence.
    :param extra: the extra of imgsync that brings the package.
    :param requirements: what the extra stands for, as pip takes it; empty where nobody knows.
    """

    def __init__(self, feature: str, extra: str, requirements: Iterable[str]) -> None:
        # Not as `imgsync[EXTRA]`: an index may have a stranger's program under that name.
        how = f"what pyproject.toml lists as {extra!r}"
        if words := shlex.join(requirements):
            how = f"it with: pip install {words}"
        super().__init__(f"{feature}; install {how}")


class Superseded(ImgsyncError):
    """An image was not acked: the connection was interrupted, and then another one was shown."""


class NotSpoken(ImgsyncError):
    """The client has not named the extension that this needs, so there is nothing to wait for.

    :param feature: the extension, as `ready.features` would name it.
    :param remedy: what to do.
    """

    def __init__(self, feature: str, remedy: str = "use one that does") -> None:
        super().__init__(f"the client does not speak the extension {feature!r}; {remedy}")
        self.feature = feature


class MessageTooLarge(ImgsyncError):
    """A message was refused before it was sent: it does not fit into one channel message."""


class WireError(ImgsyncError):
    """Text from outside is no message.

    :param code: the `error.code` that the relay answers with.
    :param problem: what is wrong and where, as a sentence without the text itself.
    :param event: the name of the event, where it could be read.
    """

    def __init__(self, code: ErrorCode, problem: str, event: str | None = None) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.event = event


class Unauthorized(ImgsyncError):
    """A token is missing, expired, forged or of somebody else; the text never repeats it."""


class NegotiationError(ImgsyncError):
    """An SDP or its order makes no sense; ends the attempt, never the process."""


class CandidateError(NegotiationError):
    """A candidate can't be read; it is ignored, as any of no use (RFC 8839, section 5.1)."""


class ConnectError(ImgsyncError):
    """The relay could not be reached."""


class ConnectRefused(ConnectError):
    """No such name, no route, or nobody listens."""


class ConnectTimeout(ConnectError):
    """Something listens but did not complete the handshake in time."""


class ProxyFailed(ConnectError):
    """A proxy on the way is not there, or does not let us through; the text has no password."""


class TlsFailed(ConnectError):
    """Certificate not trusted, or one side speaks TLS and the other does not."""


class UpgradeRefused(ConnectError):
    """What answered is no relay: it refused the WebSocket upgrade or closed during it.

    :param obstacle: what an answer of HTTP means; None where there was none.
    :param retry_after: seconds that it asks to wait for; 0 where it does not.
    """

    def __init__(
        self, message: str, *, obstacle: Obstacle | None = None, retry_after: float = 0.0
    ) -> None:
        super().__init__(message)
        self.obstacle = obstacle
        self.retry_after = retry_after


class SocketClosed(ImgsyncError):
    """A WebSocket is gone.

    :param code: the close code of RFC 6455; 1006 if there was no close frame.
    :param reason: what the closing side said, often empty.
    :param ours: whether this side closed it.
    """

    def __init__(self, code: int, reason: str = "", *, ours: bool = False) -> None:
        super().__init__(f"the connection was closed ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason
        self.ours = ours


class SignallingLost(ImgsyncError):
    """There is no connection to the relay at this moment; it is being made again."""


class StoreAway(ImgsyncError):
    """What keeps it did not answer, or refused: whether it did what it was told is unknown."""


class LeaseLost(ImgsyncError):
    """A boot of a node is dead for all others: it has to take a new one, and enter its sockets."""


class EpochLost(ImgsyncError):
    """Nothing of what the nodes shared is there any more: each has to write back what it holds."""


class RelayError(ImgsyncError):
    """The relay refused what it was asked.

    :param code: one of the codes of the protocol.
    :param message: the relay's own sentence.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class ImageFailed(ImgsyncError):
    """An image was acked, but will not be told of as shown.

    :param index: the image's.
    :param reason: a short word: the client's own, such as "http_403" or "timeout", or "hidden" or
        "superseded" where its time was over before.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"image {index} did not come to the client's screen: {reason}")
        self.index = index
        self.reason = reason


class SessionEnded(ImgsyncError):
    """The session is over.

    :param reason: why.
    :param detail: what exactly, where there is more to say than the reason.
    """

    def __init__(self, reason: EndReason, detail: str = "") -> None:
        super().__init__(f"the session has ended: {reason.in_words(detail)}")
        self.reason = reason
        self.detail = detail
