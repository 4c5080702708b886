"""Where images come from: a folder that we serve ourselves, or what a manifest or study names."""

import logging
import secrets
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal, get_args, overload
from urllib.parse import quote

import attrs
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_IMAGE
from imgsync.core.study.study import Study
from imgsync.images.folder import Checked, LeftOut, Listing, list_images
from imgsync.images.host import ImageHost, open_image_host
from imgsync.images.manifest import read_plan_of
from imgsync.images.ref import ImageRef
from imgsync.images.series import OWN_PREFIX, Series, read_manifest

log = logging.getLogger(__name__)

Via = Literal["auto", "peer", "url"]
"""How pictures come to clients."""


class Images(Sequence[ImageRef]):
    """The images of a source, in their order.

    :ivar left_out: files of a folder that are none to show, and why; hidden ones are not told of.
    :ivar study: what a record is to say of a study; None for a folder, and for a plain list.
    """

    left_out: tuple[LeftOut, ...] = ()
    study: Study | None = None


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
    """The images that a manifest or a study names, in the order in which they are shown.

    Signed URLs may expire and be signed anew there; files that lie beside it are ours.

    :param host: where these files have URLs; None where they have none.
    :param is_shared: whether they go over the connection to clients that take them so.
    """

    def __init__(
        self, path: Path, series: Series, host: ImageHost | None, *, is_shared: bool
    ) -> None:
        self._path = path
        self._images: Sequence[ImageRef] = series
        self._host = host
        self._is_shared = is_shared
        self._files = series.files
        self.study = series.study

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        image, host = self._images[index], self._host
        name = self._files.get(image.image_url)
        if name is None or host is None or image.picture is None:
            return image
        signed_url = host.signed_url_of(name)
        if not self._is_shared:
            url = host.url_of(name)
            return attrs.evolve(image, image_url=url, signed_url=signed_url, picture=None)
        picture = attrs.evolve(image.picture, serve=host.serve)
        return attrs.evolve(image, signed_url=signed_url, picture=picture)

    async def read_again(self) -> None:
        """Take the signed URLs that the manifest has now. Raises InputError, and they stay.

        The images stay the ones that they are, in their order.
        """
        plan = await trio.to_thread.run_sync(read_plan_of, self._path)
        signed = {entry.image_url: entry.signed_url for entry in plan.entries}
        self._images = [
            image
            if image.signed_url is None
            else attrs.evolve(image, signed_url=signed.get(image.image_url, image.signed_url))
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
    seed: int | None = None,
) -> AsyncIterator[Images]:
    """The images of a folder, or those of a manifest or a study, to be shown while the block lasts.

    Each file is read once at the start, and has to be a whole picture.

    Raises InputError for a source that is missing, empty or unreadable, holds what is no image, or
    is a study with something wrong in it.

    :param source: a folder, or a .json or .csv file: a study, or a list with `imageUrl` and
        `signedUrl`.
    :param address: the local address to serve a folder on, where that is done.
    :param via: how pictures come to clients. `auto`: those of a folder over the connection; a
        client that does not take them so gets a URL of this address, if it can be listened on, and
        only then it is. `peer`: over the connection, or not at all; for a folder, and a study
        whose pictures lie beside it. `url`: by URLs.
    :param limit: the most bytes that a picture of a folder may have, up to MAX_IMAGE.
    :param checked: hears how many of how many files have been read, on Trio's thread.
    :param seed: 0 to MAX_SEED; decides the order of a study that is shuffled, in the place of its
        own. One is thrown where there is none.
    """
    if via not in get_args(Via):
        raise InputError(f"there is no via={via!r}; choose {', '.join(get_args(Via))}")
    if not 0 < limit <= MAX_IMAGE:
        raise InputError(
            f"a picture can't be limited to {limit} bytes; choose from 1 to {MAX_IMAGE}, which is"
            " what clients take"
        )
    read = partial(_read_source, Path(source), via, limit, checked, seed)
    found = await trio.to_thread.run_sync(read)
    listing = found if isinstance(found, Listing) else found.listing
    async with AsyncExitStack() as stack:
        host = None
        if via != "peer" and listing:
            host = await _enter_host(stack, address, listing, is_needed=via == "url")
        is_shared = via != "url"
        if isinstance(found, Listing):
            yield FolderImages(found, host, is_shared=is_shared)
        else:
            yield ManifestImages(Path(source), found, host, is_shared=is_shared)


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
    path: Path, via: Via, limit: int, checked: Checked | None, seed: int | None
) -> Listing | Series:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise InputError(
            f"there is no folder or manifest {str(path)!r} ({why});"
            " name a folder of images, or a .json or .csv manifest"
        ) from exc

    def tell(done: int, count: int) -> None:
        # Who is cancelled meanwhile does not wait for the rest of the folder.
        trio.from_thread.check_cancelled()
        if checked is not None:
            trio.from_thread.run_sync(checked, done, count)

    if is_folder:
        if seed is not None:
            raise InputError(f"{str(path)!r} is a folder, whose order is given; leave out the seed")
        return list_images(path, tell, limit)
    series = read_manifest(path, limit, tell, seed)
    if via == "peer" and any(image.signed_url is not None for image in series):
        raise InputError(
            f"{str(path)!r} is no folder, and only pictures that are here can be sent over the"
            " connection; name a folder, or have a manifest's fetched by their URLs"
        )
    return series
