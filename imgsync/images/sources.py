"""Where images come from: a folder that we serve ourselves, or a manifest of ready-made URLs."""

import csv
import io
import json
import re
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, overload
from urllib.parse import unquote, urlsplit

import attrs
import trio

from imgsync.core.codec.strict import dump_json
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_URLS
from imgsync.files import input_errors
from imgsync.images.host import ImageHost, open_image_host
from imgsync.images.kinds import SNIFF_SIZE, sniff_image
from imgsync.images.ref import ImageRef
from imgsync.images.urls import is_web_url

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"})

_FIELDS = _IMAGE_URL, _SIGNED_URL = "imageUrl", "signedUrl"


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
        return ImageRef(
            index=range(len(self))[index],
            image_url=self._host.url_of(name),
            signed_url=self._host.signed_url_of(name),
            name=name,
        )


class ManifestImages(Sequence[ImageRef]):
    """A manifest's images; its URLs may expire, and whoever wrote it may sign them anew."""

    def __init__(self, path: Path, images: list[ImageRef]) -> None:
        self._path = path
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        return self._images[index]

    async def read_again(self) -> None:
        """Take the signed URLs that the manifest has now. Raises InputError, and they stay.

        The images stay the ones that they are, in their order.
        """
        found = await trio.to_thread.run_sync(read_manifest, self._path)
        signed = {image.image_url: image.signed_url for image in found}
        self._images = [
            attrs.evolve(image, signed_url=signed.get(image.image_url, image.signed_url))
            for image in self._images
        ]


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
        yield ManifestImages(Path(source), found)
    else:
        async with open_image_host(address, found) as host:
            yield FolderImages(host, list(found))


def _read_source(path: Path) -> dict[str, Path] | list[ImageRef]:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(
            f"there is no folder or manifest {str(path)!r} ({why});"
            " name a folder of images, or a .json or .csv manifest"
        ) from exc
    return list_images(path) if is_folder else read_manifest(path)


def list_images(folder: Path) -> dict[str, Path]:
    """The images of a folder by name, in natural order (2 before 10). Raises InputError.

    Hidden files are left out; a Mac leaves one, named alike, beside each image that it copies.
    """
    with input_errors(f"can't read the folder {str(folder)!r}", "name another one"):
        files = sorted((file for file in folder.iterdir() if _is_meant(file)), key=_natural_key)
    for file in files:
        _check_image(file)
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise InputError(
            f"there are no images in {str(folder)!r} (of {kinds}); name another folder"
        )
    return {file.name: file for file in files}


def _is_meant(file: Path) -> bool:
    if file.name.startswith(".") or file.suffix.lower() not in SUFFIXES:
        return False
    # A link to nothing is meant, and will be complained of; a folder or a pipe is not.
    return file.is_file() or not file.exists()


def _natural_key(file: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"([0-9]+)", file.name.casefold())
    # Every second part is a number. The name itself decides between 1.png and 01.png.
    return [(int(p), "") if i % 2 else (-1, p) for i, p in enumerate(parts)], file.name


def _check_image(file: Path) -> None:
    try:
        file.name.encode()
    except UnicodeEncodeError as exc:
        raise InputError(f"the name of {str(file)!r} is not UTF-8; rename it") from exc
    with (
        input_errors(f"can't read {str(file)!r}", "replace or remove it"),
        file.open("rb") as stream,
    ):
        head = stream.read(SNIFF_SIZE)
    if sniff_image(head) is None:
        raise InputError(f"{str(file)!r} is no image, whatever its name says; replace or remove it")


def read_manifest(path: Path) -> list[ImageRef]:
    """The images that a JSON or CSV manifest names. Raises InputError with the entry's place."""
    match path.suffix.lower():
        case ".json":
            entries = _json_entries(path, _read_text(path))
        case ".csv":
            text = _read_text(path)
            entries = _line_entries(text) or _csv_entries(path, text)
        case _:
            raise InputError(
                f"{str(path)!r} is neither a folder nor a .json or .csv manifest;"
                " put the image into a folder and name that"
            )
    spelled_out = enumerate(_spell_out(entries))
    images = [_image_ref(path, place, entry) for place, entry in spelled_out]
    if not images:
        raise InputError(f"the manifest {str(path)!r} names no images")
    return images


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise InputError(f"can't read the manifest {str(path)!r}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"the manifest {str(path)!r} is not UTF-8; save it as UTF-8") from exc


def _line_entries(text: str) -> list[Any]:
    """A URL on each line; none where the first is none."""
    lines = [line.strip(" \t") for line in re.split(r"\r\n|\r|\n", text)]
    entries = [line for line in lines if line]
    # Two URLs side by side are CSV that does not name its columns.
    is_list = bool(entries) and is_web_url(entries[0])
    return entries if is_list and not re.search(r"[,;\t]\"?https?:", entries[0], re.I) else []


def _spell_out(entries: list[Any]) -> list[Any]:
    """A URL alone is an `imageUrl`; where no image has a `signedUrl`, that is good for both."""
    named = [{_IMAGE_URL: one} if isinstance(one, str) else one for one in entries]
    known = [one for one in named if isinstance(one, dict)]
    if any(one.get(_SIGNED_URL) not in (None, "") for one in known):
        return named
    return [
        {**one, _SIGNED_URL: one.get(_IMAGE_URL)} if isinstance(one, dict) else one for one in named
    ]


def _csv_entries(path: Path, text: str) -> list[Any]:
    # Strict: what a quotation mark leaves open would else swallow the rest.
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        return list(reader)
    except csv.Error as exc:
        raise InputError(
            f"line {reader.reader.line_num} of the manifest {str(path)!r} is not CSV: {exc}"
        ) from None


def _json_entries(path: Path, text: str) -> list[Any]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"the manifest {str(path)!r} is not JSON: {exc}") from None
    if not isinstance(entries, list):
        raise InputError(f"the manifest {str(path)!r} is not a list of images")
    return entries


def _image_ref(path: Path, place: int, entry: Any) -> ImageRef:
    urls: dict[str, str] = {}
    for field in _FIELDS:
        value = entry.get(field) if isinstance(entry, dict) else None
        if not isinstance(value, str) or not is_web_url(value):
            raise InputError(
                f"image {place} of the manifest {str(path)!r} has no {field} that is an"
                " http or https URL"
            )
        urls[field] = value
    size = len(dump_json(urls))
    if size > MAX_URLS:
        raise InputError(
            f"image {place} of the manifest {str(path)!r} has URLs of {size} bytes, which fit into"
            f" no message; {MAX_URLS} do"
        )
    image_url = urls[_IMAGE_URL]
    return ImageRef(
        index=place,
        image_url=image_url,
        signed_url=urls[_SIGNED_URL],
        name=unquote(urlsplit(image_url).path.rpartition("/")[2]),
    )
