"""What a session tells to whoever speaks on its channel: the evaluator, or the client."""

from typing import Protocol

from imgsync.core.channel.prompt import Prompt
from imgsync.core.handshake.outputs import Ended
from imgsync.core.protocol.channel import TalkMessage
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.seams import DataEvent


class Talk(Protocol):
    """What happens on the channel; none of these may wait but `wait_unseen`."""

    @property
    def prompt(self) -> Prompt | None:
        """What answers messages in the thread in which they come in, where something does."""

    @property
    def is_seen(self) -> bool:
        """Whether what we show is on the other side's screen, as it has said."""

    async def wait_unseen(self) -> None:
        """Wait until it says that it is not any more, or can't say so."""

    def opened(self) -> None:
        """A channel is open."""

    def unanswered(self) -> None:
        """What was said then has not been answered: for the client, which greets."""

    def heard(self, message: TalkMessage, at: Milliseconds) -> None:
        """The other side says something, which came in at this time of ours."""

    def drained(self) -> None:
        """Of what waited to be sent, little is left; there was much."""

    def shared(self, event: DataEvent) -> None:
        """The channel of pictures is open, or closed."""

    def closed(self) -> None:
        """It is open no more; another one may follow."""

    def ended(self, end: Ended) -> None:
        """No other one will follow."""
