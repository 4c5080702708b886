"""A folder's images: which files they are, whether each is whole, and what else lies there."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from imgsync.core.pictures.check import Verdict
from imgsync.core.pictures.inspection import Inspection
from imgsync.core.pictures.kinds import SUFFIXES, media_type_of
from imgsync.core.pictures.names import is_named_as_picture, is_of_system, natural_key
from imgsync.core.pictures.others import OTHERS
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_IMAGE, OF_TYPE, PICTURE_HEAD, TRUNCATED
from imgsync.files import input_errors
from imgsync.images.kinds import CONTENT_TYPES, sniff_image
from imgsync.images.own import OwnPicture, Stamp

_THREADS = min(4, os.cpu_count() or 1)
"""Files that are read at a time; more make no disk quicker."""

_PART = 256 * 1024

_USUAL = ("gif", "jpeg", "jpg", "png", "svg", "webp")
"""How names end mostly; people read these first."""

_NAMED = 10
"""How many of those that can't be shown are named beside the first."""

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
    :ivar pictures: what each of them is.
    """

    left_out: tuple[LeftOut, ...] = ()
    pictures: tuple[OwnPicture, ...] = ()


def list_images(folder: Path, checked: Checked | None = None, limit: int = MAX_IMAGE) -> Listing:
    """The images of a folder in natural order (2 before 10), all of them whole. Raises InputError.

    Hidden files are left out, and those of systems.
    """
    with input_errors(f"can't read the folder {str(folder)!r}", "name another one"):
        files = sorted(folder.iterdir(), key=lambda file: natural_key(file.name))
    meant = [file for file in files if _is_meant(file)]
    names = {file.name for file in meant}
    others = [file for file in files if file.name not in names and not is_of_system(file.name)]
    left_out = tuple(LeftOut(file.name, _why_left_out(file)) for file in others)
    if not meant:
        known = ", ".join([*_USUAL, *sorted(SUFFIXES - set(_USUAL))])
        seen = f"; {_describe(left_out[0])}" if left_out else ""
        raise InputError(
            f"there are no images in {str(folder)!r} (of {known}); name another folder{seen}"
        )
    pictures = read_pictures(meant, limit, checked)
    listing = Listing((file.name, file) for file in meant)
    listing.pictures = pictures
    listing.left_out = left_out
    return listing


def _name_others(names: list[str]) -> str:
    """Those that can't be shown either, so that nobody has to come back for each."""
    if not names:
        return ""
    named = ", ".join(repr(name) for name in names[:_NAMED])
    rest = f" and {len(names) - _NAMED} others" if names[_NAMED:] else ""
    return f" ({len(names)} more can't be shown either: {named}{rest})"


def _describe(one: LeftOut) -> str:
    other = OTHERS.get(one.why.removesuffix(NOT_SHOWN))
    todo = "" if other is None else f" (it is {other.name}: {other.advice})"
    return f"{one.name!r} is left out: {one.why}{todo}"


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


def read_pictures(
    files: list[Path], limit: int, checked: Checked | None = None
) -> tuple[OwnPicture, ...]:
    """Each of these files, all of them whole. Raises InputError.

    :param limit: the most bytes that one may have.
    """
    found = list(_inspect_all(files, limit, checked or (lambda done, count: None)))
    pairs = zip(files, found, strict=True)
    problems = [(file.name, one) for file, one in pairs if isinstance(one, str)]
    if problems:
        raise InputError(problems[0][1] + _name_others([name for name, _ in problems[1:]]))
    return tuple(one for one in found if isinstance(one, OwnPicture))


def _inspect_all(files: list[Path], limit: int, checked: Checked) -> Iterator[OwnPicture | str]:
    """Each as a picture, or what is wrong with it, in their order."""
    with ThreadPoolExecutor(_THREADS) as threads:
        try:
            inspected = threads.map(lambda file: _inspect(file, limit), files)
            for done, found in enumerate(inspected, 1):
                checked(done, len(files))
                yield found
        finally:
            threads.shutdown(cancel_futures=True)


def _inspect(file: Path, limit: int) -> OwnPicture | str:
    try:
        return _read_picture(file, limit)
    except InputError as exc:
        return str(exc)


def _read_picture(file: Path, limit: int) -> OwnPicture:
    """Raises InputError."""
    try:
        file.name.encode()
    except UnicodeEncodeError as exc:
        raise InputError(f"the name of {str(file)!r} is not UTF-8; rename it") from exc
    inspection = Inspection()
    with (
        input_errors(f"can't read {str(file)!r}", "replace or remove it"),
        file.open("rb", buffering=0) as stream,
    ):
        stamp = Stamp.of(os.fstat(stream.fileno()))
        if stamp.size > limit:
            raise InputError(_too_large(file, stamp.size, limit))
        while part := stream.read(_PART):
            if inspection.feed(part) is not None:
                break
        verdict = inspection.end()
        is_other = Stamp.of(os.fstat(stream.fileno())) != stamp
    if is_other:
        raise InputError(f"{str(file)!r} is being written; wait until it is whole")
    if verdict.reason is not None:
        raise InputError(f"{str(file)!r} {_why_not_shown(verdict)}")
    return OwnPicture(inspection.facts, file, stamp)


def _too_large(file: Path, size: int, limit: int) -> str:
    whose = "clients take" if limit == MAX_IMAGE else "the limit allows"
    return (
        f"{str(file)!r} is larger than {whose} ({_in_mib(limit)} MiB): it has {_in_mib(size)};"
        " make it smaller or remove it"
    )


def _in_mib(size: int) -> str:
    return f"{size / (1 << 20):.3g}" if size < 1000 << 20 else f"{size >> 20}"


def _why_not_shown(verdict: Verdict) -> str:
    reason = verdict.reason or ""
    if reason == TRUNCATED:
        return "is cut off: its end is missing; replace or remove it"
    if verdict.kind is not None:
        form = f"{verdict.kind.media_type} of a form that browsers don't show"
        return f"is damaged, or is {form}; replace or remove it"
    if reason.startswith(OF_TYPE):
        media_type = reason.removeprefix(OF_TYPE)
        return f"is {media_type}{NOT_SHOWN}; {OTHERS[media_type].advice}, or remove it"
    return "is no image, whatever its name says; replace or remove it"
