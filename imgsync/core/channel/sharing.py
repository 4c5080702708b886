"""Which pictures go over the connection itself, and which by their URLs.

A picture whose bytes the evaluator has goes over the connection to a client that is known to speak
`pictures`, and by its URL to any other. Such a picture may have no URL; then it can't be sent to
any other, and while that is not known, it waits for the client's `ready`. Who registers need not
name all that its program speaks once it is in a session.

A showing that has gone out with its URL keeps it, and one that went out without gets it where it is
repeated to a client that needs it: a repeat is right for whoever hears it.
"""

import attrs

from imgsync.core.channel.outputs import Share
from imgsync.core.protocol.errors import NotSpoken
from imgsync.core.protocol.numbers import FEATURE_PICTURES
from imgsync.core.protocol.signalling import Features, Url
from imgsync.core.protocol.urls import public_url


@attrs.frozen
class ImageSource:
    """An image that can be shown, and where a client may have it from.

    :param signed_url: None for one that can come over the connection alone.
    :param is_own: whether its bytes are the evaluator's to send.
    """

    image_url: Url = attrs.field(repr=public_url)
    signed_url: Url | None = attrs.field(repr=False)
    is_own: bool = False


class Sharing:
    """What the client on the open channel takes, as far as it is known."""

    def __init__(self) -> None:
        self._open = self._speaks = False
        #: Whether it has said so itself.
        self._is_said = False
        self._has_begun = False

    def opened(self, features: Features) -> None:
        """A channel is open; the client speaks this, as far as the relay knows."""
        self._open, self._speaks = True, FEATURE_PICTURES in features
        self._is_said = self._has_begun = False

    def greeted(self, features: Features) -> bool:
        """The client says what it speaks. Returns whether that is news."""
        before, self._speaks = self._speaks, FEATURE_PICTURES in features
        self._is_said = True
        return before != self._speaks

    def closed(self) -> None:
        """There is no open channel any more."""
        self._open = self._speaks = self._is_said = self._has_begun = False

    def is_undecided(self, source: ImageSource) -> bool:
        """Whether it is not known yet if the client can be sent this."""
        is_known = source.signed_url is not None or self._speaks or self._is_said
        return not (self._open and is_known)

    def url_of(self, source: ImageSource, *, keeps_url: bool = False) -> Url | None:
        """What it goes out with, as far as is known. Raises NotSpoken where it can't.

        :param keeps_url: it has gone out with its URL before.
        """
        if self.is_undecided(source):
            return source.signed_url
        is_own = source.is_own or source.signed_url is None
        if is_own and self._speaks and not keeps_url:
            return None
        if source.signed_url is None:
            raise NotSpoken(FEATURE_PICTURES)
        return source.signed_url

    def begin(self) -> list[Share]:
        """Something goes out without a URL."""
        if self._has_begun:
            return []
        self._has_begun = True
        return [Share()]
