"""What comes in as a picture: which kind it is, and whether it is all there and sound.

    check = PictureCheck()
    for part in parts:
        if check.feed(part) is not None:
            ...             # it will be none, whatever comes; its reason
    verdict = check.end()   # its kind, and the reason why it can't be shown, or None

What browsers show whole is taken, also with something behind its end. What can be known to be cut
is not; inside of the compressed pixels of most kinds nothing can be known.
"""

import attrs

from imgsync.core.pictures.avif import read_avif
from imgsync.core.pictures.bitmaps import read_bmp, read_gif, read_jpeg, read_png, read_webp
from imgsync.core.pictures.kinds import (
    AVIF,
    BMP,
    GIF,
    JPG,
    PNG,
    SVG,
    UTF_8_MARK,
    UTF_16,
    WEBP,
    Kind,
    media_type_of,
    sniff,
)
from imgsync.core.pictures.reading import NoPicture, Reader
from imgsync.core.pictures.svg import Narrow, read_svg
from imgsync.core.protocol.numbers import (
    DECODE,
    NOT_AN_IMAGE,
    OF_TYPE,
    PICTURE_HEAD,
    TRUNCATED,
)

_FORMATS = {
    PNG: read_png,
    JPG: read_jpeg,
    GIF: read_gif,
    WEBP: read_webp,
    AVIF: read_avif,
    BMP: read_bmp,
    SVG: read_svg,
}


@attrs.frozen
class Verdict:
    """What came.

    :param kind: what it begins like; None for what is no picture that browsers show.
    :param reason: why it can't be shown, as the wire has it; None for a whole picture.
    """

    kind: Kind | None
    reason: str | None


class PictureCheck:
    """Of one picture, while its bytes come in. It keeps none of them but the first few."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._reason: str | None = None
        self._head = b""
        self._reader: Reader | None = None
        self._narrow: Narrow | None = None

    def feed(self, data: bytes) -> str | None:
        """The next bytes. Why it can't be shown, as soon as that is known."""
        if self._reader is not None:
            self._read(self._reader, data)
        elif self._reason is None:
            self._head += data
            if len(self._head) >= PICTURE_HEAD:
                self._begin()
        return self._reason

    def end(self) -> Verdict:
        """All has come."""
        if self._reader is None and self._reason is None:
            self._begin()
        if self._reason is None and self._reader is not None and not self._reader.is_whole:
            self._reason = TRUNCATED
        is_certain = self._kind is not SVG or (self._reader is not None and self._reader.is_found)
        return Verdict(self._kind if is_certain else None, self._reason)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, as it is shown; None where they are not known (yet)."""
        return None if self._reader is None else self._reader.size

    def _begin(self) -> None:
        data, self._head = self._head, b""
        head = data[:PICTURE_HEAD]
        self._kind = sniff(head)
        if self._kind is None:
            media_type = media_type_of(head)
            self._reason = NOT_AN_IMAGE if media_type is None else OF_TYPE + media_type
            return
        self._reader = Reader(_FORMATS[self._kind]())
        if self._kind is SVG:
            order = UTF_16.get(head[:2])
            self._narrow = None if order is None else Narrow(order)
            data = data.removeprefix(UTF_8_MARK)
            if order is not None and b"<" not in head[:2]:
                data = data[2:]
        self._read(self._reader, data)

    def _read(self, reader: Reader, data: bytes) -> None:
        reader.feed(data if self._narrow is None else self._narrow(data))
        if isinstance(reader.failure, NoPicture):
            self._kind, self._reason = None, NOT_AN_IMAGE
        elif reader.failure is not None:
            self._reason = DECODE


def check_picture(data: bytes) -> Verdict:
    """The same of a whole one."""
    check = PictureCheck()
    check.feed(data)
    return check.end()
