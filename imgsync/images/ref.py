"""What names an image, and where it can be fetched."""

import attrs

from imgsync.core.protocol.urls import public_url


@attrs.frozen
class ImageRef:
    """An image that can be shown.

    :param index: its place in the series, from 0; the client sees it as `imageIndex`.
    :param image_url: what names it; what of it may be a secret is in no repr.
    :param signed_url: where the client fetches it. Kept out of every repr.
    :param name: for people.
    """

    index: int
    image_url: str = attrs.field(repr=public_url)
    signed_url: str = attrs.field(repr=False)
    name: str = ""
