"""What a picture is, byte by byte."""

import attrs


@attrs.frozen
class Facts:
    """Of one picture."""

    sha256: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None
