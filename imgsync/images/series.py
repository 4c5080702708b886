"""What a manifest or a study shows, one image or text after the other, ready to be shown."""

import secrets
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_IMAGE, MAX_SEED
from imgsync.core.study.entries import Entry
from imgsync.core.study.study import SHUFFLED, Plan, Study
from imgsync.images.folder import Checked, Listing, read_pictures
from imgsync.images.manifest import read_plan_of
from imgsync.images.own import OwnPicture
from imgsync.images.ref import ImageRef

OWN_PREFIX = "images/"
"""How names of pictures begin that are ours; behind it stands which opening of a folder it was."""

TEXT_PREFIX = "texts/"
"""The same of texts that are shown in the place of pictures."""

_TITLE = 40
"""Characters of a text that stand for it where a picture has the name of its file."""


class Series(list[ImageRef]):
    """In the order in which they are shown.

    :ivar study: what a record is to say of it; None for a plain list of images.
    :ivar listing: the files that lie beside it, by their paths in it.
    :ivar files: these paths, by the names under which clients know the pictures.
    """

    study: Study | None = None
    listing: Listing = Listing()
    files: dict[str, str] = {}  # noqa: RUF012 (nobody changes it)


def read_manifest(
    path: Path, limit: int = MAX_IMAGE, checked: Checked | None = None, seed: int | None = None
) -> Series:
    """What a JSON or CSV file names. Raises InputError, BadManifest with all that is wrong in it.

    :param limit: the most bytes that a picture beside it may have.
    :param seed: in the place of that of a study that is shuffled.
    """
    return read_series(path, read_plan_of(path), limit, checked, seed)


def read_series(
    path: Path,
    plan: Plan,
    limit: int = MAX_IMAGE,
    checked: Checked | None = None,
    seed: int | None = None,
) -> Series:
    """What a plan names, with the pictures that lie beside its file. Raises InputError.

    :param path: of the file that it was read from.
    """
    used = _seed_of(path, plan, seed)
    entries = plan.arranged(used)
    token = secrets.token_hex(4)
    listing = _read_files(path, entries, limit, checked)
    pictures = dict(zip(listing, listing.pictures, strict=True))
    series = Series(
        _image_ref(place, entry, token, pictures) for place, entry in enumerate(entries)
    )
    series.listing = listing
    series.files = {_name_of(token, name): name for name in listing}
    if plan.is_study:
        series.study = Study(plan.name or path.stem, plan.order, used, len(series))
    return series


def _seed_of(path: Path, plan: Plan, seed: int | None) -> int | None:
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InputError(f"{seed} is no seed; choose a whole number from 0 to {MAX_SEED}")
    if plan.order == SHUFFLED:
        own = plan.seed if seed is None else seed
        return secrets.randbelow(MAX_SEED + 1) if own is None else own
    if seed is not None:
        raise InputError(
            f'the order of {str(path)!r} is given, and no seed changes it; write "order":'
            ' "shuffled" into a study, or leave out the seed'
        )
    return None


def _read_files(path: Path, entries: list[Entry], limit: int, checked: Checked | None) -> Listing:
    """Those beside it, all of them whole, each once. Raises InputError."""
    names = dict.fromkeys(entry.image_url or "" for entry in entries if entry.is_file)
    folder = path.parent
    listing = Listing((name, folder / name) for name in names)
    for place, entry in enumerate(entries):
        if entry.is_file and not listing[entry.image_url or ""].is_file():
            raise InputError(
                f"{str(path)!r} names {entry.image_url!r} as what is shown at place {place}, and"
                f" there is no such file in {str(folder)!r}; put it there, or correct the name"
            )
    listing.pictures = read_pictures(list(listing.values()), limit, checked)
    return listing


def _name_of(token: str, name: str) -> str:
    return f"{OWN_PREFIX}{token}/{quote(name, safe='')}"


def _image_ref(place: int, entry: Entry, token: str, pictures: dict[str, OwnPicture]) -> ImageRef:
    if entry.trial is not None and entry.trial.text is not None:
        url, name = f"{TEXT_PREFIX}{token}/{place}", entry.trial.text.strip()
        title = name.partition("\n")[0][:_TITLE]
        return ImageRef(place, url, None, title, entry.extra, trial=entry.trial)
    url = entry.image_url or ""
    if entry.is_file:
        name, picture = url.rpartition("/")[2], pictures[url]
        url = _name_of(token, url)
        return ImageRef(place, url, None, name, entry.extra, picture, entry.trial)
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return ImageRef(place, url, entry.signed_url, name, entry.extra, trial=entry.trial)
