"""Where images come from: a folder that we serve ourselves, or a manifest of ready-made URLs."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, overload
from urllib.parse import unquote, urlsplit

import trio

from imgsync.core.errors import InputError
from imgsync.core.images import SNIFF_SIZE, sniff_image
from imgsync.evaluator.evaluator import ImageRef
from imgsync.evaluator.host import ImageHost, open_image_host

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"})


class FolderImages(Sequence[ImageRef]):
    """A folder's images in natural order. Each look-up signs the URL anew."""

    def __init__(self, host: ImageHost, names: Sequence[str]) -> None:
        self._host = host
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        name = self._names[index]
        place = range(len(self))[index]
        return ImageRef(place, self._host.url_of(name), self._host.signed_url_of(name), name)


@asynccontextmanager
async def open_images(
    source: str | Path, *, address: str = "127.0.0.1"
) -> AsyncIterator[Sequence[ImageRef]]:
    """The images of a folder, served while the block lasts, or those of a manifest.

    Raises InputError for a source that is missing, empty or unreadable, or holds what is no image.

    :param source: a folder, or a .json or .csv file with `imageUrl` and `signedUrl`.
    :param address: the local address to serve a folder on; one that clients can reach.
    """
    found = await trio.to_thread.run_sync(_read_source, Path(source))
    if isinstance(found, list):
        yield found
    else:
        async with open_image_host(address, found) as host:
            yield FolderImages(host, list(found))


def _read_source(path: Path) -> dict[str, Path] | list[ImageRef]:
    if path.is_dir():
        return list_images(path)
    if path.is_file():
        return read_manifest(path)
    raise InputError(f"there is no folder or manifest {str(path)!r}")


def list_images(folder: Path) -> dict[str, Path]:
    """The images of a folder by name, in natural order (2 before 10). Raises InputError."""
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES]
        files = sorted((file for file in files if file.is_file()), key=_natural_key)
        for file in files:
            with file.open("rb") as stream:
                if sniff_image(stream.read(SNIFF_SIZE)) is None:
                    raise InputError(
                        f"{str(file)!r} is no image, whatever its name says; replace or remove it"
                    )
    except OSError as exc:
        raise InputError(f"can't read {exc.filename!r}: {exc.strerror}") from exc
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise InputError(f"there are no images in {str(folder)!r} (of {kinds})")
    return {file.name: file for file in files}


def _natural_key(file: Path) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", file.name.casefold())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def read_manifest(path: Path) -> list[ImageRef]:
    """The images that a JSON or CSV manifest names. Raises InputError with the entry's place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"can't read the manifest {str(path)!r}: {exc}") from exc
    entries: Iterable[Any]
    match path.suffix.lower():
        case ".json":
            entries = _json_entries(path, text)
        case ".csv":
            entries = csv.DictReader(io.StringIO(text))
        case _:
            raise InputError(
                f"{str(path)!r} is neither a folder nor a .json or .csv manifest;"
                " put the image into a folder and name that"
            )
    try:
        images = [_image_ref(path, place, entry) for place, entry in enumerate(entries)]
    except csv.Error as exc:
        raise InputError(f"the manifest {str(path)!r} is not CSV: {exc}") from None
    if not images:
        raise InputError(f"the manifest {str(path)!r} names no images")
    return images


def _json_entries(path: Path, text: str) -> list[Any]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"the manifest {str(path)!r} is not JSON: {exc}") from None
    if not isinstance(entries, list):
        raise InputError(f"the manifest {str(path)!r} is not a list of images")
    return entries


def _image_ref(path: Path, place: int, entry: Any) -> ImageRef:
    values = []
    for field in ("imageUrl", "signedUrl"):
        value = entry.get(field) if isinstance(entry, dict) else None
        if not isinstance(value, str) or not re.match(r"https?://[^/?#\[\]]", value):
            raise InputError(
                f"image {place} of the manifest {str(path)!r} has no {field} that is an"
                " http or https URL"
            )
        values.append(value)
    name = unquote(urlsplit(values[0]).path.rpartition("/")[2])
    return ImageRef(place, values[0], values[1], name)
