"""The languages of the participants' pages: a file each in `web/js/languages`, and no list of them.

A page comes in the language of who asks for it: what stands in it from the beginning is filled in
here, and its module `words/chosen.js` names the file of all texts. So a page in another language is
another version of all that it loads, and its texts come with it, and not a way to the relay later.
"""

import html
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import attrs

from imgsync.relay.own_texts import OwnTexts, texts_for

FOLDER = "js/languages/"
CHOSEN = "js/words/chosen.js"

_TEXTS = re.compile(r"^(?:export default|const texts =) (\{.*?^\});$", re.MULTILINE | re.DOTALL)
_NOT_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|(\w+)(?=:)|,(?=\s*\})', re.DOTALL)

_HTML = re.compile(rb'<html lang="[^"]*" dir="[^"]*">')
_SAID = re.compile(rb' data-say="([\w.]+)"([^<>]*)>([^<>]*)<')
_OWN = re.compile(rb' data-own="(\w+)"([^<>]*)><')


@attrs.frozen
class Language:
    """One of them.

    :param tag: (BCP 47); the name of its file.
    :param texts: `name`, `direction`, and rooms of texts by name.
    :param own: what the study says itself, by name.
    """

    tag: str
    texts: Mapping[str, Any]
    own: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def module(self) -> bytes:
        """`words/chosen.js` of who reads it."""
        lines = (
            f'import texts from "../languages/{self.tag}.js";',
            f'export const LANGUAGE = "{self.tag}";',
            f"export const OWN = {json.dumps(dict(self.own))};",
            "export default texts;",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def fill(self, page: bytes) -> bytes:
        """Say of which language it is, and what stands in it from the beginning.

        Raises ValueError where it can't be said.
        """

        def say(match: re.Match[bytes]) -> bytes:
            key = match[1].decode()
            room, _, name = key.partition(".")
            text = self.texts.get(room, {}).get(name)
            if not isinstance(text, str) or "{" in text or match[3].strip():
                raise ValueError(f"{key!r} is no text for an empty element of a page")
            return match[2] + b">" + html.escape(text, quote=False).encode() + b"<"

        def say_own(match: re.Match[bytes]) -> bytes:
            text = html.escape(self.own.get(match[1].decode(), ""), quote=False)
            return match[2] + b">" + text.encode() + b"<"

        root = f'<html lang="{self.tag}" dir="{self.texts["direction"]}">'
        return _OWN.sub(say_own, _SAID.sub(say, _HTML.sub(root.encode(), page)))


def is_spoken(page: bytes) -> bool:
    """Whether it is there in each language."""
    return _SAID.search(page) is not None


def languages_in(files: Mapping[str, bytes], own: OwnTexts | None = None) -> list[Language]:
    """All that there are, and what a study says in each."""
    tags = sorted(PurePosixPath(name).stem for name in files if name.startswith(FOLDER))
    texts = {tag: read_texts(files[f"{FOLDER}{tag}.js"].decode()) for tag in tags}
    return [Language(tag, texts[tag], texts_for(tag, own or {})) for tag in tags]


def read_texts(module: str) -> dict[str, Any]:
    """What a file of texts exports, which is written like JSON. Raises ValueError."""
    found = _TEXTS.search(module)
    if found is None:
        raise ValueError("a file of texts has to export an object of texts")

    def as_json(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return match[0]
        return "" if match[1] is None else f'"{match[1]}"'

    texts = json.loads(_NOT_JSON.sub(as_json, found[1]))
    assert isinstance(texts, dict)
    return texts
