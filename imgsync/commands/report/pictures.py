"""Which pictures were shown, byte by byte, and which were not the same each time."""

from collections.abc import Iterable, Sequence

import attrs

from imgsync.commands.report.sides import SessionRecord
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.journal.events import Picture

SHORT = 12
"""Digits of a SHA-256 that people compare; the table has all of them."""

NAMED = 5
"""Images that a warning names."""


@attrs.frozen
class Version:
    """A picture that an image was.

    :param type: its media type.
    :param bytes: how many.
    :param width: pixels, as is `height`; None where the picture does not say.
    :param showings: how often the image was this one.
    :param first: when it was to be shown for the first time; evaluator's clock.
    """

    sha256: str
    type: str
    bytes: int
    width: int | None
    height: int | None
    showings: int
    first: Milliseconds

    @property
    def short(self) -> str:
        """The SHA-256 for people."""
        return f"{self.sha256[:SHORT]}..."

    @property
    def pixels(self) -> str:
        """For people."""
        return "" if None in (self.width, self.height) else f"{self.width} x {self.height}"


Versions = dict[str, list[Version]]
"""By what names the image, in the order in which they were shown."""


def find_versions(record: SessionRecord) -> Versions:
    """Of a session. Where its sides say of one showing what is not the same, it counts for each."""
    found: dict[tuple[str, str], list[Picture]] = {}
    for showing in record.showings.values():
        for sha256, picture in {one.sha256: one for one in showing.pictures}.items():
            found.setdefault((showing.image_url or "", sha256), []).append(picture)
    return _by_url(
        (url, _version(pictures, len(pictures), min(one.sent_at for one in pictures)))
        for (url, _), pictures in found.items()
    )


def _version(pictures: Sequence[Picture], showings: int, first: Milliseconds) -> Version:
    last = pictures[-1]
    size = (last.bytes, last.width, last.height)
    return Version(last.sha256, last.content_type, *size, showings, first)


def _by_url(versions: Iterable[tuple[str, Version]]) -> Versions:
    urls: Versions = {}
    for url, version in sorted(versions, key=lambda one: one[1].first):
        urls.setdefault(url, []).append(version)
    return urls


@attrs.frozen
class PictureChanged:
    """An image was not the same picture in all of its showings. People are warned on stderr.

    :param versions: in the order in which they were shown.
    """

    EVENT = "changed"
    image_url: str
    versions: tuple[Version, ...]

    @property
    def prose(self) -> None:
        return None


def find_changed(sessions: Iterable[Versions]) -> list[PictureChanged]:
    """Of all sessions together, as a paper speaks of all of them."""
    together: dict[tuple[str, str], Version] = {}
    for versions in sessions:
        for url, version in ((url, one) for url, listed in versions.items() for one in listed):
            known = together.get((url, version.sha256))
            together[url, version.sha256] = version if known is None else _add(known, version)
    urls = _by_url((url, version) for (url, _), version in together.items())
    return [
        PictureChanged(url, tuple(listed))
        for url, listed in urls.items()
        if url and len(listed) > 1
    ]


def _add(one: Version, other: Version) -> Version:
    earlier = min(one, other, key=lambda version: version.first)
    return attrs.evolve(earlier, showings=one.showings + other.showings)


def warn_of_changed(changed: Sequence[PictureChanged]) -> list[str]:
    """In words: nothing, or one warning."""
    if not changed:
        return []
    named = [
        f"{one.image_url} ({', '.join(version.short for version in one.versions)})"
        for one in changed[:NAMED]
    ]
    rest = f" and {len(changed) - NAMED} more" if changed[NAMED:] else ""
    what = "an image was" if len(changed) == 1 else f"{len(changed)} images were"
    return [f"{what} not the same picture in all showings, by SHA-256: {', '.join(named)}{rest}"]


def describe_bytes(count: int) -> str:
    """For people: "850 bytes", "12.3 kB" or "1.2 MB"."""
    if count < 1_000:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{count / 1e3:.1f} kB" if count < 999_950 else f"{count / 1e6:.1f} MB"
