"""What names an image, and where it can be fetched."""

from collections.abc import Mapping
from typing import Any

import attrs

from imgsync.core.codec.strict import dump_json
from imgsync.core.protocol.extra import copy_extra
from imgsync.core.protocol.numbers import MAX_EXTRA
from imgsync.core.protocol.trials import Trial
from imgsync.core.protocol.urls import public_url
from imgsync.images.own import OwnPicture


def _check_size(_ref: object, _field: object, extra: Mapping[str, Any]) -> None:
    size = len(dump_json(extra))
    if size > MAX_EXTRA:
        raise ValueError(f"extra columns of {size} bytes; at most {MAX_EXTRA} go into a record")


@attrs.frozen
class ImageRef:
    """An image that can be shown.

    :param index: its place in the series, from 0; the client sees it as `imageIndex`.
    :param image_url: what names it; what of it may be a secret is in no repr.
    :param signed_url: where the client fetches it; None for a picture of ours that has no URL. Kept
        out of every repr.
    :param name: for people.
    :param extra: what else is to be known of it in the record and in tables, as `condition` and
        `block` of an experiment: names, and values that JSON has. It goes into the record as it
        is, and to no client. Kept out of every repr. Raises ValueError for what does not fit.
    :param picture: its bytes, where they are ours: it goes over the connection itself to a client
        that takes it so. Kept out of every repr, and of comparisons.
    :param trial: what is asked of the client beside showing it, None for nothing. A text has no
        signed URL.
    """

    index: int
    image_url: str = attrs.field(repr=public_url)
    signed_url: str | None = attrs.field(repr=False)
    name: str = ""
    extra: Mapping[str, Any] = attrs.field(
        factory=dict, converter=copy_extra, validator=_check_size, repr=False, hash=False
    )
    picture: OwnPicture | None = attrs.field(default=None, repr=False, eq=False)
    trial: Trial | None = None

    @property
    def fetched_from(self) -> str | None:
        """The URL that clients fetch it from; None where it goes over the connection itself."""
        return self.signed_url if self.picture is None else None
