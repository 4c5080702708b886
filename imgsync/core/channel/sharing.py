"""Which pictures go over the connection itself, and which by their URLs; and who is sent texts.

A picture whose bytes the evaluator has goes over the connection to a client that is known to speak
`pictures`, and by its URL to any other. Such a picture may have no URL; then it can't be sent to
any other, and while that is not known, it waits for the client's `ready`. Who registers need not
name all that its program speaks once it is in a session.

A showing that has gone out with its URL keeps it, and one that went out without gets it where it is
repeated to a client that needs it: a repeat is right for whoever hears it.

A text that is shown in place of a picture goes to a client that is known to speak `text`, and to no
other; it waits for the client's `ready` in the same way. It is not announced, as it is not fetched.
"""

import attrs

from imgsync.core.channel.outputs import Share
from imgsync.core.protocol.errors import NotSpoken
from imgsync.core.protocol.numbers import FEATURE_PICTURES, FEATURE_TEXT
from imgsync.core.protocol.signalling import Features, Url
from imgsync.core.protocol.trials import Trial
from imgsync.core.protocol.urls import public_url


@attrs.frozen
class ImageSource:
    """An image that can be shown, and where a client may have it from.

    :param signed_url: None for one that can come over the connection alone.
    :param is_own: whether its bytes are the evaluator's to send.
    :param trial: what is asked of the client beside showing it; a text has no signed URL.
    """

    image_url: Url = attrs.field(repr=public_url)
    signed_url: Url | None = attrs.field(repr=False)
    is_own: bool = False
    trial: Trial | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is a text in place of a picture."""
        return self.trial is not None and self.trial.text is not None

    @property
    def needs(self) -> str | None:
        """The extension that a client has to speak to be sent it; None for one that any is sent."""
        if self.is_text:
            return FEATURE_TEXT
        return FEATURE_PICTURES if self.signed_url is None else None


class Sharing:
    """What the client on the open channel takes, as far as it is known."""

    def __init__(self) -> None:
        self._open = False
        self._speaks: Features = ()
        #: Whether it has said so itself.
        self._is_said = False
        self._has_begun = False

    def opened(self, features: Features) -> None:
        """A channel is open; the client speaks this, as far as the relay knows."""
        self._open, self._speaks = True, features
        self._is_said = self._has_begun = False

    def greeted(self, features: Features) -> bool:
        """The client says what it speaks. Returns whether it takes pictures in another way."""
        before, self._speaks = self._speaks, features
        self._is_said = True
        return (FEATURE_PICTURES in before) != (FEATURE_PICTURES in features)

    def closed(self) -> None:
        """There is no open channel any more."""
        self._open = self._is_said = self._has_begun = False
        self._speaks = ()

    def is_undecided(self, source: ImageSource) -> bool:
        """Whether it is not known yet if the client can be sent this."""
        is_known = source.needs is None or source.needs in self._speaks or self._is_said
        return not (self._open and is_known)

    def url_of(self, source: ImageSource, *, keeps_url: bool = False) -> Url | None:
        """What it goes out with, as far as is known. Raises NotSpoken where it can't.

        :param keeps_url: it has gone out with its URL before.
        """
        if self.is_undecided(source):
            return source.signed_url
        if source.needs is not None and source.needs not in self._speaks:
            raise NotSpoken(source.needs)
        if source.is_own and FEATURE_PICTURES in self._speaks and not keeps_url:
            return None
        return source.signed_url

    def begin(self) -> list[Share]:
        """Something goes out without a URL."""
        if self._has_begun:
            return []
        self._has_begun = True
        return [Share()]
