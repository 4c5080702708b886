"""What an application sees of a session's life.

CONNECTING ──▶ CONNECTED ◀──▶ SUSPECT
                   │             │
                   ▼             ▼
               INTERRUPTED ──▶ RESUMED (as CONNECTED, for the second time and later)
                                    from anywhere ──▶ ENDED
"""

import enum

import attrs

from imgsync.core.protocol.signalling import EndReason, Milliseconds


class SessionState(enum.Enum):
    """Where a session stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    SUSPECT = "suspect"
    INTERRUPTED = "interrupted"
    RESUMED = "resumed"
    ENDED = "ended"


@attrs.frozen
class StateChange:
    """A session is in another state.

    :param at: when, on this side's clock.
    :param reason: why it was interrupted or has ended; None for the other states.
    :param detail: the same in words, where there is more to say.
    """

    state: SessionState
    at: Milliseconds
    reason: EndReason | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """For people."""
        if self.reason is None:
            return f"{self.state.value}: {self.detail}" if self.detail else self.state.value
        if self.state is SessionState.ENDED:
            return f"{self.state.value}: {self.reason.in_words(self.detail)}"
        return f"{self.state.value}: {self.detail or self.reason.sentence}"
