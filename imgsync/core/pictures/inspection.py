"""A picture in one pass over its bytes: whether it is whole, and what is to be known of it.

inspection = Inspection()
for part in parts:
    inspection.feed(part)
verdict = inspection.end()
facts = inspection.facts    # of a whole picture
"""

import hashlib

from imgsync.core.pictures.check import PictureCheck, Verdict
from imgsync.core.pictures.facts import Facts


class Inspection:
    """Of one picture, while its bytes come in; it keeps none of them but a few."""

    def __init__(self) -> None:
        self._check = PictureCheck()
        self._hash = hashlib.sha256()
        self._size = 0
        self._verdict: Verdict | None = None

    def feed(self, data: bytes) -> str | None:
        """The next bytes. Why it can't be shown, as soon as that is known."""
        self._hash.update(data)
        self._size += len(data)
        return self._check.feed(data)

    def end(self) -> Verdict:
        """All has come."""
        self._verdict = self._check.end()
        return self._verdict

    @property
    def facts(self) -> Facts:
        """Of a whole picture, once it has ended.

        Its size is the one that browsers show: what EXIF says in a JPEG or PNG (not in a WebP) of
        how it is to be held is heeded, and the turns of an AVIF. An SVG is as large as it says in
        units that are the same everywhere, or else as its view box.
        """
        if self._verdict is None or self._verdict.kind is None:
            raise ValueError("it is no picture, or has not ended")
        width, height = self._check.size or (None, None)
        media_type = self._verdict.kind.media_type
        return Facts(self._hash.hexdigest(), media_type, self._size, width, height)
