"""Where images come from: a folder that we serve ourselves, or a manifest of ready-made URLs."""

import json
import logging
import re
import secrets
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, overload
from urllib.parse import quote, unquote, urlsplit

import attrs
import trio

from imgsync.core.codec.strict import dump_json
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.extra import is_named
from imgsync.core.protocol.naming import first_conflict
from imgsync.core.protocol.numbers import MAX_IMAGE, MAX_URLS
from imgsync.images.csv_text import BadCsv, odd_columns, odd_first_line, parse_csv
from imgsync.images.folder import Checked, LeftOut, Listing, list_images
from imgsync.images.host import ImageHost, open_image_host
from imgsync.images.ref import ImageRef
from imgsync.images.urls import is_web_url

log = logging.getLogger(__name__)

Via = Literal["auto", "peer", "url"]
"""How pictures come to clients."""

OWN_PREFIX = "images/"
"""How names of pictures begin that are ours; behind it stands which opening of a folder it was."""

_FIELDS = _IMAGE_URL, _SIGNED_URL = "imageUrl", "signedUrl"


class Images(Sequence[ImageRef]):
    """The images of a source, in their order.

    :ivar left_out: files of a folder that are none to show, and why; hidden ones are not told of.
    """

    left_out: tuple[LeftOut, ...] = ()


class FolderImages(Images):
    """A folder's images in natural order. Each look-up signs the URL anew.

    :param host: where they have URLs; None where they have none.
    :param is_shared: whether they go over the connection to clients that take them so.
    """

    def __init__(self, listing: Listing, host: ImageHost | None, *, is_shared: bool) -> None:
        self._host = host
        self._files = listing.pictures
        self._is_shared = is_shared
        # Two folders in one session may have files of one name.
        self._prefix = f"{OWN_PREFIX}{secrets.token_hex(4)}/"
        self.left_out = listing.left_out

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        file, host = self._files[index], self._host
        name = file.path.name
        place = range(len(self))[index]
        signed_url = None if host is None else host.signed_url_of(name)
        if host is not None and not self._is_shared:
            return ImageRef(place, host.url_of(name), signed_url, name)
        image_url = f"{self._prefix}{quote(name, safe='')}"
        picture = file if host is None else attrs.evolve(file, serve=host.serve)
        return ImageRef(place, image_url, signed_url, name, picture=picture)


class ManifestImages(Images):
    """The images that a manifest names, whose URLs may expire and be signed anew there."""

    def __init__(self, path: Path, images: Sequence[ImageRef]) -> None:
        self._path = path
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | Sequence[ImageRef]:
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
    source: str | Path,
    *,
    address: str = "127.0.0.1",
    via: Via = "auto",
    limit: int = MAX_IMAGE,
    checked: Checked | None = None,
) -> AsyncIterator[Images]:
    """The images of a folder, which can be shown while the block lasts, or those of a manifest.

    Each file of a folder is read once at the start, and has to be a whole picture.

    Raises InputError for a source that is missing, empty or unreadable, or holds what is no image.

    :param source: a folder, or a .json or .csv file with `imageUrl` and `signedUrl`.
    :param address: the local address to serve a folder on, where that is done.
    :param via: how pictures come to clients. `auto`: those of a folder over the connection; a
        client that does not take them so gets a URL of this address, if it can be listened on, and
        only then it is. `peer`: over the connection, or not at all; for a folder. `url`: by URLs.
    :param limit: the most bytes that a picture of a folder may have, up to MAX_IMAGE.
    :param checked: hears how many of how many files have been read, on Trio's thread.
    """
    if via not in get_args(Via):
        raise InputError(f"there is no via={via!r}; choose {', '.join(get_args(Via))}")
    if not 0 < limit <= MAX_IMAGE:
        raise InputError(
            f"a picture can't be limited to {limit} bytes; choose from 1 to {MAX_IMAGE}, which is"
            " what clients take"
        )
    read = partial(_read_source, Path(source), via, limit, checked)
    found = await trio.to_thread.run_sync(read)
    if not isinstance(found, Listing):
        yield ManifestImages(Path(source), found)
        return
    async with AsyncExitStack() as stack:
        host = None
        if via != "peer":
            host = await _enter_host(stack, address, found, is_needed=via == "url")
        yield FolderImages(found, host, is_shared=via != "url")


async def _enter_host(
    stack: AsyncExitStack, address: str, listing: Listing, *, is_needed: bool
) -> ImageHost | None:
    try:
        host = open_image_host(address, listing, listing.pictures, at_once=is_needed)
        return await stack.enter_async_context(host)
    except InputError as exc:
        if is_needed:
            raise
        log.info("clients that take no pictures over the connection get none: %s", exc)
        return None


def _read_source(
    path: Path, via: Via, limit: int, checked: Checked | None
) -> Listing | list[ImageRef]:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(
            f"there is no folder or manifest {str(path)!r} ({why});"
            " name a folder of images, or a .json or .csv manifest"
        ) from exc
    if not is_folder:
        if via == "peer":
            raise InputError(
                f"{str(path)!r} is no folder, and only pictures that are here can be sent over the"
                " connection; name a folder, or have a manifest's fetched by their URLs"
            )
        return read_manifest(path)

    def tell(done: int, count: int) -> None:
        # Who is cancelled meanwhile does not wait for the rest of the folder.
        trio.from_thread.check_cancelled()
        if checked is not None:
            trio.from_thread.run_sync(checked, done, count)

    return list_images(path, tell, limit)


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
    _check_names(path, images)
    return images


def _check_names(path: Path, images: Sequence[ImageRef]) -> None:
    """What one `imageUrl` names is one image: who has it may take it for any other of that name."""
    conflict = first_conflict((image.image_url, image.signed_url) for image in images)
    if conflict is not None:
        raise InputError(
            f"images {conflict[0]} and {conflict[1]} of the manifest {str(path)!r} have one"
            " imageUrl, and their signedUrls differ in more than the signature; give each image an"
            " imageUrl of its own"
        )


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
    try:
        odd = odd_first_line(text, _FIELDS)
        head, *rows = [[]] if odd else parse_csv(text) or [[*_FIELDS]]
    except BadCsv as exc:
        raise InputError(
            f"line {exc.line} of the manifest {str(path)!r} is not CSV: {exc.why}"
        ) from None
    if odd := odd or odd_columns(head, _FIELDS):
        raise InputError(f"the manifest {str(path)!r} {odd}")
    if _IMAGE_URL not in head:
        raise InputError(
            f"the manifest {str(path)!r} is neither JSON, nor CSV with the columns"
            f" {' and '.join(_FIELDS)}, nor a web address on each line: its first line does not"
            f" name {_IMAGE_URL}"
        )
    return [dict(zip(head, row, strict=False)) for row in rows]


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is none of its values")


def _json_entries(path: Path, text: str) -> list[Any]:
    try:
        entries = json.loads(text, parse_constant=_refuse)
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
        if "@" in urlsplit(value).netloc:
            raise InputError(
                f"image {place} of the manifest {str(path)!r} has a user name in its {field}, which"
                " browsers fetch nothing with; leave it out"
            )
        urls[field] = value
    size = len(dump_json(urls))
    if size > MAX_URLS:
        raise InputError(
            f"image {place} of the manifest {str(path)!r} has URLs of {size} bytes, which fit into"
            f" no message; {MAX_URLS} do"
        )
    image_url = urls[_IMAGE_URL]
    try:
        return ImageRef(
            index=place,
            image_url=image_url,
            signed_url=urls[_SIGNED_URL],
            name=unquote(urlsplit(image_url).path.rpartition("/")[2]),
            extra={name: one for name, one in entry.items() if _is_extra(name)},
        )
    except ValueError as exc:
        raise InputError(f"image {place} of the manifest {str(path)!r} has {exc}") from None


def _is_extra(name: str) -> bool:
    return name not in _FIELDS and is_named(name)
