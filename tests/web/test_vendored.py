"""What the pages have of others is what these have published."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

from tests.kit.foreign import PEERS, require

VENDOR = Path(str(resources.files("imgsync") / "web" / "js" / "vendor"))

#: By its file here: its package, and which of its files it is.
ORIGINALS = {"lean-qr.js": ("lean-qr", "index.mjs")}


def test_each_is_named_with_its_version_its_licence_and_what_it_was_published_as() -> None:
    assert {path.name for path in VENDOR.iterdir()} == set(ORIGINALS)
    pinned = json.loads((PEERS / "package.json").read_text())["devDependencies"]
    for name, (package, file) in ORIGINALS.items():
        head, end, code = (VENDOR / name).read_text(encoding="utf-8").partition("\n*/\n")
        assert end
        assert re.match(rf"// @ts-nocheck\n/\*!\n{package} {pinned[package]}, its {file} ", head)
        folder = PEERS / "node_modules" / package
        require(folder.is_dir(), f"{package} is not installed: npm install in {PEERS.name}/")
        assert json.loads((folder / "package.json").read_text())["version"] == pinned[package]
        assert code == (folder / file).read_text(encoding="utf-8")
        assert (folder / "LICENSE").read_text(encoding="utf-8").strip() in head
