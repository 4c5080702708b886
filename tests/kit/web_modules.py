"""The modules behind the pages, and the pages themselves, as they stand in the folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

WEB = Path(str(resources.files("imgsync") / "web"))

_IMPORT = re.compile(r'^(?:import|export)\s[^;]*?from "(\.[^"]+)";', re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
_SCRIPT = re.compile(r'<script [^>]*src="web/([^"]+)"')


def pages_of_participants() -> list[Path]:
    """Those that are there in each language."""
    return [page for page in sorted(WEB.glob("*.html")) if "data-say=" in page.read_text("utf-8")]


def scripts_of(pages: Iterable[Path]) -> list[Path]:
    """All modules that they load, at once or later."""
    unread = [WEB / name for page in pages for name in _SCRIPT.findall(page.read_text("utf-8"))]
    found = {*unread}
    while unread:
        module = unread.pop()
        text = module.read_text("utf-8")
        named = {*_IMPORT.findall(text), *_LATER.findall(text)}
        new = {(module.parent / name).resolve() for name in named} - found
        found |= new
        unread += new
    return sorted(found)
