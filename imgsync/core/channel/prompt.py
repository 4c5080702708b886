"""An image that somebody waits for is acked in the thread in which it comes in.

To take an image is to ack it. While whoever takes it waits, nothing is left to be decided, and the
way to the thread of the decisions and back would take longer than all the rest of the ack. So to
wait is to permit one ack, and what was acked so is handed out whatever comes in between:

    wait ──▶ permit             an image comes in ──▶ its ack at once, and the permit is used up
    wait no more ──▶ withdraw   the same image in its turn ──▶ was acked: it is not acked again

Acks leave in the order in which images come in, copies among them. So while what was said before is
still on its way to the channel, no image is acked at once: it has its ack in its turn, behind that.

`hear` is called in the thread of the channel, and the others in the one of the decisions. What the
two share are a queue and a dict, whose single steps no other thread comes in between of.
"""

from collections import deque
from collections.abc import Callable

from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, TalkMessage
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import Milliseconds


class Prompt:
    """Of one client's session; it outlives channels."""

    def __init__(self) -> None:
        self._permits: deque[None] = deque(maxlen=1)
        #: What was acked, and has not had its turn. By identity: copies of an image are equal.
        self._acked: dict[int, Image] = {}

    def permit(self) -> None:
        """Somebody waits for the next image, and none is there."""
        self._permits.append(None)

    def withdraw(self) -> None:
        """Nobody does any more."""
        self._permits.clear()

    def hear(
        self, text: str | bytes, at: Milliseconds, is_clear: Callable[[], bool]
    ) -> tuple[Image, str] | None:
        """A message came in at this time of ours. An image to be acked at once, and its ack.

        :param is_clear: whether all that was said before has come to the channel.
        """
        if not self._permits:
            return None
        try:
            image = decode_channel(text)
        except WireError:
            return None  # it is dropped in its turn
        if not isinstance(image, Image):
            return None
        try:
            self._permits.pop()
        except IndexError:  # withdrawn meanwhile
            return None
        if not is_clear():  # not before: it is permitted behind what is said
            return None
        self._acked[id(image)] = image
        return image, encode_channel(Ack(image.sent_at, at, image.image_index))

    def was_acked(self, message: TalkMessage) -> bool:
        """Whether this one, whose turn it is, was acked as it came in."""
        return self._acked.pop(id(message), None) is not None
