"""Pictures of our own: files that browsers show, of any size, and how they are offered."""

import os
from pathlib import Path

from imgsync import ImageRef
from imgsync.core.pictures.inspection import Inspection
from imgsync.images.own import OwnPicture, Stamp

WIDTH = 1000


def bmp_of(size: int) -> bytes:
    """A picture of about so many bytes, no two of which are alike."""
    height = max(1, size // (3 * WIDTH))
    pixels = os.urandom(3 * WIDTH * height)
    head = b"BM" + (54 + len(pixels)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += b"".join(one.to_bytes(4, "little") for one in (40, WIDTH, height))
    head += (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(4)
    head += len(pixels).to_bytes(4, "little") + bytes(16)
    return head + pixels


def own_picture(path: Path) -> OwnPicture:
    """The file, as it is now."""
    inspection = Inspection()
    inspection.feed(path.read_bytes())
    inspection.end()
    return OwnPicture(inspection.facts, path, Stamp.of(path.stat()))


def own_image(index: int, path: Path) -> ImageRef:
    """It as an image of a series; who takes no pictures over the connection finds it at a host."""
    url = f"http://h/{path.name}?s"
    name = f"images/0a1b2c3d/{path.name}"
    return ImageRef(index, name, url, path.name, picture=own_picture(path))


def make_pictures(folder: Path, count: int, size: int) -> list[ImageRef]:
    """So many files of about so many bytes, as images."""
    paths = [folder / f"{index:02d}.bmp" for index in range(count)]
    for path in paths:
        path.write_bytes(bmp_of(size))
    return [own_image(index, path) for index, path in enumerate(paths)]
