"""A folder's images: which files they are, whether each is whole, and what else lies there."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from imgsync.core.pictures.check import PictureCheck, Verdict
from imgsync.core.pictures.kinds import SUFFIXES, media_type_of
from imgsync.core.pictures.names import is_named_as_picture, is_of_system, natural_key
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_IMAGE, OF_TYPE, PICTURE_HEAD, TRUNCATED
from imgsync.files import input_errors
from imgsync.images.kinds import CONTENT_TYPES, sniff_image

_THREADS = min(4, os.cpu_count() or 1)
"""Files that are read at a time; more make no disk quicker."""

_PART = 1024 * 1024

_USUAL = ("gif", "jpeg", "jpg", "png", "svg", "webp")
"""How names end mostly; people read these first."""

A_FOLDER = "a folder"
NO_FILE = "no file"
NOT_READABLE = "can't be read"
NO_IMAGE = "no image"
NOT_SHOWN = ", which browsers don't show"
OTHER_ENDING = ", but its name does not end so"
"""Why something is left out; before the last two stands its media type."""

Checked = Callable[[int, int], None]
"""Hears how many of how many files have been checked."""


@attrs.frozen
class LeftOut:
    """A file that lies among the images and is none to show.

    :param why: what follows "left out:", such as "image/tiff, which browsers don't show".
    """

    name: str
    why: str


class Listing(dict[str, Path]):
    """The images of a folder by name, in natural order.

    :ivar left_out: what else lies there, but for hidden files and those of systems.
    """

    left_out: tuple[LeftOut, ...] = ()


def list_images(folder: Path, checked: Checked | None = None) -> Listing:
    """The images of a folder in natural order (2 before 10), all of them whole. Raises InputError.

    Hidden files are left out, and those of systems.
    """
    with input_errors(f"can't read the folder {str(folder)!r}", "name another one"):
        files = sorted(folder.iterdir(), key=lambda file: natural_key(file.name))
    meant = [file for file in files if _is_meant(file)]
    others = [file for file in files if file not in set(meant) and not is_of_system(file.name)]
    left_out = tuple(LeftOut(file.name, _why_left_out(file)) for file in others)
    if not meant:
        known = ", ".join([*_USUAL, *sorted(SUFFIXES - set(_USUAL))])
        seen = f"; {left_out[0].name!r} is left out: {left_out[0].why}" if left_out else ""
        raise InputError(
            f"there are no images in {str(folder)!r} (of {known}); name another folder{seen}"
        )
    problems = list(_check_all(meant, checked or (lambda done, count: None)))
    if problems:
        more = f" ({len(problems) - 1} more can't be shown either)" if problems[1:] else ""
        raise InputError(problems[0] + more)
    listing = Listing((file.name, file) for file in meant)
    listing.left_out = left_out
    return listing


def _is_meant(file: Path) -> bool:
    # A link to nothing is meant, and will be complained of; a folder or a pipe is not.
    return is_named_as_picture(file.name) and (file.is_file() or not file.exists())


def _why_left_out(file: Path) -> str:
    if file.is_dir():
        return A_FOLDER
    if not file.is_file():
        return NO_FILE
    try:
        with file.open("rb") as stream:
            head = stream.read(PICTURE_HEAD)
    except OSError:
        return NOT_READABLE
    kind = sniff_image(head)
    if kind is not None:
        return f"{CONTENT_TYPES[kind]}{OTHER_ENDING}"
    media_type = media_type_of(head)
    return NO_IMAGE if media_type is None else f"{media_type}{NOT_SHOWN}"


def _check_all(files: list[Path], checked: Checked) -> Iterator[str]:
    """What is wrong with those that can't be shown, in their order."""
    with ThreadPoolExecutor(_THREADS) as threads:
        try:
            for done, problem in enumerate(threads.map(_problem_of, files), 1):
                checked(done, len(files))
                if problem is not None:
                    yield problem
        finally:
            threads.shutdown(cancel_futures=True)


def _problem_of(file: Path) -> str | None:
    try:
        verdict = _check_image(file)
    except InputError as exc:
        return str(exc)
    if verdict is None:
        what = f"is larger than clients take ({MAX_IMAGE >> 20} MiB)"
    elif verdict.reason is None:
        return None
    elif verdict.reason == TRUNCATED:
        what = "is cut off: its end is missing"
    elif verdict.kind is not None:
        what = f"is damaged, or is {verdict.kind.media_type} of a form that browsers don't show"
    elif verdict.reason.startswith(OF_TYPE):
        what = f"is {verdict.reason.removeprefix(OF_TYPE)}{NOT_SHOWN}"
    else:
        what = "is no image, whatever its name says"
    return f"{str(file)!r} {what}; replace or remove it"


def _check_image(file: Path) -> Verdict | None:
    """None for one that is too large. Raises InputError."""
    try:
        file.name.encode()
    except UnicodeEncodeError as exc:
        raise InputError(f"the name of {str(file)!r} is not UTF-8; rename it") from exc
    check = PictureCheck()
    size = 0
    with (
        input_errors(f"can't read {str(file)!r}", "replace or remove it"),
        file.open("rb") as stream,
    ):
        while part := stream.read(_PART):
            size += len(part)
            if check.feed(part) is not None:
                break
            if size > MAX_IMAGE:
                return None
    return check.end()
