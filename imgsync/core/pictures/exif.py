"""What EXIF says of how a picture is to be held: browsers turn it by that."""

from typing import Literal

_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}

_ORIENTATION, _SHORT = 0x0112, 3

_ENTRY = 12
"""Bytes of one, of which the value begins at the ninth; TIFF 6.0, section 2."""

_ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations in which what is stored as a row is seen as a column; EXIF 2.32, section 4.6.4."""


def is_turned(tiff: bytes) -> bool:
    """Whether width and height change places, by what follows the word `Exif`."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return False
    at = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[at : at + 2], order)
    for entry in range(at + 2, min(at + 2 + _ENTRY * count, len(tiff) - _ENTRY + 1), _ENTRY):
        tag, kind = (int.from_bytes(tiff[i : i + 2], order) for i in (entry, entry + 2))
        if (tag, kind) == (_ORIENTATION, _SHORT):
            return int.from_bytes(tiff[entry + 8 : entry + 10], order) in _ON_ITS_SIDE
    return False
