"""Files of a folder by their names: in which order, and which of them are meant to be shown.

`web/js/core/pictures/names.js` has the same rules, so that a folder is the same series, whichever
way it is opened.
"""

import re

from imgsync.core.pictures.kinds import SUFFIXES

_OF_SYSTEMS = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__"}
)
"""What systems put into folders by themselves, in small letters."""

_NUMBER = re.compile(r"([0-9]+)")

NaturalKey = tuple[list[tuple[int, str]], str]


def natural_key(name: str) -> NaturalKey:
    """To sort by: numbers by what they say (2 before 10), large letters like small ones."""
    # Not casefold, which other languages don't have.
    parts = _NUMBER.split(name.lower())
    # Every second part is a number. The name itself decides between 1.png and 01.png.
    return [(int(p), "") if i % 2 else (-1, p) for i, p in enumerate(parts)], name


def is_of_system(name: str) -> bool:
    """Or hidden, or a program, such as the one that draws our own samples: no picture to anybody.

    A Mac leaves a hidden file, named alike, beside each that it copies.
    """
    return name.startswith(".") or name.lower() in _OF_SYSTEMS or name.lower().endswith(".py")


def is_named_as_picture(name: str) -> bool:
    """Whether it ends as the names of pictures do that browsers show."""
    return not is_of_system(name) and name.lower().rpartition(".")[2] in SUFFIXES and "." in name
