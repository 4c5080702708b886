"""What installed packages say of themselves: their versions, and what our extras bring.

Read from its metadata, which every kind of installation has, from a wheel to an editable folder;
only sources that were never installed have none.
"""

import re

from imgsync.core.protocol.errors import MissingExtra

NAME = "imgsync-webrtc"
"""Of the distribution. On the package index, `imgsync` is a program of somebody else."""

_OF_EXTRA = re.compile(r"""(?P<requirement>[^;]+?)\s*;\s*extra\s*==\s*(['"])(?P<extra>[^'"]+)\2""")
"""One of an extra, as build tools write it: `httpx>=0.27; extra == 'cli'`."""


def installed_version() -> str:
    """Of imgsync; "unknown" where it runs from its sources."""
    return version_of(NAME)


def version_of(distribution: str) -> str:
    """Of whatever is installed; "unknown" where that is not."""
    # Here, as it loads the parser of e-mail, and most commands never ask.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def requirements_of(extra: str) -> list[str]:
    """What an extra brings, as pip takes it: `httpx>=0.27`. Empty where there is no metadata."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(NAME) or []
    except PackageNotFoundError:
        return []
    found = [match for line in lines if (match := _OF_EXTRA.fullmatch(line))]
    return [match["requirement"] for match in found if match["extra"] == extra]


def missing_extra(feature: str, extra: str) -> MissingExtra:
    """The error to raise where a package of an extra is not there.

    :param feature: what can't be done, as the start of a sentence.
    """
    return MissingExtra(feature, extra, requirements_of(extra))
