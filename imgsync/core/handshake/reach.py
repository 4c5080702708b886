"""What a handshake needs of others before it can act: to be heard, and to know that it may."""

import math

import attrs

from imgsync.core.protocol.signalling import RawJson


@attrs.define(eq=False)
class Reach:
    """Who hears what is said: signals go nowhere unless all three hold."""

    #: Whether we are at the relay.
    has_relay: bool = True
    #: Whether the other side is.
    has_peer: bool = True
    #: Whether the relay knows the session.
    is_known: bool = True
    #: Whether the other side is in a session with somebody else instead.
    is_taken: bool = False

    @property
    def can_signal(self) -> bool:
        """Whether the other side would hear a signal."""
        return self.has_relay and self.has_peer and self.is_known

    def restore(self) -> bool:
        """The relay has us in the session. Returns whether that is news."""
        is_news = not (self.has_relay and self.is_known)
        self.has_relay = self.has_peer = self.is_known = True
        self.is_taken = False
        return is_news


@attrs.define(eq=False)
class Ownership:
    """Which window of a user has the session, where that is to be seen by `due`."""

    due: float = math.inf
    #: Whether it was unknown when we came in.
    began_unknown: bool = False
    #: Whether an offer is asked for where none has come by then.
    asks: bool = False
    #: The offer that waits until it is known.
    held: RawJson | None = None

    def doubt(self, due: float, *, asks: bool) -> None:
        """Another window has time to claim the session."""
        self.began_unknown = True
        self.due = due
        self.asks = asks

    @property
    def is_unknown(self) -> bool:
        """Whether another window may still claim the session."""
        return self.due < math.inf

    def settle(self) -> RawJson | None:
        """Nobody has claimed it. Returns the offer that waited."""
        self.due = math.inf
        held, self.held = self.held, None
        return held
