"""What names an image, and where it can be fetched."""

import attrs


@attrs.frozen
class ImageRef:
    """An image that can be shown.

    :param index: its place in the series, from 0; the client sees it as `imageIndex`.
    :param image_url: what names it; never secret.
    :param signed_url: where the client fetches it. Kept out of every repr.
    :param name: for people.
    """

    index: int
    image_url: str
    signed_url: str = attrs.field(repr=False)
    name: str = ""
