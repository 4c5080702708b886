"""What a study says itself on the participants' pages: a folder with a file for each language.

    texts/de.json        {"welcome": "Willkommen ...", "thanks": "Vielen Dank!"}
    texts/en.json        ...

It is plain text with line breaks. Who reads a language that has no file gets the English one, or
else the first: a text in another language is better than none.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_SCREEN_TEXT
from imgsync.core.protocol.trials import is_screen_text
from imgsync.core.relay.languages import ENGLISH
from imgsync.files import input_errors

NAMES = ("welcome", "consent", "thanks")
"""Before a session, in the question whether the participant may be recorded, and after its end."""

OwnTexts = Mapping[str, Mapping[str, str]]
"""By language and name."""


def read_own_texts(folder: Path, languages: Collection[str]) -> OwnTexts:
    """All that a folder has. Raises InputError.

    :param languages: tags of those that there are.
    """
    advice = "name a folder with a file for each language, such as de.json"
    with input_errors(f"the texts in {str(folder)!r} can't be read", advice):
        files = sorted(file for file in folder.iterdir() if file.suffix == ".json")
        documents = {file: file.read_bytes() for file in files}
    if not files:
        raise InputError(f"{str(folder)!r} has no texts; {advice}")
    for file in files:
        if file.stem not in languages:
            known = ", ".join(f"{tag}.json" for tag in sorted(languages))
            raise InputError(f"{str(file)!r} is of no language that pages have; there are {known}")
    return {file.stem: _read(file, document) for file, document in documents.items()}


def texts_for(language: str, own: OwnTexts) -> Mapping[str, str]:
    """What who reads this language gets."""
    return own.get(language) or own.get(ENGLISH) or next(iter(own.values()), {})


def _read(file: Path, document: bytes) -> dict[str, str]:
    try:
        texts: Any = json.loads(document.decode("utf-8-sig"))
    except ValueError as exc:
        raise InputError(f"{str(file)!r} is no JSON in UTF-8: {exc}") from None
    names = ", ".join(NAMES)
    if not isinstance(texts, dict):
        raise InputError(f"{str(file)!r} is no object of texts; there are {names}")
    for name, text in texts.items():
        if name not in NAMES:
            raise InputError(f"{str(file)!r} has a text {name!r}; there are {names}")
        if not isinstance(text, str) or not is_screen_text(text):
            raise InputError(
                f"{str(file)!r} has a {name} that is not a text of 1 to {MAX_SCREEN_TEXT}"
                " characters, without control characters but line breaks"
            )
    return texts
